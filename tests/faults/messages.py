"""Doubles and loses messages where they are sent, in every process of a system that asks for it."""

from __future__ import annotations

import os
import random
from typing import Any

from celery import Celery


def disturb(app: Celery) -> None:
    """Send messages twice or not at all, as the percentages `FAULTS_DOUBLED` and `FAULTS_LOST` say."""
    doubled, lost = int(os.environ.get("FAULTS_DOUBLED", "0")), int(os.environ.get("FAULTS_LOST", "0"))
    if not doubled and not lost:
        return
    send = app.amqp.send_task_message

    def send_disturbed(*args: Any, **kwargs: Any) -> Any:
        if random.randrange(100) < lost:
            return None
        if random.randrange(100) < doubled:
            send(*args, **kwargs)
        return send(*args, **kwargs)

    app.amqp.send_task_message = send_disturbed
