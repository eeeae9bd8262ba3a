"""One try of an activity: its info, its arguments, its outcome. Nothing is recorded here.

A database error that an activity swallowed inside a transaction fails the attempt: SQLite would commit after one, and
on Postgres the transaction is dead (SEMANTICS C12).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from workflows.core import payloads
from workflows.core.definitions import Activity, ActivityInfo, current_activity
from workflows.core.errors import EngineError, NonRetryable, PayloadError
from workflows.core.retry import PROGRAMMING_ERRORS
from workflows.runtime.hosting import Host
from workflows.store import StoredStep

#: Failed by the database for reasons that pass: deadlock, serialisation, lock time-out.
_PASSING_STATES = frozenset({"40P01", "40001", "55P03"})


class SwallowedDatabaseError(EngineError):
    """The activity caught a database error inside its transaction and went on; its rows cannot be trusted."""

    code = "database_error_swallowed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: a stored result, or an error with what the policy needs to know."""

    result: Any = None
    error: dict[str, Any] | None = None
    retryable: bool = True
    #: The effect may have happened all the same (its result could not be stored).
    unknown: bool = False
    #: Nobody knows whether it happened, and it may not be repeated (SEMANTICS D19).
    doubt: bool = False
    #: Somebody else ends the step, by its token.
    later: bool = False


def is_passing(error: BaseException) -> bool:
    """Whether a database error is a deadlock, a serialisation failure or a lock time-out: retried outside `Retry`."""
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    return state in _PASSING_STATES or "database is locked" in str(error) or "database table is locked" in str(error)


def is_connection_lost(error: BaseException) -> bool:
    return isinstance(error, OperationalError | InterfaceError) and not connection_usable()


def connection_usable() -> bool:
    if connection.connection is None:
        return False
    if connection.vendor == "postgresql":
        return not connection.connection.closed and not connection.connection.broken
    return True


def call(
    activity: Activity[..., Any], run_id: uuid.UUID, step: StoredStep, undone_key: str | None, host: Host
) -> Outcome:
    """Run one attempt; every error of the activity becomes an outcome, except passing database errors."""
    before = payloads.loads(step.beat) if step.beat is not None else None
    info = ActivityInfo(run_id, step.seq, step.attempt, step.key, undone_key, activity.name, before, host)
    token = current_activity.set(info)
    arguments: dict[str, Any] = {}
    called = False
    try:
        arguments = activity.signature.decode(step.args)
        called = True
        value = activity.function(**arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library that calls sys.exit() ends its attempt, not the worker
        may_repeat = activity.options_.repeatable or activity.options_.transactional
        if may_repeat and is_passing(error):
            raise
        if host.is_ended():
            return Outcome(later=True)
        return failure(activity, error, payloads.sensitive_texts(arguments), called=called)
    finally:
        current_activity.reset(token)
    if host.later:
        return Outcome(later=True)
    try:
        codec = activity.signature.result
        return Outcome(result=codec.encode(codec.validate(value, path="result"), path="result"))
    except PayloadError as error:
        secrets = payloads.sensitive_texts(arguments)
        return Outcome(
            error=payloads.error_data(error, secrets), retryable=False, unknown=True, doubt=is_doubtful(activity)
        )


def is_doubtful(activity: Activity[..., Any] | None) -> bool:
    """Whether an unknown outcome of this activity is a doubt; a transaction that did not commit did nothing."""
    return activity is not None and not (activity.options_.repeatable or activity.options_.transactional)


def failure(
    activity: Activity[..., Any], error: BaseException, secrets: Set[str] = frozenset(), *, called: bool = True
) -> Outcome:
    """An error as an outcome: refusals, validation and programming errors are never retried (SEMANTICS D18).

    Of an activity that is not repeatable only declared refusals are known failures once its call began (D19).
    """
    declared = activity.options_.retry.non_retryable
    known = isinstance(error, (NonRetryable, *declared))
    final: tuple[type[BaseException], ...] = (NonRetryable, PayloadError, *PROGRAMMING_ERRORS, *declared)
    return Outcome(
        error=payloads.error_data(error, set(secrets)),
        retryable=not isinstance(error, final),
        doubt=called and not known and is_doubtful(activity),
    )


_ROLLED_BACK_TO = re.compile(r'^ROLLBACK TO SAVEPOINT "?([^"\s;]+)"?', re.IGNORECASE)


@contextmanager
def watched_for_swallowed_errors() -> Iterator[Callable[[], None]]:
    """Watch this connection; the given check raises SwallowedDatabaseError if an error was not rolled back.

    An error inside a nested `atomic()` that was rolled back to its savepoint is handled; any other is not.
    """
    unhandled: list[tuple[str, ...]] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        try:
            answer = execute(sql, params, many, context)
        except DatabaseError:
            unhandled.append(tuple(sid or "" for sid in connection.savepoint_ids))
            raise
        rolled_back = _ROLLED_BACK_TO.match(sql)
        if rolled_back:
            unhandled[:] = [within for within in unhandled if rolled_back.group(1) not in within]
        return answer

    def check() -> None:
        if unhandled or connection.needs_rollback or _is_dead():
            raise SwallowedDatabaseError

    connection.execute_wrappers.append(watch)
    try:
        yield check
    finally:
        connection.execute_wrappers.remove(watch)


def _is_dead() -> bool:
    """Whether Postgres has failed the transaction."""
    if connection.vendor != "postgresql" or connection.connection is None:
        return False
    return str(connection.connection.info.transaction_status.name) == "INERROR"


def check_deferred_constraints() -> None:
    """On Postgres a deferred constraint fails here, as an activity failure, and not at COMMIT. One round trip."""
    if connection.vendor == "postgresql":
        with connection.wrap_database_errors:
            connection.connection.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED", prepare=False)
