"""What both builds have."""

from __future__ import annotations

import os
from datetime import timedelta

from tests.faults import effects
from workflows import Workflow, activity

A_WHILE = timedelta(seconds=0.5)


@activity(name="hop.mark")
def mark(*, label: str, part: str) -> str:
    """Its effect names the worker it ran in (the parent of the process)."""
    effects.write(f"{label}:{part}:{os.getppid()}")
    return part


class HopWorkflow(Workflow[str]):
    """Steps with pauses between them: each pause is a chance to go on in another worker."""

    name = "hop.Hop"
    version = 1

    async def execute(self, label: str) -> str:
        done = [await self.activity(mark, label=label, part="one")]
        await self.sleep(A_WHILE)
        done += await self.gather(*[self.activity(mark, label=label, part=part) for part in ("two", "three")])
        await self.sleep(A_WHILE)
        done.append(await self.activity(mark, label=label, part="four"))
        return "+".join(done)
