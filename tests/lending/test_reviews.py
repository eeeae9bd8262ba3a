"""Reviews: who may decide, how a decision reaches the run that waits for it, and what follows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core import mail

from lending import operations, queries
from lending.contracts import ApplicationStatus, LetterKind, Verdict
from lending.errors import (
    AlreadyDecided,
    InvalidDecision,
    NotInReview,
    OfficerUnknown,
    ReasonMissing,
    SameOfficer,
    UnknownApplication,
    WrongStatus,
)
from lending.models import Letter
from lending.workflows import FirstLoanApplicationWorkflow, LoanApplicationWorkflow
from tests.lending.applying import FRAUD, RISKY, given
from tests.lending.failing import failing, status
from workflows import NonRetryable
from workflows import operations as engine
from workflows import queries as runs

pytestmark = pytest.mark.django_db

LARGE = {"amount": Decimal("5951.00"), "term_months": 48}


@pytest.fixture
def run(env):
    """A run that waits for an officer; `os:enter` entered the application."""
    started = env.start(LoanApplicationWorkflow, **given(RISKY, **LARGE), actor="os:enter")
    env.skip(timedelta(0))
    return started


def application(run):
    return queries.get_overview(queries.find_by_run(run.id).id)


def decide(run, decision="approve", reason="income confirmed", actor="os:olga"):
    return operations.decide_application(application(run).id, decision=decision, reason=reason, actor=actor)


def test_an_approval_makes_an_offer_and_sends_it(env, run):
    decided = decide(run)

    assert (decided.pending, decided.application.status) == (False, ApplicationStatus.APPROVED)
    result = env.finish(run.id)
    assert (result.approved, result.decision, result.offer_id) == (True, "approved", application(run).offer.id)
    assert result.risk_score > 70
    assert [letter.kind for letter in application(run).letters] == [LetterKind.OFFER]


def test_a_decline_closes_the_application_and_sends_the_notice(env, run):
    decided = decide(run, "decline", "too much debt")

    assert decided.application.status is ApplicationStatus.DECLINED
    result = env.finish(run.id)
    assert (result.approved, result.decision, result.offer_id) == (False, "declined", None)
    assert application(run).closed_at == env.now
    assert [letter.kind for letter in application(run).letters] == [LetterKind.DECLINE]


def test_a_decision_keeps_who_why_and_by_which_policy(env, run):
    decide(run, "decline", "  too much debt ")

    by_policy, by_officer = application(run).decisions
    assert (by_policy.verdict, by_policy.actor) == (Verdict.REVIEW, "policy")
    assert (by_officer.verdict, by_officer.actor, by_officer.reason) == (Verdict.DECLINE, "os:olga", "too much debt")
    assert by_officer.policy_version == by_policy.policy_version
    assert by_officer.risk_score == by_policy.risk_score > 70


def test_who_entered_the_application_does_not_decide_it(env, run):
    with pytest.raises(SameOfficer):
        decide(run, actor="os:enter")

    assert application(run).status is ApplicationStatus.IN_REVIEW
    assert status(run) == "waiting"


def test_who_entered_it_does_not_decide_it_by_another_door_either(env, run):
    with pytest.raises(Exception) as refused:
        engine.update_run(run.id, "decide", "approve", "because", "os:enter", "forged")

    assert refused.value.code == "same_officer"
    assert application(run).status is ApplicationStatus.IN_REVIEW


def test_a_decision_that_names_another_officer_by_another_door_counts_nothing(env, run):
    with pytest.raises(Exception) as refused:
        engine.update_run(run.id, "decide", "approve", "because", "os:olga", "forged")

    assert refused.value.code == "decision_unproven"
    assert application(run).status is ApplicationStatus.IN_REVIEW
    assert decide(run).application.status is ApplicationStatus.APPROVED
    assert env.finish(run.id).approved


def test_a_users_name_is_the_officers(env, run):
    user = User.objects.create_user("olga")

    decide(run, actor=user)

    assert application(run).decisions[-1].actor == "olga"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": " "}, ReasonMissing),
        ({"reason": "x" * 2001}, ReasonMissing),
        ({"decision": "maybe"}, InvalidDecision),
        ({"actor": None}, OfficerUnknown),
    ],
)
def test_a_decision_needs_a_word_a_reason_and_a_name(env, run, changes, refusal):
    with pytest.raises(refusal):
        decide(run, **changes)

    assert application(run).status is ApplicationStatus.IN_REVIEW


def test_the_same_decision_again_changes_nothing(env, run):
    first, again = decide(run), decide(run)

    assert first.application == again.application
    assert len(application(run).decisions) == 2
    env.finish(run.id)
    assert len(mail.outbox) == 1
    assert decide(run).application.status is ApplicationStatus.APPROVED


def test_a_second_officer_comes_too_late(env, run):
    decide(run)

    with pytest.raises(AlreadyDecided):
        decide(run, "decline", "no", actor="os:otto")

    assert application(run).status is ApplicationStatus.APPROVED


def test_an_application_that_is_not_in_review_is_not_decided(env):
    started = env.start(LoanApplicationWorkflow, **given())
    env.finish(started.id)

    with pytest.raises(NotInReview):
        decide(started)


def test_an_unknown_application_is_not_decided(env):
    with pytest.raises(UnknownApplication):
        operations.decide_application(
            "00000000-0000-0000-0000-000000000001", decision="approve", reason="x", actor="os:olga"
        )


def test_a_decision_before_the_review_was_requested_is_refused_by_the_run(env, monkeypatch):
    with failing(monkeypatch, "request_review", *[ConnectionError("no answer")] * 2):
        started = env.start(LoanApplicationWorkflow, **given(RISKY, **LARGE))
        env.skip(timedelta(0))
        with pytest.raises(Exception) as refused:
            engine.update_run(started.id, "decide", "approve", "because", "os:olga", "early")

    assert refused.value.code in ("not_in_review", "update_pending")


def test_a_cancelled_review_withdraws_the_application(env, run):
    engine.cancel_run(run.id, reason="the applicant asked")
    env.skip(timedelta(0))

    assert status(run) == "cancelled"
    assert application(run).status is ApplicationStatus.WITHDRAWN
    with pytest.raises(NotInReview):
        decide(run)


def test_a_decision_that_cannot_be_recorded_leaves_the_review_open(env, run, monkeypatch):
    broken = NonRetryable("broken", code="broken")
    with failing(monkeypatch, "conclude_review", broken), pytest.raises(Exception) as failed:
        decide(run)

    assert failed.value.code == "broken"
    assert application(run).status is ApplicationStatus.IN_REVIEW
    assert decide(run, reason="once more").application.status is ApplicationStatus.APPROVED


def test_a_run_that_is_paused_takes_no_decision(env, run):
    engine.pause_run(run.id, reason="lunch")
    env.skip(timedelta(0))

    with pytest.raises(WrongStatus):
        decide(run)

    engine.resume_run(run.id, reason="back")
    assert decide(run).application.status is ApplicationStatus.APPROVED


def test_a_decision_that_fails_once_is_recorded_at_the_second_attempt(env, run, monkeypatch):
    with failing(monkeypatch, "conclude_review", ConnectionError("no answer")):
        assert decide(run).application.status is ApplicationStatus.APPROVED


def test_a_review_may_wait_for_weeks_and_longer_than_its_deadline(env, run):
    env.skip(timedelta(days=40))

    assert application(run).review_deadline < env.now
    assert decide(run, "decline", "too late").application.status is ApplicationStatus.DECLINED


def test_the_review_of_a_run_of_the_first_form_is_decided_without_it(env):
    started = env.start(FirstLoanApplicationWorkflow, **given(RISKY, **LARGE))
    env.finish(started.id)

    decided = decide(started)

    assert (decided.pending, decided.application.status) == (False, ApplicationStatus.APPROVED)
    assert application(started).offer is not None
    assert mail.outbox == []


def test_a_completed_review_replays_as_it_was(env, run):
    decide(run)
    env.finish(run.id)

    assert runs.get_run(run.id).result.decision == "approved"
    kinds = [entry.kind for entry in runs.get_history(run.id)]
    assert kinds.count("UpdateCompleted") == 1


# --- What the letters say --------------------------------------------------------------------------------------------


def declined(env, ending=RISKY, **changes):
    started = env.start(LoanApplicationWorkflow, **given(ending, **{**LARGE, **changes}))
    env.skip(timedelta(0))
    decide(started, "decline", "internal remark: suspicious")
    env.finish(started.id)
    return application(started)


def test_the_notice_says_reasons_score_range_and_date(env):
    overview = declined(env)
    (sent,) = mail.outbox

    for reason in overview.score.reasons:
        assert reason.text in sent.body
    assert f"Your score was {overview.risk_score}" in sent.body
    assert "from 0.00 to 100.00" in sent.body
    assert "5 January 2026" in sent.body
    assert sent.body.count("    - ") == len(overview.score.reasons) <= 4


def test_the_notice_never_tells_an_officers_remark(env):
    declined(env)

    assert "internal remark" not in mail.outbox[0].body


def test_the_notice_of_a_fraud_hit_says_no_more_than_that_the_identity_was_not_verified(env):
    declined(env, FRAUD, amount=Decimal("500.00"), term_months=6)

    assert "verify your identity" in mail.outbox[0].body
    assert "stolen" not in mail.outbox[0].body


def test_a_letter_goes_to_the_address_given_and_else_to_the_desk_that_posts_it(env):
    env.run(LoanApplicationWorkflow, **given(email="ada@example.com"))
    env.run(LoanApplicationWorkflow, **given("2008"))

    assert [item.to for item in mail.outbox] == [["ada@example.com"], ["letters@finaegis.example"]]


def test_a_letter_that_is_sent_twice_has_one_message_id(env):
    result = env.run(LoanApplicationWorkflow, **given())

    Letter.objects.update(sent_at=None)
    operations.send_letter(application_id=result.application_id, kind=LetterKind.OFFER)
    operations.send_letter(application_id=result.application_id, kind=LetterKind.OFFER)

    assert len(mail.outbox) == 2
    assert len({item.extra_headers["Message-ID"] for item in mail.outbox}) == 1
