"""Runs that belong together, in the console: parents, children, chains; and runs found by attributes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import strip_tags

from tests.admin.conftest import page_of
from tests.kin import (
    LOAN,
    LabelledWorkflow,
    MoveHouseWorkflow,
    MoveTownWorkflow,
    ParcelSent,
    ReturnedWorkflow,
    RoundsWorkflow,
    give_back,
)
from tests.talking import SleepWorkflow
from workflows import events, operations, queries
from workflows.core import payloads
from workflows.models import Run

pytestmark = pytest.mark.django_db

LIST = reverse("admin:workflows_run_changelist")
HOUR = timedelta(hours=1)


@pytest.fixture
def begin(env):
    """Starts a run and lets it go as far as it goes by itself."""

    def start(workflow, *args, **options):
        run = operations.start_run(workflow, *args, **options)
        env.skip(timedelta(0))
        return queries.get_run(run.id)

    return start


def read(client, run):
    return client.get(page_of(run)).context["page"]


def facts(client, run):
    return {fact.name: fact for fact in read(client, run).facts}


def shown(client, **parameters):
    return [run.id for run in client.get(LIST, parameters).context["cl"].result_list]


def child_of(run):
    (child,) = queries.list_children([run.id])
    return child


def said(client, run):
    """What a run waits for, without its links."""
    return [strip_tags(line) for line in read(client, run).outlook]


# --- Parents and children --------------------------------------------------------------------------------------------


def test_a_child_leads_to_its_parent_and_says_how_that_stands(client, begin):
    parent = begin(MoveHouseWorkflow, ["stone"])

    fact = facts(client, child_of(parent))["Parent"]

    assert fact.url == page_of(parent)
    assert fact.text == f"kin.MoveHouse {str(parent.id)[:8]}, step 1, waiting"


def test_a_parent_lists_its_children_held_ones_first(client, begin):
    parent = begin(MoveHouseWorkflow, ["lamp", "stone"])

    page = read(client, parent)

    assert [(row.seq, row.state) for row in page.children.rows] == [(2, "held: failure"), (1, "completed")]
    held = next(child for child in queries.list_children([parent.id]) if child.status == "held")
    assert page.children.rows[0].url == page_of(held)


def test_a_childs_step_leads_to_its_run_and_says_how_it_stands(client, begin):
    parent = begin(MoveHouseWorkflow, ["lamp", "stone"])

    first, second = read(client, parent).steps

    assert (first.child.state, second.child.state) == ("completed", "held: failure")
    assert first.child.url == page_of(next(run for run in queries.list_children([parent.id]) if run.parent_seq == 1))


def test_a_run_without_children_has_no_such_card_and_costs_no_query_more(client, begin, make):
    assert read(client, begin(SleepWorkflow, 1)).children is None


def test_a_parent_says_that_its_child_is_held_and_why(client, begin):
    parent = begin(MoveHouseWorkflow, ["stone"])
    child = child_of(parent)

    (line,) = read(client, parent).outlook

    assert strip_tags(line) == (
        f"Step 1 waits for its child kin.Carry {str(child.id)[:8]}, which is held as failure. kin.carry failed after "
        "1 attempt(s): a stone is too heavy (too_heavy). A step failed and somebody has to decide: retry it, "
        "compensate what was done, or cancel."
    )
    assert f'href="{page_of(child)}"' in line
    assert f'href="{page_of(child)}"' in client.get(page_of(parent)).content.decode()


def test_a_parent_says_so_of_its_childs_child_too(client, begin):
    top = begin(MoveTownWorkflow, ["stone"])
    middle = child_of(top)
    bottom = child_of(middle)

    (line,) = said(client, top)

    assert line.startswith(f"Step 1 waits for its child kin.MoveHouse {str(middle.id)[:8]}, which is waiting.")
    assert f"a child of its own, kin.Carry {str(bottom.id)[:8]}, which is held as failure." in line
    assert "a stone is too heavy (too_heavy)" in line


def test_a_child_that_moves_is_told_by_its_state_alone(client, begin, env):
    parent = begin(MoveHouseWorkflow, ["stone"])
    child = child_of(parent)
    operations.retry_run(child.id, reason="again")

    assert said(client, parent) == [f"Step 1 waits for its child kin.Carry {str(child.id)[:8]}, which is pending."]


def test_one_held_child_among_many_is_told_before_the_others(client, begin, env):
    parent = begin(MoveHouseWorkflow, [*(["stone"] * 6), "lamp"])
    children = queries.list_children([parent.id])
    last = max((child for child in children if child.status == "held"), key=lambda child: child.parent_seq)
    for child in children:
        if child.status == "held" and child.id != last.id:
            operations.retry_run(child.id, reason="again", input={"label": "lamp"})

    lines = said(client, parent)

    assert f"{str(last.id)[:8]}, which is held as failure" in lines[0]
    assert "which is pending." in lines[1]


def test_an_undo_that_waits_for_its_child_says_why(client, begin, env):
    mock = env.mock(give_back)
    for _ in range(3):
        mock.raises(ConnectionError("the shop is closed"))
    parent = begin(ReturnedWorkflow, "lamp")
    env.skip(HOUR)
    child = child_of(parent)

    lines = said(client, parent)

    assert queries.get_run(parent.id).status == "compensating"
    assert lines[0] == "0 of 1 undo ran; next: kin.Carry."
    assert lines[1].startswith(
        f"Step 3 undoes its child kin.Carry {str(child.id)[:8]}, which is held as compensation failed."
    )
    assert lines[1].endswith("Compensate goes on at the failed undo with fresh attempts.")
    (undo,) = [row for row in read(client, parent).steps if row.is_undo]
    assert (undo.child.url, undo.child.state) == (page_of(child), "held: compensation failed")


def test_a_text_from_outside_is_no_markup_in_what_is_told_of_a_child(client, begin, env, make):
    parent = begin(MoveHouseWorkflow, ["stone"])
    child = child_of(parent)
    Run.objects.filter(pk=child.id).update(
        error=payloads.dumps({"type": "X", "code": "y", "message": "<b>x</b>", "cause": None})
    )

    (told,) = read(client, parent).outlook

    assert "&lt;b&gt;x&lt;/b&gt; (y)" in told and "<b>" not in client.get(page_of(parent)).content.decode()


def test_the_queries_of_a_page_do_not_grow_with_its_children(client, begin):
    few_children, many_children = begin(MoveHouseWorkflow, ["stone", "lamp"]), begin(MoveHouseWorkflow, ["stone"] * 9)
    client.get(page_of(few_children))
    with CaptureQueriesContext(connection) as few:
        client.get(page_of(few_children))
    with CaptureQueriesContext(connection) as many:
        client.get(page_of(many_children))

    assert len(many) == len(few)


def test_more_children_than_the_card_holds_are_behind_a_link(client, begin, monkeypatch):
    monkeypatch.setattr("workflows.admin.kin._MOST_ROWS", 2)
    parent = begin(MoveHouseWorkflow, ["lamp", "chair", "table"])

    card = read(client, parent).children

    assert (len(card.rows), card.more) == (2, True)
    assert set(shown(client, parent=str(parent.id))) == {run.id for run in queries.list_children([parent.id])}
    assert client.get(card.url).status_code == 200


# --- Chains ----------------------------------------------------------------------------------------------------------


def test_links_of_a_chain_lead_to_each_other(client, begin, env):
    first = begin(RoundsWorkflow, 2)
    env.skip(4 * HOUR)
    first = queries.get_run(first.id)
    second = queries.get_run(first.continued_by)
    third = queries.get_run(second.continued_by)

    told = {name: (fact.text, fact.url) for name, fact in facts(client, first).items()}
    assert told["Chain"] == ("link 1", "")
    assert told["Continued by"] == (str(second.id)[:8], page_of(second))
    assert told["Newest link"] == (str(third.id)[:8], page_of(third))
    assert "Continues" not in told
    assert facts(client, third)["Continues"].url == page_of(second)
    assert facts(client, third)["Chain"].text == "link 3"
    assert {"Continued by", "Newest link"} & set(facts(client, third)) == set()


def test_a_run_that_never_continued_says_nothing_of_chains(client, begin):
    assert {"Parent", "Chain", "Continues", "Continued by"} & set(facts(client, begin(SleepWorkflow, 1))) == set()


# --- Attributes and the list -----------------------------------------------------------------------------------------


def test_attributes_stand_on_the_page_as_people_read_them(client, begin):
    page = read(client, begin(LabelledWorkflow, "Ada", Decimal("12.50")))

    assert {fact.name: fact.text for fact in page.attributes} == {
        "customer": "Ada", "amount": "12.50", "loan": str(LOAN), "large": "no", "day": "2026-01-05",
        "at": "2026-01-05 12:00:00 UTC",
    }  # fmt: skip
    assert [fact.name for fact in page.attributes if fact.is_id] == ["loan"]


@pytest.mark.parametrize(
    ("term", "fitting"),
    [
        ("customer:Ada", ["Ada"]),
        ("customer: Ada", ["Ada"]),
        ("customer:ada", []),
        ("amount:12.5", ["Ada"]),
        ("amount__gte:12.5", ["Ada", "Bo"]),
        ("amount__gt:12.5", ["Bo"]),
        (f"loan:{LOAN}", ["Ada", "Bo"]),
        ("unheard:1", []),
        ("customer__near:Ada", []),
        ("amount:1e999999999", []),
        ("customer:", []),
        (":Ada", []),
    ],
)
def test_search_finds_runs_by_an_attribute(client, begin, term, fitting):
    runs = {name: begin(LabelledWorkflow, name, Decimal(amount)) for name, amount in (("Ada", "12.50"), ("Bo", 300))}

    assert set(shown(client, q=term)) == {runs[name].id for name in fitting}


def test_a_key_goes_before_an_attribute_that_is_written_like_it(client, begin, env):
    keyed = begin(SleepWorkflow, 1, key="customer:Ada")
    begin(LabelledWorkflow, "Ada", Decimal(1))

    assert shown(client, q="customer:Ada") == [keyed.id]


def test_the_search_says_how_attributes_are_asked_for(client, begin):
    assert "attribute (name:value, amount__gte:100)" in client.get(LIST).content.decode()


def test_the_list_shows_top_level_runs_or_children_alone(client, begin):
    parent = begin(MoveHouseWorkflow, ["lamp"])
    child = child_of(parent)

    assert set(shown(client)) == {parent.id, child.id}
    assert shown(client, parent="none") == [parent.id]
    assert shown(client, parent="any") == [child.id]
    assert shown(client, parent=str(parent.id)) == [child.id]
    assert shown(client, parent="nonsense") == []


def test_the_list_marks_children_and_links(client, begin, env):
    begin(MoveHouseWorkflow, ["stone"])
    begin(RoundsWorkflow, 1)
    env.skip(HOUR)

    text = client.get(LIST).content.decode()

    assert text.count(">child</span>") == 1
    assert text.count(">link 2</span>") == 1


def test_the_page_of_a_saga_tells_how_it_began(client, env):
    events.publish(ParcelSent("a", "3"))
    env.skip(timedelta(0))

    page = read(client, queries.list_runs(key="parcel:a")[0])

    assert page.history[0].says.startswith("Started by system with the key parcel:a: “tests.ParcelSent ")
