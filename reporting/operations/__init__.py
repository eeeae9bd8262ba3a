"""The only writers of reports: ordered, made, published or withdrawn, given out."""

from reporting.operations.downloading import DOWNLOAD, GivenFile, open_download
from reporting.operations.generating import discard_files, generate_report
from reporting.operations.ordering import Ordered, order_report, register_report
from reporting.operations.publishing import collect_metadata, publish_report, withdraw_report

__all__ = [
    "DOWNLOAD",
    "GivenFile",
    "Ordered",
    "collect_metadata",
    "discard_files",
    "generate_report",
    "open_download",
    "order_report",
    "publish_report",
    "register_report",
    "withdraw_report",
]
