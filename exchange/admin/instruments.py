"""Instruments in the console: their terms in a form, their book below it, and the acts that stop and start trade."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminTextInputWidget

from exchange import operations
from exchange.admin.shown import INSTRUMENT_COLOURS, NEWEST, book_table, events_table, number
from exchange.contracts import InstrumentStatus, InstrumentTerms
from exchange.errors import ExchangeError
from exchange.models import Instrument
from exchange.rules.grid import grid_of
from finaegis.shared.money import Money, MoneyError
from workflows.admin.acting import Act, ActingOnce
from workflows.admin.read_only import column, shown

#: What stays as it was listed.
_FIXED = ("base", "quote", "price_scale")


class Decimals(forms.DecimalField):
    """A decimal number typed as a text, so that no browser rounds it."""

    widget = UnfoldAdminTextInputWidget

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal"}


class InstrumentForm(forms.ModelForm):  # type: ignore[type-arg]  # the class takes no argument when it runs
    """The terms of an instrument as people write them."""

    tick = Decimals(help_text="Prices are whole multiples of it, in the quote currency.")
    lot = Decimals(help_text="Quantities are whole multiples of it, in the base currency.")
    minimum = Decimals(label="Minimum notional", min_value=0, help_text="In the quote currency.")

    class Meta:
        model = Instrument
        fields = ("base", "quote", "price_scale", "maker_fee_ppm", "taker_fee_ppm")
        labels = {"maker_fee_ppm": "Maker fee", "taker_fee_ppm": "Taker fee"}
        help_texts = {
            "price_scale": "Decimal places of prices.",
            "maker_fee_ppm": "Parts per million: 1000 is 0.1 %.",
            "taker_fee_ppm": "Parts per million: 1000 is 0.1 %.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk is not None:
            known = self.instance.as_contract()
            self.initial = {
                **self.initial,
                "tick": format(known.tick, "f"),
                "lot": format(known.lot, "f"),
                "minimum": known.minimum_notional.to_text(),
            }

    def clean(self) -> dict[str, Any]:
        """Terms that make an instrument, kept as `terms`."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.terms = self._terms(cleaned)
                grid_of(self.terms)
            except (MoneyError, ExchangeError) as refusal:
                raise forms.ValidationError(f"{refusal} ({refusal.code})") from None
        return cleaned

    def _terms(self, cleaned: dict[str, Any]) -> InstrumentTerms:
        fixed = {name: cleaned.get(name, getattr(self.instance, name)) for name in _FIXED}
        return InstrumentTerms(
            symbol=f"{fixed['base']}-{fixed['quote']}",
            **fixed,
            tick=cleaned["tick"],
            lot=cleaned["lot"],
            minimum_notional=Money(cleaned["minimum"], fixed["quote"]),
            maker_fee_ppm=cleaned["maker_fee_ppm"],
            taker_fee_ppm=cleaned["taker_fee_ppm"],
        )

    def _post_clean(self) -> None:
        """The row is written by an operation, from the terms: nothing is put into it here."""


@admin.register(Instrument)
class InstrumentAdmin(ActingOnce):
    """Every instrument; its page shows its terms, its book, and who changed what."""

    form = InstrumentForm
    list_display = ("symbol", "state", "tick", "lot", "minimum", "maker_fee_ppm", "taker_fee_ppm", "newest_trade")
    list_filter = ("status",)
    list_fullwidth = True
    ordering = ("symbol",)
    fieldsets = (
        (None, {"fields": ("base", "quote", "price_scale")}),
        ("Grid", {"fields": ("tick", "lot", "minimum")}),
        ("Fees", {"fields": ("maker_fee_ppm", "taker_fee_ppm")}),
    )
    change_form_outer_after_template = "exchange/_instrument.html"
    acts = (
        Act(
            name="halt",
            title="Halt the instrument",
            explains="It takes no orders; what rests in its book stays there, and cancels are served.",
            icon="block",
            permissions=("exchange.change_instrument",),
            fits=lambda instrument: instrument.status == InstrumentStatus.OPEN,
            perform=lambda instrument, user, form: operations.halt_instrument(
                instrument.symbol, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The instrument is halted.",
            variant="danger",
        ),
        Act(
            name="open",
            title="Open the instrument",
            explains="It takes orders again.",
            icon="play_arrow",
            permissions=("exchange.change_instrument",),
            fits=lambda instrument: instrument.status == InstrumentStatus.HALTED,
            perform=lambda instrument, user, form: operations.open_instrument(
                instrument.symbol, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The instrument is open.",
        ),
    )

    @column(description="status", label=INSTRUMENT_COLOURS)
    def state(self, instrument: Instrument) -> str:
        return instrument.status

    @column(description="tick")
    def tick(self, instrument: Instrument) -> str:
        return number(instrument.as_contract().tick)

    @column(description="lot")
    def lot(self, instrument: Instrument) -> str:
        return number(instrument.as_contract().lot)

    @column(description="minimum notional")
    def minimum(self, instrument: Instrument) -> str:
        return shown(instrument.minimum_notional)

    @column(description="newest trade", ordering="last_trade")
    def newest_trade(self, instrument: Instrument) -> str:
        return str(instrument.last_trade)

    def get_readonly_fields(self, request: HttpRequest, obj: Instrument | None = None) -> tuple[str, ...]:
        return () if obj is None else ("state", *_FIXED)

    def get_fieldsets(self, request: HttpRequest, obj: Instrument | None = None) -> Any:
        """Its status stands at the top once it is listed."""
        (_, first), *others = super().get_fieldsets(request, obj)
        shown = first["fields"] if obj is None else ("state", *first["fields"])
        return [(None, {**first, "fields": shown}), *others]

    def has_delete_permission(self, request: HttpRequest, obj: Instrument | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Instrument, form: Any, change: bool) -> None:
        """By the operation, which takes the book's lock and records who changed what."""
        save = operations.change_instrument if change else operations.list_instrument
        save(form.terms, actor=request.user.get_username())
        saved = Instrument.objects.get(symbol=form.terms.symbol)
        obj.pk, obj.symbol = saved.pk, saved.symbol

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """What the operation refuses is told on the form's own page; nothing was written."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ExchangeError as refusal:
            messages.error(request, f"{refusal} ({refusal.code})")
            return HttpResponseRedirect(request.get_full_path())

    def below(self, request: HttpRequest, row: Instrument) -> dict[str, Any]:
        """Its book, and what was done to it."""
        events = row.events.filter(order=None, trade=None).order_by("-id")[:NEWEST]
        return {"book": book_table(row.symbol), "events": events_table(event.as_contract() for event in events)}
