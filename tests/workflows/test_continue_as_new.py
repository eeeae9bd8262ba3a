"""SEMANTICS A6, issue 10.1: continue-as-new: a chain has one key, one plan, one time-out, one set of dedupe keys."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.workflows import effects
from tests.workflows.cast import NOW, make, refuse, undo_write, write
from tests.workflows.improvised import HOUR, ImprovisedWorkflow, begin, improvise, state
from tests.workflows.views import entries, kinds
from workflows import Cancelled, Workflow, WorkflowFailed, operations, queries, query, signal, update
from workflows.contracts import WorkflowRun
from workflows.core.errors import KeyConflict, NothingToCompensate, WaitTimeout
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


class RoundsWorkflow(Workflow[list[str]]):
    """Takes rounds; each is a link of the chain. Words of earlier rounds are passed on."""

    name = "continuing.Rounds"
    run_timeout = timedelta(hours=10)

    def __init__(self) -> None:
        self.words: list[str] = []
        self.round = 0

    async def execute(self, rounds: int, heard: list[str] | None = None, makes: bool = False) -> list[str]:
        self.words = list(heard or [])
        self.round = rounds
        self.set_attributes(round=rounds)
        if makes:
            await self.activity(make, label=f"round {rounds}")
        await self.sleep(HOUR)
        if rounds == 0:
            return self.words
        if rounds < 0:
            await self.activity(refuse, label="the last round")
        self.continue_as_new(rounds - 1, self.words, makes)

    @signal
    def say(self, word: str) -> None:
        """Note a word."""
        self.words.append(word)

    @query
    def current(self) -> int:
        """The round it is in."""
        return self.round

    @update
    def count(self) -> int:
        """How many words there are."""
        return len(self.words)


def links(run_id: uuid.UUID) -> list[WorkflowRun]:
    """Every run of a chain, in order."""
    found = [run for run in queries.list_runs(workflow="continuing.Rounds") if run.chain_id == run_id]
    return sorted(found, key=lambda run: run.link)


def start(env: WorkflowEnvironment, *args: Any, **kwargs: Any) -> WorkflowRun:
    run = env.start(RoundsWorkflow, *args, **kwargs)
    env.skip(NOW)
    return run


# --- The chain -------------------------------------------------------------------------------------------------------


def test_the_result_of_a_chain_is_that_of_its_last_link(workflow_env: WorkflowEnvironment) -> None:
    assert workflow_env.run(RoundsWorkflow, 3, ["a"]) == ["a"]


def test_each_link_is_a_run_with_a_history_of_its_own(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2)
    workflow_env.skip(3 * HOUR)

    chain = links(run.id)
    assert [(link.link, link.status) for link in chain] == [(1, "continued"), (2, "continued"), (3, "completed")]
    assert chain[0].continued_by == chain[1].id and chain[2].continued_by is None
    assert all(kinds(link.id)[0] == "RunStarted" for link in chain)
    (end,) = entries(run.id, "RunContinued")
    assert end["next"] == str(chain[1].id)


def test_waiting_for_the_first_link_gives_the_result_of_the_chain(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2, ["x"])

    assert operations.wait_for_result(run.id, timedelta(hours=4)) == ["x"]


def test_waiting_for_a_chain_that_goes_on_times_out(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 5)

    with pytest.raises(WaitTimeout):
        operations.wait_for_result(run.id, timedelta(hours=2))


def test_the_first_link_keeps_its_status_and_tells_the_chains_result(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 1, ["x"])
    workflow_env.skip(2 * HOUR)

    first = queries.get_run(run.id)
    assert (first.status, first.result, first.error) == ("continued", ["x"], None)


def test_a_failed_chain_tells_its_error_by_the_first_id(workflow_env: WorkflowEnvironment) -> None:
    async def failing(workflow: ImprovisedWorkflow) -> Any:
        if workflow.info.key == "second":
            raise AssertionError
        workflow.continue_as_new(improvise(refusing))

    async def refusing(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(refuse, label="x")

    with pytest.raises(WorkflowFailed) as failed:
        workflow_env.run(ImprovisedWorkflow, improvise(failing))

    assert failed.value.code == "cast_refused"


# --- Key and time-out ------------------------------------------------------------------------------------------------


def test_the_key_is_the_chains(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2, key="rounds:1")
    workflow_env.skip(HOUR)

    assert [link.key for link in links(run.id)] == ["rounds:1", "rounds:1"]
    again = operations.start_run(RoundsWorkflow, 2, key="rounds:1")
    assert (again.id, again.created) == (run.id, False)
    with pytest.raises(KeyConflict):
        operations.start_run(RoundsWorkflow, 7, key="rounds:1")


def test_the_code_sees_the_chains_key(workflow_env: WorkflowEnvironment) -> None:
    async def first(workflow: ImprovisedWorkflow) -> Any:
        workflow.continue_as_new(improvise(second))

    async def second(workflow: ImprovisedWorkflow) -> Any:
        return workflow.info.key

    assert workflow_env.run(ImprovisedWorkflow, improvise(first), key="chain") == "chain"


def test_the_time_out_runs_from_the_first_links_start(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 20)
    workflow_env.skip(timedelta(hours=10))

    assert links(run.id)[-1].status == "timed_out"
    assert queries.get_run(queries.current_run_id(run.id)).closed_at == run.created_at + timedelta(hours=10)


# --- What is said to a chain -----------------------------------------------------------------------------------------


def test_a_signal_by_the_first_id_reaches_the_link_that_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2)
    workflow_env.skip(HOUR)

    operations.signal_run(run.id, "say", "hello")
    workflow_env.skip(3 * HOUR)

    assert operations.wait_for_result(run.id, HOUR) == ["hello"]


def test_a_signal_key_works_once_along_the_chain(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 3)
    for _ in range(3):
        operations.signal_run(run.id, "say", "once", key="k")
        workflow_env.skip(HOUR)

    workflow_env.skip(2 * HOUR)

    assert operations.wait_for_result(run.id, HOUR) == ["once"]


def test_a_signal_that_comes_in_the_instant_it_continues_is_met_by_the_next_link(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = start(workflow_env, 1)
    workflow_env.now += HOUR  # the timer is due, and nobody has looked yet
    workflow_env.now += timedelta(seconds=5)
    operations.signal_run(run.id, "say", "late")
    workflow_env.skip(2 * HOUR)

    first, second = links(run.id)
    assert entries(first.id, "SignalReceived") == []
    assert len(entries(second.id, "SignalReceived")) == 1
    assert operations.wait_for_result(run.id, HOUR) == ["late"]


def test_a_query_by_the_first_id_asks_the_link_that_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2)
    workflow_env.skip(HOUR)

    assert operations.query_run(run.id, "current") == 1


def test_an_update_by_the_first_id_reaches_the_link_that_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2, ["a", "b"])
    workflow_env.skip(HOUR)

    assert operations.update_run(run.id, "count", id="u1") == 2
    assert operations.update_run(run.id, "count", id="u1") == 2


def test_a_known_update_gives_its_stored_answer_along_the_chain(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 2, ["a"])
    assert operations.update_run(run.id, "count", id="u1") == 1
    operations.signal_run(run.id, "say", "b")
    workflow_env.skip(HOUR)

    assert operations.update_run(run.id, "count", id="u1") == 1


def test_a_cancel_by_the_first_id_reaches_the_link_that_goes_on(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 3)
    workflow_env.skip(HOUR)

    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert [link.status for link in links(run.id)] == ["continued", "cancelled"]


def test_a_cancel_that_comes_in_the_instant_it_continues_reaches_the_next_link(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = start(workflow_env, 3)
    workflow_env.now += HOUR + timedelta(seconds=5)
    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert [link.status for link in links(run.id)] == ["continued", "cancelled"]


# --- One plan --------------------------------------------------------------------------------------------------------


def test_a_failure_in_a_later_link_undoes_what_earlier_ones_did_newest_first(
    workflow_env: WorkflowEnvironment,
) -> None:
    run = start(workflow_env, 1, [], True)
    workflow_env.skip(HOUR)
    undone = [item.arguments["label"] for item in queries.get_compensation_plan(run.id)]
    assert undone == ["round 0", "round 1"]

    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert [effects.count(f"undo round {number}") for number in (0, 1)] == [1, 1]
    last = queries.current_run_id(run.id)
    order = [entry["origin"] for entry in entries(last, "CompensationStarted")]
    assert order == [1, -1]


def test_an_undo_of_an_earlier_link_gets_that_steps_key(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 1, [], True)
    (step,) = [step for step in queries.list_steps(run.id) if step.name == "cast.make"]
    workflow_env.skip(HOUR)

    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert effects.count(f"undone key {step.key}") == 1


def test_a_completed_chain_is_compensated_by_its_first_id(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 1, [], True)
    workflow_env.skip(2 * HOUR)

    operations.compensate_run(run.id, reason="reversed")
    workflow_env.skip(NOW)

    assert [link.status for link in links(run.id)] == ["continued", "compensated"]
    assert effects.count("undo round 1") == 1


def test_an_undo_that_ran_is_not_carried_on(workflow_env: WorkflowEnvironment) -> None:
    async def first(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(make, label="undone")
        await workflow.compensate()
        workflow.add_compensation(undo_write, label="by hand")
        await workflow.activity(write, label="x")
        workflow.continue_as_new(improvise(second))

    async def second(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(refuse, label="x")

    run = begin(workflow_env, first)

    assert state(queries.current_run_id(run.id)) == "compensated"
    assert (effects.count("undo undone"), effects.count("undo by hand")) == (1, 1)


def test_a_chain_without_effects_has_nothing_to_undo(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 1)
    workflow_env.skip(2 * HOUR)

    with pytest.raises(NothingToCompensate):
        operations.compensate_run(run.id, reason="nothing")


# --- Children and chains ---------------------------------------------------------------------------------------------


def test_a_parent_waits_for_the_end_of_its_childs_chain(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(RoundsWorkflow, 2, ["a"])

    assert workflow_env.run(ImprovisedWorkflow, improvise(parent)) == ["a"]


def test_a_childs_chain_is_undone_as_one_item(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        await workflow.child(RoundsWorkflow, 1, None, True)
        await workflow.activity(refuse, label="x")

    run = begin(workflow_env, parent)
    workflow_env.skip(2 * HOUR)

    assert state(run.id) == "compensated"
    assert [effects.count(f"undo round {number}") for number in (0, 1)] == [1, 1]


def test_a_cancel_reaches_the_last_link_of_a_childs_chain(workflow_env: WorkflowEnvironment) -> None:
    async def parent(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.child(RoundsWorkflow, 5)

    run = begin(workflow_env, parent)
    workflow_env.skip(2 * HOUR)
    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    (child,) = [run for run in queries.list_runs(workflow="continuing.Rounds") if run.link == 1]
    assert state(queries.current_run_id(child.id)) == "cancelled" and state(run.id) == "cancelled"


def test_a_parent_that_continued_undoes_the_child_of_an_earlier_link(workflow_env: WorkflowEnvironment) -> None:
    async def making(workflow: ImprovisedWorkflow) -> Any:
        return await workflow.activity(make, label="child")

    async def first(workflow: ImprovisedWorkflow) -> Any:
        await workflow.child(ImprovisedWorkflow, improvise(making))
        workflow.continue_as_new(improvise(second))

    async def second(workflow: ImprovisedWorkflow) -> Any:
        await workflow.activity(refuse, label="x")

    run = begin(workflow_env, first)

    assert state(queries.current_run_id(run.id)) == "compensated"
    assert effects.count("undo child") == 1


# --- Where it is refused ---------------------------------------------------------------------------------------------


def test_it_is_refused_while_a_step_is_open(workflow_env: WorkflowEnvironment) -> None:
    async def open_step(workflow: ImprovisedWorkflow) -> Any:
        workflow.start(write, label="open")
        workflow.continue_as_new("never")

    run = begin(workflow_env, open_step)

    error = queries.get_run(run.id).error
    assert error is not None and "while steps are open: 1 (cast.write)" in error["message"]


def test_it_is_refused_in_a_branch(workflow_env: WorkflowEnvironment) -> None:
    async def branch(workflow: ImprovisedWorkflow) -> Any:
        workflow.continue_as_new("never")

    async def gathering(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(branch(workflow), workflow.sleep(HOUR))

    run = begin(workflow_env, gathering)
    workflow_env.skip(HOUR)

    error = queries.get_run(run.id).error
    assert error is not None and "called by execute itself" in error["message"]


def test_a_bad_input_raises_in_the_code(workflow_env: WorkflowEnvironment) -> None:
    async def wrong(workflow: ImprovisedWorkflow) -> Any:
        workflow.continue_as_new(code=5)

    run = begin(workflow_env, wrong)

    assert state(run.id) == "failed"
    assert queries.get_run(run.id).error["code"] == "invalid_input"  # type: ignore[index]


def test_clean_up_may_continue_instead_of_ending(workflow_env: WorkflowEnvironment) -> None:
    async def first(workflow: ImprovisedWorkflow) -> Any:
        try:
            await workflow.sleep(HOUR)
        except Cancelled:
            workflow.continue_as_new(improvise(second))

    async def second(workflow: ImprovisedWorkflow) -> Any:
        return "went on"

    run = begin(workflow_env, first)
    operations.cancel_run(run.id, reason="enough")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "went on"


def test_attributes_go_along(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 1)
    workflow_env.skip(2 * HOUR)

    assert [link.attributes for link in links(run.id)] == [{"round": 1}, {"round": 0}]


def test_attributes_set_in_the_activation_that_continues_go_along(workflow_env: WorkflowEnvironment) -> None:
    async def first(workflow: ImprovisedWorkflow) -> Any:
        workflow.set_attributes(stage="first", draft=True)
        workflow.set_attributes(draft=None)
        workflow.continue_as_new(improvise(second))

    async def second(workflow: ImprovisedWorkflow) -> Any:
        return "done"

    run = begin(workflow_env, first)

    assert queries.get_run(queries.current_run_id(run.id)).attributes == {"stage": "first"}
    assert len(queries.list_runs(attributes={"stage": "first"})) == 2


def test_a_timer_is_moved_by_the_first_id(workflow_env: WorkflowEnvironment) -> None:
    async def sleeping(workflow: ImprovisedWorkflow) -> Any:
        await workflow.sleep(HOUR)
        if workflow.info.run_id == first_id:
            workflow.continue_as_new(improvise(sleeping))
        return "woken"

    run = workflow_env.start(ImprovisedWorkflow, improvise(sleeping))
    first_id = run.id
    workflow_env.skip(HOUR)

    operations.move_timer(run.id, 1, due_at=workflow_env.now, reason="now")
    workflow_env.skip(NOW)

    assert queries.get_run(run.id).result == "woken"
    assert [entry.act for entry in queries.list_audit(run_id=queries.current_run_id(run.id))] == ["reschedule"]


def test_a_restart_between_links_changes_nothing(workflow_env: WorkflowEnvironment) -> None:
    run = start(workflow_env, 3, ["a"])
    for _ in range(5):
        workflow_env.restart()
        workflow_env.skip(HOUR)

    assert operations.wait_for_result(run.id, HOUR) == ["a"]
    assert len(links(run.id)) == 4
