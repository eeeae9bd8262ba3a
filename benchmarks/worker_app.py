"""The project's Celery app with the benchmarks' workflows registered."""

from benchmarks import flows
from finaegis.celery import app

__all__ = ["app", "flows"]
