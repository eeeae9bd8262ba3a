"""The old build's worker: `celery -A tests.faults.builds.old worker`."""

from __future__ import annotations

from finaegis.celery import app
from tests.faults.builds.common import mark
from workflows import Workflow, signal

__all__ = ["app"]


class ChangedWorkflow(Workflow[str]):
    """Marks twice, with a wait for its signal between; the new build changes what comes after it."""

    name = "hop.Changed"

    def __init__(self) -> None:
        self.gone_on = False

    @signal
    def go_on(self) -> None:
        """Go on."""
        self.gone_on = True

    async def execute(self, label: str) -> str:
        await self.activity(mark, label=label, part="before")
        await self.wait_for(lambda: self.gone_on)
        return await self.activity(mark, label=label, part="old way")
