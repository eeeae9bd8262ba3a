"""Facts of reporting. Only `reporting.operations` writes them."""

from reporting.models.download import Download
from reporting.models.report import Report

__all__ = ["Download", "Report"]
