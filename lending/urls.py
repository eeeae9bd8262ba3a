"""Lending's part of `/api/v1/`."""

from django.urls import URLPattern, path

from lending import api

urlpatterns: list[URLPattern] = [
    path("lending/applications/", api.Applications.as_view(), name="api-lending-applications"),
    path("lending/applications/<uuid:application_id>/", api.OneApplication.as_view(), name="api-lending-application"),
    path(
        "lending/applications/<uuid:application_id>/decision/",
        api.ApplicationDecision.as_view(),
        name="api-lending-decision",
    ),
    path(
        "lending/applications/<uuid:application_id>/accept/",
        api.OfferAcceptance.as_view(),
        name="api-lending-acceptance",
    ),
    path("lending/loans/", api.Loans.as_view(), name="api-lending-loans"),
    path("lending/loans/<uuid:loan_id>/", api.OneLoan.as_view(), name="api-lending-loan"),
    path("lending/loans/<uuid:loan_id>/disburse/", api.LoanDisbursement.as_view(), name="api-lending-disburse"),
]
