"""The Celery app of the project with the tests' workflows registered: `celery -A tests.faults.worker_app worker`."""

import os
from datetime import UTC, datetime, timedelta

from finaegis.celery import app
from tests.faults import family_flows, flows, many_flows, messages, mixed_flows, race_flows, scenario_flows
from workflows import clock

__all__ = ["app", "family_flows", "flows", "many_flows", "mixed_flows", "race_flows", "scenario_flows"]

messages.disturb(app)

#: How many days the clock of these processes is ahead. The source ends with what entered it, so that is kept.
DAYS_AHEAD = timedelta(days=int(os.environ.get("FAULTS_DAYS_AHEAD", "0")))
_source = clock.source(lambda: datetime.now(UTC) + DAYS_AHEAD)
if DAYS_AHEAD:
    _source.__enter__()
