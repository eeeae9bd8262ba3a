"""Postgres, Redis and RabbitMQ as the fault tests find them, and how tests clean up after themselves there."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import amqp
import kombu
import psycopg
import pytest
import redis
from kombu.exceptions import OperationalError

POSTGRES = os.environ.get("DATABASE_URL_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("REDIS_URL_TEST", "redis://127.0.0.1:6379/5")
RABBITMQ = os.environ.get("RABBITMQ_URL_TEST", "amqp://guest:guest@127.0.0.1:5672//")
_IN_CI = os.environ.get("CI") == "true"


def require_services() -> None:
    """Skip where Postgres or Redis cannot be reached, and say which variable to set; fail where CI promises them."""
    _require({"Postgres: set DATABASE_URL_POSTGRES": _reach_postgres, "Redis: set REDIS_URL_TEST": _reach_redis})


def require_rabbitmq() -> None:
    """Skip where RabbitMQ cannot be reached; fail where CI promises it."""
    _require({"RabbitMQ: set RABBITMQ_URL_TEST": _reach_rabbitmq})


def _require(services: dict[str, Callable[[], None]]) -> None:
    problems = []
    for service, reach in services.items():
        try:
            reach()
        except (psycopg.Error, redis.RedisError, OperationalError, amqp.AMQPError, OSError) as error:
            problems.append(f"needs {service} ({error})")
    if problems and _IN_CI:
        pytest.fail("; ".join(problems))
    if problems:
        pytest.skip("; ".join(problems))


def _reach_postgres() -> None:
    psycopg.connect(POSTGRES, connect_timeout=3).close()


def _reach_redis() -> None:
    with closing(redis.Redis.from_url(REDIS, socket_connect_timeout=3)) as client:
        client.ping()


def _reach_rabbitmq() -> None:
    with kombu.Connection(RABBITMQ, connect_timeout=3) as connection:
        connection.ensure_connection(max_retries=1, timeout=3)


def redis_of_its_own(worker_id: str) -> str:
    """A database of the same Redis that nobody else uses, so that it may be flushed: counted from the last one down."""
    number = 15 - int(worker_id.removeprefix("gw") or 0) if worker_id.startswith("gw") else 15
    parts = urlsplit(REDIS)
    return urlunsplit(parts._replace(path=f"/{number}"))


def flush(url: str) -> None:
    """Empty this one database of Redis."""
    with closing(redis.Redis.from_url(url)) as client:
        client.flushdb()


def forget_queues(broker: str, names: list[str]) -> None:
    """Take a system's queues from the broker, with what is in them."""
    with kombu.Connection(broker, connect_timeout=3) as connection, connection.channel() as channel:
        for name in names:
            channel.queue_delete(name)
            if not broker.startswith("redis"):
                channel.exchange_delete(name)


def create_database(name: str, *, template: str | None = None) -> None:
    """A fresh Postgres database, empty or as the template is."""
    drop_database(name)
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))


def drop_database(name: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
