"""`manage.py workflow ...`: runs on the command line, for people at a terminal and for scripts (`--json`, exit codes).

A door like the console and REST: it translates, and calls the same operations and queries.
"""

from __future__ import annotations

import io
import os
import sys
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, ProgrammingError

from workflows.core.errors import EngineError
from workflows.management.commands._workflow import arguments, exits
from workflows.management.commands._workflow.door import Door, open_door
from workflows.management.commands._workflow.exits import Exit


class Command(BaseCommand):
    """Start, look at and act on runs. A refusal is one line on standard error, `error: code: text`."""

    help = "Start, look at and act on workflow runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        arguments.add_to(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        # rich prints a line in pieces, to which Django's wrapper would add ends of line.
        out, err = (cast(IO[str], getattr(stream, "_out", stream)) for stream in (self.stdout, self.stderr))
        for stream in (out, err):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal that lacks a character gets its number, never an error after the work was done.
                stream.reconfigure(errors="backslashreplace")
        code = self._call(open_door(out, err, as_json=options["as_json"]), options)
        if code:
            sys.exit(int(code))

    def _call(self, door: Door, options: dict[str, Any]) -> Exit:
        try:
            return arguments.SUBCOMMANDS[options["subcommand"]](door, options)
        except EngineError as refusal:
            door.refuse(refusal.code, str(refusal))
            return exits.of_refusal(refusal)
        except (OperationalError, InterfaceError, ProgrammingError) as error:
            if options["traceback"]:
                raise
            door.refuse("database_unavailable", str(error).strip())
            return Exit.UNAVAILABLE
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
        except BrokenPipeError:
            # The reader has left (`| head`); the interpreter would complain once more when it flushes at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.READER_GONE
