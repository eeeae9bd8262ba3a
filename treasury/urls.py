"""The treasury's part of `/api/v1/`."""

from django.urls import URLPattern, path

from treasury import api

urlpatterns: list[URLPattern] = [
    path("treasury/accounts/", api.TreasuryAccounts.as_view(), name="api-treasury-accounts"),
    path("treasury/accounts/<uuid:account_id>/", api.OneTreasuryAccount.as_view(), name="api-treasury-account"),
    path("treasury/accounts/<uuid:account_id>/movements/", api.Movements.as_view(), name="api-treasury-movements"),
    path("treasury/compliance/cases/", api.ComplianceCases.as_view(), name="api-treasury-compliance-cases"),
    path(
        "treasury/compliance/cases/<uuid:case_id>/",
        api.OneComplianceCase.as_view(),
        name="api-treasury-compliance-case",
    ),
    path(
        "treasury/compliance/cases/<uuid:case_id>/decision/",
        api.ComplianceCaseDecision.as_view(),
        name="api-treasury-compliance-decision",
    ),
    path(
        "treasury/accounts/<uuid:account_id>/risk-assessments/",
        api.RiskAssessments.as_view(),
        name="api-treasury-risk-assessments",
    ),
    path("treasury/accounts/<uuid:account_id>/risk/", api.AccountRisk.as_view(), name="api-treasury-risk"),
    path("treasury/cash-management/", api.CashManagement.as_view(), name="api-treasury-cash-management"),
    path("treasury/instruments/", api.Instruments.as_view(), name="api-treasury-instruments"),
]
