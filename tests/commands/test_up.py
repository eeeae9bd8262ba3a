"""`manage.py up`: one command sets everything up and serves it, on SQLite and without a broker.

A real process on a free port. The tests share it, each leaves it as good as it was.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import pytest
from django.conf import settings

from tests.commands import documents
from tests.commands.serving import ROOT, Server

CASH = "treasury.CashManagement"
QUEUED = 30
#: Starts runs as any program beside the server would: rows in the database, no hint to anybody.
QUEUE = f"""
from finaegis.shared.money import Money
from treasury.queries import list_accounts
from workflows import operations
account = next(account for account in list_accounts() if account.currency == "EUR")
for number in range({QUEUED}):
    operations.start_run("{CASH}", account.id, Money("10.00", "EUR"), "balanced", key=f"queued:{{number}}")
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("up"))
    yield server
    server.kill()


@pytest.fixture
def server(running):
    return running.ensure_up()


def test_the_last_line_names_the_address_and_the_logins(server):
    assert server.last_line == (
        f"FinAegis is up: {server.url}/admin/  logins: admin operator approver viewer auditor, password finaegis"
    )


def test_everything_it_writes_lies_in_its_data_folder(server):
    written = {path.name for path in (server.folder / "data").iterdir()}

    assert {"finaegis.sqlite3", "keys"} <= written


def test_the_service_is_ready(server):
    assert [server.get(path)[0] for path in ("/health/live", "/health/ready", "/admin/login/")] == [200, 200, 200]


def test_three_demo_runs_stand_where_they_should(server):
    runs = {run["key"]: (run["status"], run["hold_reason"]) for run in server.workflow("list", "--workflow", CASH)}

    assert {key: state for key, state in runs.items() if key.startswith("demo:")} == {
        "demo:cash:completed": ("completed", None),
        "demo:cash:compensated": ("compensated", None),
        "demo:cash:paused": ("held", "paused"),
    }


def test_a_run_started_in_a_second_shell_is_executed(server):
    (demo,) = server.workflow("list", "--key", "demo:cash:completed")
    source = f'{{"account_id": "{demo["input"]["account_id"]}", "amount": {{"amount": "1.00", "currency": "USD"}}, '

    run = server.workflow("start", CASH, "--input", source + '"strategy": "balanced"}', "--wait", "20")

    assert run["status"] == "completed"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_rest_calls_of_the_readme_do_what_it_says(server):
    (calls,) = re.findall(r"```sh\n(.*?)```", documents.section(documents.README, "## Over REST"), re.DOTALL)
    script = calls.replace("http://127.0.0.1:8000", server.url).replace("\napi ", "\necho; api ")

    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    run, history, accounts = [json.loads(line) for line in done.stdout.splitlines() if line]
    assert (run["status"], run["key"]) == ("completed", "cash-2026-11-24")
    assert history["results"][-1]["kind"] == "RunCompleted"
    assert {account["kind"]: account["balance"] for account in accounts["results"]} == {
        "operating": "900000.00",
        "allocated_cash": "20000.00",
        "allocated_bonds": "40000.00",
        "allocated_equities": "40000.00",
    }


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        env = Server(tmp_path).env
        done = subprocess.run(
            [sys.executable, "manage.py", "up", "--port", str(port)], cwd=ROOT, env=env, capture_output=True, text=True
        )

    assert done.returncode == 1
    assert f"cannot serve at 127.0.0.1:{port}" in done.stderr
    assert "PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_away_is_said(tmp_path):
    env = Server(tmp_path).env | {"DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing"}

    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", "0"], cwd=ROOT, env=env, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "the database cannot be used: " in done.stderr
    assert "Traceback" not in done.stderr


def test_production_settings_are_refused(tmp_path):
    given = {"SECRET_KEY": "x", "ALLOWED_HOSTS": "x", "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}
    given |= {"BROKER_URL": "memory://", "WORKFLOWS_HISTORY_KEY": "x", "WORKFLOWS_ENCRYPTION_KEYS": "x"}
    given |= {"EMAIL_URL": "smtp://mail.example.com", "PUBLIC_URL": "https://example.com"}
    for party in (name.upper() for name in settings.THIRD_PARTIES):
        given |= {f"{party}_URL": "https://example.com/", f"{party}_TOKEN": "x"}
    env = os.environ | given | {"DJANGO_SETTINGS_MODULE": "finaegis.settings.production"}

    done = subprocess.run([sys.executable, "manage.py", "up"], cwd=ROOT, env=env, capture_output=True, text=True)

    assert (done.returncode, "development settings only" in done.stderr) == (2, True)
    assert not (tmp_path / "x.sqlite3").exists()


def test_runs_in_hand_go_on_after_the_process_was_killed(server):
    before = server.runs()
    server.shell("shell", "-c", QUEUE)
    server.wait_for(lambda: server.runs().get("completed", 0) > before["completed"], what="the first queued run")
    assert server.signal(signal.SIGKILL) == -signal.SIGKILL
    still_open = server.workflow("list", "--status", "pending", "--status", "running", "--status", "waiting")
    assert still_open, "the process was killed too late to prove anything"

    server.start()
    done = before["completed"] + QUEUED
    server.wait_for(lambda: server.runs().get("completed", 0) == done, what="every queued run")

    assert "no findings" in server.shell("workflow", "verify")
    assert server.shell("ledger", "verify")


def test_a_second_start_on_the_same_data_adds_no_demo_data(server):
    before = server.runs()
    server.signal(signal.SIGINT)

    server.start()

    assert server.runs() == before


def test_it_ends_by_itself_with_zero_when_told_to(server):
    assert server.signal(signal.SIGTERM) == 0
    assert server.last_line == "FinAegis has stopped"
