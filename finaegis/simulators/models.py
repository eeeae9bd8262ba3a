"""What simulated third parties remember: payments of the rails, and the conditions under which calls are made.

The rows stand for memory that is not ours. No domain reads them, and no transaction of ours may roll them back: they
are written outside of any (`finaegis.simulators.rail`). They lie in the database so that every process and every start
of the platform meets the same third party.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from finaegis.shared.currencies import MAXIMUM_CODE

KEY_LENGTH = 300
NAME_LENGTH = 40


class Failure(models.TextChoices):
    """What a condition makes of a call."""

    #: It is not taken: nothing is done, the caller is told "not now".
    NOT_TAKEN = "not_taken"
    #: The third party fails before it does anything, and the caller cannot know that.
    FAILED = "failed"
    #: The call is lost on its way: nothing is done, no answer comes.
    CALL_LOST = "call_lost"
    #: It is done, and the answer is lost.
    ANSWER_LOST = "answer_lost"
    #: It is done and answered, after the latency.
    NONE = "none"


class Payment(models.Model):
    """A key that a rail has seen: a payment, or a recall that came before one (then it has no order)."""

    rail = models.CharField(max_length=NAME_LENGTH)
    key = models.CharField(max_length=KEY_LENGTH)
    #: SHA-256 over the order, to tell a repetition from another order; empty without one.
    digest = models.CharField(max_length=64, blank=True)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=MAXIMUM_CODE, blank=True)
    #: The last four characters of the account, which decide what becomes of the payment.
    ending = models.CharField(max_length=4, blank=True)
    reference = models.CharField(max_length=NAME_LENGTH)
    seen_at = models.DateTimeField()
    recalled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rail", "key"], name="simulators_payment_once"),
            models.CheckConstraint(
                condition=~Q(digest="") | Q(recalled_at__isnull=False), name="simulators_payment_ordered_or_recalled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rail} {self.key}"


class Condition(models.Model):
    """Something that happens to the next calls of one third party, because a test or a person asked for it."""

    party = models.CharField(max_length=NAME_LENGTH)
    #: The call it happens to; empty = every one.
    call = models.CharField(max_length=NAME_LENGTH, blank=True)
    failure = models.CharField(max_length=20, choices=Failure.choices)
    latency_ms = models.PositiveIntegerField()
    #: How many calls it still happens to; none = until it is lifted.
    remaining = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(failure__in=Failure.values), name="simulators_condition_failure"),
        ]

    def __str__(self) -> str:
        return f"{self.party} {self.call or 'every call'}: {self.failure}"
