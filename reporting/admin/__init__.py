"""Reporting in the console: reports, a dialog that orders one, and who got which."""

from reporting.admin.reports import DownloadAdmin, ReportAdmin

__all__ = ["DownloadAdmin", "ReportAdmin"]
