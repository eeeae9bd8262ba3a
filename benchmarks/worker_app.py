"""The project's Celery app with the benchmarks' workflows registered, and the tasks of a bare chord beside them."""

from celery import shared_task

from benchmarks import flows
from finaegis.celery import app

__all__ = ["add_up", "app", "flows", "member"]


@shared_task(name="benchmarks.member", ignore_result=False)
def member(number: int) -> int:
    return number + 1


@shared_task(name="benchmarks.add_up", ignore_result=False)
def add_up(numbers: list[int]) -> int:
    return len(numbers)
