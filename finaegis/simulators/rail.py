"""A simulated payment rail: what becomes of a payment is a function of its account's last four characters and of time.

| ending | what becomes of the payment |
|--------|-----------------------------|
| 9001   | refused at once: `account_closed` |
| 9002   | the rail is out for it: the order is not taken, however often it comes |
| 9003   | taken, and pending until it is recalled |
| 9004   | as any other, then returned 96 hours after it was taken: `account_closed` |
| 9005   | taken, and the answer to its first order is lost; then as any other |
| 9006   | as any other, then returned 24 hours after it was taken: `account_closed` |
| 9007   | pending, then refused 24 hours after it was taken: `beneficiary_unknown` |
| 9008   | accepted at once, so never to be recalled |
| other  | pending for the rail's clearing time, then accepted |

A rail remembers every key for ever. It writes in a transaction of its own and refuses to be called inside another one:
a caller who rolls back does not make a real rail forget, and must not wait for one while it holds locks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction

from finaegis.shared.money import Money
from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Refused
from finaegis.simulators import models
from finaegis.simulators.conditions import under_conditions

_HOURS_24, _HOURS_96 = timedelta(hours=24), timedelta(hours=96)
_CONFLICT, _UNPROCESSABLE = 409, 422


class Standing(StrEnum):
    """How a rail sees a key. `unknown`: it has not seen it."""

    UNKNOWN = "unknown"
    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    RETURNED = "returned"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a rail is told to pay, to whom; `text` is what shows on the statement."""

    amount: Money
    beneficiary: str
    account: str
    text: str = ""

    @property
    def ending(self) -> str:
        return self.account[-4:]

    @property
    def digest(self) -> str:
        """SHA-256 over all that makes it this order."""
        parts = (str(self.amount.amount), self.amount.currency, self.beneficiary, self.account, self.text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a rail answers about a key: how it stands, the rail's own reference, and why it was refused or returned."""

    key: str
    standing: Standing
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Move:
    """From `after` on (counted from when the order was taken) the payment stands so."""

    after: timedelta
    standing: Standing
    reason: str | None = None


#: What differs from the ordinary course, by ending. An empty course stays pending.
_REFUSED_AT_ONCE = {"9001": "account_closed"}
_OUT = frozenset({"9002"})
_ANSWER_LOST = frozenset({"9005"})
_ACCEPTED_AT_ONCE = frozenset({"9008"})
_NEVER_ACCEPTED: dict[str, tuple[_Move, ...]] = {
    "9003": (),
    "9007": (_Move(_HOURS_24, Standing.REFUSED, "beneficiary_unknown"),),
}
_RETURNED = {"9004": _HOURS_96, "9006": _HOURS_24}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rail:
    """One rail under its name. A payment is pending, and can be recalled, for its `clearing` time; then it is accepted.

    Every call may also meet what `finaegis.simulators.conditions` holds for this name.
    """

    name: str
    clearing: timedelta

    def inquire(self, *, key: str, now: datetime) -> Entry:
        """How the key stands; changes nothing."""
        return under_conditions(party=self.name, call="inquire", act=lambda: self._inquire(key, now))

    def submit(self, *, key: str, order: Order, now: datetime) -> Entry:
        """Take an order, once per key; the key again gives the payment as it stands.

        Raises `NotTaken` and `OutcomeUnknown` as the account says, `Refused` with `account_closed`, `key_voided` (it
        was recalled before it came) or `idempotency_conflict` (the key was used for another order).
        """
        return under_conditions(party=self.name, call="submit", act=lambda: self._submit(key, order, now))

    def recall(self, *, key: str, now: datetime) -> Entry:
        """Take a payment back while it is pending; a key never seen is `recalled` too and its order refused later.

        One that was refused, returned or recalled before stays so. Raises `Refused` with `too_late` once it is
        accepted.
        """
        return under_conditions(party=self.name, call="recall", act=lambda: self._recall(key, now))

    def _inquire(self, key: str, now: datetime) -> Entry:
        row = models.Payment.objects.filter(rail=self.name, key=key).first()
        return Entry(key=key, standing=Standing.UNKNOWN) if row is None else self._entry(row, now)

    def _submit(self, key: str, order: Order, now: datetime) -> Entry:
        call = "submit"
        if order.ending in _OUT:
            raise NotTaken(party=self.name, call=call, reason="it is out (simulated)")
        with transaction.atomic(durable=True):
            row, created = models.Payment.objects.get_or_create(
                rail=self.name,
                key=key,
                defaults={
                    "digest": order.digest,
                    "amount_minor": order.amount.to_minor(),
                    "currency": order.amount.currency,
                    "ending": order.ending,
                    "reference": self._reference(key),
                    "seen_at": now,
                },
            )
        if not row.digest:
            raise Refused(party=self.name, call=call, code="key_voided", status=_CONFLICT)
        if row.digest != order.digest:
            raise Refused(party=self.name, call=call, code="idempotency_conflict", status=_CONFLICT)
        if created and row.ending in _ANSWER_LOST:
            raise OutcomeUnknown(party=self.name, call=call, reason="no answer (simulated)")
        entry = self._entry(row, now)
        if row.ending in _REFUSED_AT_ONCE and entry.reason is not None:
            raise Refused(party=self.name, call=call, code=entry.reason, status=_UNPROCESSABLE)
        return entry

    def _recall(self, key: str, now: datetime) -> Entry:
        with transaction.atomic(durable=True):
            row, created = models.Payment.objects.select_for_update(no_key=True).get_or_create(
                rail=self.name,
                key=key,
                defaults={"reference": self._reference(key), "seen_at": now, "recalled_at": now},
            )
            standing = self._entry(row, now).standing
            if not created and standing == Standing.PENDING:
                row.recalled_at = now
                row.save(update_fields=["recalled_at"])
        if standing == Standing.ACCEPTED:
            raise Refused(party=self.name, call="recall", code="too_late", status=_CONFLICT)
        return self._entry(row, now)

    def _entry(self, row: models.Payment, now: datetime) -> Entry:
        if row.recalled_at is not None:
            return Entry(key=row.key, standing=Standing.RECALLED, reference=row.reference)
        stands = _Move(timedelta(0), Standing.PENDING)
        for move in self._course(row.ending):
            if row.seen_at + move.after <= now:
                stands = move
        return Entry(key=row.key, standing=stands.standing, reference=row.reference, reason=stands.reason)

    def _course(self, ending: str) -> tuple[_Move, ...]:
        """The moves of a payment after it was taken, in their order."""
        if ending in _REFUSED_AT_ONCE:
            return (_Move(timedelta(0), Standing.REFUSED, _REFUSED_AT_ONCE[ending]),)
        if ending in _NEVER_ACCEPTED:
            return _NEVER_ACCEPTED[ending]
        clearing = timedelta(0) if ending in _ACCEPTED_AT_ONCE else self.clearing
        accepted = _Move(clearing, Standing.ACCEPTED)
        if ending in _RETURNED:
            return (accepted, _Move(_RETURNED[ending], Standing.RETURNED, "account_closed"))
        return (accepted,)

    def _reference(self, key: str) -> str:
        """The rail's own number of a payment."""
        digest = hashlib.sha256("\x1f".join((self.name, key)).encode()).hexdigest()
        return f"SIM-{digest[:16].upper()}"
