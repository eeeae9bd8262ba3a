"""`manage.py lending_import FILE`: one application run for each row of a credit file, and what became of them."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lending.contracts import ApplicationStatus
from lending.errors import InvalidCreditFile
from lending.management.actors import actor_named
from lending.management.credit_file import UNUSABLE, read_rows
from lending.management.importing import NewApplication, Starts, follow, start_all
from lending.queries.standings import Standing, standings_of
from lending.rules import german_credit
from lending.rules.fitting_quality import auc
from lending.rules.german_credit import BUREAU, CreditRow
from lending.rules.scorecard_table import shipped
from lending.rules.synthetic import form_of, key_of

#: Exit codes beside 0: rows that were refused or runs that stand still, and a wait that was given up.
INCOMPLETE = 1
INTERRUPTED = 130
_MOST_SHOWN = 10


class Command(BaseCommand):
    """Start the runs, wait until each has ended or waits for an officer, and count. A second import starts none."""

    help = (
        "Start one application run for each row of a file in the form of the German credit data. SSN and income are "
        "made up from the row and marked synthetic. Workers (or `make up`) drive the runs; this command starts and "
        "watches them. Exit codes: 0 done, 1 rows were refused or runs stand still, 2 an unusable file or option."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="such as lending/data/german_credit.data")
        parser.add_argument("--limit", type=_count, metavar="N", help="only the first N rows")
        parser.add_argument("--no-wait", action="store_true", help="start the runs and leave")
        parser.add_argument(
            "--patience",
            type=_seconds,
            default=120.0,
            metavar="SECONDS",
            help="stop waiting when no run has moved for so long (default 120)",
        )
        parser.add_argument("--user", metavar="NAME", help="act as this user, whose permission is checked")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except KeyboardInterrupt:
            raise CommandError("interrupted; the runs that were started go on", returncode=INTERRUPTED) from None

    def _import(self, options: dict[str, Any]) -> None:
        rows = read_rows(options["file"])[: options["limit"]]
        applications = _applications(options["file"], rows)
        actor = actor_named(options["user"])
        name = Path(options["file"]).name
        self._warn_of_other_files(rows)
        with _progress() as progress:
            task = progress.add_task("starting", total=len(rows))
            starts = start_all(
                applications,
                actor=actor,
                reason=f"import of {name}; SSN and income are synthetic",
                advance=lambda: progress.advance(task),
            )
        known = len(starts.run_ids) - starts.new
        self.stdout.write(f"{name}: {len(rows)} rows, {starts.new} runs started, {known} there already")
        self._tell_refused(starts)
        problems = [f"{len(starts.refused)} rows were refused"] if starts.refused else []
        if not options["no_wait"]:
            left = self._wait(list(starts.run_ids.values()), options["patience"])
            standings = standings_of(list(starts.run_ids.values()))
            for line in _summary(rows, starts, standings):
                self.stdout.write(line)
            undecided = sum(standing.status is ApplicationStatus.SUBMITTED for standing in standings.values())
            if left:
                problems.append(f"{len(left)} runs are still open and none has moved for {options['patience']:g} s")
            elif undecided:
                problems.append(f"{undecided} applications are undecided and their runs wait for an operator")
        if problems:
            raise CommandError("; ".join(problems), returncode=INCOMPLETE)

    def _wait(self, run_ids: Sequence[UUID], patience: float) -> list[UUID]:
        with _progress() as progress:
            task = progress.add_task("settling", total=len(run_ids))
            return follow(run_ids, patience=patience, settled=lambda count: progress.update(task, completed=count))

    def _tell_refused(self, starts: Starts) -> None:
        for row, why in list(starts.refused.items())[:_MOST_SHOWN]:
            self.stderr.write(f"row {row}: {why}")
        if len(starts.refused) > _MOST_SHOWN:
            self.stderr.write(f"... and {len(starts.refused) - _MOST_SHOWN} more rows were refused")

    def _warn_of_other_files(self, rows: Sequence[CreditRow]) -> None:
        """The bureau simulator answers from the shipped data by position; another file's scores are then mixed."""
        files = german_credit.read_rows()
        others = sum(
            any(row.value(number) != files[position % len(files)].value(number) for number in BUREAU)
            for position, row in enumerate(rows)
        )
        if others:
            self.stderr.write(
                f"{others} rows differ from the credit files that the simulated bureau has at their place"
            )


def _applications(path: str, rows: Sequence[CreditRow]) -> list[NewApplication]:
    """Every row's application, before any is started."""
    try:
        return [
            NewApplication(row=position, key=key_of(row, position), form=form_of(row, position))
            for position, row in enumerate(rows)
        ]
    except InvalidCreditFile as error:
        raise CommandError(f"{path}: {error}", returncode=UNUSABLE) from error


def _summary(rows: Sequence[CreditRow], starts: Starts, standings: dict[UUID, Standing]) -> Iterator[str]:
    counts = Counter(standing.status for standing in standings.values())
    approved = counts[ApplicationStatus.APPROVED] + counts[ApplicationStatus.ACCEPTED]
    yield f"approved {approved}"
    yield f"in review {counts[ApplicationStatus.IN_REVIEW]}"
    yield f"declined {counts[ApplicationStatus.DECLINED]}"
    for status in (ApplicationStatus.SUBMITTED, ApplicationStatus.EXPIRED, ApplicationStatus.WITHDRAWN):
        if counts[status]:
            yield f"{status} {counts[status]}"
    yield _in_sample(rows, starts, standings)
    quality = shipped().quality
    yield f"out-of-fold AUC {quality.auc}, calibration slope {quality.calibration_slope}, intercept " + (
        f"{quality.calibration_intercept} ({quality.folds} folds, {shipped().version})"
    )


def _in_sample(rows: Sequence[CreditRow], starts: Starts, standings: dict[UUID, Standing]) -> str:
    pds: list[Decimal] = []
    bads: list[bool] = []
    for row, run_id in starts.run_ids.items():
        pd = standings[run_id].pd
        if pd is not None:
            pds.append(pd)
            bads.append(rows[row].bad)
    if len(set(bads)) < 2:
        return "in-sample AUC: none without goods and bads"
    return f"in-sample AUC {auc(pds, bads)} ({len(pds)} scored)"


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number of seconds") from None
    if not 0 <= seconds < 1e6:
        raise ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds
