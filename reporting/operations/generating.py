"""Making the file of a report: read in one snapshot, written beside, and handed to the storage whole.

Each attempt writes a file of its own, which nobody can see: the report's row names a file only when the report is
published. So an attempt that dies leaves nothing that anybody takes for a report.
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Iterator
from datetime import date
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files import File

from ledger import queries as ledger
from reporting import conf, queries
from reporting.contracts import (
    Content,
    Imprint,
    Progress,
    RecordedTie,
    RecordedTotal,
    ReportFile,
    ReportFormat,
    ReportKind,
)
from reporting.operations.files import delete_files, folder_of, storage
from reporting.renderers import render
from workflows import clock

#: Files up to so many bytes are written in memory before they are stored.
_IN_MEMORY = 8 * 1024 * 1024
_BLOCK = 256 * 1024


def generate_report(
    *, report_id: UUID, kind: ReportKind, format: ReportFormat, business_date: date, attempt: int, progress: Progress
) -> ReportFile:
    """Make the file of a report and store it under a name that no other attempt has; it is not published yet.

    `progress` is told each stage and how far it came, outside the snapshot; what it raises ends the attempt, whose file
    is deleted then.
    """
    progress("reading", 0)
    with ledger.snapshot():
        as_of, read_at = queries.read_position(), clock.now()
        content = queries.read_content(kind, business_date)
    progress("rendering", 0)
    imprint = Imprint(
        report_id=report_id,
        business_date=business_date,
        as_of=as_of,
        read_at=read_at,
        time_zone=settings.TIME_ZONE,
        code_version=conf.reporting().code_version,
    )
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as draft:
        render(content, format, imprint, draft, progress=progress)  # type: ignore[arg-type]  # a binary stream in all but name
        size, digest = draft.tell(), _digest(draft)
        name = f"{folder_of(report_id)}/{attempt}-{secrets.token_hex(8)}.{format}"
        draft.seek(0)
        stored = storage().save(name, File(draft))
    try:
        progress("stored", size)
    except Exception:
        storage().delete(stored)  # somebody else makes the report now
        raise
    return _recorded(content, name=stored, size=size, sha256=digest, imprint=imprint)


def discard_files(report_id: UUID) -> int:
    """Delete whatever attempts left in the storage; gives how many files. Repeating it finds none."""
    return delete_files(report_id)


def _digest(draft: IO[bytes]) -> str:
    digest = hashlib.sha256()
    for block in _blocks(draft):
        digest.update(block)
    return digest.hexdigest()


def _blocks(draft: IO[bytes]) -> Iterator[bytes]:
    draft.seek(0)
    while block := draft.read(_BLOCK):
        yield block


def _recorded(content: Content, *, name: str, size: int, sha256: str, imprint: Imprint) -> ReportFile:
    return ReportFile(
        name=name,
        size=size,
        sha256=sha256,
        rows=len(content.table.rows),
        as_of=imprint.as_of,
        read_at=imprint.read_at,
        totals=tuple(RecordedTotal(label=item.label, amount=item.amount, count=item.count) for item in content.totals),
        reconciliation=tuple(
            RecordedTie(label=item.label, reported=item.reported, ledger=item.ledger, difference=item.difference)
            for item in content.ties
        ),
        ties=all(item.holds for item in content.ties),
    )
