"""Everything reporting can be asked, and what it asks the domains. Nothing here writes."""

from reporting.queries.reports import (
    check_sources,
    find_by_run,
    get_report,
    list_downloads,
    page_reports,
    resolve_business_date,
)
from reporting.queries.sources import read_content, read_position

__all__ = [
    "check_sources",
    "find_by_run",
    "get_report",
    "list_downloads",
    "page_reports",
    "read_content",
    "read_position",
    "resolve_business_date",
]
