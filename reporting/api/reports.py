"""Reports over REST: ordered, listed, read."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from reporting import operations, queries
from reporting.api.serializers import (
    REPORT_FORMATS,
    REPORT_KINDS,
    ReportDetailSerializer,
    ReportSerializer,
    located,
)
from reporting.api.views import ReportingView
from reporting.contracts import ReportFormat, ReportKind
from workflows.api.answers import domain_answer
from workflows.api.headers import IDEMPOTENCY_KEY, WAITS, idempotency_key
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import Declared, PageQuery, read_body


class Day(serializers.DateField):
    """A day as 2026-01-05; a number is not silently made into one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(input_formats=["iso-8601"], **options)

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class Word(serializers.ChoiceField):
    """One of some words; nothing else is silently made into a text."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


@extend_schema_serializer(
    examples=[
        OpenApiExample("The loan book of today", {"report": "loan_book", "format": "pdf"}, request_only=True),
        OpenApiExample(
            "A day that is over",
            {"report": "daily_activity", "format": "csv", "business_date": "2026-01-05"},
            request_only=True,
        ),
    ]
)
class OrderReportBody(Declared):
    """Which report, as which file, of which business day: the open one unless given, never one that has not begun."""

    report = Word(choices=REPORT_KINDS)
    format = Word(choices=REPORT_FORMATS)
    business_date = Day(required=False, allow_null=True)


class ReportQuery(PageQuery):
    """Which reports."""

    report = serializers.ChoiceField(choices=REPORT_KINDS, required=False)
    business_date = Day(required=False)


class Reports(ReportingView):
    """Reports."""

    required = {"GET": ("reporting.view_report",), "POST": ("reporting.add_report",)}
    query = ReportQuery

    @extend_schema(
        operation_id="reporting_reports_list",
        summary="List reports",
        parameters=[ReportQuery],
        responses=page_schema(ReportSerializer),
    )
    def get(self, request: Request) -> Response:
        """Reports, newest first."""
        found, after = queries.page_reports(
            limit=self.asked["limit"],
            kind=self.asked.get("report"),
            business_date=self.asked.get("business_date"),
            after=read_cursor(self.asked.get("cursor"), place_in_time),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, ReportSerializer, found, following)

    @extend_schema(
        operation_id="reporting_reports_order",
        summary="Order a report",
        request=OrderReportBody,
        parameters=[IDEMPOTENCY_KEY, *WAITS],
        responses={200: ReportSerializer, 201: ReportSerializer, 202: ReportSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start reporting.ReportGeneration: 201, or 200 with the report of the key; 202 if it was waited for in vain.

        The caller must be allowed to see what the report is made of.
        """
        body = read_body(request, OrderReportBody)
        ordered = operations.order_report(
            kind=ReportKind(body["report"]),
            format=ReportFormat(body["format"]),
            business_date=body.get("business_date"),
            key=idempotency_key(request),
            actor=request.user,
        )
        answered = domain_answer(request, ordered.run)  # waits as the client prefers, and knows the status of that
        report = queries.get_report(ordered.report.id)
        return Response(
            ReportSerializer(report, context={"request": request}).data,
            status=answered.status_code,
            headers={**answered.headers, "Location": located(request, report)},
        )


class OneReport(ReportingView):
    """One report."""

    required = {"GET": ("reporting.view_report",)}

    @extend_schema(operation_id="reporting_reports_read", summary="One report", responses=ReportDetailSerializer)
    def get(self, request: Request, report_id: uuid.UUID) -> Response:
        """The report as it stands, with what was recorded with its file, and its runs."""
        report = queries.get_report(report_id)
        return Response(ReportDetailSerializer(report, context={"request": request}).data)
