"""Due times that runs wait for: listed over all runs, moved one by one."""

from __future__ import annotations

import uuid
from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import operations, queries
from workflows.api.answers import act_answer
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import read_body
from workflows.api.serializers import MoveBody, RunSerializer, TimerQuery, TimerSerializer
from workflows.api.views import ApiView
from workflows.core.errors import NotFound

_LARGEST = 2**31 - 1


class Timers(ApiView):
    """Timers of open runs, first due first."""

    required = {"GET": ("workflows.view_run",)}
    query = TimerQuery

    @extend_schema(
        operation_id="timers_list",
        summary="List timers",
        parameters=[TimerQuery],
        responses=page_schema(TimerSerializer),
    )
    def get(self, request: Request) -> Response:
        """Timers, ends of waits and back-offs of retries that fit every filter given, first due first."""
        filters = dict(self.asked)
        limit, cursor = filters.pop("limit"), filters.pop("cursor", None)
        if "overdue" in filters:
            filters["overdue"] = filters["overdue"] == "true"
        if "run" in filters:
            filters["run_id"] = filters.pop("run")
        found = queries.page_timers(limit=limit, after=read_cursor(cursor, _place), **filters)
        after = None if found.after is None else [found.after[0].isoformat(), str(found.after[1]), str(found.after[2])]
        return page(request, TimerSerializer, found.timers, after)


def _place(at: str, run_id: str, seq: str) -> tuple[datetime, uuid.UUID, int]:
    moment, run = place_in_time(at, run_id)
    number = int(seq)
    if not 0 <= number <= _LARGEST:
        raise ValueError(seq)
    return moment, run, number


class MoveTimer(ApiView):
    """Let a timer be over at another instant."""

    @extend_schema(
        operation_id="timers_move",
        summary="Move a timer",
        request=MoveBody,
        parameters=[LOCATION],
        responses={200: RunSerializer, 202: RunSerializer},
    )
    def post(self, request: Request, run_id: uuid.UUID, seq: int) -> Response:
        """A timer, or the end of a wait, gets another due time: 200, or 202 while the run's driver has the move."""
        body = read_body(request, MoveBody)
        run = operations.move_timer(run_id, seq, due_at=body["due_at"], actor=request.user, reason=body["reason"])
        return act_answer(request, run, waits=False, is_done=_is_moved(run_id, seq, body["due_at"]))


def _is_moved(run_id: uuid.UUID, seq: int, due_at: datetime) -> bool:
    """Whether the move stands already: a driver that is at work carries it out with its next commit."""
    try:
        return queries.get_timer(run_id, seq).due_at == due_at
    except NotFound:  # it is over by now
        return True
