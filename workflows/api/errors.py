"""Refusals that only a request can earn: its body, its headers, its query. Nothing was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.core.errors import EngineError, InvalidInput, Refused


class MalformedJson(Refused):
    """The body is not one JSON document."""

    code = "malformed_json"


class UnstorableText(Refused):
    """A text of the body holds NUL or a lone surrogate, which cannot be stored."""

    code = "unstorable_text"


class RequestTooLarge(Refused):
    """The body is larger than this service takes."""

    code = "request_too_large"


class IdempotencyKeyRequired(Refused):
    """This request needs the header Idempotency-Key."""

    code = "idempotency_key_required"


class InvalidIdempotencyKey(Refused):
    """The header Idempotency-Key is a text of 1 to 255 visible ASCII characters."""

    code = "invalid_idempotency_key"


class IdempotencyKeyMismatch(Refused):
    """The header Idempotency-Key and the body's `key` differ."""

    code = "idempotency_key_mismatch"


class InvalidCursor(Refused):
    """The cursor is not one that this list gave."""

    code = "invalid_cursor"


class UpdateOfStartRefused(Refused):
    """The run was started or found, but it refused its update or failed at it; `run_id` is the run's."""

    code = "update_refused"

    def __init__(self, refusal: EngineError, *, run_id: object) -> None:
        super().__init__(str(refusal), code=refusal.code)
        self.run_id = run_id


class TooManyAttempts(Refused):
    """Too many wrong passwords; try again later."""

    code = "too_many_attempts"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field; never the value that was given."""

    field: str
    code: str
    detail: str


def summary_of(problems: Sequence[FieldProblem]) -> str:
    """All problems as one text for people."""
    return "; ".join(f"{item.field}: {item.detail}" if item.field else item.detail for item in problems)


class InvalidBody(InvalidInput):
    """Fields of the body do not fit; `problems` tells each."""

    def __init__(self, problems: Sequence[FieldProblem], *, code: str | None = None) -> None:
        super().__init__(summary_of(problems), code=code)
        self.problems = tuple(problems)


class InvalidQuery(Refused):
    """Parameters of the query do not fit; `problems` tells each."""

    code = "invalid_query"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(summary_of(problems))
        self.problems = tuple(problems)
