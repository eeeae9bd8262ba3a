"""The new build's worker: `celery -A tests.faults.builds.new worker`."""

from __future__ import annotations

from finaegis.celery import app
from tests.faults.builds.common import A_WHILE, HopWorkflow, mark
from workflows import Workflow, activity, signal

__all__ = ["HopAgainWorkflow", "HopWorkflow", "app"]


@activity(name="hop.mark_newly")
def mark_newly(*, label: str, part: str) -> str:
    """The old build does not know it."""
    return mark.function(label=label, part=part)


class HopAgainWorkflow(Workflow[str]):
    """The next version of the hopping workflow, beside the first."""

    name = "hop.Hop"
    version = 2

    async def execute(self, label: str) -> str:
        done = [await self.activity(mark, label=label, part="new one")]
        await self.sleep(A_WHILE)
        marks = [self.activity(mark_newly, label=label, part=part) for part in ("new two", "new three")]
        done += await self.gather(*marks)
        return "+".join(done)


class ChangedWorkflow(Workflow[str]):
    """The same workflow and version as in the old build, with a change that runs begun before it do not see."""

    name = "hop.Changed"

    def __init__(self) -> None:
        self.gone_on = False

    @signal
    def go_on(self) -> None:
        """Go on."""
        self.gone_on = True

    async def execute(self, label: str) -> str:
        newly = self.patched("mark-newly")
        await self.activity(mark, label=label, part="before")
        await self.wait_for(lambda: self.gone_on)
        if newly:
            await self.activity(mark_newly, label=label, part="between")
            return await self.activity(mark_newly, label=label, part="new way")
        return await self.activity(mark, label=label, part="old way")
