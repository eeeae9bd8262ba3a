"""The words of the command line and which function each sub-command calls."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from workflows.core.status import RunStatus
from workflows.management.commands._workflow import acts, deliveries, histories, messages, readings, timers
from workflows.management.commands._workflow.door import SHORTEST_ID, Door
from workflows.management.commands._workflow.exits import HELP, Exit
from workflows.models import DeliveryStatus
from workflows.operations.messages import UPDATE_TIMEOUT
from workflows.queries.timers import KINDS

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
    "resolve": acts.resolve,
    "signal": messages.signal,
    "query": messages.query,
    "update": messages.update,
    "timers": timers.timers,
    "events": deliveries.events,
    "export": histories.export,
    "replay": histories.replay,
    "verify": readings.verify,
}
#: Sub-commands that do not name one run, or name it in their own way.
_WITHOUT_RUN = ("start", "list", "verify", "timers", "events", "replay")
#: Sub-commands whose reason may be left out.
_REASON_OPTIONAL = ("start", "signal", "update")
_MOST_LISTED = 10_000
_LARGEST_NUMBER = 2**31 - 1
_LARGEST_EVENT = 2**63 - 1


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
        if name not in _WITHOUT_RUN:
            made[name].add_argument("run", metavar="RUN", help=f"id, or {SHORTEST_ID}+ first characters of it")
        if function.__module__ in (acts.__name__, messages.__name__):
            _add_actor(made[name], reason_needed=name not in _REASON_OPTIONAL)
    _add_start(made["start"])
    _add_waiting(made["rerun"])
    _add_readings(made)
    made["retry"].add_argument("--input", metavar="JSON|@FILE|-", help="merged over the failed step's arguments")
    made["compensate"].add_argument("--dry-run", action="store_true", help="show the plan and change nothing")
    _add_resolve(made["resolve"])
    _add_messages(made)
    _add_timers(made["timers"])
    _add_events(made["events"])
    made["export"].add_argument("--output", metavar="FILE", help="write to this file instead of standard output")
    made["replay"].add_argument("what", metavar="RUN|FILE", help="a run, or a file of `export` (@FILE, or - for input)")


_SUMMARIES = {
    "start": "Start a run, or find the one that the key belongs to.",
    "list": "The newest runs, with filters.",
    "show": "One run with its steps, its children and its compensation plan.",
    "watch": "Show a run until it is closed; one that continues as new is followed.",
    "history": "Every event of a run.",
    "retry": "Let a failed run go on from the step that failed, with fresh attempts.",
    "compensate": "Run what is left of a run's compensation plan.",
    "cancel": "Cancel a run; its plan runs unless the workflow says otherwise.",
    "rerun": "Start a new run with the input of another.",
    "pause": "Hold a run after the step in hand.",
    "resume": "Let a held run go on where it stands.",
    "resolve": "Say what a step in doubt did: it happened, or it was not done.",
    "signal": "Leave a signal for a run; it is delivered in its order.",
    "query": "Ask a run, also a closed one; nothing is written.",
    "update": "Send a run an update and wait for its answer.",
    "timers": "Due times that open runs wait for, first due first; `timers move` gives one another time.",
    "events": "Business events and what became of them, newest first; `events replay` and `events drop` decide on a "
    "parked one.",
    "export": "A run's history as JSON lines, for tests that replay it with newer code.",
    "replay": "Whether the code as it is now replays a history; nothing is executed.",
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
    message = parser.add_mutually_exclusive_group()
    message.add_argument("--signal", metavar="NAME", help="leave this signal too, both or neither; needs --key")
    message.add_argument("--update", metavar="NAME", help="send this update too and tell its answer; needs --key")
    help_ = "arguments of the signal or update: an object by name, or a list in order (default {})"
    parser.add_argument("--message-input", metavar="JSON|@FILE|-", default="{}", help=help_)
    help_ = "the signal's key or the update's id: a known one does nothing, or gives the stored answer"
    parser.add_argument("--message-key", metavar="KEY", help=help_)
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
    listing.add_argument("--parent", metavar="RUN", help="only children of this run")
    help_ = "only runs with this search attribute; amount__gte=100 compares (lt, lte, gt, gte); may be repeated"
    listing.add_argument("--attribute", action="append", type=_attribute, metavar="NAME=VALUE", help=help_)
    listing.add_argument("--limit", type=_limit, default=50, metavar="N", help="at most so many (default 50)")
    made["watch"].add_argument("--timeout", type=_duration, metavar="SECONDS", help="watch no longer than this")
    made["verify"].add_argument("run", metavar="RUN", nargs="?", help="one run; without it all runs")


def _add_resolve(parser: ArgumentParser) -> None:
    parser.add_argument("seq", metavar="SEQ", type=_number, help="number of the step")
    parser.add_argument("--outcome", required=True, choices=("happened", "not_done"), help="what the step did")
    parser.add_argument("--result", metavar="JSON|@FILE|-", help="what it would have given, if it happened")


def _add_messages(made: dict[str, ArgumentParser]) -> None:
    for name in ("signal", "query", "update"):
        made[name].add_argument("name", metavar="NAME", help=f"which {name} of the workflow")
        help_ = "arguments: an object by name, or a list in order (default {})"
        made[name].add_argument("--input", metavar="JSON|@FILE|-", default="{}", help=help_)
    made["signal"].add_argument("--key", help="a key that signalled this run before does nothing")
    help_ = "a known id gives its stored answer (default: a new one)"
    made["update"].add_argument("--id", "--key", dest="update_id", metavar="ID", help=help_)
    made["update"].add_argument(
        "--timeout", type=_duration, default=UPDATE_TIMEOUT, metavar="SECONDS", help="wait no longer (default 30)"
    )


def _add_timers(parser: ArgumentParser) -> None:
    parser.add_argument("--overdue", action="store_true", help="only those whose time is over")
    parser.add_argument("--kind", choices=tuple(KINDS), help="only sleeps, ends of waits, or back-offs of retries")
    parser.add_argument("--workflow", metavar="NAME", help="only of runs of this workflow")
    parser.add_argument("--run", dest="of_run", metavar="RUN", help="only of this run")
    parser.add_argument("--limit", type=_limit, default=100, metavar="N", help="at most so many (default 100)")
    below = parser.add_subparsers(dest="timers_command", metavar="move")
    summary = "Let a timer, or the end of a wait, be over at another time; one in the past is over at once."
    move = below.add_parser("move", help=summary, description=summary, epilog=HELP)
    move.formatter_class = RawDescriptionHelpFormatter
    move.add_argument("run", metavar="RUN", help=f"id, or {SHORTEST_ID}+ first characters of it")
    move.add_argument("seq", metavar="SEQ", type=_number, help="number of the timer's step")
    move.add_argument("--to", type=_instant, required=True, metavar="TIME", help="such as 2026-11-25T08:00:00Z")
    # Left out it must not undo a `--json` that stood before `move`.
    move.add_argument("--json", action="store_true", dest="as_json", default=SUPPRESS, help="print JSON for scripts")
    _add_actor(move, reason_needed=True)


def _add_events(parser: ArgumentParser) -> None:
    states = [str(status) for status in DeliveryStatus]
    parser.add_argument("--status", action="append", choices=states, help="only in this state; may be repeated")
    parser.add_argument("--workflow", metavar="NAME", help="only for this saga")
    parser.add_argument("--key", help="only of this key")
    parser.add_argument("--event", metavar="NAME", help="only events of this name")
    parser.add_argument("--run", dest="of_run", metavar="RUN", help="only what started or reached this run")
    parser.add_argument("--limit", type=_limit, default=100, metavar="N", help="at most so many (default 100)")
    below = parser.add_subparsers(dest="events_command", metavar="replay|drop")
    summaries = {
        "replay": "Deliver a parked event anew, with fresh tries; those behind it follow.",
        "drop": "Give a parked event up for its saga; those behind it go on.",
    }
    for name, summary in summaries.items():
        act = below.add_parser(name, help=summary, description=summary, epilog=HELP)
        act.formatter_class = RawDescriptionHelpFormatter
        act.add_argument("number", metavar="EVENT", type=_event, help="number of the event in `events`")
        # Left out it must not undo a `--json` that stood before the act's name.
        act.add_argument("--json", action="store_true", dest="as_json", default=SUPPRESS, help="print JSON for scripts")
        _add_actor(act, reason_needed=True)


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _number(text: str) -> int:
    return _up_to(_LARGEST_NUMBER, text, "a step")


def _event(text: str) -> int:
    return _up_to(_LARGEST_EVENT, text, "an event")


def _up_to(largest: int, text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > largest:
        raise ArgumentTypeError(f"{text!r} is no number of {what}")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no time") from None


def _duration(text: str) -> timedelta:
    try:
        return acts.duration(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no number of seconds") from None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _MOST_LISTED:
        raise ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST_LISTED}")
    return int(text)
