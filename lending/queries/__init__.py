"""Everything lending can be asked. Nothing here writes."""

from lending.queries.applications import (
    check_application,
    find_by_run,
    get_application,
    get_checks,
    get_overview,
    identity_of,
    page_applications,
)
from lending.queries.book import iterate_book
from lending.queries.exposure import exposure_in_eur
from lending.queries.loans import (
    check_disbursable,
    get_case,
    get_disbursement,
    get_loan,
    get_loan_overview,
    page_loans,
)

__all__ = [
    "check_application",
    "check_disbursable",
    "exposure_in_eur",
    "find_by_run",
    "get_application",
    "get_case",
    "get_checks",
    "get_disbursement",
    "get_loan",
    "get_loan_overview",
    "get_overview",
    "identity_of",
    "iterate_book",
    "page_applications",
    "page_loans",
]
