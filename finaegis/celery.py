"""The Celery app: carries hints between processes, and the periodic work that finds what no hint found.

Workers set Django up themselves and keep their database connection between tasks: Celery's own Django fixup closes it
before and after every task, which more than halves the throughput.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from typing import Any

import django
from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_after_setup,
    task_postrun,
    task_prerun,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finaegis.settings.dev")
django.setup()

from workflows import tasks  # noqa: E402 - Django must be set up before models are imported
from workflows.runtime import dispatch, process  # noqa: E402

log = logging.getLogger("finaegis.celery")

EMBEDDED = not settings.BROKER_URL

app = Celery("finaegis", fixups=[])
app.conf.update(
    broker_url=settings.BROKER_URL or "memory://",
    result_backend=settings.REDIS_URL or "cache+memory://",
    broker_connection_retry_on_startup=True,
    broker_transport_options={"polling_interval": 0.005} if EMBEDDED else {"visibility_timeout": 3600},
    task_ignore_result=True,
    task_default_queue=settings.CELERY_QUEUE,
    task_acks_late=False,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2},
    worker_prefetch_multiplier=4,
    worker_redirect_stdouts=False,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    beat_scheduler=settings.CELERY_BEAT_SCHEDULER,
    beat_max_loop_interval=1,
    timezone="UTC",
    enable_utc=True,
    beat_schedule={
        "workflows-wake": {"task": tasks.wake.name, "schedule": timedelta(seconds=1), "options": {"expires": 10}},
        "workflows-sweep": {"task": tasks.sweep.name, "schedule": timedelta(seconds=1), "options": {"expires": 10}},
        "workflows-reconcile": {
            "task": tasks.reconcile.name,
            "schedule": timedelta(seconds=30),
            "options": {"expires": 30},
        },
        "workflows-figures": {"task": tasks.figures.name, "schedule": timedelta(seconds=5), "options": {"expires": 10}},
        "workflows-seal": {"task": tasks.seal.name, "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    },
)


@celeryd_after_setup.connect
def _subscribe(**kwargs: Any) -> None:
    """Also take from the queues that activities name."""
    dispatch.subscribe(app)


@worker_process_init.connect
def _begin_process(**kwargs: Any) -> None:
    """A forked worker must not share its parent's connections."""
    for connection in connections.all(initialized_only=True):
        connection.inc_thread_sharing()
        connection.connection = None


@task_prerun.connect
@task_postrun.connect
def _mind_connections(**kwargs: Any) -> None:
    """Drop a connection that broke; keep one that works."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


@worker_shutting_down.connect
def _leave(**kwargs: Any) -> None:
    """Claim nothing new; runs in hand are let go after their step. Heard by the main process, meant for its pool."""
    process.leave_all()


@worker_process_shutdown.connect
def _end_process(**kwargs: Any) -> None:
    process.leave()
    process.stop()


@worker_ready.connect
@beat_init.connect
def _started(sender: Any = None, **kwargs: Any) -> None:
    log.info("%s ready", sender)
