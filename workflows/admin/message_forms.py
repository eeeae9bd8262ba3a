"""Forms of what is said to runs: messages, the outcome of a step in doubt, another time for a timer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from workflows.admin.entries import ABSENT, WIDTH
from workflows.admin.forms import PREFIX, InputForm, ReasonForm, find, has_mask
from workflows.admin.places import Place, places_of
from workflows.operations.authority import MAX_REASON
from workflows.operations.starting import MAX_KEY

#: How a browser writes a time in its own field.
_BROWSER_TIME = "%Y-%m-%dT%H:%M:%S"


class QueryForm(InputForm):
    """A question with arguments; nothing is kept of it."""

    def __init__(self, *args: Any, places: Sequence[Place], **options: Any) -> None:
        super().__init__(*args, **options)
        self.add_places(places, {place.path: place.default for place in places}, kept=set())


class UpdateForm(QueryForm):
    """A message that is answered; it needs no reason."""

    reason = forms.CharField(
        label="Reason",
        required=False,
        max_length=MAX_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"style": WIDTH, "rows": 2}),
        help_text="Optional. Kept in the audit trail with your name.",
    )


class SignalForm(UpdateForm):
    """A message that is never answered; a key tells it from its repetition."""

    key = forms.CharField(
        label="Key",
        required=False,
        max_length=MAX_KEY,
        widget=UnfoldAdminTextInputWidget(attrs={"style": WIDTH, "autocomplete": "off"}),
        help_text="Optional. A key that signalled this run before does nothing.",
    )


class ResolveForm(ReasonForm, InputForm):
    """What a step in doubt did; the result only counts if it happened."""

    first = ("outcome",)
    decides = ("outcome", "happened")

    outcome = forms.ChoiceField(
        label="What did the step do?",
        choices=[
            ("", "choose"),
            ("happened", "It happened: its effect stands"),
            ("not_done", "It was not done, and cannot happen any more"),
        ],
        widget=UnfoldAdminSelectWidget(attrs={"x-model": "choice"}),
    )

    def __init__(self, *args: Any, places: Sequence[Place], evidence: Any, **options: Any) -> None:
        """`evidence` is the result that came too late, as masked JSON; it fills the form in."""
        super().__init__(*args, **options)
        known = {place.path: find({"result": evidence}, place.path) for place in places}
        initial = {path: value for path, value in known.items() if value is not ABSENT and not has_mask(value)}
        self.add_places(places, initial, kept=set())

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("outcome") != "happened":
            for name in [name for name in self.errors if name.startswith(PREFIX)]:
                del self.errors[name]
        return cleaned

    @property
    def result(self) -> Any:
        """The result that the step would have given; None for one that was not done."""
        return self.input.get("result") if self.cleaned_data["outcome"] == "happened" else None


def places_of_result(schema: Mapping[str, Any]) -> list[Place]:
    """The places of a step's result; none for one that gives nothing."""
    if schema.get("type") == "null":
        return []
    own = {name: value for name, value in schema.items() if name != "$defs"}
    required = ["result"] if own else []
    return places_of({"properties": {"result": own}, "required": required, "$defs": schema.get("$defs", {})})


class MoveForm(ReasonForm):
    """Another due time, in UTC like every time of the console."""

    first = ("due_at",)

    due_at = forms.DateTimeField(
        label="New due time (UTC)",
        input_formats=[_BROWSER_TIME, "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1", "style": "max-width: 20rem"}),
        help_text="A time in the past lets it be over at once.",
    )

    @staticmethod
    def written(moment: datetime) -> str:
        """A time as the field holds it."""
        return moment.astimezone(UTC).strftime(_BROWSER_TIME)

    def clean_due_at(self) -> datetime:
        given: datetime = self.cleaned_data["due_at"]
        return given.replace(tzinfo=UTC) if given.tzinfo is None else given
