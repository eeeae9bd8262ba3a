"""What every sub-command has at hand: where to print, who acts, which run is meant."""

from __future__ import annotations

import json
import os
import pwd
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from rich.console import Console, RenderableType
from rich.text import Text

from workflows.core.errors import InvalidInput, NotFound
from workflows.management.commands._workflow import rendering
from workflows.models import Run
from workflows.operations import Actor
from workflows.operations.authority import storable

#: Fewest characters of a shortened run id.
SHORTEST_ID = 8
#: A file that is no terminal has no width; wide enough that no column of ours is cut.
_FILE_WIDTH = 200


@dataclass(frozen=True, slots=True)
class Door:
    """Where the command prints. `as_json` is what `--json` asked for; progress goes to `progress`, never to `out`."""

    out: Console
    progress: Console
    as_json: bool

    def show(self, value: Any, *lines: RenderableType) -> None:
        """Print `value` as one line of JSON, or `lines` for people."""
        if self.as_json:
            self.out.file.write(json.dumps(value) + "\n")
            self.out.file.flush()
            return
        for line in lines:
            # A table fits its width; a line of text is a script's too and stays one line.
            self.out.print(line, soft_wrap=isinstance(line, Text))

    def refuse(self, code: str, text: str) -> None:
        """Say on standard error, in one line, why nothing was done."""
        self.progress.print(rendering.safe(f"error: {code}: {text}"), soft_wrap=True)


class _Printer(Console):
    def on_broken_pipe(self) -> None:
        raise  # the error in hand: the command decides what a reader that has left means


def open_door(out: IO[str], err: IO[str], *, as_json: bool) -> Door:
    """The door of one call."""
    return Door(_console(out), _console(err), as_json)


def _console(file: IO[str]) -> Console:
    is_terminal = file.isatty()
    return _Printer(file=file, highlight=False, markup=False, emoji=False, width=None if is_terminal else _FILE_WIDTH)


def actor_named(name: str | None) -> Actor:
    """The Django user `name`, whose permission is then checked, or whoever runs this process.

    The login is asked of the system, not of the environment, which anyone can set.
    """
    if name is not None:
        users = get_user_model()
        try:
            found: AbstractBaseUser = users._default_manager.get_by_natural_key(storable(name, "user"))
        except users.DoesNotExist:
            raise InvalidInput(f"there is no user {name!r}", code="unknown_user") from None
        return found
    try:
        return f"os:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"os:{os.getuid()}"


def run_named(text: str) -> uuid.UUID:
    """The run of a full id, or of the first characters (eight or more) that no other run shares.

    Raises NotFound, or InvalidInput for a text that is no id, is too short, or fits several runs.
    """
    digits = text.strip().lower().replace("-", "")
    if not SHORTEST_ID <= len(digits) <= 32 or set(digits) - set("0123456789abcdef"):
        raise InvalidInput(f"a run is named by its id, or by {SHORTEST_ID} or more of its first characters")
    low, high = uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))
    found = list(Run.objects.filter(pk__gte=low, pk__lte=high).order_by("pk").values_list("pk", flat=True)[:2])
    if not found:
        raise NotFound(f"there is no run {text}")
    if len(found) > 1:
        raise InvalidInput(f"several runs begin with {text}", code="ambiguous_run")
    return found[0]


def input_object(source: str, *, what: str = "input") -> dict[str, Any]:
    """The JSON object in `source`: JSON itself, `@file`, or `-` for standard input. Raises InvalidInput."""
    value = json_value(source, what=what)
    if not isinstance(value, dict):
        raise InvalidInput(f"the {what} is a JSON object, not a {_name_of(value)}")
    return value


def arguments_of_message(source: str) -> dict[str, Any] | list[Any]:
    """The arguments in `source`: a JSON object by name, or a list in order. Raises InvalidInput."""
    value = json_value(source, what="input")
    if not isinstance(value, dict | list):
        raise InvalidInput(f"the input is a JSON object or list, not a {_name_of(value)}")
    return value


def json_value(source: str, *, what: str) -> Any:
    """The JSON value in `source`, strictly read; raises InvalidInput."""
    try:
        text = _text_of(source)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"the {what} cannot be read: {error}") from error
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except RecursionError as error:
        raise InvalidInput(f"the {what} is nested too deeply") from error
    except ValueError as error:
        raise InvalidInput(f"the {what} is not JSON: {error}") from error


def _name_of(value: Any) -> str:
    return _JSON_NAMES.get(type(value), "number")


_JSON_NAMES = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}


def _text_of(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    if source.startswith("@"):
        return Path(source[1:]).read_text(encoding="utf-8")
    return source


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a member twice")
    return value


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
