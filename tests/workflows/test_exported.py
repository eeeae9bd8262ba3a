"""Histories as files: exported, read back, replayed by the code as it is now, wherever a run had got to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.core.memory import standing
from tests.workflows.cast import NOW, make, refuse, refuse_until_repaired, write
from tests.workflows.improvised import (
    HOUR,
    HeldWorkflow,
    ImprovisedWorkflow,
    begin,
    improvise,
    later,
    settle,
    state,
)
from workflows import NonDeterminismError, Sensitive, Workflow, activity, operations, queries
from workflows.core.errors import InvalidInput, NotFound, UnknownWorkflow
from workflows.core.histories import FORMAT, replay_history
from workflows.testing import WorkflowEnvironment

pytestmark = pytest.mark.usefixtures("proven")


@activity(name="exported.note")
def note(*, ssn: Sensitive[str]) -> Sensitive[str]:
    return ssn


class SecretWorkflow(Workflow[str]):
    """Knows a secret."""

    name = "exported.Secret"

    async def execute(self, ssn: Sensitive[str]) -> str:
        noted = await self.activity(note, ssn=ssn)
        return "same" if noted.reveal() == ssn.reveal() else "different"


async def full_of_everything(workflow: ImprovisedWorkflow) -> Any:
    workflow.track("began", {"at": workflow.now().isoformat(), "id": str(workflow.uuid4())})
    await workflow.side_effect(lambda: workflow.info.attempt)
    way = workflow.patched("everything")
    both = await workflow.gather(workflow.activity(make, label="a"), workflow.activity(later, label="b"))
    await workflow.first_of(workflow.sleep(HOUR), workflow.activity(later, label="c"))
    heard = await workflow.wait_for(lambda: "stop" in workflow.heard, timeout=HOUR)
    await workflow.compensate()
    return [way, both, heard, await workflow.activity(write, label="d")]


def exported(run_id: Any, folder: Path) -> Path:
    """A file as `manage.py workflow export` writes it."""
    path = folder / "history.jsonl"
    path.write_text("".join(f"{line}\n" for line in queries.export_history(run_id)), encoding="utf-8")
    return path


def test_a_history_is_replayed_from_its_file_at_each_point_of_a_run(
    workflow_env: WorkflowEnvironment, tmp_path: Path
) -> None:
    run = workflow_env.start(ImprovisedWorkflow, improvise(full_of_everything))
    acts: list[Any] = [
        lambda: None,
        lambda: workflow_env.skip(NOW),
        lambda: settle("b"),
        lambda: workflow_env.skip(NOW),
        lambda: workflow_env.skip(HOUR),
        lambda: settle("c"),
        lambda: operations.signal_run(run.id, "say", "one"),
        lambda: workflow_env.skip(NOW),
        lambda: operations.update_run(run.id, "add", "stop"),
        lambda: workflow_env.skip(NOW),
    ]
    for act in acts:
        act()
        workflow_env.replay(exported(run.id, tmp_path))

    assert state(run.id) == "completed"
    assert queries.get_run(run.id).result == [True, ["made a", "did b"], True, "wrote d"]


def test_a_file_read_back_tells_the_same_history(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    run = begin(workflow_env, full_of_everything)
    given = queries.read_history(run.id)

    read = queries.parse_history(exported(run.id, tmp_path).read_text().splitlines())

    assert read == given
    assert list(queries.export_history(run.id)) == exported(run.id, tmp_path).read_text().splitlines()


def test_the_first_line_is_the_run_and_each_other_one_an_event(
    workflow_env: WorkflowEnvironment, tmp_path: Path
) -> None:
    run = begin(workflow_env, full_of_everything, key="k")

    header, *events = [json.loads(line) for line in exported(run.id, tmp_path).read_text().splitlines()]

    assert (header["format"], header["run"], header["workflow"], header["version"], header["key"]) == (
        FORMAT, str(run.id), "improvised.Run", 1, "k",
    )  # fmt: skip
    assert [event["kind"] for event in events] == [entry.kind for entry in queries.get_history(run.id)]
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))


def test_code_that_no_longer_fits_is_named(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    async def old(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(make, label="a")

    async def changed(workflow: ImprovisedWorkflow) -> None:
        await workflow.activity(write, label="a")

    run = begin(workflow_env, old)
    changed.__name__ = "old"
    improvise(changed)

    with pytest.raises(NonDeterminismError) as mismatch:
        workflow_env.replay(exported(run.id, tmp_path))

    assert (mismatch.value.expected, mismatch.value.found) == (
        "schedule activity cast.make",
        "schedule activity cast.write",
    )
    improvise(old)


def test_a_replay_runs_nothing_and_writes_nothing(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    run = begin(workflow_env, full_of_everything)
    calls, history = len(workflow_env.calls(make)), queries.get_history(run.id)

    workflow_env.replay(exported(run.id, tmp_path))

    assert len(workflow_env.calls(make)) == calls
    assert queries.get_history(run.id) == history


def test_a_replay_after_a_retry_stands_where_the_run_stands(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    async def body(workflow: ImprovisedWorkflow) -> Any:
        await workflow.gather(workflow.activity(make, label="a"), workflow.activity(refuse_until_repaired, label="b"))
        await workflow.sleep(HOUR)

    run = begin(workflow_env, body, HeldWorkflow)
    workflow_env.mock(refuse_until_repaired).returns("repaired")
    operations.retry_run(run.id, reason="repaired")
    workflow_env.skip(NOW)

    machine = replay_history(queries.parse_history(exported(run.id, tmp_path).read_text().splitlines()))

    (steps, *_), waiting = standing(machine), [step for step in queries.list_steps(run.id) if step.settled_at is None]
    assert [name for _, _, name, *_ in steps] == [step.name for step in waiting] == ["sleep"]
    machine.dispose()


def test_secrets_stay_encrypted_in_the_file_and_are_readable_for_the_replay(
    workflow_env: WorkflowEnvironment, tmp_path: Path
) -> None:
    run = workflow_env.start(SecretWorkflow, Sensitive("078-05-1120"))
    assert workflow_env.finish(run.id) == "same"

    path = exported(run.id, tmp_path)

    assert "078-05-1120" not in path.read_text()
    workflow_env.replay(path)


def test_a_history_of_code_that_is_not_here_is_refused(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    run = begin(workflow_env, full_of_everything)
    path = exported(run.id, tmp_path)
    path.write_text(path.read_text().replace("improvised.Run", "improvised.Gone"))

    with pytest.raises(UnknownWorkflow, match=r"improvised\.Gone"):
        workflow_env.replay(path)


@pytest.mark.parametrize(("spoil", "line"), [
    (lambda lines: [], "no history"),
    (lambda lines: lines[:1], "no history"),
    (lambda lines: lines[1:], "line 1"),
    (lambda lines: [*lines, "{"], "line"),
    (lambda lines: [lines[0], lines[1].replace("RunStarted", "RunDreamt")], "line 2"),
    (lambda lines: [lines[0].replace('"format":1', '"format":99'), *lines[1:]], "line 1"),
    (lambda lines: ["[]", *lines[1:]], "line 1"),
    (lambda lines: [lines[0], '{"position":"x"}'], "line 2"),
])  # fmt: skip
def test_a_file_that_is_no_history_is_refused_with_its_line(
    workflow_env: WorkflowEnvironment, spoil: Any, line: str
) -> None:
    run = begin(workflow_env, full_of_everything)

    with pytest.raises(InvalidInput, match=line):
        queries.parse_history(spoil(list(queries.export_history(run.id))))


def test_empty_lines_do_not_matter(workflow_env: WorkflowEnvironment, tmp_path: Path) -> None:
    run = begin(workflow_env, full_of_everything)
    path = exported(run.id, tmp_path)
    path.write_text(path.read_text().replace("\n", "\n\n"))

    workflow_env.replay(path)


def test_an_unknown_run_has_no_history_to_export(workflow_env: WorkflowEnvironment) -> None:
    run = begin(workflow_env, full_of_everything)

    with pytest.raises(NotFound):
        list(queries.export_history(type(run.id)(int=1)))


@pytest.mark.parametrize("end", ["failed", "compensated", "cancelled", "held"])
def test_histories_of_every_end_replay(workflow_env: WorkflowEnvironment, tmp_path: Path, end: str) -> None:
    async def body(workflow: ImprovisedWorkflow) -> None:
        if end == "compensated":
            await workflow.activity(make, label="a")
        if end != "cancelled":
            await workflow.gather(workflow.activity(refuse, label="b"), workflow.sleep(HOUR))
        await workflow.sleep(timedelta(days=1))

    run = begin(workflow_env, body, HeldWorkflow if end == "held" else ImprovisedWorkflow)
    if end == "cancelled":
        operations.cancel_run(run.id, reason="no need")
        workflow_env.skip(NOW)

    assert state(run.id).startswith(end)
    workflow_env.replay(exported(run.id, tmp_path))
