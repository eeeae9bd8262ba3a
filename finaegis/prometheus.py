"""What Prometheus reads, as metric families. Gauges come from rows, counters from the figures that processes share.

Nothing is counted in this process, so every web process answers the same and a restart loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from workflows.metrics import BUCKETS
from workflows.queries import Gauges, MetricsView, TypeMetrics

Counts = Sequence[tuple[str, str, int]]


class Exposition:
    """One reading, as a collector of `prometheus_client`."""

    def __init__(self, counts: Counts, gauges: Gauges, metrics: MetricsView) -> None:
        self._counts, self._gauges, self._metrics = counts, gauges, metrics

    def collect(self) -> Iterator[Metric]:
        """The families; counters are left out while Redis is away, rather than told wrong."""
        yield from self._now()
        up = GaugeMetricFamily("finaegis_figures_up", "Whether what happened to runs could be read.")
        up.add_metric([], 1.0 if self._metrics.is_counted else 0.0)
        yield up
        if self._metrics.is_counted:
            yield from self._happened()

    def _now(self) -> Iterator[Metric]:
        runs = GaugeMetricFamily("finaegis_runs", "Runs by workflow and state.", labels=["workflow", "state"])
        for workflow, state, number in self._counts:
            runs.add_metric([workflow, state], number)
        yield runs
        single = (
            ("oldest_due_run_seconds", "How long the run that is due longest has waited.", self._gauges.oldest_due_run),
            ("due_runs", "Runs that are due and that no worker took yet.", self._gauges.due_runs),
            (
                "unclaimed_runs",
                "Runs that were woken more than once and that no worker took.",
                self._gauges.unclaimed_runs,
            ),
            (
                "timer_lag_seconds",
                "How long the timer that is overdue longest has waited, those of held runs left out.",
                self._gauges.oldest_due_timer,
            ),
            ("retrying_steps", "Steps that wait for their next attempt.", self._gauges.retrying_steps),
            ("runs_in_doubt", "Runs that wait for somebody to say what a step did.", self._gauges.doubts),
        )
        for name, says, value in single:
            family = GaugeMetricFamily(f"finaegis_{name}", says)
            family.add_metric([], value)
            yield family
        depth = GaugeMetricFamily("finaegis_queue_depth", "Sent-out steps that no worker began yet.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "finaegis_queue_oldest_seconds", "How long the oldest of them has waited.", labels=["queue"]
        )
        for queue, (number, waited) in sorted(self._gauges.queues.items()):
            depth.add_metric([queue], number)
            oldest.add_metric([queue], waited)
        yield depth
        yield oldest

    def _happened(self) -> Iterator[Metric]:
        started = CounterMetricFamily("finaegis_runs_started", "Runs that were started.", labels=["workflow"])
        closed = CounterMetricFamily(
            "finaegis_runs_closed", "Runs that closed, by how they ended.", labels=["workflow", "state"]
        )
        attempts = CounterMetricFamily("finaegis_attempts", "Attempts that closed runs made.", labels=["workflow"])
        taken_over = CounterMetricFamily(
            "finaegis_take_overs", "Runs taken over from processes that fell silent.", labels=["workflow"]
        )
        durations = HistogramMetricFamily(
            "finaegis_run_duration_seconds", "From the start of completed runs to their end.", labels=["workflow"]
        )
        for item in self._metrics.types:
            started.add_metric([item.workflow], item.started)
            for state, number in sorted(item.figures.closed.items()):
                closed.add_metric([item.workflow, state], number)
            attempts.add_metric([item.workflow], item.figures.attempts)
            taken_over.add_metric([item.workflow], item.figures.taken_over)
            durations.add_metric([item.workflow], _cumulated(item), sum_value=item.figures.seconds)
        failed = CounterMetricFamily(
            "finaegis_failed_attempts", "Attempts that failed, by how they ended.", labels=["activity", "how"]
        )
        for (activity, how), number in sorted(self._metrics.failed_attempts.items()):
            failed.add_metric([activity, how], number)
        yield from (started, closed, attempts, taken_over, durations, failed)


def _cumulated(item: TypeMetrics) -> list[tuple[str, float]]:
    """Each bucket with all that fit the ones before it, as Prometheus wants them."""
    found, total = [], 0
    bounds = [*(str(float(bound)) for bound in BUCKETS), "+Inf"]
    for bound, number in zip(bounds, item.figures.buckets, strict=True):
        total += number
        found.append((bound, float(total)))
    return found
