"""Business events for sagas: what became of each, and the acts on those that are parked."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from workflows import operations, queries
from workflows.api.openapi import LOCATION
from workflows.api.pages import page, page_schema, read_cursor
from workflows.api.reading import PageQuery, Text, read_body
from workflows.api.runs import VIEW
from workflows.api.serializers import ActBody, ErrorSerializer, address_of
from workflows.api.views import ApiView
from workflows.contracts import DeliveryView
from workflows.models import DeliveryStatus

_LARGEST = 2**63 - 1
STATUSES = [(item.value, item.value) for item in DeliveryStatus]


class DeliverySerializer(serializers.Serializer[DeliveryView]):
    """A business event for one saga."""

    id = serializers.IntegerField()
    event_id = serializers.IntegerField()
    event = serializers.CharField(help_text="Name of the event.")
    data = serializers.DictField()  # type: ignore[assignment]  # the field's name shadows the base's property
    workflow = serializers.CharField(help_text="The saga.")
    method = serializers.CharField(
        allow_null=True, help_text="What of the saga's live run it reaches; null where it starts the run."
    )
    key = serializers.CharField()
    status = serializers.ChoiceField(
        choices=STATUSES,
        help_text="`undeliverable`: for a method, and no live run had the key. `parked`: it failed for good and waits "
        "for somebody.",
    )
    failures = serializers.IntegerField()
    error = ErrorSerializer(allow_null=True)
    run_id = serializers.UUIDField(allow_null=True, help_text="The run it started or reached.")
    published_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="When it is tried next.")
    settled_at = serializers.DateTimeField(allow_null=True)
    behind = serializers.IntegerField(
        help_text="Of a parked one: how many later events of the same saga and key wait for it."
    )
    run_url = serializers.SerializerMethodField(help_text="Where the run's state is read.")
    url = serializers.SerializerMethodField(help_text="Where this is read.")

    def get_run_url(self, delivery: DeliveryView) -> str | None:
        return None if delivery.run_id is None else address_of(self.context["request"], delivery.run_id)

    def get_url(self, delivery: DeliveryView) -> str:
        return _address(self.context["request"], delivery.id)


class DeliveryQuery(PageQuery):
    """Filters of the list of deliveries; `event` is the name of an event, `run` the saga's run."""

    status = serializers.MultipleChoiceField(choices=STATUSES, required=False)
    workflow = Text(required=False)
    key = Text(required=False, trim_whitespace=False)
    event = Text(required=False)
    run = serializers.UUIDField(required=False)


class Deliveries(ApiView):
    """Business events and what became of each."""

    required = VIEW
    query = DeliveryQuery

    @extend_schema(
        operation_id="deliveries_list",
        summary="List deliveries of business events",
        parameters=[DeliveryQuery],
        responses=page_schema(DeliverySerializer),
    )
    def get(self, request: Request) -> Response:
        """Deliveries that fit every filter given, newest first."""
        filters = dict(self.asked)
        limit, cursor = filters.pop("limit"), filters.pop("cursor", None)
        if "status" in filters:
            filters["status"] = sorted(filters["status"])
        found = queries.page_deliveries(limit=limit, after=read_cursor(cursor, _place), **filters)
        return page(request, DeliverySerializer, found.deliveries, None if found.after is None else [str(found.after)])


def _place(number: str) -> int:
    place = int(number)
    if not 0 <= place <= _LARGEST:
        raise ValueError(number)
    return place


class OneDelivery(ApiView):
    """One business event for one saga."""

    required = VIEW

    @extend_schema(operation_id="deliveries_read", summary="One delivery", responses=DeliverySerializer)
    def get(self, request: Request, number: int) -> Response:
        """The delivery as it stands."""
        return Response(_told(request, queries.get_delivery(number)))


_PENDING = OpenApiResponse(DeliverySerializer, description="Accepted: it is delivered next.")


class ReplayDelivery(ApiView):
    """Deliver a parked event anew."""

    @extend_schema(
        operation_id="deliveries_replay",
        summary="Deliver a parked event anew",
        request=ActBody,
        parameters=[LOCATION],
        responses={200: DeliverySerializer, 202: _PENDING},
    )
    def post(self, request: Request, number: int) -> Response:
        """It is tried afresh, and those behind it follow: 202, or 200 where it has settled by now."""
        body = read_body(request, ActBody)
        return _answer(request, operations.replay_delivery(number, actor=request.user, reason=body["reason"]))


class DropDelivery(ApiView):
    """Give a parked event up."""

    @extend_schema(
        operation_id="deliveries_drop",
        summary="Give a parked event up",
        request=ActBody,
        parameters=[LOCATION],
        responses=DeliverySerializer,
    )
    def post(self, request: Request, number: int) -> Response:
        """This saga never gets it; those behind it go on."""
        body = read_body(request, ActBody)
        return _answer(request, operations.drop_delivery(number, actor=request.user, reason=body["reason"]))


def _answer(request: Request, delivery: DeliveryView) -> Response:
    done = status.HTTP_202_ACCEPTED if delivery.status == DeliveryStatus.PENDING else status.HTTP_200_OK
    return Response(_told(request, delivery), status=done, headers={"Location": _address(request, delivery.id)})


def _told(request: Request, delivery: DeliveryView) -> Any:
    return DeliverySerializer(delivery, context={"request": request}).data


def _address(request: Request, number: int) -> str:
    return request.build_absolute_uri(reverse("api-delivery", kwargs={"number": number}))
