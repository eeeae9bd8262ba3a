"""The Celery app of the project with the tests' workflows registered: `celery -A tests.faults.worker_app worker`."""

from finaegis.celery import app
from tests.faults import flows

__all__ = ["app", "flows"]
