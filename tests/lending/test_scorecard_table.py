"""The scorecard that is shipped: fitted on the shipped data, good enough, and free of what may not count."""

from decimal import Decimal
from itertools import combinations

import pytest
from pydantic import ValidationError

from lending.rules.german_credit import SHIPPED as DATA
from lending.rules.german_credit import read_rows
from lending.rules.scorecard_attributes import CANDIDATES, EXCLUDED, REASONS
from lending.rules.scorecard_table import SHIPPED, read_scorecard, shipped, write_scorecard

D = Decimal
#: What makes the text of a reason true: the codes, or the numbers above a limit; None where it is true of every value.
TRUE_OF = {
    1: {"A11", "A12"},
    2: D(12),
    3: None,
    4: None,
    5: D(4000),
    6: {"A61", "A62"},
    7: {"A71", "A72", "A73"},
    8: None,
    10: {"A101", "A102"},
    12: {"A122", "A123", "A124"},
    14: {"A141", "A142"},
    15: {"A151", "A153"},
}


def test_attributes_9_13_19_and_20_have_no_points():
    assert set(EXCLUDED) == {9, 13, 19, 20}
    assert not {attribute.number for attribute in shipped().table.attributes} & {9, 13, 19, 20}
    assert {9, 13, 19, 20} <= {left.number for left in shipped().table.left_out}


def test_every_other_attribute_has_points_or_a_reason_why_not():
    scored = [attribute.number for attribute in shipped().table.attributes]
    left_out = [left.number for left in shipped().table.left_out]

    assert sorted(scored + left_out) == list(range(1, 21))
    assert set(scored) <= set(CANDIDATES)
    assert all(left.reason for left in shipped().table.left_out)


def test_no_bin_with_a_higher_bad_rate_has_more_points():
    for attribute in shipped().table.attributes:
        for one, other in combinations(attribute.bins, 2):
            worse, better = sorted((one, other), key=lambda item: D(item.bad) / item.rows, reverse=True)
            assert worse.points <= better.points, attribute.name


def test_the_bins_count_every_row_of_the_data_once():
    for attribute in shipped().table.attributes:
        assert sum(item.rows for item in attribute.bins) == 1000
        assert sum(item.bad for item in attribute.bins) == 300


def test_zero_points_are_the_populations_average():
    for attribute in shipped().table.attributes:
        mean = sum(item.points * item.rows for item in attribute.bins) / 1000
        assert attribute.mean_points == mean.quantize(D("0.0001"))
        assert abs(mean) < D("0.01")


def test_the_order_of_risk_holds_out_of_fold_and_is_too_good_nowhere():
    assert D("0.75") <= shipped().quality.auc <= D("0.80")


def test_the_calibration_holds_out_of_fold():
    quality = shipped().quality

    assert D("0.9") <= quality.calibration_slope <= D("1.1")
    assert abs(quality.calibration_intercept) < D("0.1")
    assert [tenth.rows for tenth in quality.deciles] == [100] * 10
    assert all(abs(tenth.mean_pd - tenth.bad_rate) < D("0.10") for tenth in quality.deciles)
    assert quality.deciles[0].bad_rate < D("0.05") and quality.deciles[-1].bad_rate > D("0.60")


def test_in_sample_about_two_thirds_of_the_data_go_to_review():
    table = shipped().table
    pds = [
        table.probability_of_default(sum(table.points_of(row.scoring_values()).values(), D(0))) for row in read_rows()
    ]

    assert 600 <= sum(6 * pd > 1 for pd in pds) <= 670


def test_each_reason_is_true_of_whoever_loses_points_for_it():
    for attribute in shipped().table.attributes:
        assert REASONS[attribute.number]
        truth = TRUE_OF[attribute.number]
        lower = D(0)
        for item in attribute.bins:
            if item.points < attribute.mean_points and truth is not None:
                assert lower >= truth if isinstance(truth, Decimal) else set(item.values) <= truth, attribute.name
            lower = D(item.up_to or 0)


def test_the_version_is_that_of_the_points_and_the_file_says_what_they_were_fitted_on():
    assert shipped().version == shipped().table.version
    assert shipped().source.startswith(f"{DATA.name}, 1000 rows, SHA-256 b21f3d81db80")


def test_a_scorecard_is_read_as_it_was_written():
    text = SHIPPED.read_text(encoding="utf-8")

    assert write_scorecard(read_scorecard(text)) == text


def test_other_points_have_another_version():
    text = SHIPPED.read_text(encoding="utf-8")

    changed = read_scorecard(text.replace('"20.81"', '"20.82"'))

    assert changed.table.version != changed.version


def test_what_is_no_scorecard_is_refused():
    with pytest.raises(ValidationError):
        read_scorecard("{}")
