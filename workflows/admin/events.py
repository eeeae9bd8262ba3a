"""Business events in the console: what was published, what became of it for each saga, and what is parked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse

from workflows import clock, queries
from workflows.admin import acts, waiting
from workflows.admin.acts import Button, User
from workflows.admin.kin import Fact
from workflows.admin.presentation import brief, error_text, moment, pair, pretty
from workflows.admin.read_only import ReadOnlyAdmin
from workflows.admin.run_page import Payload
from workflows.admin.sending import context_of, run_url
from workflows.admin.timers import Tab
from workflows.admin.values import outline
from workflows.contracts import DeliveryView
from workflows.core.errors import NotFound
from workflows.models import DeliveryStatus

_PAGE = 50
_LARGEST = 2**63 - 1
#: Word in the address -> what it shows, and the filter.
_VIEWS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("All", {}),
    "parked": ("Parked", {"status": DeliveryStatus.PARKED}),
    "undeliverable": ("Undeliverable", {"status": DeliveryStatus.UNDELIVERABLE}),
    "pending": ("Pending", {"status": DeliveryStatus.PENDING}),
}
#: Other words of the address that narrow the list.
_FILTERS = ("workflow", "event", "key")
COLOURS: dict[str, str] = {
    DeliveryStatus.PENDING: "info",
    DeliveryStatus.DELIVERED: "success",
    DeliveryStatus.UNDELIVERABLE: "default",
    DeliveryStatus.PARKED: "danger",
    DeliveryStatus.DROPPED: "default",
}
_TOLD: dict[str, str] = {
    DeliveryStatus.DELIVERED: "The saga has it.",
    DeliveryStatus.UNDELIVERABLE: "It was for a method of the saga, and no live run had its key; that is no error.",
    DeliveryStatus.DROPPED: "Somebody gave it up; this saga never gets it.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery, as text; `acts` are the dialogs that the user may open."""

    view: DeliveryView
    published: str
    about: str
    data: str
    colour: str
    error: str
    url: str
    run: str
    short_run: str
    acts: list[Button]


def parked_badge(request: HttpRequest) -> str:
    """How many deliveries are parked, for the sidebar; nothing where none is."""
    number = queries.count_parked()
    return str(number) if number else ""


def event_url(number: int, act: str = "") -> str:
    """The page of a delivery, or one of its dialogs."""
    return reverse(f"admin:workflows_run_event{'_' if act else ''}{act}", args=[number])


def check_reading(request: HttpRequest) -> None:
    """Raises PermissionDenied for who may not view runs."""
    if not acts.may(request.user, acts.VIEW):
        raise PermissionDenied


def event_list(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """What was published, newest first."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    check_reading(request)
    view = request.GET.get("show", "")
    if view not in _VIEWS:
        raise Http404("there is no such view of the events")
    given = {name: value for name in _FILTERS if (value := request.GET.get(name, "").strip())}
    run = _id_of(request.GET.get("run"))
    kept = given | ({"run": str(run)} if run is not None else {})
    found = queries.page_deliveries(
        limit=_PAGE, after=_place(request.GET.get("after")), run=run, **_VIEWS[view][1], **given
    )
    context = context_of(admin, request, "Events") | {
        # The header's path would lead to runs: this list is a page of its own.
        "opts": None,
        "content_title": "Events",
        "rows": [_row(delivery, request.user) for delivery in found.deliveries],
        "tabs": [Tab(title, _address({"show": word, **kept}), word == view) for word, (title, _) in _VIEWS.items()],
        "show": view,
        "key": given.get("key", ""),
        "kept": kept,
        "narrowed": ", ".join(f"{name} {value}" for name, value in kept.items()),
        "widened": _address({"show": view}),
        "next": _address({"show": view, **kept, "after": str(found.after)}) if found.after else "",
        "is_first": "after" not in request.GET,
        "first": _address({"show": view, **kept}),
    }
    return TemplateResponse(request, "workflows/events.html", context)


def event_page(admin: ReadOnlyAdmin, request: HttpRequest, number: int) -> HttpResponse:
    """One event for one saga: what it says, where it stands, who did what to it."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    check_reading(request)
    delivery = delivery_or_404(number)
    context = context_of(admin, request, f"Event {delivery.event} for {delivery.workflow}") | {
        "opts": None,
        "content_title": f"Event {delivery.event} for {delivery.workflow}",
        "delivery": delivery,
        "colour": COLOURS[delivery.status],
        "fault": error_text(delivery.error) if delivery.error else "",
        "standing": list(standing(delivery)),
        "facts": _facts(delivery),
        "buttons": act_buttons(delivery, request.user),
        "locked": locked(delivery, request.user),
        "data": Payload(outline(delivery.data), pretty(delivery.data)),
        "audit": queries.list_delivery_acts(delivery) if acts.may(request.user, acts.AUDIT) else None,
        "list": _address({}),
    }
    return TemplateResponse(request, "workflows/event.html", context)


def delivery_or_404(number: int) -> DeliveryView:
    """The delivery of an address."""
    try:
        return queries.get_delivery(number)
    except NotFound as error:
        raise Http404(str(error)) from error


def standing(delivery: DeliveryView) -> list[str]:
    """How a delivery stands and what comes next, in sentences."""
    if delivery.status == DeliveryStatus.PARKED:
        return [
            f"It could not be delivered in {pair(delivery.failures, 'attempt')} and waits for somebody.",
            f"{pair(delivery.behind, 'later event')} of this saga and key {_waits(delivery.behind)} behind it."
            if delivery.behind
            else "No later event of this saga and key waits behind it.",
        ]
    if delivery.status != DeliveryStatus.PENDING or delivery.due_at is None:
        return [_TOLD[delivery.status]]
    due = f"It is due {waiting.due(delivery.due_at, clock.now())}, after earlier ones of its saga and key."
    return [f"It failed {pair(delivery.failures, 'attempt')}.", due] if delivery.failures else [due]


def _waits(number: int) -> str:
    return "waits" if number == 1 else "wait"


def act_buttons(delivery: DeliveryView, user: User) -> list[Button]:
    """The dialogs that fit the delivery's state and that this user may open."""
    if delivery.status != DeliveryStatus.PARKED:
        return []
    return [
        Button(title, icon, variant, event_url(delivery.id, name))
        for name, title, icon, variant, permission in _ACTS
        if acts.may(user, permission)
    ]


def locked(delivery: DeliveryView, user: User) -> list[str]:
    """Titles of the acts that fit and that this user may not do."""
    parked = delivery.status == DeliveryStatus.PARKED
    return [title for _, title, _, _, permission in _ACTS if parked and not acts.may(user, permission)]


_ACTS = (
    ("replay", "Replay", "replay", "primary", acts.REPLAY),
    ("drop", "Drop", "delete", "danger", acts.DROP),
)


def _facts(delivery: DeliveryView) -> list[Fact]:
    facts = [
        Fact("Delivery", str(delivery.id)),
        Fact("Event", delivery.event, url=_address({"event": delivery.event})),
        Fact("Saga", delivery.workflow, url=_address({"workflow": delivery.workflow})),
        Fact("Key", delivery.key, url=_address({"workflow": delivery.workflow, "key": delivery.key})),
        Fact("For", _about(delivery)),
        Fact("Published", f"{moment(delivery.published_at)} UTC"),
    ]
    if delivery.settled_at is not None:
        facts.append(Fact("Settled", f"{moment(delivery.settled_at)} UTC"))
    if delivery.run_id is not None:
        facts.append(Fact("Run", str(delivery.run_id), url=run_url(delivery.run_id)))
    return facts


def _about(delivery: DeliveryView) -> str:
    """What the saga does with it."""
    return "a start" if delivery.method is None else f"the method {delivery.method}"


def _row(delivery: DeliveryView, user: User) -> Row:
    run = delivery.run_id
    return Row(
        view=delivery,
        published=moment(delivery.published_at),
        about=_about(delivery),
        data=brief(delivery.data, 80),
        colour=COLOURS[delivery.status],
        error=error_text(delivery.error) if delivery.error and delivery.status != DeliveryStatus.DELIVERED else "",
        url=event_url(delivery.id),
        run=run_url(run) if run is not None else "",
        short_run=str(run)[:8] if run is not None else "",
        acts=act_buttons(delivery, user),
    )


def _address(query: dict[str, str]) -> str:
    given = {name: value for name, value in query.items() if value}
    address = reverse("admin:workflows_run_events")
    return f"{address}?{urlencode(given)}" if given else address


def _place(text: str | None) -> int | None:
    """Where a page begins; the first page for what is no place."""
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) if len(text) < 20 and int(text) <= _LARGEST else None


def _id_of(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
