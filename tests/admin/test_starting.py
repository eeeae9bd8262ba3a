"""The start dialog: choose a workflow, fill in its example, get one run."""

from datetime import timedelta
from uuid import uuid4

import pytest

from finaegis.shared.money import Money
from tests.admin import flows
from tests.admin.browsing import messages_of, once_of, start_url
from tests.admin.conftest import page_of, signed_in, without
from tests.talking import HaggleWorkflow  # noqa: F401 - registers it
from treasury import operations as treasury
from workflows import operations, queries
from workflows.core.payloads import MASK
from workflows.models import AuditEntry, InboxItem, Run

pytestmark = pytest.mark.django_db

NAME = "console.Settlement"


def fill_in(client, **fields):
    page = client.get(start_url(NAME))
    return client.post(start_url(NAME), {"once": once_of(page), **flows.TYPED, **fields})


def test_every_registered_workflow_can_be_chosen(client, env):
    page = client.get(start_url()).content.decode()

    assert "Reserve the funds of a trade and settle it." in page
    assert "treasury.CashManagement" in page


def test_the_dialog_has_a_field_for_each_place_of_the_input(client, env):
    form = client.get(start_url("treasury.CashManagement")).context["form"]

    groups = {group.title: [field.label for field in group.fields] for group in form.input_groups()}
    assert groups == {
        "": ["account_id", "amount", "strategy"],
        "constraints": [
            "min_yield", "target_yield", "issuer_limit", "liquidity_floor", "max_duration", "instrument_limits",
        ],
    }  # fmt: skip
    assert form["input.constraints.issuer_limit"].value() == "0.35"


def test_an_address_may_fill_places_in(client, env):
    url = start_url("treasury.CashManagement") + "&strategy=balanced&amount.currency=EUR&reason=injected&once=x"

    form = client.get(url).context["form"]

    assert form["input.strategy"].value() == "balanced"
    assert form["input.amount"].value() == {"amount": "", "currency": "EUR"}
    assert not form["reason"].value()
    assert form["once"].value() != "x"


def test_a_sent_dialog_starts_one_run_as_the_operator(client, env, operator):
    answer = fill_in(client, key="trade:T-1", reason="month end")

    (run,) = queries.list_runs()
    assert answer.url == page_of(run)
    assert (run.workflow, run.key, run.actor, run.status) == (NAME, "trade:T-1", operator.username, "pending")
    assert queries.list_audit(run_id=run.id)[0].reason == "month end"
    assert messages_of(client, answer) == ["Start is accepted; the run is pending."]


def test_a_dialog_that_is_sent_twice_starts_one_run(client, env):
    key = once_of(client.get(start_url(NAME)))
    fields = {"once": key, **flows.TYPED}

    first, second = client.post(start_url(NAME), fields), client.post(start_url(NAME), fields)

    assert first.url == second.url
    assert (Run.objects.count(), AuditEntry.objects.count()) == (1, 1)


def test_a_known_key_leads_to_its_run(client, env):
    first = fill_in(client, key="trade:T-1")

    second = fill_in(client, key="trade:T-1")

    assert second.url == first.url
    assert any("nothing was started anew" in message for message in messages_of(client, second))
    assert Run.objects.count() == 1


def test_a_key_with_another_input_is_refused_and_what_was_typed_stays(client, env):
    fill_in(client, key="trade:T-1")

    answer = fill_in(client, key="trade:T-1", **{"input.trade": "T-2"})

    assert "key_conflict" in answer.content.decode()
    assert answer.context["form"]["input.trade"].value() == "T-2"
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"input.amount_0": "NaN"},
        {"input.amount_0": "1.234"},
        {"input.amount_0": ""},
        {"input.amount_1": ""},
        {"input.amount_1": "XXQ"},
        {"input.trade": ""},
        {"input.trade": "\x00"},
        {"input.ssn": MASK},
        {"key": "k" * 300},
        {"reason": "r" * 5000},
    ],
)
def test_input_that_does_not_fit_starts_nothing(client, env, change):
    answer = fill_in(client, **change)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert (Run.objects.count(), AuditEntry.objects.count()) == (0, 0)


def test_what_is_sent_beside_the_fields_of_the_dialog_is_not_heard(client, env):
    more = {"input.unknown": "1", "input.actor": "somebody", "actor": "somebody", "version": "7", "delay": "5"}

    fill_in(client, **more)

    (run,) = queries.list_runs()
    assert (run.version, run.actor, set(run.input)) == (1, "the-operator", {"trade", "amount", "ssn"})


def cash_fields(page, **fields):
    typed = {"input.account_id": str(uuid4()), "input.amount_0": "100.00", "input.amount_1": "USD"}
    return {"once": once_of(page), **typed, "input.strategy": "balanced", **fields}


def test_a_start_check_that_says_no_is_an_error_of_the_form(client, env):
    page = client.get(start_url("treasury.CashManagement"))

    answer = client.post(start_url("treasury.CashManagement"), cash_fields(page))

    assert "(unknown_account)" in answer.content.decode()
    assert Run.objects.count() == 0


def test_what_is_left_empty_takes_the_workflows_own_defaults(client, env):
    account = treasury.open_treasury_account(
        name="Main", currency="USD", initial_balance=Money(1000, "USD"), key="open-1"
    )
    page = client.get(start_url("treasury.CashManagement"))
    fields = cash_fields(page, **{"input.account_id": str(account.id), "input.constraints.target_yield": "5.0"})

    client.post(start_url("treasury.CashManagement"), fields)

    (run,) = queries.list_runs()
    assert run.input["constraints"] == {
        "min_yield": None, "target_yield": "5.0", "issuer_limit": "0.35", "liquidity_floor": "0.20",
        "max_duration": "4.0", "instrument_limits": {},
    }  # fmt: skip


def test_without_the_permission_there_is_no_dialog_and_no_button(env, operator):
    client = signed_in(without(operator, "start_run"))

    assert [client.get(start_url()).status_code, client.post(start_url(NAME), {}).status_code] == [403, 403]
    assert start_url() not in client.get(page_list()).content.decode()


def page_list():
    return start_url().replace("start/", "")


def test_an_unknown_workflow_is_404(client, env):
    assert client.get(start_url("console.Nothing")).status_code == 404
    assert client.post(start_url("console.Nothing"), {}).status_code == 404


# --- With a message --------------------------------------------------------------------------------------------------


HAGGLE = "talk.Haggle"


def haggle(client, **fields):
    page = client.get(start_url(HAGGLE))
    return client.post(start_url(HAGGLE), {"once": once_of(page), "input.least": "10", **fields})


def test_a_signal_goes_along_with_a_start(client, env):
    answer = haggle(client, key="k", message="signal say", message_arguments='{"text": "good day"}')
    env.skip(timedelta(0))

    (run,) = queries.list_runs()
    assert answer.url == page_of(run)
    assert operations.query_run(run.id, "said") == ["good day (none, 0)"]


def test_an_update_goes_along_with_a_start_and_its_answer_is_told(client, env):
    answer = haggle(client, key="k", message="update offer", message_arguments="[5]")

    assert any("5 is thought about" in text for text in messages_of(client, answer))
    assert len(queries.list_runs()) == 1


def test_an_update_that_is_refused_says_that_the_run_stands(client, env):
    answer = haggle(client, key="k", message="update offer", message_arguments="[0]")

    assert any("The run stands" in text and "0 is no offer" in text for text in messages_of(client, answer))
    assert len(queries.list_runs()) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "signal say", "message_arguments": '{"text": "x"}'},
        {"key": "k", "message": "signal nosuch"},
        {"key": "k", "message": "signal say"},
        {"key": "k", "message": "signal say", "message_arguments": "7"},
        {"key": "k", "message": "signal say", "message_arguments": "{"},
        {"key": "k", "message": "update offer", "message_arguments": '["much"]'},
    ],
)
def test_a_message_that_does_not_fit_starts_nothing(client, env, fields):
    answer = haggle(client, **fields)

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert (Run.objects.count(), InboxItem.objects.count()) == (0, 0)


def test_who_may_not_signal_is_offered_no_signal(operator, env):
    restricted = signed_in(without(operator, "signal_run"))

    offered = restricted.get(start_url(HAGGLE)).context["form"].fields["message"].choices

    assert [name for name, _ in offered] == ["", "update offer"]
