"""Applications, the queue of reviews, and letters in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from lending import operations, queries
from lending.admin.dialogs import ActingAdmin, DecisionForm
from lending.admin.overviews import application_context
from lending.contracts import ApplicationStatus
from lending.models import Application, Letter, Review
from workflows import clock
from workflows.admin.acting import Act
from workflows.admin.forms import DialogForm
from workflows.admin.presentation import ABSENT, moment, span
from workflows.admin.read_only import LINK, OfRunAdmin, ReadOnlyAdmin, column, shown, unbroken

_STATUS_COLOURS = {
    "submitted": "info",
    "in review": "warning",
    "approved": "success",
    "accepted": "success",
    "declined": "danger",
    "expired": "default",
    "withdrawn": "default",
}


def _decide(row: Application, user: Any, form: DialogForm) -> str:
    given = form.cleaned_data
    decided = operations.decide_application(row.id, decision=given["decision"], reason=given["reason"], actor=user)
    if decided.pending:
        return "The decision is requested; the application shows it once its run has taken it."
    return f"The application is {decided.application.status.replace('_', ' ')}."


def _accept(row: Application, user: Any, form: DialogForm) -> str:
    loan = operations.accept_offer(application_id=row.id, accepted_by=user.get_username())
    return f"The offer is accepted; loan {str(loan.id)[:8]} waits for its money."


_DECIDE = Act(
    name="decide",
    title="Decide",
    explains="The decision is recorded with your name and cannot be taken back. Who entered an application does not "
    "decide it.",
    icon="gavel",
    permissions=("lending.decide_application",),
    variant="primary",
    fits=lambda row: row.status == ApplicationStatus.IN_REVIEW,
    suits=lambda row, user: row.entered_by != user.get_username(),
    perform=_decide,
    form=DecisionForm,
)
_ACCEPT = Act(
    name="accept",
    title="Accept the offer",
    explains="The applicant takes the offer: the loan is made and waits for its money.",
    icon="handshake",
    permissions=("lending.add_loan",),
    variant="primary",
    fits=lambda row: row.status == ApplicationStatus.APPROVED,
    perform=_accept,
    form=DialogForm,
)


class _ApplicationRows(ActingAdmin, OfRunAdmin):
    """What both views of applications show."""

    act_below_template = "lending/_application.html"

    list_select_related = ("assessment",)
    exact_search = ("id", "run_id", "name")
    search_help_text = "Whole name, application id or run id"
    sortable_by = ()
    fields = (
        "id", "name", "email", "amount_asked", "yearly_income", "term_months", "state", "run", "score",
        "submitted", "entered_by", "deadline", "closed",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_after_template = "lending/_application.html"

    def below(self, request: HttpRequest, row: Application) -> dict[str, Any]:
        """With its checks, score, decisions, offer and letters."""
        return application_context(queries.get_overview(row.id))

    @column(description="amount")
    def amount_asked(self, row: Application) -> str:
        return shown(row.amount)

    @column(description="income a year")
    def yearly_income(self, row: Application) -> str:
        return shown(row.income)

    @column(description="status", label=_STATUS_COLOURS)
    def state(self, row: Application) -> str:
        return row.status.replace("_", " ")

    @column(description="score")
    def score(self, row: Application) -> str:
        assessment = getattr(row, "assessment", None)
        return ABSENT if assessment is None else str(assessment.risk_score)

    @column(description="submitted (UTC)")
    def submitted(self, row: Application) -> str:
        return unbroken(moment(row.submitted_at))

    @column(description="closed (UTC)")
    def closed(self, row: Application) -> str:
        return moment(row.closed_at)

    @column(description="to be decided by (UTC)")
    def deadline(self, row: Application) -> str:
        return unbroken(moment(row.review_deadline))


@admin.register(Application)
class ApplicationAdmin(_ApplicationRows):
    """Every application, newest first."""

    list_display = ("name", "amount_asked", "term_months", "state", "score", "submitted", "run_start")
    list_filter = ("status", "currency")
    ordering = ("-submitted_at", "-id")
    acts = (_DECIDE, _ACCEPT)


@admin.register(Review)
class ReviewAdmin(_ApplicationRows):
    """The queue: what a person has to decide, the most urgent first."""

    list_display = ("name", "amount_asked", "score", "causes", "deadline", "left", "entered_by", "decide")
    list_filter = ("currency",)
    ordering = ("review_deadline", "id")
    acts = (_DECIDE,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        rows: QuerySet[Review] = super().get_queryset(request)
        own = Case(When(entered_by=request.user.get_username(), then=True), default=False)
        return rows.filter(status=ApplicationStatus.IN_REVIEW).annotate(is_own=own)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Without the link to a dialog that this user may not open."""
        shown_columns = ReviewAdmin.list_display
        return shown_columns if request.user.has_perms(_DECIDE.permissions) else shown_columns[:-1]

    def place_after(self, row: Any) -> str:
        """Decided applications have left the queue."""
        return reverse("admin:lending_application_change", args=[row.pk])

    @column(description="why")
    def causes(self, row: Review) -> str:
        return ", ".join(cause.replace("_", " ") for cause in row.assessment.causes)

    @column(description="time left", label={"overdue": "danger"})
    def left(self, row: Review) -> str:
        assert row.review_deadline is not None
        remaining = row.review_deadline - clock.now()
        return "overdue" if remaining.total_seconds() <= 0 else span(remaining)

    @column(description="")
    def decide(self, row: Any) -> str:
        if row.is_own:
            return "entered by you"
        url = reverse("admin:lending_review_decide", args=[row.pk])
        return format_html('<a class="{}" href="{}">Decide</a>', LINK, url)


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Every letter, newest first, as it was written."""

    list_display = ("subject", "recipient", "application_link", "written", "sent")
    list_filter = ("kind",)
    list_select_related = ("application",)
    exact_search = ("application_id",)
    search_help_text = "Application id"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("subject", "kind", "recipient", "application_link", "written", "sent", "text")
    readonly_fields = fields

    @column(description="application")
    def application_link(self, letter: Letter) -> str:
        url = reverse("admin:lending_application_change", args=[letter.application_id])
        return format_html('<a class="{}" href="{}">{}</a>', LINK, url, letter.application.name)

    @column(description="written (UTC)")
    def written(self, letter: Letter) -> str:
        return unbroken(moment(letter.written_at))

    @column(description="sent (UTC)")
    def sent(self, letter: Letter) -> str:
        return "not yet" if letter.sent_at is None else unbroken(moment(letter.sent_at))

    @column(description="text")
    def text(self, letter: Letter) -> str:
        return format_html('<pre style="white-space: pre-wrap">{}</pre>', letter.body)
