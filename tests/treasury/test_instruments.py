"""The instrument table: loaded once, exact figures, valid by day, edited without being overwritten."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests.treasury.instruments import shipped, valid
from treasury import operations, queries
from treasury.contracts import AssetClass
from treasury.models import Instrument

pytestmark = pytest.mark.django_db


def test_loading_inserts_every_row_once():
    assert operations.load_instruments() == len(shipped()) == 889
    assert operations.load_instruments() == 0


def test_the_command_says_what_it_did(capsys):
    call_command("load_instruments")
    call_command("load_instruments")

    assert capsys.readouterr().out.splitlines() == ["889 instrument rows added", "0 instrument rows added"]


def test_loading_leaves_an_edited_row_alone():
    operations.load_instruments()
    Instrument.objects.filter(code="CASH-MMF").update(yield_percent=Decimal("3.05"))

    operations.load_instruments()

    assert Instrument.objects.get(code="CASH-MMF").yield_percent == Decimal("3.05")


@pytest.mark.parametrize("day", [date(1953, 4, 30), date(1953, 5, 1), date(2026, 6, 30), date(2026, 7, 1)])
def test_a_day_has_the_instruments_valid_on_it(day):
    operations.load_instruments()

    assert queries.list_instruments(day) == sorted(valid(day), key=lambda item: item.code)


def test_instruments_are_asked_by_currency():
    operations.load_instruments()

    assert len(queries.list_instruments(date(2026, 7, 1), "USD")) == 11
    assert queries.list_instruments(date(2026, 7, 1), "EUR") == []


def row(**changes):
    facts = {
        "code": "X",
        "asset_class": AssetClass.CASH,
        "currency": "USD",
        "issuer": "I",
        "yield_percent": Decimal("1.00"),
        "duration": Decimal("0.00"),
        "valid_from": date(2026, 1, 1),
        "source": "test",
    }
    return Instrument(**{**facts, **changes})


def test_a_later_row_of_the_same_code_takes_over():
    row().save()
    row(valid_from=date(2026, 3, 1), yield_percent=Decimal("2.00")).save()

    assert [item.yield_percent for item in queries.list_instruments(date(2026, 2, 28))] == [Decimal("1.00")]
    assert [item.yield_percent for item in queries.list_instruments(date(2026, 3, 1))] == [Decimal("2.00")]


@pytest.mark.parametrize("figure", ["4.47", "0.125", "-0.000001", "0.00", "123456789.123456", "10.00"])
def test_figures_are_stored_exactly(figure):
    row(yield_percent=Decimal(figure)).save()

    assert Instrument.objects.get().yield_percent == Decimal(figure)
    assert str(Instrument.objects.get().yield_percent) == figure
    with connection.cursor() as cursor:
        cursor.execute("SELECT yield_percent FROM treasury_instrument")
        assert cursor.fetchone() == (int(Decimal(figure) * 1_000_000),)


def test_a_figure_finer_than_six_places_is_refused():
    with pytest.raises(ValidationError):
        row(yield_percent=Decimal("0.0000001")).full_clean()
    with pytest.raises(ValueError, match="decimal places"):
        row(yield_percent=Decimal("0.0000001")).save()


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": Decimal("1.01")},
        {"limit": Decimal("-0.01")},
        {"duration": Decimal("-1")},
        {"valid_to": date(2026, 1, 1)},
        {"asset_class": "gold"},
    ],
)
def test_the_database_refuses_figures_that_make_no_sense(changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        row(**changes).save()


def test_a_code_has_one_row_a_day():
    row().save()

    with pytest.raises(IntegrityError), transaction.atomic():
        row().save()
