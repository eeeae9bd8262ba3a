"""Reporting's part of `/api/v1/`."""

from django.urls import URLPattern, path

from reporting import api

urlpatterns: list[URLPattern] = [
    path("reporting/reports/", api.Reports.as_view(), name="api-reporting-reports"),
    path("reporting/reports/<uuid:report_id>/", api.OneReport.as_view(), name="api-reporting-report"),
    path(
        "reporting/reports/<uuid:report_id>/download/",
        api.DownloadReport.as_view(),
        name="api-reporting-report-download",
    ),
]
