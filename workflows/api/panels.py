"""Panels over REST: money and records of a run, a record with its runs, a search over records, queues."""

from __future__ import annotations

import uuid

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import queries
from workflows.api.pages import page, page_schema
from workflows.api.panel_serializers import (
    HitsSerializer,
    MoneySerializer,
    QueueSerializer,
    RecordPanelsSerializer,
    RecordSerializer,
    RelatedSerializer,
    SearchQuery,
    money_json,
    records_json,
    runs_json,
)
from workflows.api.runs import VIEW
from workflows.api.views import ApiView
from workflows.core.errors import PermissionRefused
from workflows.panels.reading import PanelUnread


class RunMoney(ApiView):
    """The money of one run."""

    required = VIEW

    @extend_schema(operation_id="runs_money", summary="Money of a run", responses=MoneySerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Transfers and holds of the run, its chain and its children, and what they come to by account."""
        family = queries.family_of([queries.get_run(run_id)])
        panel = queries.money_of([run.id for run in family], user=request.user)
        if panel is None:
            raise PermissionRefused("this needs the permissions to view the ledger's transfers, holds and accounts")
        if panel.money is None:
            raise PanelUnread("the money of the run could not be read")
        return Response(money_json(panel, request))


class RunRelated(ApiView):
    """The records of one run."""

    required = VIEW

    @extend_schema(operation_id="runs_related", summary="Records of a run", responses=RelatedSerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Records of domains that belong to the run, its chain and its children, as far as the caller may view them."""
        found = queries.list_related(queries.family_of([queries.get_run(run_id)]), user=request.user)
        return Response(RelatedSerializer(found, context={"request": request}).data)


class OneRecord(ApiView):
    """One record of a domain, from the engine's side."""

    @extend_schema(operation_id="records_read", summary="A record and its runs", responses=RecordPanelsSerializer)
    def get(self, request: Request, kind: str, record_id: uuid.UUID) -> Response:
        """A record (of `kind` `<app>.<model>`) with its newest runs, the records related by these, and their money."""
        record = queries.get_record(kind, record_id, user=request.user)
        runs = queries.list_runs_of(kind, record_id, user=request.user)
        family = queries.family_of(runs.runs)
        related = queries.list_related_to(record, family, user=request.user)
        money = queries.money_of([run.id for run in family], user=request.user)
        unread = [*related.unread, *(["runs"] if runs.unread else [])]
        if money is not None and money.money is None:
            unread.append("money")
        return Response(
            {
                **RecordSerializer(record, context={"request": request}).data,
                "runs": runs_json(runs, request),
                "more_runs": runs.more,
                "related": records_json(related, request),
                "money": None if money is None or money.money is None else money_json(money, request),
                "unread": unread,
            }
        )


class Search(ApiView):
    """Records by what people call them."""

    query = SearchQuery

    @extend_schema(operation_id="search", summary="Find records", parameters=[SearchQuery], responses=HitsSerializer)
    def get(self, request: Request) -> Response:
        """Records that a whole id, reference or name names, a few of each kind that the caller may view."""
        found = queries.search_records(self.asked["text"], user=request.user)
        return Response(HitsSerializer(found, context={"request": request}).data)


class WorkQueues(ApiView):
    """Work that waits for people."""

    required = VIEW

    @extend_schema(operation_id="work_queues", summary="Work that waits", responses=page_schema(QueueSerializer))
    def get(self, request: Request) -> Response:
        """How much waits in each queue that the caller may look into: held runs, doubts, reviews, cases."""
        return page(request, QueueSerializer, queries.list_work_queues(user=request.user))
