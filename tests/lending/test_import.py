"""`manage.py lending_import`: one run for each row, started once for ever, followed to its end or its review."""

import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command

from finaegis.shared.money import Money
from lending.contracts import ApplicationStatus
from lending.models import Application, Assessment
from lending.rules.german_credit import SHIPPED, read_rows
from lending.rules.scorecard import score_by
from lending.rules.scorecard_table import shipped
from lending.rules.synthetic import form_of
from workflows import queries
from workflows.models import AuditEntry, Run
from workflows.testing import WorkflowEnvironment

LINES = SHIPPED.read_text(encoding="ascii").splitlines()
#: Among these are goods and bads, approvals and reviews.
ROWS = 12

pytestmark = pytest.mark.django_db


@pytest.fixture
def env(workflow_env: WorkflowEnvironment) -> WorkflowEnvironment:
    return workflow_env


def load(path=SHIPPED, **options):
    """The lines that the command prints."""
    out, err = io.StringIO(), io.StringIO()
    call_command("lending_import", str(path), stdout=out, stderr=err, **options)
    return out.getvalue().splitlines()


def refused(path=SHIPPED, **options):
    with pytest.raises(CommandError) as error:
        load(path, **options)
    return error.value


def file_of(tmp_path, lines):
    path = tmp_path / "credit.data"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def expected(position):
    return score_by(shipped(), values=read_rows()[position].scoring_values())


# --- Runs ------------------------------------------------------------------------------------------------------------


def test_each_row_starts_one_run_that_reaches_its_end_or_review(env):
    load(limit=ROWS)

    assert Run.objects.filter(workflow="lending.LoanApplication").count() == ROWS
    statuses = set(Application.objects.values_list("status", flat=True))
    assert statuses == {ApplicationStatus.APPROVED, ApplicationStatus.IN_REVIEW}


def test_a_second_import_starts_none(env):
    load(limit=ROWS)
    before = (Run.objects.count(), Application.objects.count(), AuditEntry.objects.count())

    printed = load(limit=ROWS)

    assert printed[0] == f"german_credit.data: {ROWS} rows, 0 runs started, {ROWS} there already"
    assert (Run.objects.count(), Application.objects.count(), AuditEntry.objects.count()) == before


def test_an_import_that_broke_off_is_completed_by_the_next(env):
    load(limit=4)

    printed = load(limit=ROWS)

    assert printed[0] == f"german_credit.data: {ROWS} rows, {ROWS - 4} runs started, 4 there already"


def test_every_row_is_scored_by_its_own_sixteen_attributes(env):
    load(limit=ROWS)

    for row in Assessment.objects.select_related("application"):
        position = int(row.application.name.split()[-1])
        assert row.score == expected(position)
        assert row.score.missing == ()


def test_who_goes_to_review_is_decided_by_the_score(env):
    load(limit=ROWS)

    for row in Assessment.objects.select_related("application"):
        in_review = row.application.status == ApplicationStatus.IN_REVIEW
        assert in_review == (row.risk_score > 70)


def test_it_counts_and_says_how_well_the_scores_rank(env):
    printed = load(limit=ROWS)

    reviews = sum(expected(position).score > 70 for position in range(ROWS))
    quality = shipped().quality
    assert printed[1:4] == [f"approved {ROWS - reviews}", f"in review {reviews}", "declined 0"]
    assert printed[4].startswith("in-sample AUC 0.") and printed[4].endswith(f"({ROWS} scored)")
    assert printed[5].startswith(f"out-of-fold AUC {quality.auc}, calibration slope {quality.calibration_slope}")


def test_without_waiting_the_runs_are_started_and_left(env):
    printed = load(limit=3, no_wait=True)

    assert printed == ["german_credit.data: 3 rows, 3 runs started, 0 there already"]
    assert set(Run.objects.values_list("status", flat=True)) == {"pending"}


def test_runs_that_nobody_drives_are_told_and_do_not_hang_the_command(env, monkeypatch):
    monkeypatch.setattr("workflows.operations.waiting._Waiting.pause", staticmethod(lambda seconds: None))

    error = refused(limit=2, patience=0.0)

    assert error.returncode == 1
    assert "2 runs are still open" in str(error)


def test_a_row_that_is_refused_is_told_and_the_others_go_on(env, tmp_path):
    load(limit=2, no_wait=True)
    # The same people ask again, with another amount, while their first application is open.
    lines = [LINES[0].replace(" 1169 ", " 1170 "), LINES[1], LINES[2]]
    err = io.StringIO()

    with pytest.raises(CommandError) as error:
        call_command("lending_import", str(file_of(tmp_path, lines)), stdout=io.StringIO(), stderr=err)

    assert error.value.returncode == 1
    assert "row 0: application_open" in err.getvalue()
    assert Application.objects.count() == 3


# --- What is made up -------------------------------------------------------------------------------------------------


def test_an_application_says_that_it_is_synthetic(env):
    load(limit=1)

    application = Application.objects.get()
    assert application.name == "Synthetic Applicant 0000"
    assert [document.reference for document in application.documents] == ["synthetic-0000-payslip"]
    assert "SSN and income are synthetic" in AuditEntry.objects.get(run_id=application.run_id).reason


def test_the_amount_in_dm_is_read_as_eur(env):
    load(limit=1)

    assert Application.objects.get().amount == Money("1169.00", "EUR")


def test_ssns_are_of_no_person_and_lead_to_the_row():
    ssns = [form_of(row, position).ssn.reveal() for position, row in enumerate(read_rows())]

    assert len(set(ssns)) == 1000
    assert all(ssn.startswith("900-01-") for ssn in ssns)
    assert [int(ssn[-4:]) % 1000 for ssn in ssns] == list(range(1000))


def test_incomes_bear_the_instalment_as_attribute_8_says():
    for position, row in enumerate(read_rows()):
        form = form_of(row, position)
        burden = form.amount / form.term_months / (form.income / 12 / 3 * 2)
        low, high = {"1": (0.35, 9), "2": (0.25, 0.35), "3": (0.2, 0.25), "4": (0, 0.2)}[row.value(8)]
        assert low <= burden <= high


# --- Who acts, and refusals ------------------------------------------------------------------------------------------


def test_the_command_acts_as_the_login_or_as_the_user_that_is_named(env):
    user = User.objects.create_user("ada", password="x")
    user.groups.add(Group.objects.get(name="operator"))

    load(limit=1, no_wait=True)
    load(limit=2, no_wait=True, user="ada")

    by_row = dict(Application.objects.values_list("name", "entered_by"))
    assert by_row["Synthetic Applicant 0000"].startswith("os:")
    assert by_row["Synthetic Applicant 0001"] == "ada"


def test_a_user_who_may_not_start_runs_starts_none(env):
    User.objects.create_user("eve", password="x")

    error = refused(limit=2, user="eve")

    assert error.returncode == 1
    assert Run.objects.count() == 0


def test_an_unknown_user_is_refused(env):
    assert refused(limit=1, user="nobody").returncode == 2
    assert Run.objects.count() == 0


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "no rows"),
        ([LINES[0], "not a row"], "line 2 has 3 fields, not 21"),
        ([LINES[0], LINES[1].replace(" 48 ", " 480 ", 1)], "line 2 makes no application: "),
        ([LINES[0], LINES[1].replace(" 5951 ", " 0 ", 1)], "line 2 makes no application"),
        ([LINES[0], LINES[1].replace("A43", "A411", 1)], "line 2 makes no application: attributes.purpose"),
    ],
)
def test_a_file_that_cannot_be_used_starts_nothing(env, tmp_path, lines, says):
    path = file_of(tmp_path, lines)

    error = refused(path)

    assert error.returncode == 2
    assert str(path) in str(error) and says in str(error)
    assert (Run.objects.count(), Application.objects.count()) == (0, 0)


def test_a_file_that_is_not_there_is_refused(env, tmp_path):
    assert refused(tmp_path / "nothing.data").returncode == 2


def test_rows_that_the_simulated_bureau_does_not_know_are_told(env, tmp_path):
    err = io.StringIO()
    path = file_of(tmp_path, [LINES[1], LINES[0]])

    call_command("lending_import", str(path), no_wait=True, stdout=io.StringIO(), stderr=err)

    assert "2 rows differ" in err.getvalue()


def test_runs_are_known_by_the_row_and_what_it_says(env):
    load(limit=2, no_wait=True)

    keys = [run.key for run in queries.list_runs(workflow="lending.LoanApplication")]
    assert [key.rsplit(":", 1)[0] for key in sorted(keys)] == ["german-credit:0000", "german-credit:0001"]
