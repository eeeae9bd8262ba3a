"""Business events: published in the transaction that makes them true, delivered at least once, in order by key.

A delivery and its effect (a saga's run started, a signal left for it) are one transaction. One that fails is tried
again; one that cannot succeed is parked with its error: those behind it with its saga and key wait, all others go on.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from workflows import clock, conf, crypto
from workflows.core import payloads
from workflows.core.business_events import EventType, arguments_from, subscriptions
from workflows.core.definitions import WorkflowDefinition, bar_workflow_code, registry
from workflows.core.errors import CodeMissing, EngineError, KeyConflict, PayloadError
from workflows.core.messages import Message, MessageKind
from workflows.core.status import CLOSED
from workflows.models import BLOCKING, BusinessEvent, DeliveryStatus, EventDelivery, Run
from workflows.runtime import attempts, dispatch, faults, starts
from workflows.runtime.locking import locked_run
from workflows.runtime.starts import NewRun

log = logging.getLogger("workflows.events")

#: A delivery is tried so often, with pauses that double from the first one; then it is parked.
MAX_TRIES = 5
FIRST_PAUSE = timedelta(seconds=1)


class UnknownListener(EngineError):
    """The saga has no such method any more."""

    code = "unknown_listener"


def publish(event: Any) -> int:
    """Publish an event, in the transaction that makes it true: rolled back means never published. Gives its number.

    Everybody who listens gets it at least once, for one key in the order of publishing. Raises PayloadError for values
    that do not fit, DefinitionError for what is no event, NonDeterminismError in workflow code.
    """
    bar_workflow_code("an event is published by an activity or an operation, not by workflow code")
    kind = subscriptions.type_of(type(event))
    stored = kind.encode(event)
    now = clock.now()
    with transaction.atomic():
        row = BusinessEvent.objects.create(type=kind.name, data=payloads.dumps(stored), published_at=now)
        EventDelivery.objects.bulk_create(
            EventDelivery(event=row, workflow=to.workflow, method=to.method, key=to.key_of(event), due_at=now)
            for to in subscriptions.to(kind.name)
        )
        transaction.on_commit(partial(dispatch.send_deliver, row.pk), robust=True)
    return row.pk


def _ready() -> QuerySet[EventDelivery]:
    """Deliveries that are due, first of their saga and key, to sagas that this process has the code of."""
    earlier = EventDelivery.objects.filter(
        workflow=OuterRef("workflow"), key=OuterRef("key"), pk__lt=OuterRef("pk"), status__in=BLOCKING
    )
    due = EventDelivery.objects.filter(status=DeliveryStatus.PENDING, due_at__lte=clock.now())
    return due.filter(~Exists(earlier), workflow__in=list(registry.workflows))


def deliver_due() -> int:
    """Deliver what is due, in order; gives how many deliveries were settled or tried. Never raises."""
    moved = 0
    while True:
        found = list(_ready().order_by("pk").values_list("pk", flat=True)[: conf.engine().wake_batch])
        done = sum([_deliver_apart(pk) for pk in found])
        moved += done
        if not done:
            return moved


def _deliver_apart(pk: int) -> bool:
    """Deliver one; False when somebody else does, or it is to be tried later."""
    try:
        with transaction.atomic():
            return _deliver_locked(pk)
    except Exception as error:
        if not attempts.is_passing(error):
            log.exception("delivery %s could not be made", pk)
        else:
            log.info("delivery %s met %s", pk, error)
        return False


def _deliver_locked(pk: int) -> bool:
    rows = _ready()
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    row = rows.filter(pk=pk).first()
    if row is None:
        return False
    faults.point("event.taken", row.workflow)
    try:
        with transaction.atomic():
            _deliver(row)
    except Exception as error:
        if attempts.is_passing(error):
            raise
        _note_failure(row, error, _secrets_of(row))
    row.save(force_update=True)
    transaction.on_commit(partial(faults.point, "event.delivered", row.workflow), robust=True)
    return True


def _deliver(row: EventDelivery) -> None:
    event = BusinessEvent.objects.get(pk=row.event_id)
    kind = subscriptions.types.get(event.type)
    if kind is None:
        raise UnknownListener(f"no event is registered as {event.type}")
    value = kind.decode(payloads.loads(event.data))
    definition: WorkflowDefinition = registry.workflows[row.workflow][max(registry.workflows[row.workflow])].definition
    if row.method:
        row.status, row.run_id = _reach(row, kind, value)
    else:
        row.status, row.run_id = DeliveryStatus.DELIVERED, _start(row, kind, value, definition)
    row.settled_at, row.error = clock.now(), None


def _start(row: EventDelivery, kind: EventType, event: Any, definition: WorkflowDefinition) -> Any:
    """The saga's run of this key: started, or there already, whatever it was started with."""
    existing = Run.objects.filter(workflow=row.workflow, key=row.key, link=1).values_list("id", flat=True).first()
    if existing is not None:
        return existing
    bound = arguments_from(event, definition.signature)
    digest = crypto.input_digest(payloads.dumps_sorted(definition.signature.plain(bound)))
    new = NewRun(
        definition=definition,
        stored_input=definition.signature.encode(bound),
        digest=digest,
        key=row.key,
        delay=None,
        actor="system",
        reason=f"{kind.name} {row.event_id}",
    )
    try:
        with transaction.atomic():  # a savepoint: a refused start must not take back what surrounds it
            run, _ = starts.insert_or_read(new)
    except KeyConflict as conflict:
        return conflict.run_id  # somebody started it by hand in this very moment
    dispatch.advance_after_commit(run.id)
    return run.id


def _reach(row: EventDelivery, kind: EventType, event: Any) -> tuple[DeliveryStatus, Any]:
    """Leave the event for the saga's live run; without one it is undeliverable, and dropped.

    So it is where the code has ended for good, and where another version of the saga listens, not that of the run.
    """
    first = Run.objects.filter(workflow=row.workflow, key=row.key, link=1).values_list("id", flat=True).first()
    if first is None:
        return DeliveryStatus.UNDELIVERABLE, None
    with locked_run(first) as run:
        if run.status in CLOSED or run.only_undoes:
            return DeliveryStatus.UNDELIVERABLE, run.row.id
        listeners = _listeners(row, kind)
        if run.row.version not in listeners:
            raise CodeMissing(f"this process does not have the code of {row.workflow} version {run.row.version}")
        message = listeners[run.row.version]
        if message is None:
            if any(listeners.values()):
                return DeliveryStatus.UNDELIVERABLE, run.row.id
            raise UnknownListener(f"{row.workflow} version {run.row.version} has no method {row.method}")
        stored = message.signature.encode(arguments_from(event, message.signature))
        # Several methods of one saga may listen to the same event.
        key = f"event:{row.event_id}:{row.method}"
        run.leave_fact("signal", {"name": message.name, "args": stored}, reason=kind.name, key=key)
        return DeliveryStatus.DELIVERED, run.row.id


def _listeners(row: EventDelivery, kind: EventType) -> dict[int, Message[..., Any] | None]:
    """The delivery's method by version of the saga; None for a version in which it does not listen to the event."""
    found: dict[int, Message[..., Any] | None] = {}
    for version, cls in registry.workflows[row.workflow].items():
        message = cls.definition.message(MessageKind.SIGNAL, row.method)
        listens = message is not None and any(known.name == kind.name for known, _ in message.events)
        found[version] = message if listens else None
    return found


def _secrets_of(row: EventDelivery) -> set[str]:
    """Sensitive texts of the event: no error text may hold them."""
    kind = subscriptions.types.get(row.event.type)
    try:
        return payloads.sensitive_texts(kind.decode(payloads.loads(row.event.data))) if kind is not None else set()
    except PayloadError:
        return set()  # its class changed since, so no listener was given its values either


def _note_failure(row: EventDelivery, error: Exception, secrets: set[str]) -> None:
    """Try again later, or park it: what does not fit will not fit the next time. Other workers may have other code."""
    row.failures += 1
    row.error = payloads.dumps(payloads.error_data(error, secrets))
    row.run_id = None
    hopeless = isinstance(error, EngineError | PayloadError | TypeError) and not isinstance(error, CodeMissing)
    if hopeless or row.failures >= MAX_TRIES:
        row.status = DeliveryStatus.PARKED
        row.settled_at = None
        told = payloads.scrub(str(error), secrets)
        log.warning("delivery %s to %s is parked: %s", row.pk, row.workflow, told)
        return
    row.status = DeliveryStatus.PENDING
    row.due_at = clock.now() + FIRST_PAUSE * 2 ** (row.failures - 1)
