"""Instruments: which grids there are, what may be edited while orders rest, and who halted what."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exchange import errors, operations, queries
from exchange.models import Event, Instrument
from exchange.operations.instruments import DEMO_INSTRUMENT
from exchange.rules.grid import grid_of
from finaegis.shared.money import Money
from tests.exchange.factories import money_of, place, submit, terms

DOLLAR = Money("1.00", "USD")


@pytest.mark.parametrize(
    ("given", "worth"),
    [
        ({}, 1),
        ({"tick": Decimal("0.01"), "lot": Decimal(1)}, 1),
        ({"tick": Decimal(100), "lot": Decimal("0.0001")}, 1),
        ({"base": "EUR", "tick": Decimal("0.0001"), "lot": Decimal(100), "price_scale": 4}, 1),
        ({"quote": "JPY", "tick": Decimal(100), "lot": Decimal("0.01"), "price_scale": 0}, 1),
        ({"quote": "KWD", "tick": Decimal("0.5"), "lot": Decimal("0.01"), "price_scale": 1}, 5),
        ({"base": "JPY", "tick": Decimal("0.001"), "lot": Decimal(1000), "price_scale": 3}, 100),
    ],
)
def test_a_tick_times_a_lot_is_whole_minor_units_of_the_quote(given, worth):
    assert grid_of(terms(**given)).worth == worth


@pytest.mark.parametrize(
    "given",
    [
        {"tick": Decimal("0.01")},
        {"lot": Decimal("0.001")},
        {"quote": "JPY", "price_scale": 0},
        {"tick": Decimal(0)},
        {"tick": Decimal(-1)},
        {"tick": Decimal("1.001")},
        {"lot": Decimal("0.000000001")},
        {"lot": Decimal("NaN")},
        {"price_scale": -1},
        {"price_scale": 13},
        {"maker_fee_ppm": -1},
        {"taker_fee_ppm": 1_000_000},
        {"minimum_notional": Money("1.00", "EUR")},
        {"minimum_notional": -DOLLAR},
        {"symbol": "BTCUSD"},
        {"symbol": "ETH-USD"},
        {"base": "USD", "symbol": "USD-USD"},
        {"base": "XXX"},
    ],
)
def test_terms_that_make_no_instrument_are_refused(given):
    with pytest.raises(errors.InvalidInstrument):
        grid_of(terms(**given))


@pytest.mark.django_db
class TestEditing:
    def test_an_instrument_is_listed_once(self, btc):
        assert operations.list_instrument(DEMO_INSTRUMENT) == btc
        with pytest.raises(errors.InvalidInstrument):
            operations.list_instrument(replace(DEMO_INSTRUMENT, taker_fee_ppm=1))
        assert Instrument.objects.count() == 1

    def test_the_demo_instrument_stays_as_somebody_edited_it(self, btc):
        operations.change_instrument(replace(DEMO_INSTRUMENT, taker_fee_ppm=1))

        assert operations.list_demo_instrument().taker_fee_ppm == 1

    def test_fees_and_minimum_change_while_orders_rest(self, ada):
        submit(ada, "buy", "0.10", "30000")

        changed = operations.change_instrument(replace(DEMO_INSTRUMENT, maker_fee_ppm=5, minimum_notional=DOLLAR))

        assert (changed.maker_fee_ppm, changed.minimum_notional) == (5, DOLLAR)

    def test_the_grid_stays_while_an_order_is_open(self, ada):
        order = submit(ada, "buy", "0.10", "30000")
        wider = replace(DEMO_INSTRUMENT, tick=Decimal(7))

        with pytest.raises(errors.InstrumentInUse):
            operations.change_instrument(wider)
        operations.cancel_order(order.id)

        assert operations.change_instrument(wider).tick == 7

    def test_an_order_that_was_accepted_before_the_grid_changed_is_cancelled_at_its_book(self, ada):
        """Its price would be none any more; nothing keeps the two from crossing."""
        order_id = place(ada, "buy", "0.10", "30000")
        Instrument.objects.update(tick_units=700)

        assert operations.match_order(order_id).status == "cancelled"
        assert queries.get_order(order_id).reason == "off_grid"
        assert money_of(ada)["USD"] == ("1000000.00", "0.00", "0.00")

    def test_currencies_and_price_scale_never_change(self, btc):
        with pytest.raises(errors.InstrumentInUse):
            operations.change_instrument(replace(DEMO_INSTRUMENT, price_scale=4))

    def test_what_is_not_listed_cannot_be_changed(self, btc):
        with pytest.raises(errors.UnknownInstrument):
            operations.change_instrument(terms(base="EUR", lot=Decimal(1)))

    def test_every_edit_is_on_record_with_its_actor(self, btc):
        operations.change_instrument(replace(DEMO_INSTRUMENT, taker_fee_ppm=1), actor="olga")
        operations.halt_instrument("BTC-USD", actor="olga", reason="news")
        operations.halt_instrument("BTC-USD", actor="olga", reason="again")
        operations.open_instrument("BTC-USD", actor="oscar", reason="it is over")

        told = list(Event.objects.order_by("id").values_list("kind", "actor", "detail"))
        assert told == [
            ("listed", "system", ""),
            ("changed", "olga", "taker_fee_ppm: 1"),
            ("halted", "olga", "news"),
            ("opened", "oscar", "it is over"),
        ]

    def test_halting_needs_a_reason(self, btc):
        with pytest.raises(errors.ReasonMissing):
            operations.halt_instrument("BTC-USD", actor="olga", reason="")
        assert queries.get_instrument("BTC-USD").status == "open"
