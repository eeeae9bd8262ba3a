"""The operations console: lists and pages to look at, and dialogs that call one operation each.

It reads by `workflows.queries` (lists also by the rows themselves) and writes by `workflows.operations` alone; only
business calendars, which are reference data, are edited in a form.
"""

from workflows.admin.audit import AuditEntryAdmin
from workflows.admin.calendars import CalendarAdmin
from workflows.admin.processes import ProcessAdmin
from workflows.admin.runs import RunAdmin

__all__ = ["AuditEntryAdmin", "CalendarAdmin", "ProcessAdmin", "RunAdmin"]
