"""Signals, queries and updates as the machine takes them: in order, checked, answered once, and the same on replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.core.flows import ProbeRefusal, ProbeWorkflow, labels, other_step, probe, step
from tests.core.memory import MemoryRun, scheduled
from workflows import NonDeterminismError, Workflow, query, signal, update
from workflows.core.commands import CancelStep, CompleteUpdate
from workflows.core.errors import DefinitionError
from workflows.core.machine import Finished
from workflows.core.messages import MessageKind

pytestmark = pytest.mark.usefixtures("runs_replay")

HOUR = timedelta(hours=1)


async def listening(workflow: ProbeWorkflow) -> list[str]:
    """Waits for the word `stop`; gives what it heard."""
    await workflow.wait_for(lambda: "stop" in workflow.heard)
    return list(workflow.heard)


@pytest.fixture
def run() -> MemoryRun:
    """A run that listens."""
    begun = probe(listening)
    begun.start()
    return begun


# --- Signals ---------------------------------------------------------------------------------------------------------


def test_signals_reach_the_code_in_the_order_of_their_delivery(run: MemoryRun) -> None:
    for word in ("one", "two", "three", "stop"):
        run.signal("say", word=word)

    assert run.machine.finished == Finished(result=["one", "two", "three", "stop"])


def test_a_handler_that_awaits_is_a_branch_of_its_own(run: MemoryRun) -> None:
    assert labels(run.signal("do", label="a")) == ["a"]
    assert labels(run.signal("do", label="b")) == ["b"]
    run.complete(3)
    run.complete(2)
    run.signal("say", word="stop")

    assert run.machine.finished == Finished(result=["did b", "did a", "stop"])


def test_a_handler_that_fails_fails_the_run(run: MemoryRun) -> None:
    assert run.signal("fail", why="no") == [CancelStep(1, "wait_for")]

    finished = run.machine.finished
    assert finished is not None
    assert finished.error is not None
    assert (finished.error["type"], finished.error["code"], finished.error["message"]) == (
        "ProbeRefusal",
        "probe_refused",
        "no",
    )


def test_a_handler_that_fails_after_a_step_fails_the_run(run: MemoryRun) -> None:
    run.signal("fail_after", label="a")
    assert run.machine.finished is None

    run.complete(2)

    assert run.machine.finished is not None
    assert run.machine.finished.error is not None
    assert run.machine.finished.error["message"] == "after a"


def test_a_failed_step_that_leaves_a_handler_is_the_failed_step_of_the_run(run: MemoryRun) -> None:
    run.signal("do", label="a")
    run.fail(2, "no")

    assert run.machine.finished is not None
    assert run.machine.finished.failed_step == 2


def test_a_failure_waits_for_what_has_started_and_is_that_of_the_fact_it_came_on(run: MemoryRun) -> None:
    run.signal("do", label="a")
    run.begin(2)
    run.signal("fail", why="no")
    at = run.events[-2].position
    assert run.machine.finished is None

    run.complete(2)

    assert run.machine.finished is not None
    assert run.machine.finished.failed_at == at


@pytest.mark.parametrize(("name", "arguments"), [
    ("fail", {"why": "too late"}), ("do", {"label": "too late"}), ("fail_after", {"label": "too late"}),
])  # fmt: skip
def test_a_signal_after_the_code_has_ended_reaches_nobody(name: str, arguments: dict[str, str]) -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.complete(2)

    assert run.signal(name, **arguments) == []
    run.complete(1)
    assert run.machine.finished == Finished(result="done")


def test_an_update_after_the_code_has_ended_asks_for_nothing() -> None:
    async def body(workflow: ProbeWorkflow) -> str:
        workflow.start(step, label="a")
        await workflow.activity(step, label="b")
        return "done"

    run = probe(body)
    run.start()
    run.begin(1)
    run.complete(2)

    assert run.update("do_and_tell", label="too late") == []
    run.complete(1)
    assert run.machine.finished == Finished(result="done")


def test_a_handler_reaches_the_code_before_conditions_are_asked(run: MemoryRun) -> None:
    """A handler that awaits runs on until it waits, then the wait goes on."""
    commands = run.signal("say", word="stop")

    assert [type(command).__name__ for command in commands] == ["SatisfyWait"]
    assert run.machine.finished is not None


def test_a_signal_that_the_code_has_no_more_is_a_mismatch(run: MemoryRun) -> None:
    events = list(run.events)
    run.signal("say", word="one")
    (told,) = [event for event in run.events if event not in events]
    told.data["name"] = "gone"

    with pytest.raises(NonDeterminismError, match="no signal named 'gone'"):
        run.replayed()
    told.data["name"] = "say"


def test_arguments_that_the_code_takes_no_more_are_a_mismatch(run: MemoryRun) -> None:
    run.signal("say", word="one")
    told = run.events[-1]
    told.data["args"] = {"word": ["a", "list"]}

    with pytest.raises(NonDeterminismError, match="does not take what say was sent"):
        run.replayed()
    told.data["args"] = {"word": "one"}


# --- Updates ---------------------------------------------------------------------------------------------------------


def test_an_update_is_answered_in_its_activation_with_what_its_method_returns(run: MemoryRun) -> None:
    assert run.update("add", id="1", word="one") == [CompleteUpdate("1", "add", result=1)]
    assert run.update("add", id="2", word="two") == [CompleteUpdate("2", "add", result=2)]


def test_an_error_in_the_method_is_the_answer_and_the_run_goes_on(run: MemoryRun) -> None:
    (answer,) = run.update("add", word="unspeakable")

    assert isinstance(answer, CompleteUpdate)
    assert answer.error is not None
    assert (answer.error["code"], answer.error["message"]) == ("probe_refused", "nobody says that")
    assert not run.machine.ended


def test_an_update_that_awaits_is_answered_when_its_method_ends(run: MemoryRun) -> None:
    assert labels(run.update("do_and_tell", id="u", label="a")) == ["a"]

    assert run.complete(2, "A") == [CompleteUpdate("u", "do_and_tell", result="A")]


def test_a_failed_step_of_an_update_is_its_answer_and_the_run_goes_on(run: MemoryRun) -> None:
    run.update("do_and_tell", label="a")

    (answer,) = run.fail(2, "no", code="blocked")

    assert isinstance(answer, CompleteUpdate)
    assert answer.error is not None
    assert answer.error["code"] == "blocked"
    assert not run.machine.ended


def test_the_end_of_the_code_is_the_answer_of_an_update_that_is_not_ready(run: MemoryRun) -> None:
    run.update("do_and_tell", id="u", label="a")

    commands = run.signal("say", word="stop")

    (answer,) = [command for command in commands if isinstance(command, CompleteUpdate)]
    assert answer.error is not None
    assert answer.error["code"] == "cancelled"
    assert run.machine.finished == Finished(result=["a", "stop"])


def test_an_answer_of_the_wrong_type_is_an_error_of_the_update() -> None:
    class AnsweringWorkflow(Workflow[None]):
        name = "messages.Answering"

        async def execute(self) -> None:
            await self.sleep(HOUR)

        @update
        def count(self) -> int:
            return "many"  # type: ignore[return-value]

    run = MemoryRun(AnsweringWorkflow)
    run.start()
    (answer,) = run.update("count")

    assert isinstance(answer, CompleteUpdate)
    assert answer.error is not None
    assert answer.error["code"] == "invalid_input"
    assert not run.machine.ended


def test_a_validator_that_raises_changes_nothing(run: MemoryRun) -> None:
    before = list(run.events)

    with pytest.raises(ProbeRefusal, match="an empty word"):
        run.machine.check_update("add", {"word": ""})

    assert run.events == before
    run.signal("say", word="stop")
    assert run.machine.finished == Finished(result=["stop"])


def test_a_validator_that_asks_for_something_is_a_violation(run: MemoryRun) -> None:
    with pytest.raises(NonDeterminismError, match="the validator of add may only read"):
        run.machine.check_update("add", {"word": "meddle"})

    assert run.machine.violation is not None


# --- Queries ---------------------------------------------------------------------------------------------------------


def test_a_query_answers_from_the_state_as_it_stands(run: MemoryRun) -> None:
    run.signal("say", word="one")
    assert run.machine.query("last", {}) == "one"
    run.signal("say", word="two")

    assert run.machine.query("last", {}) == "two"
    assert run.replayed().query("last", {}) == "two"


def test_a_query_answers_after_the_end(run: MemoryRun) -> None:
    run.signal("say", word="stop")

    assert run.replayed().query("last", {}) == "stop"


def test_what_a_query_raises_is_raised_and_the_machine_goes_on(run: MemoryRun) -> None:
    with pytest.raises(IndexError):
        run.machine.query("last", {})

    run.signal("say", word="stop")
    assert run.machine.finished is not None


@pytest.mark.parametrize("how", ["track", "start", "undo", "uuid4", "random", "side_effect", "patched"])
@pytest.mark.parametrize("caught", [False, True])
def test_a_query_that_asks_for_something_is_a_violation_though_it_catches_it(
    run: MemoryRun, how: str, caught: bool
) -> None:
    with pytest.raises(NonDeterminismError, match="query meddle may only read"):
        run.replayed().query("meddle", {"how": how, "caught": caught})


# --- Declared --------------------------------------------------------------------------------------------------------


def test_messages_are_found_by_kind_and_name_and_inherited() -> None:
    class ChildWorkflow(ProbeWorkflow):
        name = "messages.Child"

        @signal
        def say(self, word: str) -> None:
            """Note it twice."""
            self.heard += [word, word]

    definition = ChildWorkflow.definition
    assert set(definition.messages) >= {"say", "do", "last", "add"}
    assert definition.message(MessageKind.QUERY, "say") is None
    run = MemoryRun(ChildWorkflow, body="listening")
    run.start()
    run.signal("say", word="one")
    assert run.machine.query("last", {}) == "one"
    run.signal("say", word="stop")
    assert run.machine.finished == Finished(result=["one", "one", "stop", "stop"])


def test_a_message_is_an_ordinary_method_for_the_code_itself() -> None:
    async def body(workflow: ProbeWorkflow) -> Any:
        workflow.say("one")
        workflow.say(word="two")
        return workflow.add("three")

    run = probe(body)
    run.start()

    assert run.machine.finished == Finished(result=3)


@pytest.mark.parametrize("declaring", ["query", "validator"])
def test_what_answers_at_once_is_not_async(declaring: str) -> None:
    async def answers(self: Any) -> int:
        return 1

    def change(self: Any) -> int:
        return 1

    with pytest.raises(DefinitionError, match="async"):
        _ = query(answers) if declaring == "query" else update(change).validator(answers)  # type: ignore[arg-type]


def test_only_an_update_has_a_validator() -> None:
    def listen(self: Any) -> None: ...

    with pytest.raises(DefinitionError, match="only an update"):
        signal(listen).validator(listen)


def test_a_validator_takes_the_arguments_of_its_update() -> None:
    def change(self: Any, amount: int) -> None: ...

    def check(self: Any, sum: int) -> None: ...

    with pytest.raises(DefinitionError, match="same arguments"):
        update(change).validator(check)


@pytest.mark.parametrize("thing", [None, 7, "text"])
@pytest.mark.parametrize("declare", [signal, query, update])
def test_a_message_stands_on_a_method(declare: Any, thing: Any) -> None:
    with pytest.raises(DefinitionError, match="stands on a method"):
        declare(thing)


def test_a_handler_may_wait_and_go_on_by_what_other_messages_bring() -> None:
    class AskingWorkflow(ProbeWorkflow):
        name = "messages.Asking"

        @update
        async def ask(self, who: str) -> str:
            """Answered by a signal."""
            await self.wait_for(lambda: who in self.heard)
            await self.activity(other_step, label=who)
            return f"{who} has answered"

    run = MemoryRun(AskingWorkflow, body="listening")
    run.start()
    run.update("ask", id="1", who="ada")
    run.update("ask", id="2", who="bob")
    assert scheduled(run.signal("say", word="bob")) == ["flows.other_step"]

    (answer,) = run.complete(4)

    assert answer == CompleteUpdate("2", "ask", result="bob has answered")
