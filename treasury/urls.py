"""The treasury's part of `/api/v1/`."""

from django.urls import URLPattern, path

from treasury import api

urlpatterns: list[URLPattern] = [
    path("treasury/accounts/", api.TreasuryAccounts.as_view(), name="api-treasury-accounts"),
    path("treasury/accounts/<uuid:account_id>/", api.OneTreasuryAccount.as_view(), name="api-treasury-account"),
    path(
        "treasury/accounts/<uuid:account_id>/risk-assessments/",
        api.RiskAssessments.as_view(),
        name="api-treasury-risk-assessments",
    ),
    path("treasury/accounts/<uuid:account_id>/risk/", api.AccountRisk.as_view(), name="api-treasury-risk"),
    path("treasury/cash-management/", api.CashManagement.as_view(), name="api-treasury-cash-management"),
    path("treasury/instruments/", api.Instruments.as_view(), name="api-treasury-instruments"),
]
