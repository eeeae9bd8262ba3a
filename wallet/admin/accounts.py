"""Accounts, allow-lists and limits in the console."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from wallet import operations, queries
from wallet.admin.dialogs import ActingAdmin
from wallet.contracts import AccountStatus, DestinationStatus
from wallet.models import Destination, LimitSet, WalletAccount
from workflows.admin.acting import Act
from workflows.admin.presentation import moment
from workflows.admin.read_only import LINK, column, shown, unbroken

_ACCOUNT_COLOURS = {"active": "success", "frozen": "danger"}
_DESTINATION_COLOURS = {"allowed": "success", "blocked": "danger", "removed": "default"}


@admin.register(WalletAccount)
class WalletAccountAdmin(ActingAdmin):
    """Every wallet account; its page shows where its money is."""

    list_display = ("customer", "currency", "state", "opened", "id")
    list_filter = ("currency", "status")
    list_select_related = ("customer",)
    exact_search = ("id",)
    search_help_text = "Account id"
    ordering = ("-opened_at", "-id")
    sortable_by = ("opened",)
    fields = ("id", "customer", "email", "currency", "state", "opened", "opening_key")
    readonly_fields = fields
    change_form_outer_after_template = "wallet/_account.html"
    acts = (
        Act(
            name="freeze",
            title="Freeze the account",
            explains="No money leaves the account; confirmed withdrawals are refused when they are processed.",
            icon="ac_unit",
            permissions=("wallet.change_walletaccount",),
            fits=lambda account: account.status == AccountStatus.ACTIVE,
            perform=lambda account, user, form: operations.freeze_account(
                account.id, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The account is frozen.",
            variant="danger",
        ),
        Act(
            name="unfreeze",
            title="Unfreeze the account",
            explains="Money may leave the account again.",
            icon="lock_open",
            permissions=("wallet.change_walletaccount",),
            fits=lambda account: account.status == AccountStatus.FROZEN,
            perform=lambda account, user, form: operations.unfreeze_account(
                account.id, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The account is active.",
        ),
    )

    @column(description="status", label=_ACCOUNT_COLOURS)
    def state(self, account: WalletAccount) -> str:
        return account.status

    @column(description="opened (UTC)", ordering="opened_at")
    def opened(self, account: WalletAccount) -> str:
        return unbroken(moment(account.opened_at))

    @column(description="e-mail")
    def email(self, account: WalletAccount) -> str:
        return account.customer.email

    def below(self, request: HttpRequest, row: WalletAccount) -> dict[str, Any]:
        """The account's balances, and what happened to it."""
        return _overview(row)


def _overview(row: WalletAccount) -> dict[str, Any]:
    overview = queries.get_overview(row.id)
    events = row.events.select_related("withdrawal").order_by("-id")[:20]
    return {
        "balances": [
            {
                "kind": item.kind.replace("_", " "),
                "url": reverse("admin:ledger_account_change", args=[item.id]),
                "amounts": [shown(item.balance), shown(item.held), shown(item.available)],
            }
            for item in overview.ledger_accounts
        ],
        "events": [
            {
                "at": moment(event.at),
                "kind": event.kind.replace("_", " "),
                "actor": event.actor,
                "detail": event.detail,
                "withdrawal": withdrawal_link(event.withdrawal_id),
            }
            for event in events
        ],
    }


def withdrawal_link(withdrawal_id: Any) -> str:
    """A link to a withdrawal's page; nothing where there is none."""
    if withdrawal_id is None:
        return ""
    url = reverse("admin:wallet_withdrawal_change", args=[withdrawal_id])
    return format_html('<a class="{}" href="{}">{}</a>', LINK, url, str(withdrawal_id)[:8])


@admin.register(Destination)
class DestinationAdmin(ActingAdmin):
    """Every entry of every allow-list, newest first."""

    list_display = ("label", "beneficiary", "address", "account", "state", "usable", "added")
    list_filter = ("status",)
    list_select_related = ("account__customer",)
    exact_search = ("address", "id")
    search_help_text = "Whole account number or destination id"
    ordering = ("-added_at", "-id")
    sortable_by = ("added",)
    fields = ("id", "account", "label", "beneficiary", "address", "state", "usable", "added", "key")
    readonly_fields = fields
    acts = (
        Act(
            name="remove",
            title="Remove the destination",
            explains="It takes no money any more. Adding its address again begins a new cooling-off.",
            icon="delete",
            permissions=("wallet.change_destination",),
            fits=lambda destination: destination.status != DestinationStatus.REMOVED,
            perform=lambda destination, user, form: operations.remove_destination(
                destination.id, actor=user.get_username(), reason=form.cleaned_data["reason"]
            ),
            done="The destination is off the list.",
            variant="danger",
        ),
    )

    @column(description="status", label=_DESTINATION_COLOURS)
    def state(self, destination: Destination) -> str:
        return destination.status

    @column(description="usable from (UTC)")
    def usable(self, destination: Destination) -> str:
        return unbroken(moment(destination.usable_from))

    @column(description="added (UTC)", ordering="added_at")
    def added(self, destination: Destination) -> str:
        return unbroken(moment(destination.added_at))


@admin.register(LimitSet)
class LimitSetAdmin(ModelAdmin):
    """Limits by currency, and own ones of single accounts."""

    list_display = ("currency", "account", "transaction", "day", "month", "destination", "velocity", "cooling_off")
    list_filter = ("currency",)
    list_select_related = ("account__customer",)
    list_fullwidth = True
    ordering = ("currency", "account_id")
    raw_id_fields = ("account",)
    fieldsets = (
        (None, {"fields": ("currency", "account")}),
        (
            "Amounts",
            {"fields": ("per_transaction_minor", "per_day_minor", "per_month_minor", "per_destination_minor")},
        ),
        ("Times", {"fields": ("velocity_count", "velocity_window", "cooling_off")}),
    )

    @column(description="transaction")
    def transaction(self, limits: LimitSet) -> str:
        return shown(limits.per_transaction)

    @column(description="day")
    def day(self, limits: LimitSet) -> str:
        return shown(limits.per_day)

    @column(description="month")
    def month(self, limits: LimitSet) -> str:
        return shown(limits.per_month)

    @column(description="destination, a day")
    def destination(self, limits: LimitSet) -> str:
        return shown(limits.per_destination)

    @column(description="velocity")
    def velocity(self, limits: LimitSet) -> str:
        return f"{limits.velocity_count} in {limits.velocity_window}"
