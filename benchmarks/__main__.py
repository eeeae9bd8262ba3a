"""Runs every workload on a scratch Postgres database and prints the figures.

`DATABASE_URL_POSTGRES` and `REDIS_URL_TEST` say where the servers are; by default on this machine.
"""

from __future__ import annotations

import os

import psycopg

SERVER = os.environ.get("DATABASE_URL_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("REDIS_URL_TEST", "redis://127.0.0.1:6379/6")
NAME = "finaegis_bench"
URL = f"{SERVER.rsplit('/', 1)[0]}/{NAME}"

os.environ.update(
    DJANGO_SETTINGS_MODULE=os.environ.get("BENCH_SETTINGS", "finaegis.settings.test"),
    DATABASE_URL=URL,
    BROKER_URL=REDIS,
    REDIS_URL=REDIS,
    CELERY_QUEUE=NAME,
)

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from benchmarks import w1_steps, w2_runs, w3_fan_out, w4_latency, w5_replay, workers  # noqa: E402


def main() -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
    settings.WORKFLOWS = settings.WORKFLOWS | {"GUARD": False}  # as in production
    call_command("migrate", verbosity=0)
    print("W1  ms per sequential step, one process on Postgres (medians over runs)")
    print(f"{'':>8} {'beside a tight loop of commits':^31} {'commits between the steps':^31}")
    columns = f"{'ms/step':>11} {'commit':>9} {'ratio':>9}"
    print(f"{'steps':>8} {columns} {columns} {'statements':>11}")
    for size in w1_steps.measure(URL):
        print(
            f"{size.steps:>8} {size.step_ms:>11.3f} {size.tight_ms:>9.3f} {size.ratio:>9.2f} "
            f"{size.step_beside_ms:>11.3f} {size.between_ms:>9.3f} {size.ratio_beside:>9.2f} "
            f"{size.statements_per_step:>11.3f}"
        )
    with workers.working():
        print(f"\nW2  {w2_runs.RUNS} runs x {w2_runs.STEPS} steps, {workers.WORKERS} worker processes on Redis")
        runs = w2_runs.measure()
        print(f"{runs.per_second:>8.0f} runs/s  ({runs.seconds:.1f} s)")
        print(f"\nW3  {w3_fan_out.RUNS} runs x {w3_fan_out.MEMBERS} members, and one of {w3_fan_out.MANY}")
        fan = w3_fan_out.measure()
        print(f"{fan.joins:>8.1f} joins/s  (a bare chord, no database: {fan.bare_joins:.1f})")
        print(f"{fan.large_seconds:>8.2f} s for {w3_fan_out.MANY}  (a bare chord: {fan.bare_large_seconds:.2f})")
        print(f"\nW4  latency of a run of {w4_latency.STEPS} steps through Redis")
        latency = w4_latency.measure()
        print(f"{latency.median:>8.1f} ms median, {latency.ninety_fifth:.1f} ms at the 95th percentile")
    print(f"\nW5  replay of {w5_replay.STEPS} steps")
    print(f"{w5_replay.measure():>8.2f} s")


if __name__ == "__main__":
    main()
