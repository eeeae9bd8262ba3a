"""The wallet's part of `/api/v1/`, and the pages that customers reach by their e-mails."""

from django.urls import URLPattern, path

from wallet import api, pages

urlpatterns: list[URLPattern] = [
    path("wallet/accounts/", api.WalletAccounts.as_view(), name="api-wallet-accounts"),
    path("wallet/accounts/<uuid:account_id>/", api.OneWalletAccount.as_view(), name="api-wallet-account"),
    path("wallet/accounts/<uuid:account_id>/freeze/", api.FreezeAccount.as_view(), name="api-wallet-account-freeze"),
    path(
        "wallet/accounts/<uuid:account_id>/unfreeze/", api.UnfreezeAccount.as_view(), name="api-wallet-account-unfreeze"
    ),
    path("wallet/destinations/", api.Destinations.as_view(), name="api-wallet-destinations"),
    path("wallet/destinations/<uuid:destination_id>/", api.OneDestination.as_view(), name="api-wallet-destination"),
    path(
        "wallet/destinations/<uuid:destination_id>/remove/",
        api.RemoveDestination.as_view(),
        name="api-wallet-destination-remove",
    ),
    path("wallet/withdrawals/", api.Withdrawals.as_view(), name="api-wallet-withdrawals"),
    path("wallet/withdrawals/confirm/", api.ConfirmWithdrawal.as_view(), name="api-wallet-withdrawals-confirm"),
    path("wallet/withdrawals/<uuid:withdrawal_id>/", api.OneWithdrawal.as_view(), name="api-wallet-withdrawal"),
    path(
        "wallet/withdrawals/<uuid:withdrawal_id>/cancel/",
        api.CancelWithdrawal.as_view(),
        name="api-wallet-withdrawal-cancel",
    ),
    path(
        "wallet/withdrawals/<uuid:withdrawal_id>/resend/",
        api.ResendConfirmation.as_view(),
        name="api-wallet-withdrawal-resend",
    ),
    path(
        "wallet/withdrawals/<uuid:withdrawal_id>/return/",
        api.ReturnWithdrawal.as_view(),
        name="api-wallet-withdrawal-return",
    ),
    path("wallet/cases/", api.Cases.as_view(), name="api-wallet-cases"),
    path("wallet/cases/<uuid:case_id>/", api.OneCase.as_view(), name="api-wallet-case"),
    path("wallet/cases/<uuid:case_id>/resolve/", api.ResolveCase.as_view(), name="api-wallet-case-resolve"),
]

#: Below `/wallet/`, outside REST: no login, the address is the key.
customer_pages: list[URLPattern] = [
    path("confirm/<str:token>/", pages.confirm, name="wallet-confirm"),
    path("status/<str:reference>/", pages.status, name="wallet-status"),
    path("status/<str:reference>/cancel/", pages.cancel, name="wallet-cancel"),
    path("status/<str:reference>/resend/", pages.resend, name="wallet-resend"),
]
