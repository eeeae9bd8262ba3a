from workflows import NonRetryable, Workflow, activity, queries


@activity
def t_add(*, a: int) -> int:
    return a + 1


@activity
def t_undo(*, a: int) -> None:
    return None


@activity(transactional=True, undo=t_undo)
def t_tx(*, a: int) -> int:
    return a + 1


@activity
def t_fail(*, a: int) -> int:
    raise NonRetryable("no")


class T1Workflow(Workflow[int]):
    async def execute(self, n: int) -> int:
        x = 0
        for _ in range(n):
            x = await self.activity(t_add, a=x)
        self.track("x", {"v": x})
        return x


class T2Workflow(Workflow[int]):
    async def execute(self, n: int) -> int:
        x = await self.activity(t_tx, a=n)
        x = await self.activity(t_fail, a=x)
        return x


def test_a(workflow_env):
    assert workflow_env.run(T1Workflow, 3) == 3


def test_b(workflow_env):
    import pytest

    from workflows import WorkflowFailed

    with pytest.raises(WorkflowFailed):
        workflow_env.run(T2Workflow, 3)
    r = queries.list_runs()[0]
    print(r)
    for h in queries.get_history(r.id):
        print(h.position, h.kind, h.data)
    for s in queries.list_steps(r.id):
        print(s.seq, s.kind, s.name, s.status, s.attempts)
    print(queries.get_compensation_plan(r.id), queries.verify_run(r.id))
    assert r.status == "compensated"
