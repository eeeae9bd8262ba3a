"""Reports over REST: ordered, looked at, downloaded."""

from reporting.api.downloads import DownloadReport
from reporting.api.reports import OneReport, Reports
from reporting.api.serializers import REPORT_FORMATS, REPORT_KINDS, REPORT_STATUSES

__all__ = ["REPORT_FORMATS", "REPORT_KINDS", "REPORT_STATUSES", "DownloadReport", "OneReport", "Reports"]
