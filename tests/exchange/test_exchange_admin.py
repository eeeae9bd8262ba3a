"""The exchange in the console: looked at by every role, acted on by dialogs, instruments edited by the operation."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from exchange import operations, queries
from exchange.contracts import BatchOrder
from exchange.models import BatchEntry, Event, Instrument, Order, Trade, TradingAccount
from tests.admin.browsing import once_of
from tests.exchange.factories import assert_sound, money_of, submit
from tests.exchange.flows import full_seller, make_room, ordered, trade_statuses

pytestmark = pytest.mark.django_db

READ_ONLY = [Order, Trade, TradingAccount, BatchEntry]
REASON = "the desk asked for it"
TERMS = {
    "tick": "1.00", "lot": "0.01000000", "minimum": "10.00", "maker_fee_ppm": "1000", "taker_fee_ppm": "2000",
}  # fmt: skip


def url(model, page, *args):
    return reverse(f"admin:exchange_{model._meta.model_name}_{page}", args=args)


def browser_of(role):
    user = User.objects.create_user(f"the-{role}", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(env):
    """A browser in which an operator is logged in."""
    return browser_of("operator")


@pytest.fixture
def market(env, ada, bob):
    """A trade, a resting order and a batch: something on every page."""
    submit(ada, "sell", "0.10", "30000")
    order, _ = ordered(env, bob, "buy", "0.30", "30005")
    operations.process_order_batch(
        [BatchOrder(account_id=str(ada.id), symbol="BTC-USD", side="sell", type="limit", quantity="1", price="x")],
        key="a batch",
    )
    return order


@pytest.fixture
def held(env, bob):
    seller = full_seller()
    submit(seller, "sell", "0.10", "30000")
    ordered(env, bob, "buy", "0.10", "30000")
    return Trade.objects.get(), seller


def send(client, thing, act, **fields):
    """Open the dialog and send it."""
    address = url(type(thing), act, thing.pk)
    return client.post(address, {"reason": REASON, "once": once_of(client.get(address)), **fields})


# --- Looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["operator", "approver", "viewer", "auditor"])
@pytest.mark.parametrize("model", [*READ_ONLY, Instrument])
def test_every_role_opens_lists_and_rows(market, role, model):
    client, thing = browser_of(role), model.objects.first()

    assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(model, "change", thing.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_operations_write_cannot_be_edited(admin_client, market, model):
    thing = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    answers = [
        admin_client.get(url(model, "add")),
        admin_client.post(url(model, "change", thing.pk), {"status": "filled"}),
        admin_client.post(url(model, "delete", thing.pk), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.order_by("pk").values()) == before


def test_an_instrument_cannot_be_deleted(admin_client, btc):
    row = Instrument.objects.get()

    assert admin_client.post(url(Instrument, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert Instrument.objects.exists()


def test_an_orders_page_shows_its_trades_and_its_story(desk, market):
    page = desk.get(url(Order, "change", market.id)).content.decode()

    assert all(text in page for text in ("30,000.00", "0.10000000", "settled", "partially filled", "accepted"))
    assert reverse("admin:workflows_run_change", args=[market.run_id]) in page


def test_an_instruments_page_shows_its_book(desk, market):
    page = desk.get(url(Instrument, "change", Instrument.objects.get().pk)).content.decode()

    assert all(text in page for text in ("Bids", "30,005.00", "0.20000000", "Nothing rests."))


def test_a_trading_accounts_page_shows_its_money(desk, market, bob):
    page = desk.get(url(TradingAccount, "change", bob.id)).content.decode()

    assert all(text in page for text in ("settling", "100.10000000 BTC", "6,013.01 USD"))


def test_trades_are_found_by_their_orders(desk, market):
    trade = Trade.objects.get()

    for term in (trade.id, trade.maker_order_id, trade.taker_order_id, trade.run_id):
        page = desk.get(url(Trade, "changelist"), {"q": str(term)}).content.decode()
        assert url(Trade, "change", trade.pk) in page
    assert url(Trade, "change", trade.pk) not in desk.get(url(Trade, "changelist"), {"q": "x"}).content.decode()


def test_held_trades_are_a_filter_away(desk, held):
    trade, _ = held
    held_ones = desk.get(url(Trade, "changelist"), {"status__exact": "held"}).content.decode()

    assert url(Trade, "change", trade.pk) in held_ones
    assert "balance_too_large" in held_ones
    assert url(Trade, "change", trade.pk) not in desk.get(
        url(Trade, "changelist"), {"status__exact": "settled"}
    ).content.decode()  # fmt: skip


@pytest.mark.parametrize("model", [*READ_ONLY, Instrument])
def test_a_row_that_is_not_there_is_not_found(desk, btc, model):
    acts = {Order: ["cancel"], Trade: ["settle"], Instrument: ["halt", "open"]}.get(model, [])
    for named in ("x", "00000000-0000-0000-0000-000000000007", "9999999999999999999999"):
        assert desk.get(url(model, "change", named), follow=True).status_code in (200, 404)
        for act in acts:
            assert desk.get(url(model, act, named)).status_code == 404


# --- Acts ------------------------------------------------------------------------------------------------------------


def test_an_operator_cancels_an_order_with_a_reason(desk, market, bob):
    answer = send(desk, Order.objects.get(pk=market.id), "cancel")

    assert answer.status_code == 302
    assert queries.get_order(market.id).status == "cancelled"
    event = queries.list_order_events(market.id)[-1]
    assert (event.actor, event.detail) == ("the-operator", REASON)
    assert money_of(bob)["USD"][1] == "0.00"


def test_opening_a_dialog_changes_nothing(desk, market):
    assert desk.get(url(Order, "cancel", market.id)).status_code == 200
    assert queries.get_order(market.id).status == "partially_filled"


def test_a_dialog_that_is_sent_twice_acts_once(desk, market):
    address = url(Order, "cancel", market.id)
    sent = {"reason": REASON, "once": once_of(desk.get(address))}
    desk.post(address, sent)

    page = desk.post(address, sent, follow=True).content.decode()

    assert "it acted once" in page
    assert Event.objects.filter(order_id=market.id, kind="cancelled").count() == 1


def test_an_act_needs_a_reason(desk, market):
    send(desk, Order.objects.get(pk=market.id), "cancel", reason=" ")

    assert queries.get_order(market.id).status == "partially_filled"


def test_a_closed_order_offers_no_cancel_and_its_dialog_says_so(desk, market):
    operations.cancel_order(market.id)

    assert url(Order, "cancel", market.id) not in desk.get(url(Order, "change", market.id)).content.decode()
    assert "does not fit" in desk.get(url(Order, "cancel", market.id)).content.decode()


def test_an_operator_settles_a_held_trade(desk, held):
    trade, seller = held
    make_room(seller)

    send(desk, trade, "settle")

    assert trade_statuses() == ["settled"]
    assert queries.list_trade_events(trade.id)[-1].actor == "the-operator"
    assert_sound()


def test_while_the_cause_lasts_the_dialog_says_why(desk, held):
    page = send(desk, held[0], "settle").content.decode()

    assert "settlement_failed" in page and "balance_too_large" in page
    assert trade_statuses() == ["held"]


def test_an_operator_halts_and_opens_an_instrument(desk, btc):
    row = Instrument.objects.get()
    send(desk, row, "halt")
    assert queries.get_instrument("BTC-USD").status == "halted"
    send(desk, row, "open")

    assert queries.get_instrument("BTC-USD").status == "open"
    told = list(Event.objects.filter(kind__in=("halted", "opened")).values_list("kind", "actor", "detail"))
    assert told == [("halted", "the-operator", REASON), ("opened", "the-operator", REASON)]


@pytest.mark.parametrize("role", ["viewer", "approver", "auditor"])
def test_others_act_on_nothing(held, ada, role):
    client, resting = browser_of(role), submit(ada, "buy", "0.10", "29000")
    for model, act, thing in (
        (Order, "cancel", Order.objects.get(pk=resting.id)),
        (Trade, "settle", held[0]),
        (Instrument, "halt", Instrument.objects.get()),
    ):
        assert client.get(url(model, act, thing.pk)).status_code == 403
        assert client.post(url(model, act, thing.pk), {"reason": REASON}).status_code == 403
        assert url(model, act, thing.pk) not in client.get(url(model, "change", thing.pk)).content.decode()


# --- Editing ---------------------------------------------------------------------------------------------------------


def edit(client, **changed):
    row = Instrument.objects.get(symbol="BTC-USD")
    return client.post(url(Instrument, "change", row.pk), {**TERMS, **changed})


def test_a_form_shows_the_terms_as_people_write_them(desk, btc):
    page = desk.get(url(Instrument, "change", Instrument.objects.get().pk)).content.decode()

    shown = dict(re.findall(r'name="(tick|lot|minimum)"[^>]*value="([^"]+)"', page)) or {
        name: value for value, name in re.findall(r'value="([^"]+)"[^>]*name="(tick|lot|minimum)"', page)
    }
    assert shown == {"tick": "1.00", "lot": "0.01000000", "minimum": "10.00"}


def test_an_operator_edits_fees_and_minimum_by_the_operation(desk, btc):
    answer = edit(desk, maker_fee_ppm="500", minimum="25.00")

    assert answer.status_code == 302
    changed = queries.get_instrument("BTC-USD")
    assert (changed.maker_fee_ppm, changed.minimum_notional.to_text()) == (500, "25.00")
    event = Event.objects.get(kind="changed")
    assert (event.actor, event.detail) == ("the-operator", "minimum_notional_minor: 2500, maker_fee_ppm: 500")


@pytest.mark.parametrize(
    "changed",
    [{"tick": "0.01"}, {"lot": "0.001"}, {"tick": "0"}, {"tick": "much"}, {"minimum": "0.001"}, {"minimum": "-1"},
     {"taker_fee_ppm": "1000000"}, {"maker_fee_ppm": "-1"}, {"tick": "NaN"}],
)  # fmt: skip
def test_terms_that_make_no_instrument_are_told_in_the_form(desk, btc, changed):
    assert edit(desk, **changed).status_code == 200
    assert queries.get_instrument("BTC-USD") == btc


def test_the_grid_is_not_edited_while_an_order_rests(desk, ada, btc):
    submit(ada, "buy", "0.10", "30000")
    row = Instrument.objects.get()

    page = desk.post(url(Instrument, "change", row.pk), {**TERMS, "tick": "2.00"}, follow=True).content.decode()

    assert "instrument_in_use" in page
    assert queries.get_instrument("BTC-USD").tick == 1


def test_currencies_and_price_scale_are_not_edited(desk, btc):
    edit(desk, base="EUR", price_scale="4")

    assert queries.get_instrument("BTC-USD") == btc


def test_an_operator_lists_an_instrument(desk, db):
    answer = desk.post(
        url(Instrument, "add"),
        {"base": "EUR", "quote": "USD", "price_scale": "4", "tick": "0.0001", "lot": "100", "minimum": "100",
         "maker_fee_ppm": "10", "taker_fee_ppm": "20"},
    )  # fmt: skip

    assert answer.status_code == 302
    listed = queries.get_instrument("EUR-USD")
    assert (str(listed.tick), listed.lot, str(listed.status)) == ("0.0001", 100, "open")
    assert Event.objects.get(kind="listed").actor == "the-operator"


def test_a_viewer_edits_nothing(btc):
    client = browser_of("viewer")

    assert edit(client, maker_fee_ppm="1").status_code == 403
    assert client.post(url(Instrument, "add"), TERMS).status_code == 403
    assert queries.get_instrument("BTC-USD") == btc
