"""The ledger's part of `/api/v1/`."""

from django.urls import URLPattern, path

from ledger import api

urlpatterns: list[URLPattern] = [
    path("ledger/accounts/", api.LedgerAccounts.as_view(), name="api-ledger-accounts"),
    path("ledger/accounts/<uuid:account_id>/", api.LedgerAccount.as_view(), name="api-ledger-account"),
    path("ledger/transfers/", api.Transfers.as_view(), name="api-ledger-transfers"),
]
