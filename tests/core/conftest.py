"""The core is tested without a database and with a key of the test's own."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from tests.core import memory
from workflows.core import payloads


class Reversing:
    """A cipher that anybody can read, so that a test sees what was encrypted."""

    def encrypt(self, text: str) -> str:
        return "sealed:" + base64.b64encode(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        return base64.b64decode(token.removeprefix("sealed:")).decode()


@pytest.fixture(autouse=True)
def _readable_cipher() -> Iterator[None]:
    before = payloads._CipherBox.cipher
    payloads.use_cipher(Reversing())
    yield
    payloads._CipherBox.cipher = before


@pytest.fixture
def runs_replay() -> Iterator[None]:
    """At the end every run of the test is replayed from its history and stands where it stood."""
    memory.RUNS.clear()
    yield
    for run in memory.RUNS:
        if run.events and run.machine.violation is None:
            replayed = run.replayed()
            assert memory.standing(replayed) == memory.standing(run.machine)
            replayed.dispose()
