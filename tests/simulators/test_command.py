"""`manage.py third_parties`: conditions by hand, and every simulator behind a real address."""

import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from finaegis.management.commands.third_parties import ROUTES
from finaegis.shared.third_party import Endpoint, NotTaken, Refused
from lending.ports import chosen
from lending.ports.http import HttpBureau
from tests.architecture.test_contracts import ROOT
from tests.lending.third_parties import subject


def third_parties(*arguments):
    out = StringIO()
    call_command("third_parties", *arguments, stdout=out)
    return out.getvalue()


def test_every_party_of_the_settings_is_simulated():
    assert {route.party for route in ROUTES} == set(settings.THIRD_PARTIES)


@pytest.mark.django_db
def test_a_condition_imposed_by_hand_meets_the_next_calls_and_is_gone():
    told = third_parties("impose", "credit_bureau", "not_taken", "--call", "pull", "--times", "2", "--latency", "1.5")

    assert told == "credit_bureau pull: not_taken, 1500 ms, 2 more time(s)\n"
    for _ in range(2):
        with pytest.raises(NotTaken):
            chosen.credit_bureau().pull(key="k", subject=subject("0001"))
    assert chosen.credit_bureau().pull(key="k", subject=subject("0001")).file_found
    assert third_parties("conditions") == ""


@pytest.mark.django_db
def test_a_condition_without_end_is_lifted_by_hand():
    third_parties("impose", "credit_bureau", "failed", "--times", "0")
    assert third_parties("conditions") == "credit_bureau every call: failed, 0 ms, until lifted\n"

    assert third_parties("lift", "credit_bureau") == "1 condition(s) of credit_bureau lifted\n"

    assert chosen.credit_bureau().pull(key="k", subject=subject("0001")).file_found


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [("--times", "-1"), ("--latency", "-1"), ("--latency", "nan")])
def test_a_condition_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(CommandError):
        third_parties("impose", "credit_bureau", "failed", *arguments)

    assert third_parties("conditions") == ""


def test_it_is_for_development_and_tests_alone(settings):
    settings.SETTINGS_MODULE = "finaegis.settings.production"

    with pytest.raises(CommandError) as refusal:
        third_parties("conditions")

    assert refusal.value.returncode == 2


def test_without_a_token_nothing_is_served(settings):
    settings.SIMULATORS_TOKEN = ""

    with pytest.raises(CommandError):
        third_parties("serve", "--port", "0")


def test_a_served_simulator_answers_at_the_address_that_is_printed(tmp_path):
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "finaegis.settings.test",
        "DATABASE_URL": f"sqlite:///{tmp_path}/third-parties.sqlite3",
        "SIMULATORS_TOKEN": "served",
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "simulators", "-v", "0"], cwd=ROOT, env=env, check=True, timeout=120)
    with subprocess.Popen(
        [*manage, "third_parties", "serve", "--port", "0"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        addresses = {}
        for line in process.stdout:
            if line == "third parties are up\n":
                break
            name, url = re.fullmatch(r"(\w+)_URL=(\S+) \1_TOKEN=\$SIMULATORS_TOKEN\n", line).groups()
            addresses[name.lower()] = url

        def bureau(token):
            patience = timedelta(seconds=60)
            return HttpBureau(Endpoint("credit_bureau", addresses["credit_bureau"], token, patience, patience))

        found = bureau("served").pull(key="k", subject=subject("9001"))
        with pytest.raises(Refused) as refusal:
            bureau("another").pull(key="k", subject=subject("9001"))
        process.send_signal(signal.SIGTERM)
        ending = process.stdout.read()

    assert set(addresses) == set(settings.THIRD_PARTIES)
    assert (found.file_found, refusal.value.code) == (False, "unauthorised")
    assert (process.returncode, ending) == (0, "third parties have stopped\n")
