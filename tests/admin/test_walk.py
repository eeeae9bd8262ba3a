"""Every address of the console, opened: nothing breaks, nothing changes, nothing hidden is shown."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse

from finaegis.shared.money import Money
from ledger import operations as ledger
from tests.admin import flows
from tests.admin.browsing import start_url
from tests.admin.conftest import signed_in, user_of
from tests.kin import MoveTownWorkflow, ParcelSent, RoundsWorkflow
from tests.talking import HaggleWorkflow, PaymentWorkflow, pay
from tests.treasury.instrument_table import have_instruments
from treasury import operations as treasury
from treasury.contracts import RiskCause
from workflows import Sensitive, events, operations, queries
from workflows.admin.acts import ACTS
from workflows.models import Run

pytestmark = pytest.mark.django_db

#: Answers that a page may give to a reader: shown, sent on, not allowed, not this way.
CALM = {200, 302, 403, 405}


@pytest.fixture
def talks(make):
    """Page of a run that waits or is in doubt -> what its address needs."""
    haggle = operations.start_run(HaggleWorkflow)
    make.env.mock(pay).raises(ConnectionError("the line is dead"))
    payment = operations.start_run(PaymentWorkflow, 7)
    make.env.skip(timedelta(0))
    operations.signal_run(haggle.id, "confide", flows.SECRET)
    events.publish(ParcelSent("a", "heavy", Sensitive(flows.SECRET)))
    make.env.skip(timedelta(0))
    (parked,) = queries.list_deliveries(status="parked")
    return {
        "workflows_run_signal": (haggle.id, "say"),
        "workflows_run_update": (haggle.id, "offer"),
        "workflows_run_query": (haggle.id, "secret"),
        "workflows_run_reschedule": (haggle.id, 1),
        "workflows_run_resolve": (payment.id, 1),
        "workflows_run_timers": (),
        "workflows_run_events": (),
        "workflows_run_event": (parked.id,),
        "workflows_run_event_replay": (parked.id,),
        "workflows_run_event_drop": (parked.id,),
    }


@pytest.fixture
def runs(make, talks):
    have_instruments()
    account = treasury.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1"
    )
    treasury.allocate(key="k-1", account_id=account.id, strategy="balanced", amount=Money(100, "USD"))
    treasury.assess_risk(key="k-2", account_id=account.id, cause=RiskCause.REQUEST)
    treasury.open_hedge(key="k-3", account_id=account.id, notional=Money(10, "USD"))
    treasury.freeze_account(key="k-4", account_id=account.id, cause="risk score 90.00")
    held = ledger.open_account(owner="Ada", kind="cash", currency="USD", may_go_negative=True)
    ledger.place_hold(key="hold-1", account_id=held.id, amount=Money(5, "USD"))
    named = dict.fromkeys(args[0] for args in talks.values() if args and isinstance(args[0], uuid.UUID))
    family = operations.start_run(MoveTownWorkflow, ["lamp", "stone"])
    chain = operations.start_run(RoundsWorkflow, 1)
    make.env.skip(timedelta(hours=1))
    kin = [family.id, chain.id, *(run.id for run in queries.list_children([family.id]))]
    return [*make.everywhere(), *(queries.get_run(run_id) for run_id in [*named, *kin])]


def snapshot():
    """The number of rows and a digest of every table of the database, whether a model stands for it or not."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows = sorted(repr(row) for row in cursor.fetchall())
            found[table] = len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def addresses(runs, talks):
    """Every named page of the admin: every run, and some rows of each other list."""
    found = [reverse("admin:index"), reverse("admin:jsi18n"), start_url()]
    found += [reverse(f"admin:{page}", args=args) for page, args in talks.items()]
    found += [start_url(item.name) for item in queries.list_workflows()]
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        for page in ("changelist", "add"):
            found += _reversed(f"admin:{name}_{page}")
        rows = runs if model is Run else list(model._default_manager.all()[:2])
        for row in rows:
            for page in ("change", "history", "delete"):
                found += _reversed(f"admin:{name}_{page}", row.id if model is Run else row.pk)
        found += _reversed("admin:app_list", model._meta.app_label)
    for run in runs:
        found += [reverse(f"admin:workflows_run_{act}", args=[run.id]) for act in ACTS]
        found.append(reverse("admin:workflows_run_change", args=[run.id]) + "?all")
    return list(dict.fromkeys(found))


def _reversed(name, *args):
    try:
        return [reverse(name, args=args)]
    except NoReverseMatch:
        return []


def test_opening_every_page_as_superuser_breaks_nothing_changes_nothing_and_shows_nothing_sensitive(
    admin_client, runs, talks
):
    """One walk for the three of them: it opens hundreds of pages."""
    pages = addresses(runs, talks)
    before = snapshot()

    answers = {url: admin_client.get(url) for url in pages}

    assert len(pages) > 150
    assert len(before) > 20
    assert {url: answer.status_code for url, answer in answers.items() if answer.status_code not in CALM} == {}
    assert [url for url, answer in answers.items() if flows.SECRET.encode() in answer.content] == []
    assert snapshot() == before


def test_a_snapshot_sees_a_change_of_one_column(runs):
    before = snapshot()

    Run.objects.filter(pk=runs[0].id).update(requested="cancel")

    changed = {table for table, state in snapshot().items() if state != before[table]}
    assert changed == {"workflows_run"}


def test_every_list_of_the_business_has_a_row_to_walk(runs):
    empty = {
        model.__name__
        for model in admin.site._registry
        if model._meta.app_label in ("workflows", "ledger", "treasury") and not model._default_manager.exists()
    }

    assert empty == set()


def test_no_page_of_a_run_shows_an_absent_value_as_none(admin_client, runs):
    urls = [reverse("admin:workflows_run_change", args=[run.id]) for run in runs]

    assert [url for url in urls if b">None<" in admin_client.get(url).content] == []


def test_the_walk_knows_every_page_that_the_engine_adds(talks):
    """A new address of the console must join the walk: it is compared with the resolver's own list."""
    names = {name for name in get_resolver(None).namespace_dict["admin"][1].reverse_dict if isinstance(name, str)}

    own = {name for name in names if name.startswith("workflows_run_")}

    pages = ("changelist", "add", "change", "history", "delete", "start")
    assert own == {f"workflows_run_{page}" for page in (*pages, *ACTS)} | set(talks)


def test_no_page_takes_an_act_by_get_whatever_stands_in_its_address(admin_client, runs, talks):
    before = snapshot()

    acts = [(f"workflows_run_{act}", [run.id]) for run in runs for act in ACTS]
    for page, args in [*acts, *((page, args) for page, args in talks.items() if page in DIALOGS)]:
        url = reverse(f"admin:{page}", args=args)
        key = admin_client.get(url).context["form"]["once"].value()
        admin_client.get(url, {"reason": "x", "once": key, "outcome": "not_done", "due_at": "2026-01-05T12:10:00"})
        admin_client.head(url)

    assert snapshot() == before


def test_whoever_is_not_logged_in_is_sent_to_the_login(runs, talks):
    from_outside = Client()

    codes = {from_outside.get(url).status_code for url in addresses(runs, talks) if "jsi18n" not in url}

    assert codes == {302}


def test_the_engine_writes_no_admin_log_of_its_own(admin_client, runs):
    assert LogEntry.objects.count() == 0


# --- Roles ------------------------------------------------------------------------------------------------------------

RUN_PAGES = {
    "index", "workflows_run_changelist", "workflows_run_change", "workflows_process_changelist", "workflows_run_timers",
    "workflows_run_query", "workflows_run_events", "workflows_run_event",
}  # fmt: skip
BUSINESS = {
    "ledger_account_changelist", "ledger_transfer_changelist", "ledger_hold_changelist",
    "treasury_treasuryaccount_changelist", "treasury_allocation_changelist", "treasury_instrument_changelist",
    "treasury_storedevent_changelist", "treasury_riskassessment_changelist", "treasury_hedgeposition_changelist",
    "treasury_freeze_changelist",
}  # fmt: skip
TALKS = {
    f"workflows_run_{page}" for page in ("signal", "update", "resolve", "reschedule", "event_replay", "event_drop")
}
DIALOGS = {"workflows_run_start", *(f"workflows_run_{act}" for act in ACTS)} | TALKS
STAFF = {"auth_user_changelist", "auth_group_changelist"}
AUDIT = {"workflows_auditentry_changelist"}
OPENS = {
    "viewer": RUN_PAGES | BUSINESS,
    "approver": RUN_PAGES | BUSINESS | AUDIT,
    "auditor": RUN_PAGES | BUSINESS | AUDIT | STAFF,
    "operator": RUN_PAGES | BUSINESS | AUDIT | DIALOGS,
}
ALL_PAGES = RUN_PAGES | BUSINESS | AUDIT | STAFF | DIALOGS


def url_of(page, run, talks):
    if page in talks:
        return reverse(f"admin:{page}", args=talks[page])
    needs_run = page.startswith("workflows_run_") and page not in ("workflows_run_changelist", "workflows_run_start")
    return reverse(f"admin:{page}", args=[run.id] if needs_run else [])


@pytest.mark.parametrize("role", list(OPENS))
def test_a_role_opens_its_pages_and_no_other(make, talks, role):
    run, client = make.held(), signed_in(user_of(role))

    codes = {page: client.get(url_of(page, run, talks)).status_code for page in ALL_PAGES}

    assert {page for page, code in codes.items() if code == 200} == OPENS[role]
    assert {code for page, code in codes.items() if page not in OPENS[role]} <= {403}


@pytest.mark.parametrize("role", ["viewer", "approver", "auditor"])
def test_a_role_that_only_reads_changes_nothing_by_any_door_of_the_console(make, talks, role):
    run, client = make.held(), signed_in(user_of(role))
    before = snapshot()

    answers = [client.post(url_of(page, run, talks), {"reason": "x", "once": "y"}) for page in DIALOGS]

    assert {answer.status_code for answer in answers} == {403}
    assert snapshot() == before


def test_a_user_without_a_role_sees_no_business(make, talks):
    client = signed_in(user_of("viewer"))
    client.force_login(_stripped(client))
    run = make.held()

    codes = {page: client.get(url_of(page, run, talks)).status_code for page in ALL_PAGES - {"index"}}

    assert set(codes.values()) == {403}


def _stripped(client):
    user = client.get(reverse("admin:index")).wsgi_request.user
    user.groups.clear()
    return user
