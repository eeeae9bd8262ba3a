"""The client process of the fault tests, answering about reporting too: `python -m tests.reporting.worker_client`."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from tests.faults import client  # sets Django up, so it comes first  # isort: skip
from django.core.files.storage import storages

from reporting import operations, queries
from reporting.contracts import ReportFormat, ReportKind


def order(kind: str, format: str, key: str) -> Any:
    made = operations.order_report(kind=ReportKind(kind), format=ReportFormat(format), key=key)
    return {"id": str(made.report.id), "run_id": str(made.run.id)}


def report(report_id: str) -> Any:
    found = queries.get_report(UUID(report_id))
    file = found.file
    if file is None:
        return {"status": found.status, "ties": None, "verified": None, "files": _files(report_id)}
    content = b""
    if found.status == "ready":
        with storages["reports"].open(file.name) as kept:
            content = kept.read()
    return {
        "status": found.status,
        "ties": file.ties,
        "verified": hashlib.sha256(content).hexdigest() == file.sha256,
        "files": _files(report_id),
    }


def _files(report_id: str) -> int:
    kept = storages["reports"]
    return len(kept.listdir(report_id)[1]) if kept.exists(report_id) else 0


client.HANDLERS.update(order=order, report=report)

if __name__ == "__main__":
    client.serve()
