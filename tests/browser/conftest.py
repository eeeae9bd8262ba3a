"""A real Chromium before the embedded default: console, worker and beat of `manage.py up` on a database of its own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "finaegis"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ELSEWHERE = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")
_PATIENCE = 90.0


def require_chromium():
    """Its path; where there is none, skip and say what is missing, but fail where CI promises it."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("needs Chromium: install it or set CHROMIUM to its path")
    return path


@pytest.fixture(scope="module")
def chromium():
    """A browser, closed at the module's end: its event loop must not outlive it, or no later test may query."""
    path = require_chromium()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The address of a console with demo data."""
    require_chromium()
    folder = tmp_path_factory.mktemp("console")
    log = folder / "up.log"
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {
        "DATA_DIR": str(folder / "data"),
        "DEBUG": "false",
        "DJANGO_SETTINGS_MODULE": "finaegis.settings.dev",
    }
    port = _free_port()
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--demo", "small", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        _wait_until_up(process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait_until_up(process, log):
    deadline = time.monotonic() + _PATIENCE
    while "FinAegis is up" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.fixture(scope="module")
def session(chromium, served):
    """What the browser keeps of the operator's login."""
    context = chromium.new_context(base_url=served)
    page = context.new_page()
    page.goto("/admin/")
    page.fill("[name=username]", "operator")
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def complaints():
    """What the browser complained about: script errors and what the content policy blocked."""
    return []


@pytest.fixture
def operator(chromium, served, session, complaints):
    """A page of the operator, who is logged in."""
    context = chromium.new_context(
        base_url=served, storage_state=session, viewport={"width": 1400, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
