"""Credit files named on a command line."""

from __future__ import annotations

from pathlib import Path

from django.core.management.base import CommandError

from lending.errors import InvalidCreditFile
from lending.rules.german_credit import CreditRow, parse_rows

#: Exit code for a file or an option that cannot be used; nothing was written.
UNUSABLE = 2
#: Far above the 80 kB of the data set: a file of another kind is refused before it is read.
_MOST_BYTES = 50_000_000


def read_rows(path: str) -> tuple[CreditRow, ...]:
    """The rows of the file. Raises CommandError with the exit code for an unusable file, naming file and line."""
    try:
        if Path(path).stat().st_size > _MOST_BYTES:
            raise CommandError(f"{path}: larger than {_MOST_BYTES} bytes", returncode=UNUSABLE)
        return parse_rows(Path(path).read_text(encoding="ascii"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}", returncode=UNUSABLE) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: not an ASCII text", returncode=UNUSABLE) from error
    except InvalidCreditFile as error:
        raise CommandError(f"{path}: {error}", returncode=UNUSABLE) from error


def write_text(path: str, text: str) -> None:
    """Write a file whole. Raises CommandError with the exit code if that cannot be done."""
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror or error}", returncode=UNUSABLE) from error
