"""Limits as data: a set for each currency, and own sets of single accounts."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from finaegis.shared.models import MoneyOf, currency_code
from finaegis.shared.money import UnknownCurrency, scale_of
from wallet import contracts
from wallet.models.account import WalletAccount

_POSITIVE = [MinValueValidator(1)]


class LimitSet(models.Model):
    """How much may leave an account, in minor units of its currency.

    The set without an account is the currency's; an account's own set stands in its place, whole.
    """

    account = models.OneToOneField(
        WalletAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="limits",
        help_text="Empty: for every account of the currency that has no set of its own.",
    )  # fmt: skip
    currency = currency_code()
    per_transaction_minor = models.BigIntegerField(
        "per transaction", validators=_POSITIVE, help_text="Minor units: 100 is 1.00 USD."
    )
    per_day_minor = models.BigIntegerField("per day", validators=_POSITIVE, help_text="Minor units, a day in UTC.")
    per_month_minor = models.BigIntegerField(
        "per month", validators=_POSITIVE, help_text="Minor units, a calendar month in UTC."
    )
    per_destination_minor = models.BigIntegerField(
        "per destination", validators=_POSITIVE, help_text="Minor units to one destination, a day in UTC."
    )
    velocity_count = models.PositiveIntegerField(
        validators=_POSITIVE, help_text="Withdrawals that may begin in any window."
    )
    velocity_window = models.DurationField(help_text="Length of the window, as hours:minutes:seconds.")
    cooling_off = models.DurationField(help_text="How long a new destination waits, as days hours:minutes:seconds.")

    per_transaction = MoneyOf("per_transaction_minor")
    per_day = MoneyOf("per_day_minor")
    per_month = MoneyOf("per_month_minor")
    per_destination = MoneyOf("per_destination_minor")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["currency"], condition=Q(account__isnull=True), name="wallet_limits_of_currency_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    per_transaction_minor__gt=0,
                    per_day_minor__gte=F("per_transaction_minor"),
                    per_month_minor__gte=F("per_day_minor"),
                    per_destination_minor__gt=0,
                    velocity_count__gt=0,
                ),
                name="wallet_limits_rise",
                violation_error_message="A limit is more than zero; a day allows a transaction, a month allows a day.",
            ),
        ]

    def clean(self) -> None:
        """For the form: a currency that is known, and the account's own."""
        try:
            scale_of(self.currency)
        except UnknownCurrency as error:
            raise ValidationError({"currency": str(error)}) from None
        if self.account is not None and self.account.currency != self.currency:
            raise ValidationError({"currency": f"This account is in {self.account.currency}."})

    def __str__(self) -> str:
        return self.currency if self.account_id is None else f"{self.currency} of {self.account_id}"

    def as_contract(self) -> contracts.Limits:
        return contracts.Limits(
            per_transaction=self.per_transaction,
            per_day=self.per_day,
            per_month=self.per_month,
            per_destination=self.per_destination,
            velocity_count=self.velocity_count,
            velocity_window=self.velocity_window,
            cooling_off=self.cooling_off,
        )
