"""What happens to an application for a loan, and to a loan that is paid out, in which order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lending.activities import (
    assess_application,
    check_application,
    check_disbursable,
    conclude_review,
    create_transaction,
    pull_credit,
    register_application,
    request_review,
    reserve_funds,
    screen_fraud,
    send_letter,
    transfer_funds,
    update_status,
    verify_documents,
)
from lending.contracts import (
    ApplicantName,
    ApplicationResult,
    Assessment,
    Attributes,
    CheckResults,
    Checks,
    CurrencyCode,
    DisbursementResult,
    Document,
    Email,
    LetterKind,
    OfficerDecision,
    PlainAmount,
    Registered,
    Ruling,
    TermMonths,
    Verdict,
)
from lending.errors import AlreadyDecided, NotInReview, ReasonMissing, SameOfficer
from workflows import ActivityFailed, Sensitive, Workflow, update

_NOTHING_STATED = Attributes()


class _Applying(Workflow[ApplicationResult]):
    """What both forms of the process have in common; no workflow itself, since it has no `execute`."""

    async def _checked(self, application_id: UUID, ssn: Sensitive[str]) -> Checks:
        """The three checks, side by side. One that cannot be made is missing, and does not stop the others."""
        found = await self.gather(
            credit=self.activity(pull_credit, application_id=application_id, ssn=ssn),
            fraud=self.activity(screen_fraud, application_id=application_id, ssn=ssn),
            documents=self.activity(verify_documents, application_id=application_id),
            return_failures=True,
        )
        return Checks(**{name: self._made(name, finding) for name, finding in found.items()})

    def _made(self, name: str, finding: Any) -> Any:
        if isinstance(finding, ActivityFailed):
            self.log.warning("the %s check could not be made: %s", name, finding)
            return None
        if isinstance(finding, BaseException):
            raise finding
        return finding

    def _result(
        self, application_id: UUID, checks: Checks, assessment: Assessment, ruling: Ruling | None
    ) -> ApplicationResult:
        approved = assessment.verdict is Verdict.APPROVE or (
            ruling is not None and ruling.decision is OfficerDecision.APPROVE
        )
        undecided = assessment.verdict is Verdict.REVIEW and ruling is None
        return ApplicationResult(
            approved=approved,
            risk_score=assessment.score.score,
            results=CheckResults(
                credit=checks.credit,
                fraud=checks.fraud,
                documents=checks.documents,
                score=assessment.score,
                review=assessment.causes,
            ),
            decision="approved" if approved else "review" if undecided else "declined",
            application_id=application_id,
            offer_id=assessment.offer_id if ruling is None else ruling.offer_id,
        )


class FirstLoanApplicationWorkflow(_Applying):
    """Check, score and decide an application; a review is requested and ends the process."""

    name = "lending.LoanApplication"
    version = 1
    on_failure = "compensate"
    start_checks = (check_application,)

    async def execute(
        self,
        applicant: ApplicantName,
        ssn: Sensitive[str],
        income: PlainAmount,
        currency: CurrencyCode,
        amount: PlainAmount,
        term_months: TermMonths,
        documents: tuple[Document, ...] = (),
        attributes: Attributes = _NOTHING_STATED,
        email: Email | None = None,
    ) -> ApplicationResult:
        registered = await self.activity(
            register_application, applicant=applicant, ssn=ssn, income=income, currency=currency, amount=amount,
            term_months=term_months, documents=documents, attributes=attributes, email=email,
        )  # fmt: skip
        application_id = registered.application_id
        checks = await self._checked(application_id, ssn)
        assessment = await self.activity(assess_application, application_id=application_id, checks=checks)
        if assessment.verdict is Verdict.REVIEW:
            await self.activity(request_review, application_id=application_id)
        return self._result(application_id, checks, assessment, None)


class LoanApplicationWorkflow(_Applying):
    """Check, score and decide an application; above 70, or after a finding, an officer decides. Letters go out."""

    name = "lending.LoanApplication"
    version = 2
    #: An application is not thrown away because a step of ours failed: an operator looks.
    on_failure = "hold"
    start_checks = (check_application,)

    _registered: Registered | None = None
    _asked = False
    _ruling: Ruling | None = None

    async def execute(
        self,
        applicant: ApplicantName,
        ssn: Sensitive[str],
        income: PlainAmount,
        currency: CurrencyCode,
        amount: PlainAmount,
        term_months: TermMonths,
        documents: tuple[Document, ...] = (),
        attributes: Attributes = _NOTHING_STATED,
        email: Email | None = None,
    ) -> ApplicationResult:
        self._registered = await self.activity(
            register_application, applicant=applicant, ssn=ssn, income=income, currency=currency, amount=amount,
            term_months=term_months, documents=documents, attributes=attributes, email=email,
        )  # fmt: skip
        application_id = self._registered.application_id
        checks = await self._checked(application_id, ssn)
        assessment = await self.activity(assess_application, application_id=application_id, checks=checks)
        if assessment.verdict is Verdict.REVIEW:
            await self.activity(request_review, application_id=application_id)
            self._asked = True
            await self.wait_for(lambda: self._ruling is not None)
        result = self._result(application_id, checks, assessment, self._ruling)
        letter = LetterKind.OFFER if result.approved else LetterKind.DECLINE
        await self.activity(send_letter, application_id=application_id, kind=letter)
        return result

    @update
    async def decide(self, decision: OfficerDecision, reason: str, officer: str, statement: str) -> Ruling:
        """An officer's decision; `statement` is lending's own, that the officer was known at its door."""
        assert self._registered is not None
        self._ruling = await self.activity(
            conclude_review,
            application_id=self._registered.application_id,
            decision=decision,
            reason=reason,
            officer=officer,
            statement=statement,
        )
        return self._ruling

    @decide.validator
    def _may_decide(self, decision: OfficerDecision, reason: str, officer: str, statement: str) -> None:
        if self._ruling is not None:
            raise AlreadyDecided
        if self._registered is None or not self._asked:
            raise NotInReview("application", self.info.run_id, "not in review")
        if officer == self._registered.entered_by:
            raise SameOfficer
        if not reason.strip():
            raise ReasonMissing


class LoanDisbursementWorkflow(Workflow[DisbursementResult]):
    """Pay a loan out: reserve the funds, create the transaction, transfer, and make the schedule binding."""

    name = "lending.LoanDisbursement"
    version = 1
    on_failure = "compensate"
    start_checks = (check_disbursable,)

    async def execute(self, loan_id: UUID) -> DisbursementResult:
        try:
            reservation = await self.activity(reserve_funds, loan_id=loan_id)
            created = await self.activity(create_transaction, loan_id=loan_id, reservation=reservation)
            transferred = await self.activity(transfer_funds, transaction_id=created.transaction_id)
            await self.activity(update_status, transaction_id=created.transaction_id)
        except ActivityFailed as failure:
            self.log.error("disbursement failed: loan_id=%s activity=%s error=%s", loan_id, failure.activity, failure)
            raise
        return DisbursementResult(
            success=True, transaction_id=created.transaction_id, disbursed_amount=transferred.amount
        )
