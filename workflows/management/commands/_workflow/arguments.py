"""The words of the command line and which function each sub-command calls."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from workflows.core.status import RunStatus
from workflows.management.commands._workflow import acts, readings
from workflows.management.commands._workflow.door import SHORTEST_ID, Door
from workflows.management.commands._workflow.exits import HELP, Exit

SubCommand = Callable[[Door, dict[str, Any]], Exit]

SUBCOMMANDS: dict[str, SubCommand] = {
    "start": acts.start,
    "list": readings.list_runs,
    "show": readings.show,
    "watch": readings.watch,
    "history": readings.history,
    "retry": acts.retry,
    "compensate": acts.compensate,
    "cancel": acts.cancel,
    "rerun": acts.rerun,
    "pause": acts.pause,
    "resume": acts.resume,
    "verify": readings.verify,
}
_MOST_LISTED = 10_000


def add_to(parser: ArgumentParser) -> None:
    """Declare every sub-command."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = HELP
    commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    made: dict[str, ArgumentParser] = {}
    for name, function in SUBCOMMANDS.items():
        summary = _SUMMARIES[name]
        made[name] = commands.add_parser(name, help=summary, description=summary, epilog=HELP)
        made[name].formatter_class = RawDescriptionHelpFormatter
        made[name].add_argument("--json", action="store_true", dest="as_json", help="print JSON for scripts")
        if name not in ("start", "list", "verify"):
            made[name].add_argument("run", metavar="RUN", help=f"id, or {SHORTEST_ID}+ first characters of it")
        if function.__module__ == acts.__name__:
            _add_actor(made[name], reason_needed=name != "start")
    _add_start(made["start"])
    _add_waiting(made["rerun"])
    _add_readings(made)
    made["retry"].add_argument("--input", metavar="JSON|@FILE|-", help="merged over the failed step's arguments")
    made["compensate"].add_argument("--dry-run", action="store_true", help="show the plan and change nothing")


_SUMMARIES = {
    "start": "Start a run, or find the one that the key belongs to.",
    "list": "The newest runs, with filters.",
    "show": "One run with its steps and its compensation plan.",
    "watch": "Show a run until it is closed.",
    "history": "Every event of a run.",
    "retry": "Let a failed run go on from the step that failed, with fresh attempts.",
    "compensate": "Run what is left of a run's compensation plan.",
    "cancel": "Cancel a run; its plan runs unless the workflow says otherwise.",
    "rerun": "Start a new run with the input of another.",
    "pause": "Hold a run after the step in hand.",
    "resume": "Let a held run go on where it stands.",
    "verify": "Check histories: keyed chain, rows against events, seals.",
}


def _add_actor(parser: ArgumentParser, *, reason_needed: bool) -> None:
    needed = "required" if reason_needed else "optional"
    parser.add_argument("--reason", default="", help=f"why; kept in the audit ({needed})")
    parser.add_argument("--user", metavar="NAME", help="act as this user, whose permission is checked")


def _add_start(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="registered name of the workflow")
    parser.add_argument("--input", metavar="JSON|@FILE|-", default="{}", help="input object (default {})")
    parser.add_argument("--key", help="business key: a second start with it gives the same run")
    parser.add_argument("--version", type=int, dest="version_number", metavar="N", help="an older registered version")
    parser.add_argument("--delay", type=_duration, metavar="SECONDS", help="do not begin before")
    _add_waiting(parser)


def _add_waiting(parser: ArgumentParser) -> None:
    help_ = "wait until the run is closed or held, at most SECONDS (default: no limit)"
    parser.add_argument("--wait", nargs="?", const=True, type=_duration, metavar="SECONDS", help=help_)


def _add_readings(made: dict[str, ArgumentParser]) -> None:
    listing = made["list"]
    listing.add_argument("--workflow", metavar="NAME", help="only runs of this workflow")
    states = [str(status) for status in RunStatus]
    listing.add_argument("--status", action="append", choices=states, help="only runs in this state; may be repeated")
    listing.add_argument("--key", help="only runs with this key")
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="at most so many (default 50)")
    made["watch"].add_argument("--timeout", type=_duration, metavar="SECONDS", help="watch no longer than this")
    made["verify"].add_argument("run", metavar="RUN", nargs="?", help="one run; without it all runs")


def _duration(text: str) -> timedelta:
    try:
        return acts.duration(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number of seconds") from None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_LISTED:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST_LISTED}")
    return int(text)
