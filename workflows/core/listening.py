"""Messages to workflow code: signals and updates as facts; queries, validators and conditions only read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from workflows.core import payloads
from workflows.core.asking import Asking
from workflows.core.branches import Settlement
from workflows.core.commands import CompleteUpdate
from workflows.core.definitions import workflow_code
from workflows.core.errors import Cancelled, NonDeterminismError, PayloadError
from workflows.core.events import Event
from workflows.core.messages import Message, MessageKind


class Listening(Asking):
    """The part of the machine that talks: what a message's method does becomes branches and commands."""

    def __init__(self) -> None:
        super().__init__()
        #: The author's object, once `execute` has begun.
        self._workflow: Any = None
        #: Sensitive texts that the code was given: no error text may hold them.
        self.secrets: set[str] = set()

    @property
    def ended(self) -> bool:
        """Whether `execute` has ended, though started steps may still be open."""
        raise NotImplementedError

    def _fail_run(self, error: BaseException) -> None:
        raise NotImplementedError

    @contextmanager
    def _as_workflow_code(self) -> Iterator[None]:
        token = workflow_code.set(self)
        try:
            yield
        finally:
            workflow_code.reset(token)

    def _message(self, kind: MessageKind, name: str) -> Message[..., Any]:
        message = self.definition.message(kind, name)
        if message is None:
            raise self.violated(NonDeterminismError(f"the code has no {kind} named {name!r}"))
        return message

    def _receive_signal(self, fact: Event) -> None:
        if self.ended:
            return
        message = self._message(MessageKind.SIGNAL, fact.data["name"])
        answer = self._handle(message, fact.data["args"])
        if isinstance(answer.error, Exception):
            self._fail_run(answer.error)
        elif isinstance(answer.value, Coroutine):
            self.branch(self._failing_with_run(answer.value)).begin()

    async def _failing_with_run(self, handler: Coroutine[Any, Any, Any]) -> None:
        try:
            await handler
        except Exception as error:
            self._fail_run(error)

    def _receive_update(self, fact: Event) -> None:
        if self.ended:
            return
        message = self._message(MessageKind.UPDATE, fact.data["name"])
        answer = self._handle(message, fact.data["args"])
        if isinstance(answer.value, Coroutine):
            self.branch(self._answering(fact.data["id"], message, answer.value)).begin()
        else:
            self._answer(fact.data["id"], message, answer)

    async def _answering(self, update_id: str, message: Message[..., Any], handler: Coroutine[Any, Any, Any]) -> None:
        try:
            settled = Settlement(value=await handler)
        except (Exception, Cancelled) as error:
            settled = Settlement(error=error)
        self._answer(update_id, message, settled)

    def _answer(self, update_id: str, message: Message[..., Any], settled: Settlement) -> None:
        if settled.error is None:
            try:
                codec = message.signature.result
                stored = codec.encode(codec.validate(settled.value, path="result"), path="result")
            except PayloadError as error:
                settled = Settlement(error=error)
            else:
                self.ask(CompleteUpdate(update_id, message.name, result=stored))
                return
        if isinstance(settled.error, NonDeterminismError):
            raise self.violated(settled.error)
        assert settled.error is not None
        self.ask(CompleteUpdate(update_id, message.name, error=payloads.error_data(settled.error, self.secrets)))

    def _handle(self, message: Message[..., Any], stored: dict[str, Any]) -> Settlement:
        """Call a message's method; a coroutine is its value and has not begun."""
        with self._as_workflow_code():
            try:
                arguments = message.signature.decode(stored)
            except PayloadError as error:
                raise self.violated(
                    NonDeterminismError(f"the code does not take what {message.name} was sent: {error}")
                ) from error
            self.secrets |= payloads.sensitive_texts(arguments)
            try:
                return Settlement(value=message.function(self._workflow, **arguments))
            except Exception as error:
                return Settlement(error=error)

    @contextmanager
    def _read_only(self, what: str) -> Iterator[None]:
        self._reading = what
        try:
            with self._as_workflow_code():
                yield
        finally:
            self._reading = None

    def check_update(self, name: str, stored: dict[str, Any]) -> None:
        """Ask an update's validator; raises what it raises."""
        message = self._message(MessageKind.UPDATE, name)
        if message.check is None:
            return
        arguments = message.signature.decode(stored)
        self.secrets |= payloads.sensitive_texts(arguments)
        with self._read_only(f"the validator of {name}"):
            message.check(self._workflow, **arguments)

    def query(self, name: str, arguments: dict[str, Any]) -> Any:
        """The answer of a query from the state as it stands; raises what the query raises."""
        message = self._message(MessageKind.QUERY, name)
        self.secrets |= payloads.sensitive_texts(arguments)
        with self._read_only(f"query {name}"):
            answer = message.function(self._workflow, **arguments)
        if self.violation is not None:
            raise self.violation  # though the query caught it
        return answer

    def holds(self, condition: Callable[[], Any]) -> bool:
        """Whether a `wait_for` may go on; what the condition raises reaches the code that waits."""
        with self._read_only("a condition of wait_for"):
            return bool(condition())
