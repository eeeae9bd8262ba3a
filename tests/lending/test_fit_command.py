"""`manage.py lending_fit`: what it prints and writes, and what it refuses without writing anything."""

import csv
import io
from collections import Counter
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from lending.rules.fitting_quality import auc
from lending.rules.german_credit import SHIPPED, read_rows
from lending.rules.scorecard_table import SHIPPED as TABLE

LINES = SHIPPED.read_text(encoding="ascii").splitlines()


def fit(path, **options):
    out = io.StringIO()
    call_command("lending_fit", str(path), stdout=out, **options)
    return out.getvalue()


def file_of(tmp_path, lines):
    path = tmp_path / "credit.data"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def without_outcomes(tmp_path):
    """The data with every outcome moved a third of the file on: it belongs to another applicant."""
    outcomes = [line.split()[-1] for line in LINES]
    moved = outcomes[333:] + outcomes[:333]
    return file_of(tmp_path, [f"{line[:-1]}{outcome}" for line, outcome in zip(LINES, moved, strict=True)])


def predictions_in(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_it_prints_points_area_slope_and_deciles():
    printed = fit(SHIPPED)

    assert "1 checking_account" in printed
    assert "AUC 0.77" in printed
    assert "calibration slope 1.0" in printed
    assert printed.splitlines()[-1].split()[:2] == ["10", "100"]


def test_the_predictions_file_has_each_row_once_with_its_fold_and_pd(tmp_path):
    fit(SHIPPED, oof=str(tmp_path / "oof.csv"))

    found = predictions_in(tmp_path / "oof.csv")

    assert list(found[0]) == ["row", "fold", "pd"]
    assert [int(line["row"]) for line in found] == list(range(1000))
    assert Counter(line["fold"] for line in found) == {str(fold): 100 for fold in range(10)}
    area = auc([Decimal(line["pd"]) for line in found], [row.bad for row in read_rows()])
    assert Decimal("0.75") <= area <= Decimal("0.80")


def test_two_fits_of_one_file_predict_the_same(tmp_path):
    for name in ("one.csv", "two.csv"):
        fit(SHIPPED, oof=str(tmp_path / name))

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_outcomes_of_other_applicants_are_not_predicted(tmp_path):
    path = without_outcomes(tmp_path)

    fit(path, oof=str(tmp_path / "oof.csv"))

    found = predictions_in(tmp_path / "oof.csv")
    bads = [line.split()[-1] == "2" for line in path.read_text(encoding="ascii").splitlines()]
    assert abs(auc([Decimal(line["pd"]) for line in found], bads) - Decimal("0.5")) < Decimal("0.05")


def test_the_shipped_scorecard_is_made_again_byte_for_byte(tmp_path):
    fit(SHIPPED, write=str(tmp_path / "scorecard.json"))

    assert (tmp_path / "scorecard.json").read_bytes() == TABLE.read_bytes()


def test_a_fit_changes_no_file_unless_it_is_asked_to(tmp_path):
    before = TABLE.read_bytes()

    fit(without_outcomes(tmp_path))

    assert TABLE.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["credit.data"]


def test_a_scorecard_that_does_not_rank_is_not_written(tmp_path):
    with pytest.raises(CommandError, match=r"below 0\.75") as refused:
        fit(without_outcomes(tmp_path), write=str(tmp_path / "scorecard.json"))

    assert refused.value.returncode == 1
    assert not (tmp_path / "scorecard.json").exists()


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no rows"),
        ([*LINES[:10], LINES[10].rsplit(" ", 1)[0]], "line 11 has 20 fields, not 21"),
        ([f"{LINES[0][:-1]}3"], "line 1: the outcome is 1 (good) or 2 (bad), not '3'"),
        ([LINES[0], LINES[1].replace("A12", "B12", 1)], "line 2: 'B12' is no value of attribute 1"),
        ([LINES[0].replace(" 6 ", " -6 ", 1)], "line 1: '-6' is no value of attribute 2"),
        (["", LINES[0]], "line 1 has 0 fields"),
        (["A11 6 é"], "not an ASCII text"),
        (LINES[:100], "a fit needs 50 of each"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_nothing_is_written(tmp_path, lines, says):
    path = file_of(tmp_path, lines)

    with pytest.raises(CommandError) as refused:
        fit(path, oof=str(tmp_path / "oof.csv"), write=str(tmp_path / "scorecard.json"))

    assert refused.value.returncode == 2
    assert str(path) in str(refused.value)
    assert says in str(refused.value)
    assert [item.name for item in tmp_path.iterdir()] == ["credit.data"]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError, match="No such file") as refused:
        fit(tmp_path / "nothing.data")

    assert refused.value.returncode == 2


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path):
    with pytest.raises(CommandError) as refused:
        fit(SHIPPED, oof=str(tmp_path / "nowhere" / "oof.csv"))

    assert refused.value.returncode == 2
