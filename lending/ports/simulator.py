"""Lending's third parties, simulated: what they answer is a function of what they are asked, and of time.

| party | asked about | answers |
|---|---|---|
| credit bureau | an SSN ending 9001 | no file |
| | ending 9002 | outage: not taken, however often it is asked |
| | any other | attributes 1, 3, 6, 14, 16 of row (last four digits mod 1000) of the credit data, counted from 0 |
| fraud scoring | an SSN ending 9003 | a hit, `identity_reported_stolen` |
| | any other | no hit |
| document verification | a reference | the table in `finaegis.simulators.documents` |
| payment rail | an account | the table in `finaegis.simulators.rail`; pending for an hour, then accepted |

Errors are those of `finaegis.shared.third_party`; no row of a simulator and no
text holds an SSN. Beside all that a call may meet what `finaegis.simulators.conditions` holds for its party.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from finaegis.shared.money import Money
from finaegis.shared.third_party import NotTaken, Refused
from finaegis.simulators import documents as reading
from finaegis.simulators.conditions import under_conditions
from finaegis.simulators.rail import Entry, Order, Rail
from lending.contracts import (
    BureauReport,
    Document,
    DocumentCheck,
    DocumentFinding,
    DocumentStatus,
    FraudCheck,
    Payment,
    PaymentOrder,
    PaymentStatus,
    Subject,
)
from lending.rules import german_credit
from workflows import clock

BUREAU_PARTY = "credit_bureau"
FRAUD_PARTY = "fraud_scoring"
DOCUMENTS_PARTY = "document_verification"
RAIL_PARTY = "disbursement_rail"
#: How long a disbursement can be recalled.
CLEARING = timedelta(hours=1)

_NO_FILE, _OUTAGE, _FRAUD = "9001", "9002", "9003"
_STOLEN = "identity_reported_stolen"
_SSN_DIGITS = 9
#: How many rows of the credit data have an SSN: the last four digits modulo this.
_ROWS = 1000


class SimulatedBureau:
    """A `CreditBureau` whose files are the credit data."""

    def pull(self, *, key: str, subject: Subject) -> BureauReport:
        """See `CreditBureau`. Refuses what is no SSN with `invalid_ssn`."""
        return under_conditions(party=BUREAU_PARTY, call="pull", act=lambda: self._pull(key, subject))

    def _pull(self, key: str, subject: Subject) -> BureauReport:
        ending = _ending(subject, party=BUREAU_PARTY, call="pull")
        if ending == _OUTAGE:
            raise NotTaken(party=BUREAU_PARTY, call="pull", reason="it is out (simulated)")
        reference = _reference("CB", key)
        if ending == _NO_FILE:
            return BureauReport(file_found=False, reference=reference)
        row = german_credit.read_rows()[int(ending) % _ROWS]
        return BureauReport(
            file_found=True,
            reference=reference,
            checking_account=row.value(1),
            credit_history=row.value(3),
            savings=row.value(6),
            other_instalment_plans=row.value(14),
            existing_credits=int(row.value(16)),
        )


class SimulatedFraudScoring:
    """A `FraudScoring` that knows one stolen identity in ten thousand."""

    def screen(self, *, key: str, subject: Subject, amount: Money) -> FraudCheck:
        """See `FraudScoring`. Refuses what is no SSN with `invalid_ssn`."""
        return under_conditions(party=FRAUD_PARTY, call="screen", act=lambda: self._screen(key, subject))

    def _screen(self, key: str, subject: Subject) -> FraudCheck:
        hit = _ending(subject, party=FRAUD_PARTY, call="screen") == _FRAUD
        return FraudCheck(hit=hit, reference=_reference("FS", key), signals=(_STOLEN,) if hit else ())


class SimulatedDocumentVerification:
    """A `DocumentVerification` that reads references."""

    def verify(self, *, key: str, applicant: str, documents: tuple[Document, ...]) -> DocumentCheck:
        """See `DocumentVerification`. None at all are incomplete."""
        return under_conditions(party=DOCUMENTS_PARTY, call="verify", act=lambda: self._verify(key, documents))

    def _verify(self, key: str, documents: tuple[Document, ...]) -> DocumentCheck:
        read = reading.verify(party=DOCUMENTS_PARTY, key=key, references=[item.reference for item in documents])
        return DocumentCheck(
            status=DocumentStatus(read.standing.value),
            reference=read.reference,
            findings=tuple(DocumentFinding(reference=reference, code=code) for reference, code in read.findings),
        )


class SimulatedRail:
    """A `PaymentRail` that remembers in the database."""

    _rail = Rail(name=RAIL_PARTY, clearing=CLEARING)

    def pay(self, *, key: str, order: PaymentOrder) -> Payment:
        """See `PaymentRail`. Refuses to be called inside a transaction."""
        told = Order(amount=order.amount, beneficiary=order.beneficiary, account=order.account, text=order.text)
        return _payment(self._rail.submit(key=key, order=told, now=clock.now()))

    def inquire(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        return _payment(self._rail.inquire(key=key, now=clock.now()))

    def recall(self, *, key: str) -> Payment:
        """See `PaymentRail`. Refuses to be called inside a transaction."""
        return _payment(self._rail.recall(key=key, now=clock.now()))


def _payment(entry: Entry) -> Payment:
    status = PaymentStatus(entry.standing.value)
    return Payment(key=entry.key, status=status, reference=entry.reference or "", reason=entry.reason)


def _ending(subject: Subject, *, party: str, call: str) -> str:
    """The last four digits of the SSN: as many as decide, and as few as may stand in a variable here."""
    digits = subject.ssn.reveal().replace("-", "")
    if len(digits) != _SSN_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise Refused(party=party, call=call, code="invalid_ssn", status=422)
    return digits[-4:]


def _reference(prefix: str, key: str) -> str:
    """The party's own number of a call: the same for the same key."""
    return f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:16].upper()}"
