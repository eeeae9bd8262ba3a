"""Instruments over REST: what allocated money can be put into."""

from __future__ import annotations

from datetime import date

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from treasury import queries
from treasury.contracts import (
    AssetClass,
    Instrument,
)
from workflows import clock
from workflows.api.fields import KnownCurrency
from workflows.api.pages import page, page_schema
from workflows.api.reading import Declared
from workflows.api.views import ApiView

ASSET_CLASSES = [(item.value, item.value) for item in AssetClass]


class InstrumentSerializer(serializers.Serializer[Instrument]):
    """An instrument as valid on the day asked for; yield in per cent a year, duration in years, limit as a share."""

    code = serializers.CharField()
    asset_class = serializers.ChoiceField(choices=ASSET_CLASSES)
    currency = serializers.CharField()
    issuer = serializers.CharField()
    sovereign = serializers.BooleanField()
    yield_percent = serializers.CharField()
    duration = serializers.CharField()
    liquid = serializers.BooleanField()
    limit = serializers.CharField(allow_null=True)
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]  # the field's name shadows the base's attribute
    stale_from = serializers.DateField(allow_null=True)
    stale = serializers.SerializerMethodField(help_text="Whether a newer figure was due by the day asked for.")

    def get_stale(self, instrument: Instrument) -> bool:
        return instrument.stale_on(self.context["as_of"])


class InstrumentQuery(Declared):
    """Which day's instruments, and in which currency."""

    as_of = serializers.DateField(required=False, help_text="Today (UTC) unless given.")
    currency = KnownCurrency(required=False)


class Instruments(ApiView):
    """What allocated money can be put into."""

    required = {"GET": ("treasury.view_instrument",)}
    query = InstrumentQuery

    @extend_schema(
        operation_id="treasury_instruments_list",
        summary="List instruments",
        parameters=[InstrumentQuery],
        responses=page_schema(InstrumentSerializer),
    )
    def get(self, request: Request) -> Response:
        """The instruments valid on a day, by code."""
        as_of: date = self.asked.get("as_of") or clock.now().date()
        found = queries.list_instruments(as_of, self.asked.get("currency"))
        return page(request, InstrumentSerializer, found, as_of=as_of)
