"""Giving a report's file out: to whom may have it, only if it is the file that was made, and with a record of it."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from reporting import contracts, queries
from reporting.contracts import MEDIA_TYPES, ReportStatus
from reporting.errors import FileAltered, FileMissing, ReportNotReady, ReportWithdrawn, SourceForbidden
from reporting.models import Download
from reporting.models.download import Outcome
from reporting.operations.files import storage
from workflows import clock

#: What one must hold to get any file.
DOWNLOAD = "reporting.download_report"
_IN_MEMORY = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file to send: verified bytes, to be closed by whoever sends them."""

    stream: IO[bytes]
    filename: str
    media_type: str
    size: int
    sha256: str


def open_download(report_id: UUID, *, actor: AbstractBaseUser | AnonymousUser, door: str) -> GivenFile:
    """The file of a report, for this user, by this door (`rest`, `console`); the download is recorded.

    The bytes that are given are the ones whose SHA-256 was compared with that of the file that was made. Raises
    UnknownReport, SourceForbidden, ReportNotReady, ReportWithdrawn; and FileMissing and FileAltered, which are recorded
    too.
    """
    report = queries.get_report(report_id)
    _check(report, actor)
    if report.status == ReportStatus.PENDING:
        raise ReportNotReady(report_id)
    if report.status == ReportStatus.WITHDRAWN or report.file is None:
        raise ReportWithdrawn(report_id)
    name = actor.get_username()
    stream = _copy(report.file.name)
    if stream is None:
        _record(report_id, name, door, Outcome.MISSING)
        raise FileMissing(report_id)
    if _digest_of(stream) != report.file.sha256:
        stream.close()
        _record(report_id, name, door, Outcome.ALTERED)
        raise FileAltered(report_id)
    _record(report_id, name, door, Outcome.GIVEN)
    return GivenFile(
        stream=stream,
        filename=report.filename,
        media_type=MEDIA_TYPES[report.format],
        size=report.file.size,
        sha256=report.file.sha256,
    )


def _check(report: contracts.Report, actor: AbstractBaseUser | AnonymousUser) -> None:
    has_perm = getattr(actor, "has_perm", lambda _: False)
    if not actor.is_active or not has_perm(DOWNLOAD):
        raise SourceForbidden((DOWNLOAD,))
    queries.check_sources(report.kind, actor)  # type: ignore[arg-type]  # it has just been asked for a permission


def _copy(name: str) -> IO[bytes] | None:
    """The stored bytes, in a place where nobody changes them while they are sent; None where there are none."""
    try:
        with storage().open(name, "rb") as kept:
            copy: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - its sender closes it
            for block in kept.chunks():
                copy.write(block)
    except FileNotFoundError:
        return None
    copy.seek(0)
    return copy


def _digest_of(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while block := stream.read(256 * 1024):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()


def _record(report_id: UUID, actor: str, door: str, outcome: Outcome) -> None:
    Download.objects.create(report_id=report_id, actor=actor, door=door, outcome=outcome, at=clock.now())
