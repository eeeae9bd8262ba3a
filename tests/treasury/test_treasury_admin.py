"""The treasury in the console: instruments are edited there, everything else is only looked at."""

from decimal import Decimal

import pytest
from django.urls import reverse

from finaegis.shared.money import Money
from tests.treasury.instrument_table import have_instruments
from treasury import operations
from treasury.contracts import Constraints, RiskCause
from treasury.models import (
    Allocation,
    Freeze,
    HedgePosition,
    Instrument,
    RiskAssessment,
    StoredEvent,
    TreasuryAccount,
)

pytestmark = pytest.mark.django_db

READ_ONLY = [TreasuryAccount, Allocation, StoredEvent, RiskAssessment, HedgePosition, Freeze]


def url(model, page, *args):
    return reverse(f"admin:treasury_{model._meta.model_name}_{page}", args=args)


@pytest.fixture
def content():
    """One row of each kind."""
    have_instruments()
    account = operations.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1"
    )
    allocation = operations.allocate(key="step-1", account_id=account.id, strategy="balanced", amount=Money(100, "USD"))
    operations.propose_portfolio(
        key="step-2", account_id=account.id, strategy="balanced", allocation=allocation, constraints=Constraints()
    )
    operations.assess_risk(key="step-3", account_id=account.id, cause=RiskCause.REQUEST)
    operations.open_hedge(key="step-4", account_id=account.id, notional=Money(10, "USD"))
    operations.freeze_account(key="step-5", account_id=account.id, cause="risk score 90.00")


@pytest.mark.parametrize("model", [*READ_ONLY, Instrument])
def test_lists_and_rows_open(admin_client, content, model):
    row = model.objects.first()

    assert admin_client.get(url(model, "changelist")).status_code == 200
    assert admin_client.get(url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_operations_write_cannot_be_added_changed_or_deleted(admin_client, content, model):
    row = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    answers = [
        admin_client.get(url(model, "add")),
        admin_client.post(url(model, "change", row.pk), {"name": "changed"}),
        admin_client.post(url(model, "delete", row.pk), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.order_by("pk").values()) == before


def test_amounts_are_shown_with_their_currency(admin_client, content):
    page = admin_client.get(url(Allocation, "changelist")).content.decode()

    assert "100.00 USD" in page


def test_an_account_shows_its_scores_and_open_hedges(admin_client, content):
    account = TreasuryAccount.objects.get()

    page = admin_client.get(url(TreasuryAccount, "change", account.pk)).content.decode()

    assert url(RiskAssessment, "change", RiskAssessment.objects.get().pk) in page
    assert url(HedgePosition, "change", HedgePosition.objects.get().pk) in page
    assert "EQUITY-INDEX-FUTURE-SHORT" in page


def form(row, **changes):
    facts = {field.name: "" if (value := field.value_from_object(row)) is None else value for field in row._meta.fields}
    facts = {name: value for name, value in facts.items() if value is not False}
    return {**facts, **changes}


def test_an_instrument_is_edited_exactly(admin_client, content):
    row = Instrument.objects.get(code="CASH-MMF")

    answer = admin_client.post(url(Instrument, "change", row.pk), form(row, yield_percent="3.957", limit="0.125"))

    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.yield_percent, row.limit) == (Decimal("3.957"), Decimal("0.125"))


@pytest.mark.parametrize(
    "changes",
    [
        {"yield_percent": "NaN"},
        {"yield_percent": "1.1234567"},
        {"limit": "1.5"},
        {"duration": "-1"},
        {"valid_to": "2020-01-01"},
        {"asset_class": "gold"},
    ],
)
def test_an_edit_that_makes_no_sense_is_sent_back(admin_client, content, changes):
    row = Instrument.objects.get(code="CASH-MMF")
    before = form(row)

    answer = admin_client.post(url(Instrument, "change", row.pk), form(row, **changes))

    assert answer.status_code == 200
    assert form(Instrument.objects.get(pk=row.pk)) == before
