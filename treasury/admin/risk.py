"""Risk in the console: assessments, hedges and freezes, all only looked at."""

from __future__ import annotations

import json

from django.contrib import admin
from django.utils.html import format_html

from treasury.models import Freeze, HedgePosition, RiskAssessment
from workflows.admin.presentation import moment
from workflows.admin.read_only import OfRunAdmin, column, shown, unbroken

_HEDGE_COLOURS = {"open": "success", "closed": "default", "void": "warning"}
_FREEZE_COLOURS = {"placed": "danger", "lifted": "default", "void": "warning"}


def _as_written(text: str) -> str:
    pretty = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    return format_html('<pre style="white-space: pre-wrap">{}</pre>', pretty)


@admin.register(RiskAssessment)
class RiskAssessmentAdmin(OfRunAdmin):
    """Every assessment, newest first, with what it was judged by."""

    list_display = ("account", "score_text", "reasons_text", "cause", "assessed", "run_start")
    list_filter = ("cause",)
    list_select_related = ("account",)
    exact_search = ("account_id", "id")
    search_help_text = "Account id or assessment id"
    ordering = ("-assessed_at", "-id")
    sortable_by = ("assessed",)
    fields = (
        "id", "account", "score_text", "reasons_text", "cause", "components_text", "inputs_text", "assessed", "run",
        "key",
    )  # fmt: skip
    readonly_fields = fields

    @column(description="score")
    def score_text(self, assessment: RiskAssessment) -> str:
        return f"{assessment.score} of 100"

    @column(description="reasons")
    def reasons_text(self, assessment: RiskAssessment) -> str:
        return assessment.reasons.replace(",", ", ") or "none"

    @column(description="components")
    def components_text(self, assessment: RiskAssessment) -> str:
        return _as_written(assessment.components)

    @column(description="judged by")
    def inputs_text(self, assessment: RiskAssessment) -> str:
        return _as_written(assessment.inputs)

    @column(description="assessed (UTC)", ordering="assessed_at")
    def assessed(self, assessment: RiskAssessment) -> str:
        return unbroken(moment(assessment.assessed_at))


@admin.register(HedgePosition)
class HedgePositionAdmin(OfRunAdmin):
    """Every hedge, newest first."""

    list_display = ("account", "notional_amount", "instrument", "state", "opened", "run_start")
    list_filter = ("status", "currency")
    list_select_related = ("account",)
    exact_search = ("account_id", "id", "key")
    search_help_text = "Account id, hedge id or whole key"
    ordering = ("-opened_at", "-id")
    sortable_by = ("opened",)
    fields = ("id", "account", "notional_amount", "instrument", "state", "opened", "closed", "run", "key")
    readonly_fields = fields

    @column(description="notional")
    def notional_amount(self, hedge: HedgePosition) -> str:
        return shown(hedge.notional)

    @column(description="status", label=_HEDGE_COLOURS)
    def state(self, hedge: HedgePosition) -> str:
        return hedge.status

    @column(description="opened (UTC)", ordering="opened_at")
    def opened(self, hedge: HedgePosition) -> str:
        return unbroken(moment(hedge.opened_at))

    @column(description="closed (UTC)")
    def closed(self, hedge: HedgePosition) -> str:
        return moment(hedge.closed_at)


@admin.register(Freeze)
class FreezeAdmin(OfRunAdmin):
    """Every freeze, newest first; lifting one is the undo of the run that placed it."""

    list_display = ("account", "cause", "state", "placed", "lifted", "run_start")
    list_filter = ("status",)
    list_select_related = ("account",)
    exact_search = ("account_id", "id", "key")
    search_help_text = "Account id, freeze id or whole key"
    ordering = ("-placed_at", "-id")
    sortable_by = ("placed",)
    fields = ("id", "account", "cause", "state", "placed", "lifted", "run", "key")
    readonly_fields = fields

    @column(description="status", label=_FREEZE_COLOURS)
    def state(self, freeze: Freeze) -> str:
        return freeze.status

    @column(description="placed (UTC)", ordering="placed_at")
    def placed(self, freeze: Freeze) -> str:
        return unbroken(moment(freeze.placed_at))

    @column(description="lifted (UTC)")
    def lifted(self, freeze: Freeze) -> str:
        return moment(freeze.lifted_at)
