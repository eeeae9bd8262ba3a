"""Issue 10.4: thresholds as data with validity, and the structuring rule, which misses no set above the threshold."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finaegis.shared.money import Money
from treasury.contracts import (
    AmlThreshold,
    Direction,
    DocumentCheck,
    DocumentFinding,
    DocumentStatus,
    FindingKind,
    Movement,
    Screening,
)
from treasury.errors import CaseDecisionInvalid, InvalidHolder
from treasury.rules import compliance as rules

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = 7 * DAY


def threshold(reporting: str = "10000", currency: str = "USD", **facts) -> AmlThreshold:
    told = {"window_days": 7, "valid_from": date(2026, 1, 1), "valid_to": None, "source": "a test"} | facts
    return AmlThreshold(reporting=Money(reporting, currency), **told)


def moved(amount: str, after: timedelta = timedelta(0), direction: str = "in", currency: str = "USD") -> Movement:
    return Movement(
        id=uuid4(),
        account_id=UUID(int=1),
        direction=Direction(direction),
        amount=Money(amount, currency),
        counterparty="",
        country=None,
        moved_at=START + after,
        recorded_by="",
    )


def found(*movements: Movement, by: AmlThreshold | None = None) -> list[str]:
    """What is found about the last of them."""
    findings = rules.movement_findings(movements[-1], movements[:-1], by or threshold())
    return [item.kind.value for item in findings]


@pytest.mark.parametrize(
    ("amount", "kinds"),
    [("9999.99", []), ("10000.00", []), ("10000.01", ["above_threshold"]), ("1000000.00", ["above_threshold"])],
)
def test_more_than_the_threshold_is_reported_and_the_threshold_itself_is_not(amount, kinds):
    assert found(moved(amount)) == kinds


@pytest.mark.parametrize(
    ("title", "movements", "kinds"),
    [
        ("two halves and a cent", [moved("5000"), moved("5000.01", HOUR)], ["structuring"]),
        ("two halves", [moved("5000"), moved("5000", HOUR)], []),
        ("three parts", [moved("4000"), moved("4000", DAY), moved("4000", 2 * DAY)], ["structuring"]),
        ("the end of the window counts", [moved("9000"), moved("9000", WINDOW)], ["structuring"]),
        ("behind the window", [moved("9000"), moved("9000", WINDOW + timedelta(microseconds=1))], []),
        ("in and out are apart", [moved("9000", direction="out"), moved("9000", HOUR)], []),
        ("out as well", [moved("9000", direction="out"), moved("9000", HOUR, "out")], ["structuring"]),
        ("a large one is found by itself", [moved("20000"), moved("9000", HOUR)], []),
        ("the small ones beside a large one", [moved("6000"), moved("20000", HOUR), moved("6000", DAY)],
         ["structuring"]),
        ("a later one does not count", [moved("9000", DAY), moved("9000")], []),
        ("at the same instant", [moved("9000"), moved("9000")], ["structuring"]),
        ("many small ones", [*(moved("200", n * HOUR) for n in range(50)), moved("0.01", 51 * HOUR)], ["structuring"]),
        ("just as many", [moved("200", n * HOUR) for n in range(50)], []),
    ],
)  # fmt: skip
def test_structuring(title, movements, kinds):
    assert found(*movements) == kinds, title


def test_a_structuring_finding_tells_number_and_sum():
    (finding,) = rules.movement_findings(moved("6000", HOUR), [moved("6000")], threshold())

    assert "2 movements in" in finding.detail and "12000" in finding.detail


amounts = st.integers(1, 1_000_000)
hours = st.integers(0, 24 * 12)
drawn = st.lists(st.tuples(amounts, hours, st.sampled_from(["in", "out"])), min_size=1, max_size=9)


@given(drawn)
def test_no_set_above_the_threshold_within_the_window_is_missed(drawn):
    """Any set of movements one way within the window that is above the threshold has one about which something is
    found by the time the last of them is judged."""
    line = sorted(drawn, key=lambda item: item[1])
    movements = [moved(f"{cents / 100:.2f}", after * HOUR, way) for cents, after, way in line]
    told = [bool(found(*movements[: place + 1])) for place in range(len(movements))]
    for size in range(1, len(movements) + 1):
        for places in combinations(range(len(movements)), size):
            chosen = [movements[place] for place in places]
            within = chosen[-1].moved_at - chosen[0].moved_at <= WINDOW
            one_way = len({item.direction for item in chosen}) == 1
            total = sum((item.amount for item in chosen[1:]), start=chosen[0].amount)
            if within and one_way and total > Money("10000", "USD"):
                assert any(told[place] for place in places)


@given(drawn)
def test_nothing_is_found_where_all_together_are_within_the_threshold(drawn):
    movements = [
        moved(f"{cents / 100 / len(drawn):.2f}", after * HOUR, way)
        for cents, after, way in sorted(drawn, key=lambda item: item[1])
        if cents >= 100
    ]
    for place in range(len(movements)):
        total = sum((item.amount for item in movements[1 : place + 1]), start=movements[0].amount)
        if total <= Money("10000", "USD"):
            assert found(*movements[: place + 1]) == []


# --- Thresholds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "reporting"),
    [
        (date(2025, 12, 31), None),
        (date(2026, 1, 1), "10000"),
        (date(2026, 5, 31), "10000"),
        (date(2026, 6, 1), "3000"),
        (date(2026, 11, 30), "3000"),
        (date(2026, 12, 1), "10000"),
    ],
)
def test_the_threshold_of_the_day_is_the_one_that_began_last(day, reporting):
    rows = [
        threshold(),
        threshold("3000", valid_from=date(2026, 6, 1), valid_to=date(2026, 12, 1)),
        threshold("1", "EUR"),
    ]

    valid = rules.threshold_on(rows, currency="USD", day=day)

    assert (None if valid is None else valid.reporting) == (None if reporting is None else Money(reporting, "USD"))


def test_without_a_threshold_nobody_can_say_that_a_movement_is_small():
    (finding,) = rules.movement_findings(moved("0.01", currency="EUR"), [], None)

    assert finding.kind is FindingKind.THRESHOLD_MISSING


@pytest.mark.parametrize(("currency", "within", "above"), [("JPY", "1500000", "1500001"), ("KWD", "3000", "3000.001")])
def test_thresholds_are_exact_in_the_scale_of_the_currency(currency, within, above):
    valid = threshold(within, currency)

    assert found(moved(within, currency=currency), by=valid) == []
    assert found(moved(above, currency=currency), by=valid) == ["above_threshold"]


# --- Holders ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (DocumentStatus.VERIFIED, []),
        (DocumentStatus.FAILED, ["identity_not_proven"]),
        (DocumentStatus.INCOMPLETE, ["documents_incomplete"]),
    ],
)
def test_what_a_document_check_finds(status, kinds):
    check = DocumentCheck(status=status, findings=(DocumentFinding(reference="P-1", code="expired"),))

    assert [item.kind.value for item in rules.identity_findings(check)] == kinds


def test_details_fit_into_their_column():
    screening = Screening(clear=False, matches=("x" * 5000,), list_version="1")

    assert len(rules.screening_findings("y", screening)[0].detail) == 1000
    assert len(rules.unchecked(FindingKind.IDENTITY_UNCHECKED, "x" * 5000)[0].detail) == 1000


@pytest.mark.parametrize(
    "told",
    [
        {"country": "usa"}, {"country": "us"}, {"country": 1}, {"documents": "P-1"}, {"documents": [{"kind": "p"}]},
        {"documents": [{"kind": "p", "reference": ""}]}, {"documents": [{"kind": "p", "reference": "x" * 81}]},
        {"documents": [{"kind": "p", "reference": "1", "more": 1}]},
        {"documents": [{"kind": "a\x00", "reference": "1"}]},
        {"documents": [{"kind": "p", "reference": str(n)} for n in range(21)]},
    ],
)  # fmt: skip
def test_facts_of_a_holder_that_do_not_fit_are_refused_without_being_repeated(told):
    with pytest.raises(InvalidHolder) as refused:
        rules.holder_facts(**told)

    assert "P-1" not in str(refused.value)


@pytest.mark.parametrize("word", ["", "Clear", "approve", "clear "])
def test_a_decision_is_one_of_two_words(word):
    with pytest.raises(CaseDecisionInvalid):
        rules.decision_of(word)
