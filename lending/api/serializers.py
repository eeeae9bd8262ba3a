"""Lending's values as JSON. Nothing here has an SSN to show."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from lending.contracts import (
    Application,
    ApplicationStatus,
    BureauReport,
    DisbursementStatus,
    DocumentCheck,
    DocumentFinding,
    DocumentStatus,
    FraudCheck,
    LetterKind,
    Loan,
    LoanStatus,
    OfferStatus,
    ReceivableCase,
    ReviewCause,
    ScheduleEntry,
    ScoreReason,
    Terms,
    Verdict,
)
from lending.contracts import CaseStatus as Case
from lending.contracts import Decision as MadeDecision
from lending.contracts import Disbursement as Payout
from lending.contracts import Document as Paper
from lending.contracts import Letter as SentLetter
from lending.contracts import Offer as MadeOffer
from lending.contracts import Score as Scored
from workflows.api.fields import MoneyField
from workflows.api.panel_serializers import WithRuns

APPLICATION_STATUSES = [(item.value, item.value) for item in ApplicationStatus]
LOAN_STATUSES = [(item.value, item.value) for item in LoanStatus]
OFFER_STATUSES = [(item.value, item.value) for item in OfferStatus]
DISBURSEMENT_STATUSES = [(item.value, item.value) for item in DisbursementStatus]
DOCUMENT_STATUSES = [(item.value, item.value) for item in DocumentStatus]
CASE_STATUSES = [(item.value, item.value) for item in Case]
REVIEW_CAUSES = [(item.value, item.value) for item in ReviewCause]
VERDICTS = [(item.value, item.value) for item in Verdict]
LETTER_KINDS = [(item.value, item.value) for item in LetterKind]


class TermsSerializer(serializers.Serializer[Terms]):
    """What a loan costs; rates in per cent a year."""

    principal = MoneyField()
    annual_rate = serializers.CharField()
    term_months = serializers.IntegerField()
    instalment = MoneyField()
    prepaid_fees = MoneyField()
    amount_financed = MoneyField()
    total_interest = MoneyField()
    total_of_payments = MoneyField()
    apr = serializers.CharField()


class DocumentSerializer(serializers.Serializer[Paper]):
    """A document that came with an application."""

    kind = serializers.CharField()
    reference = serializers.CharField()


class ApplicationSerializer(serializers.Serializer[Application]):
    """An application as it stands. `review` says why a person has to decide it, `risk_score` is 0 to 100."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=APPLICATION_STATUSES)
    applicant = serializers.CharField(source="facts.applicant")
    income = MoneyField(source="facts.income")
    amount = MoneyField(source="facts.amount")
    term_months = serializers.IntegerField(source="facts.term_months")
    documents = DocumentSerializer(source="facts.documents", many=True)
    attributes = serializers.SerializerMethodField()
    email = serializers.CharField(allow_null=True)
    entered_by = serializers.CharField()
    submitted_at = serializers.DateTimeField()
    risk_score = serializers.CharField(allow_null=True)
    review = serializers.ListField(source="causes", child=serializers.ChoiceField(choices=REVIEW_CAUSES))
    review_deadline = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    loan_id = serializers.UUIDField(allow_null=True)

    def get_attributes(self, application: Application) -> dict[str, Any]:
        return application.facts.attributes.model_dump(mode="json", exclude_none=True)


class ReasonSerializer(serializers.Serializer[ScoreReason]):
    """An attribute that spoke against the applicant, by how many points."""

    attribute = serializers.CharField()
    points = serializers.CharField()
    text = serializers.CharField()


class ScoreSerializer(serializers.Serializer[Scored]):
    """What the scorecard says; `missing` were not known and count zero points."""

    points = serializers.CharField()
    pd = serializers.CharField()
    score = serializers.CharField()
    reasons = ReasonSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField())
    policy_version = serializers.CharField()


class CreditSerializer(serializers.Serializer[BureauReport]):
    """The credit file: codes and a number of the credit data."""

    file_found = serializers.BooleanField()
    reference = serializers.CharField()
    checking_account = serializers.CharField(allow_null=True)
    credit_history = serializers.CharField(allow_null=True)
    savings = serializers.CharField(allow_null=True)
    other_instalment_plans = serializers.CharField(allow_null=True)
    existing_credits = serializers.IntegerField(allow_null=True)


class FraudSerializer(serializers.Serializer[FraudCheck]):
    """What fraud scoring said."""

    hit = serializers.BooleanField()
    reference = serializers.CharField()
    signals = serializers.ListField(child=serializers.CharField())


class DocumentFindingSerializer(serializers.Serializer[DocumentFinding]):
    """What is wrong with one document."""

    reference = serializers.CharField()
    code = serializers.CharField()


class DocumentCheckSerializer(serializers.Serializer[DocumentCheck]):
    """What document verification said."""

    status = serializers.ChoiceField(choices=DOCUMENT_STATUSES)
    reference = serializers.CharField()
    findings = DocumentFindingSerializer(many=True)


class ChecksSerializer(serializers.Serializer[Any]):
    """The three checks; null while one was not made, and where it could not be."""

    credit = CreditSerializer(allow_null=True)
    fraud = FraudSerializer(allow_null=True)
    documents = DocumentCheckSerializer(allow_null=True)


class LoanDecisionSerializer(serializers.Serializer[MadeDecision]):
    """A decision: the policy's, or an officer's with its reason."""

    verdict = serializers.ChoiceField(choices=VERDICTS)
    actor = serializers.CharField()
    reason = serializers.CharField()
    risk_score = serializers.CharField()
    policy_version = serializers.CharField()
    decided_at = serializers.DateTimeField()


class OfferSerializer(serializers.Serializer[MadeOffer]):
    """Terms that may be accepted until `expires_at`."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=OFFER_STATUSES)
    terms = TermsSerializer()
    offered_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)


class LetterSerializer(serializers.Serializer[SentLetter]):
    """A letter; `sent_at` is null until the mail system took it."""

    kind = serializers.ChoiceField(choices=LETTER_KINDS)
    subject = serializers.CharField()
    written_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)


class ApplicationOverviewSerializer(ApplicationSerializer, WithRuns):
    """An application with its checks, score, decisions, offer, letters and runs."""

    record_kind = "lending.application"

    checks = ChecksSerializer()
    score = ScoreSerializer(allow_null=True)
    decisions = LoanDecisionSerializer(many=True)
    offer = OfferSerializer(allow_null=True)
    letters = LetterSerializer(many=True)


class LoanSerializer(serializers.Serializer[Loan]):
    """A loan as it stands; its terms are an estimate until it is active. Accepting starts no run: `run_id` is null."""

    id = serializers.UUIDField()
    run_id = serializers.UUIDField(default=None, allow_null=True, read_only=True)
    status = serializers.ChoiceField(choices=LOAN_STATUSES)
    application_id = serializers.UUIDField()
    borrower = serializers.CharField()
    terms = TermsSerializer()
    ledger_owner = serializers.CharField(help_text="Under which owner the ledger keeps the borrower's money.")
    accepted_at = serializers.DateTimeField()
    disbursed_on = serializers.DateField(allow_null=True)


class ScheduleEntrySerializer(serializers.Serializer[ScheduleEntry]):
    """One instalment; `balance` is the principal left after it."""

    number = serializers.IntegerField()
    due_on = serializers.DateField()
    instalment = MoneyField()
    interest = MoneyField()
    principal = MoneyField()
    balance = MoneyField()


class DisbursementSerializer(serializers.Serializer[Payout]):
    """A payout of the loan."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=DISBURSEMENT_STATUSES)
    amount = MoneyField()
    run_id = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class ReceivableSerializer(serializers.Serializer[ReceivableCase]):
    """What is owed because the money was spent before it was called back."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=CASE_STATUSES)
    amount = MoneyField()
    recovered = MoneyField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class LoanOverviewSerializer(LoanSerializer, WithRuns):
    """A loan with its schedule (empty until it is active), payouts, receivables and runs."""

    record_kind = "lending.loan"

    schedule = ScheduleEntrySerializer(many=True)
    disbursements = DisbursementSerializer(many=True)
    receivables = ReceivableSerializer(many=True)
