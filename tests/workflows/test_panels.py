"""Panels: who provides what, for whom it is read, and that a provider that fails costs its own part alone."""

import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finaegis.shared.money import Money
from ledger.panels import MOST_LISTED
from tests.paying import PaymentsWorkflow, accounts_of
from tests.treasury.factories import TreasuryAccountFactory
from workflows import Workflow, operations, panels, queries
from workflows.core.errors import NotFound, PermissionRefused
from workflows.panels import QueueCount, Record, RecordKind, WorkQueue, registry
from workflows.panels.reading import PanelUnread
from workflows.panels.registry import PanelTaken

pytestmark = pytest.mark.django_db

#: Any model that there is: its permission decides who sees the made-up records.
KIND = "workflows.calendar"
SAW_AT = datetime(2026, 7, 1, tzinfo=UTC)


class LetterWorkflow(Workflow[None]):
    """Does nothing for a letter."""

    name = "panels.Letter"

    async def execute(self, letter_id: uuid.UUID) -> None:
        return None


@pytest.fixture
def registered():
    with registry.changed() as found:
        yield found


@pytest.fixture
def everybody(db):
    return User.objects.create_superuser("root")


def user_with(*permissions):
    user = User.objects.create_user(f"user{User.objects.count()}")
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


class Letters:
    """Letters in memory, each with the runs that it belongs to; counts what it is asked."""

    def __init__(self, **more):
        self.letters, self.asked = {}, []
        self.kind = RecordKind(
            name=KIND, label="Letter", read=self.read, of_runs=self.of_runs, runs_of=self.runs_of, find=self.find,
            named_by={"panels.Letter": "letter_id"}, **more,
        )  # fmt: skip
        panels.register_records(self.kind)

    def add(self, title, *run_ids, letter_id=None):
        record = Record(kind=KIND, id=letter_id or uuid.uuid4(), title=title, at=SAW_AT, run_ids=run_ids)
        self.letters[record.id] = record
        return record

    def read(self, ids):
        self.asked.append("read")
        return [self.letters[item] for item in ids if item in self.letters]

    def of_runs(self, run_ids):
        self.asked.append("of_runs")
        return [letter for letter in self.letters.values() if set(letter.run_ids) & set(run_ids)]

    def runs_of(self, letter_id):
        self.asked.append("runs_of")
        return self.letters[letter_id].run_ids

    def find(self, term):
        self.asked.append("find")
        return [letter for letter in self.letters.values() if letter.title == term]


@pytest.fixture
def letters(registered):
    return Letters()


def start(letter_id=None):
    return operations.start_run(LetterWorkflow, letter_id or uuid.uuid4())


def broken(*_):
    raise RuntimeError("the letters are lost")


# --- Registering -----------------------------------------------------------------------------------------------------


def test_two_providers_cannot_have_one_name(letters):
    with pytest.raises(PanelTaken, match=KIND):
        panels.register_records(letters.kind)


def test_money_is_read_from_one_place(registered):
    with pytest.raises(PanelTaken, match="the ledger"):
        panels.register_money(registered.money)


def test_every_kind_has_a_model_and_every_queue_a_list(registered):
    """The names are Django's: the permission and the console's page hang on them."""
    for kind in registered.kinds.values():
        app, codename = kind.permission.split(".")
        assert Permission.objects.filter(content_type__app_label=app, codename=codename).exists(), kind.name
    for view in queries.list_work_queues(user=User(is_superuser=True, is_active=True)):
        assert view.count is not None, view.queue.name


# --- Runs and records ------------------------------------------------------------------------------------------------


def test_a_run_and_its_record_know_each_other(workflow_env, letters, everybody):
    run = start()
    letter = letters.add("to Ada", run.id)

    related = queries.list_related([queries.get_run(run.id)], user=everybody)
    runs = queries.list_runs_of(KIND, letter.id, user=everybody)

    assert related.records == (letter,)
    assert [found.id for found in runs.runs] == [run.id]
    assert not related.unread and not runs.unread


def test_a_record_is_found_by_what_a_runs_input_names(workflow_env, letters, everybody):
    """A run that failed before it wrote anything belongs to its record too."""
    letter = letters.add("to Ada")
    run, other = start(letter.id), start()

    assert queries.list_related([queries.get_run(run.id)], user=everybody).records == (letter,)
    assert [found.id for found in queries.list_runs_of(KIND, letter.id, user=everybody).runs] == [run.id]
    assert queries.list_related([queries.get_run(other.id)], user=everybody).records == ()


def test_the_newest_runs_come_first_and_older_ones_are_said_to_exist(workflow_env, letters, everybody):
    runs = []
    for _ in range(panels.MOST_RUNS + 2):
        runs.append(start())
        workflow_env.now += timedelta(seconds=1)
    letter = letters.add("to Ada", *(run.id for run in reversed(runs)))

    found = queries.list_runs_of(KIND, letter.id, user=everybody)

    assert [run.id for run in found.runs] == [run.id for run in reversed(runs)][: panels.MOST_RUNS]
    assert found.more


def test_a_record_that_asks_is_not_related_to_itself(workflow_env, letters, everybody):
    run = start()
    letter, other = letters.add("to Ada", run.id), letters.add("to Charles", run.id)

    related = queries.list_related([queries.get_run(run.id)], user=everybody, but=letter)

    assert related.records == (other,)


def test_runs_of_other_workflows_are_not_asked_about_where_a_kind_names_its_writers(
    workflow_env, registered, everybody
):
    letters = Letters(writers=("post.",))
    run = start()
    letters.add("to Ada", run.id)

    assert queries.list_related([queries.get_run(run.id)], user=everybody).records == ()
    assert "of_runs" not in letters.asked


def test_whoever_may_not_view_the_records_sees_none_and_nobody_is_asked(workflow_env, letters):
    run = start()
    letter = letters.add("to Ada", run.id)
    user = user_with("workflows.view_run")

    assert queries.list_related([queries.get_run(run.id)], user=user).records == ()
    assert queries.list_runs_of(KIND, letter.id, user=user).runs == ()
    assert queries.search_records("to Ada", user=user).records == ()
    with pytest.raises(PermissionRefused):
        queries.get_record(KIND, letter.id, user=user)
    assert letters.asked == []


def test_whoever_may_not_view_runs_sees_none_of_a_record(workflow_env, letters):
    letter = letters.add("to Ada", start().id)

    assert queries.list_runs_of(KIND, letter.id, user=user_with("workflows.view_calendar")).runs == ()


def test_an_unknown_kind_or_record_is_not_found(letters, everybody):
    for kind, record_id in (("post.nothing", uuid.uuid4()), (KIND, uuid.uuid4())):
        with pytest.raises(NotFound):
            queries.get_record(kind, record_id, user=everybody)
    assert queries.list_runs_of("post.nothing", uuid.uuid4(), user=everybody).runs == ()


def test_a_provider_that_raises_is_logged_and_the_others_are_read(workflow_env, registered, everybody, caplog):
    panels.register_records(
        RecordKind(
            name="workflows.process", label="Parcel", read=broken, of_runs=broken, runs_of=broken, find=broken,
            of_owners=broken,
        )
    )  # fmt: skip
    letters = Letters()
    run = start()
    letter = letters.add("to Ada", run.id)

    with caplog.at_level(logging.ERROR, logger="workflows.panels"):
        related = queries.list_related([queries.get_run(run.id)], user=everybody)
        hits = queries.search_records("to Ada", user=everybody)
        runs = queries.list_runs_of("workflows.process", uuid.uuid4(), user=everybody)
        owners = queries.owners_of(["nobody"], user=everybody)
        with pytest.raises(PanelUnread):
            queries.get_record("workflows.process", uuid.uuid4(), user=everybody)

    assert related.records == hits.records == (letter,)
    assert related.unread == hits.unread == ("Parcel",)
    assert runs.unread and runs.runs == ()
    assert owners == {}
    assert sum("the letters are lost" in record.exc_text for record in caplog.records) == 5


# --- Searching -------------------------------------------------------------------------------------------------------


def test_a_search_gives_a_few_hits_of_each_kind(letters, everybody):
    for _ in range(9):
        letters.add("to Ada")

    assert len(queries.search_records(" to Ada ", user=everybody).records) == 5


@pytest.mark.parametrize("term", ["", " ", "x", "a\x00b", "line\nbreak", "y" * 201])
def test_what_nobody_would_look_for_is_asked_of_nobody(letters, everybody, term):
    assert queries.search_records(term, user=everybody).records == ()
    assert letters.asked == []


# --- Money -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def account(db):
    return TreasuryAccountFactory(balance="1000.00")


def pay(env, account, number=1, fail=False):
    run = operations.start_run(PaymentsWorkflow, account_id=account.id, number=number, fail=fail)
    env.skip(timedelta(minutes=1))
    return queries.get_run(run.id)


def money_of(run, user):
    panel = queries.money_of([run.id], user=user)
    assert panel is not None and panel.money is not None
    return panel.money


def test_the_money_of_a_run_is_what_it_moved_and_set_aside(workflow_env, account, everybody):
    run, other = pay(workflow_env, account), pay(workflow_env, account)

    money = money_of(run, everybody)

    assert other.status == "completed"
    by_kind = {item.kind: item for item in money.transfers}
    assert {kind: item.run_id for kind, item in by_kind.items()} == {"transfer": run.id, "capture": run.id}
    assert [(str(leg.amount), leg.account.kind) for leg in by_kind["transfer"].legs] == [
        ("-1.00 USD", "operating"), ("1.00 USD", "external"),
    ]  # fmt: skip
    assert {(hold.status, hold.is_open, str(hold.captured)) for hold in money.holds} == {
        ("held", True, "0.00 USD"), ("captured", False, "0.50 USD"),
    }  # fmt: skip


def test_the_net_effect_is_by_account_with_what_is_still_held(workflow_env, account, everybody):
    money = money_of(pay(workflow_env, account, number=3), everybody)

    assert {(item.account.kind, str(item.balance), str(item.held)) for item in money.net} == {
        ("operating", "-4.50 USD", "3.00 USD"),
        ("external", "4.50 USD", "0.00 USD"),
    }


def test_a_reversal_names_what_it_undoes_and_is_named_by_it(workflow_env, account, everybody):
    run = pay(workflow_env, account, fail=True)

    by_kind = {item.kind: item for item in money_of(run, everybody).transfers}

    assert run.status == "compensated"
    paid, back = by_kind["transfer"], by_kind["reversal"]
    assert (paid.reversed_by, back.reverses) == (back.id, paid.id)


def test_of_much_money_the_newest_is_listed_and_all_of_it_counted(workflow_env, account, everybody):
    number = MOST_LISTED // 2 + 5
    money = money_of(pay(workflow_env, account, number=number), everybody)

    assert (len(money.transfers), money.transfers_left_out) == (MOST_LISTED, 10)
    assert (len(money.holds), money.holds_left_out) == (MOST_LISTED, 10)
    moved = next(item for item in money.net if item.account.kind == "operating")
    assert moved.balance == Money("-1.50", "USD") * number
    assert [item.posted_at for item in money.transfers] == sorted(item.posted_at for item in money.transfers)


def test_an_account_is_called_by_its_owner(workflow_env, account, everybody):
    run = pay(workflow_env, account)
    panel = queries.money_of([run.id], user=everybody)

    titles = {panel.title_of(named) for named in panel.money.accounts}

    assert titles == {f"{account.name}, operating", "external"}


def test_an_owner_whom_the_user_may_not_see_is_not_named(workflow_env, account):
    run = pay(workflow_env, account)
    user = user_with("workflows.view_run", "ledger.view_transfer", "ledger.view_hold", "ledger.view_account")

    panel = queries.money_of([run.id], user=user)

    assert panel.owners == {}
    assert f"treasury:{account.id}, operating" in {panel.title_of(named) for named in panel.money.accounts}


@pytest.mark.parametrize("lacking", ["view_run", "view_transfer", "view_hold", "view_account"])
def test_money_is_for_whoever_may_see_runs_and_all_of_the_ledger(workflow_env, account, lacking):
    held = {
        "workflows.view_run", "ledger.view_transfer", "ledger.view_hold", "ledger.view_account",
    }  # fmt: skip
    user = user_with(*(permission for permission in held if not permission.endswith(lacking)))

    assert queries.money_of([pay(workflow_env, account).id], user=user) is None


def test_a_ledger_that_cannot_be_read_is_told_from_one_that_moved_nothing(
    workflow_env, registered, everybody, monkeypatch
):
    run = start()
    assert queries.money_of([run.id], user=everybody).money.is_nothing

    registered.money = None
    panels.register_money(panels.MoneySource(name="a ledger", permissions=(), of_runs=broken))

    assert queries.money_of([run.id], user=everybody).money is None


def test_what_is_held_by_nobodys_run_is_no_runs_money(workflow_env, account, everybody):
    accounts_of(account.id)

    assert money_of(start(), everybody).is_nothing


def test_money_costs_the_same_however_much_there_is(workflow_env, account, everybody):
    def cost(run):
        queries.money_of([run.id], user=everybody)
        with CaptureQueriesContext(connection) as sent:
            queries.money_of([run.id], user=everybody)
        return len(sent)

    few, many = cost(pay(workflow_env, account)), cost(pay(workflow_env, account, number=20))

    assert many == few <= 7


# --- Queues ----------------------------------------------------------------------------------------------------------


def numbers(user):
    return {view.queue.name: view.count and view.count.number for view in queries.list_work_queues(user=user)}


def test_held_runs_and_doubts_are_counted_apart(workflow_env, everybody):
    operations.pause_run(start().id, reason="lunch")

    found = numbers(everybody)

    assert (found["workflows.held"], found["workflows.doubts"]) == (1, 0)


def test_the_oldest_of_the_held_runs_is_the_one_that_was_held_first(workflow_env, everybody):
    began = workflow_env.now
    again, other = start(), start()
    operations.pause_run(again.id, reason="lunch")
    workflow_env.now += timedelta(hours=1)
    operations.pause_run(other.id, reason="lunch")
    workflow_env.now += timedelta(hours=1)
    (held,) = [view for view in queries.list_work_queues(user=everybody) if view.queue.name == "workflows.held"]
    assert (held.count.number, held.count.oldest_at) == (2, began)

    operations.resume_run(again.id, reason="back")
    operations.pause_run(again.id, reason="tea")

    (held,) = [view for view in queries.list_work_queues(user=everybody) if view.queue.name == "workflows.held"]
    assert (held.count.number, held.count.oldest_at) == (2, began + timedelta(hours=1))


def test_a_queue_is_counted_for_whoever_may_view_it(registered, everybody):
    asked = []
    panels.register_queue(
        WorkQueue(
            name="post.letters", label="Letters", permission="workflows.view_calendar",
            count=lambda: asked.append(1) or QueueCount(3), place="admin:workflows_calendar_changelist",
        )
    )  # fmt: skip

    assert numbers(everybody)["post.letters"] == 3
    assert "post.letters" not in numbers(user_with("workflows.view_run"))
    assert asked == [1]


def test_a_queue_that_cannot_be_counted_says_so_and_others_are(registered, everybody):
    panels.register_queue(
        WorkQueue(name="post.lost", label="Lost", permission="workflows.view_run", count=broken, place="admin:index")
    )

    found = numbers(everybody)

    assert found["post.lost"] is None
    assert found["workflows.held"] == 0
