"""A process that completes runs and counts figures all the while; `test_metrics_many_processes` starts several.

Arguments: `migrate`, or `work` with its own number and how many runs, or `tell`, which prints the figures as JSON. A
worker waits for a line on its input, so that all begin together.
"""

from __future__ import annotations

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "finaegis.settings.test")
django.setup()

from django.core.management import call_command  # noqa: E402

from workflows import Workflow, activity, operations, queries  # noqa: E402
from workflows.metrics import WorkflowMetricsCollector  # noqa: E402
from workflows.runtime import advance, process  # noqa: E402


@activity(name="collecting.add")
def add(*, number: int) -> int:
    """One more."""
    return number + 1


class CollectedWorkflow(Workflow[int]):
    """One step."""

    name = "collecting.Collected"

    async def execute(self, number: int) -> int:
        return await self.activity(add, number=number)


def work(number: int, count: int) -> None:
    """Complete runs, and count after each."""
    sys.stdin.readline()
    for index in range(count):
        run = operations.start_run(CollectedWorkflow, index, key=f"{number}:{index}")
        advance.advance(run.id)
        assert WorkflowMetricsCollector().collect()
    process.stop()


def tell() -> None:
    """Print what was counted."""
    (item,) = [item for item in queries.read_metrics().types if item.workflow == CollectedWorkflow.name]
    figures = item.figures
    told = {"started": item.started, "closed": figures.closed, "attempts": figures.attempts, "active": item.active}
    print(json.dumps(told | {"durations": len(figures.durations), "buckets": sum(figures.buckets)}))  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1] == "migrate":
        call_command("migrate", verbosity=0)
    elif sys.argv[1] == "work":
        work(int(sys.argv[2]), int(sys.argv[3]))
    else:
        tell()
