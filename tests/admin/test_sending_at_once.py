"""The same dialog sent several times at once: one act, and every sender is led to the run.

With the mark taken out, each later send reaches the operation, which refuses it: those senders get 200 and an error.
A process of its own, because Django's test database on SQLite is in memory, where writers never wait for each other.
"""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.admin import racing

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = os.environ.get("DATABASE_URL_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
SCRIPT = """
import json
from django.core.management import call_command
from tests.admin import racing
call_command("migrate", verbosity=0)
print(json.dumps(racing.send_pause_at_once()))
"""


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path / 'race.sqlite3'}"


@pytest.fixture
def postgres():
    """A database of its own, dropped afterwards."""
    name = f"race_{uuid.uuid4().hex[:12]}"
    try:
        admin = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.Error as error:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(f"needs Postgres: set DATABASE_URL_POSTGRES ({error})")
    with admin:
        admin.execute(f"CREATE DATABASE {name}")
        yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_many_sends_at_once_act_once(request, database):
    kept = {name: value for name, value in os.environ.items() if name != "BROKER_URL"}
    environment = kept | {
        "DATABASE_URL": request.getfixturevalue(database),
        "DJANGO_SETTINGS_MODULE": "finaegis.settings.test",
    }

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "shell", "--verbosity", "0", "-c", SCRIPT],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    codes, acts, events = json.loads(done.stdout.splitlines()[-1])
    assert codes == [302] * racing.SENDERS
    assert (acts, events) == (1, ["RunStarted", "RunHeld"])
