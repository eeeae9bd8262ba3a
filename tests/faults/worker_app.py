"""The Celery app of the project with the tests' workflows registered: `celery -A tests.faults.worker_app worker`."""

from finaegis.celery import app
from tests.faults import family_flows, flows, many_flows, messages, mixed_flows, race_flows, scenario_flows

__all__ = ["app", "family_flows", "flows", "many_flows", "mixed_flows", "race_flows", "scenario_flows"]

messages.disturb(app)
