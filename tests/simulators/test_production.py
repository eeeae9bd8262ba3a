"""Production has no simulators: each third party has an address, with TLS, and a token."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from tests.architecture.test_contracts import ROOT

PARTIES = [party.upper() for party in settings.THIRD_PARTIES]


def load(**changed):
    """The production settings in an interpreter of their own; what it says on standard error."""
    names = ("SECRET_KEY", "ALLOWED_HOSTS", "BROKER_URL", "WORKFLOWS_HISTORY_KEY", "WORKFLOWS_ENCRYPTION_KEYS")
    given = dict.fromkeys(names, "x") | {"DATABASE_URL": "postgres://db/finaegis"}
    given |= {"EMAIL_URL": "smtp://mail.example.com", "PUBLIC_URL": "https://finaegis.example"}
    for party in PARTIES:
        given |= {f"{party}_URL": "https://third.party/", f"{party}_TOKEN": "x"}
    done = subprocess.run(
        [sys.executable, "-c", "import finaegis.settings.production"],
        cwd=ROOT, env=os.environ | given | changed, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_with_every_third_party_the_settings_load():
    assert load() == (0, "")


@pytest.mark.parametrize("party", PARTIES)
def test_a_third_party_without_an_address_is_refused(party):
    code, told = load(**{f"{party}_URL": ""})

    assert code == 1
    assert f"{party}_URL (https) and {party}_TOKEN must be set in production" in told


@pytest.mark.parametrize("changed", [{"CREDIT_BUREAU_TOKEN": ""}, {"CREDIT_BUREAU_URL": "http://third.party/"}])
def test_a_third_party_without_token_or_tls_is_refused(changed):
    code, told = load(**changed)

    assert (code, "CREDIT_BUREAU_URL (https)" in told) == (1, True)
