"""The ledger's reads over REST: accounts with their balances, transfers with their legs. Nothing is written here.

Amounts are plain decimal texts where their currency stands beside them, `{amount, currency}` elsewhere.
"""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from ledger import queries
from ledger.contracts import Account, Leg, Transfer
from ledger.errors import UnknownAccount
from workflows.api.fields import KnownCurrency, MoneyField, MoneyText
from workflows.api.pages import page, page_schema, place_in_time, read_cursor
from workflows.api.reading import PageQuery, Text
from workflows.api.views import ApiView


class LedgerAccountSerializer(serializers.Serializer[Account]):
    """An account as it stands: `available` = `balance` - `held`."""

    id = serializers.UUIDField()
    owner = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    balance = MoneyText()
    held = MoneyText()
    available = MoneyText()


class LegSerializer(serializers.Serializer[Leg]):
    """One side of a transfer; negative is taken from the account."""

    account_id = serializers.UUIDField()
    amount = MoneyField()


class TransferSerializer(serializers.Serializer[Transfer]):
    """A posted transfer; its legs sum to zero in each currency."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    description = serializers.CharField()
    run_id = serializers.UUIDField(allow_null=True)
    value_date = serializers.DateField()
    posted_at = serializers.DateTimeField()
    reverses = serializers.UUIDField(allow_null=True)
    legs = LegSerializer(many=True)


class AccountQuery(PageQuery):
    """Filters of the list of accounts."""

    owner = Text(
        required=False, trim_whitespace=False, help_text="`<domain>:<id>` as an account tells it, or the id alone."
    )
    currency = KnownCurrency(required=False)


class TransferQuery(PageQuery):
    """Filters of the list of transfers."""

    account = serializers.UUIDField(required=False)
    run = serializers.UUIDField(required=False)


class LedgerAccounts(ApiView):
    """Accounts of the ledger."""

    required = {"GET": ("ledger.view_account",)}
    query = AccountQuery

    @extend_schema(
        operation_id="ledger_accounts_list",
        summary="List ledger accounts",
        parameters=[AccountQuery],
        responses=page_schema(LedgerAccountSerializer),
    )
    def get(self, request: Request) -> Response:
        """Accounts that fit every filter given, by owner, kind and currency."""
        asked = self.asked
        accounts, after = queries.page_accounts(
            limit=asked["limit"],
            after=read_cursor(asked.get("cursor"), _place),
            owner=asked.get("owner"),
            currency=asked.get("currency"),
        )
        return page(request, LedgerAccountSerializer, accounts, after)


def _place(owner: str, kind: str, currency: str) -> tuple[str, str, str]:
    return owner, kind, currency


class LedgerAccount(ApiView):
    """One account of the ledger."""

    required = {"GET": ("ledger.view_account",)}

    @extend_schema(operation_id="ledger_accounts_read", summary="One ledger account", responses=LedgerAccountSerializer)
    def get(self, request: Request, account_id: UUID) -> Response:
        """The account as it stands."""
        try:
            account = queries.get_account(account_id)
        except UnknownAccount as error:
            raise NotFound(str(error)) from None
        return Response(LedgerAccountSerializer(account).data)


class Transfers(ApiView):
    """Transfers of the ledger."""

    required = {"GET": ("ledger.view_transfer",)}
    query = TransferQuery

    @extend_schema(
        operation_id="ledger_transfers_list",
        summary="List transfers",
        parameters=[TransferQuery],
        responses=page_schema(TransferSerializer),
    )
    def get(self, request: Request) -> Response:
        """Posted transfers with their legs, newest first: of one account, of one run, or all."""
        asked = self.asked
        transfers, after = queries.page_transfers(
            limit=asked["limit"],
            after=read_cursor(asked.get("cursor"), place_in_time),
            account_id=asked.get("account"),
            run_id=asked.get("run"),
        )
        following = None if after is None else [after[0].isoformat(), str(after[1])]
        return page(request, TransferSerializer, transfers, following)
