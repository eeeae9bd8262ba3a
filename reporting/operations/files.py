"""Where files of reports are kept: a folder for each report, a file of its own for each attempt to make it."""

from __future__ import annotations

from uuid import UUID

from django.core.files.storage import Storage, storages

from reporting import conf


def storage() -> Storage:
    """The storage that the settings name."""
    return storages[conf.reporting().storage]


def folder_of(report_id: UUID) -> str:
    """The folder of one report."""
    return str(report_id)


def delete_files(report_id: UUID, *, but: str = "") -> int:
    """Delete what lies in a report's folder, all but one; gives how many. A file that is gone already is no matter."""
    kept = storage()
    folder = folder_of(report_id)
    try:
        _, names = kept.listdir(folder)
    except FileNotFoundError:
        return 0
    doomed = [name for name in (f"{folder}/{item}" for item in names) if name != but]
    for name in doomed:
        kept.delete(name)
    return len(doomed)
