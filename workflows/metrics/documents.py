"""Where documents of figures stand: in Redis where there is one, else in a table. Changed all together or not at all.

Of two that change them at once, one does nothing and tries again when it collects next.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import redis
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from workflows import conf
from workflows.metrics.tally import POSITION, Document
from workflows.models import Figure

log = logging.getLogger("workflows.metrics")

#: Seconds that Redis may take to answer, and for how long it is not asked again after it did not.
PATIENCE = 0.3
REST = 30.0

#: Reads one document, empty when there is none.
Read = Callable[[str], Document]
#: Gives the documents to write, by name.
Decide = Callable[[Read], Mapping[str, Document]]


class FiguresAway(Exception):
    """Redis does not answer: nothing is known of the figures now. What happens meanwhile is counted later."""

    code = "figures_away"


class Documents(Protocol):
    """Documents by name."""

    def read(self, name: str) -> Document:
        """One document, empty when there is none; raises FiguresAway."""

    def read_all(self) -> dict[str, Document]:
        """Every document by name; raises FiguresAway."""

    def update(self, decide: Decide) -> bool:
        """Write what `decide` gives, unless somebody else changed them meanwhile: then False. Raises FiguresAway."""


class RowDocuments:
    """Documents in a table, changed under the lock of the position's row."""

    def read(self, name: str) -> Document:
        text = Figure.objects.filter(pk=name).values_list("document", flat=True).first()
        return {} if text is None else _parsed(text)

    def read_all(self) -> dict[str, Document]:
        return {name: _parsed(text) for name, text in Figure.objects.values_list("name", "document")}

    def update(self, decide: Decide) -> bool:
        if not Figure.objects.filter(pk=POSITION).exists():
            Figure.objects.bulk_create([Figure(name=POSITION, document="{}")], ignore_conflicts=True)
        with transaction.atomic():
            if not Figure.objects.select_for_update(skip_locked=True).filter(pk=POSITION):
                return False
            rows = [Figure(name=name, document=_written(document)) for name, document in decide(self.read).items()]
            Figure.objects.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["document"])
        return True


class RedisDocuments:
    """Documents in Redis, changed as one transaction that fails when the position moved meanwhile.

    After a failure Redis is left alone for a while, so that only one call pays the time-out.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = f"{prefix}:figures:"
        self._client: Any = redis.Redis.from_url(
            url,
            socket_connect_timeout=PATIENCE,
            socket_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._lock = threading.Lock()
        self._rests_until = 0.0

    def read(self, name: str) -> Document:
        with self._asked():
            return _parsed(self._client.get(self._prefix + name))

    def read_all(self) -> dict[str, Document]:
        with self._asked():
            names = sorted(self._client.smembers(self._prefix + "names"))
            texts = self._client.mget([self._prefix + name for name in names]) if names else []
            return {name: _parsed(text) for name, text in zip(names, texts, strict=True)}

    def update(self, decide: Decide) -> bool:
        with self._asked(), self._client.pipeline() as pipe:
            pipe.watch(self._prefix + POSITION)
            documents = decide(lambda name: _parsed(pipe.get(self._prefix + name)))
            pipe.multi()
            for name, document in documents.items():
                pipe.set(self._prefix + name, _written(document))
            if documents:
                pipe.sadd(self._prefix + "names", *documents)
            try:
                pipe.execute()
            except redis.WatchError:
                return False
        return True

    @contextmanager
    def _asked(self) -> Iterator[None]:
        with self._lock:
            if time.monotonic() < self._rests_until:
                raise FiguresAway
        try:
            yield
        except (redis.RedisError, OSError) as error:
            with self._lock:
                self._rests_until = time.monotonic() + REST
            log.warning("figures: Redis does not answer and is asked again in %d s: %s", REST, error)
            raise FiguresAway from error


def _parsed(text: str | None) -> Document:
    document: Document = {} if text is None else json.loads(text)
    return document


def _written(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


@cache
def _redis(url: str, prefix: str) -> RedisDocuments:
    return RedisDocuments(url, prefix)


def chosen() -> Documents:
    """The documents of this installation."""
    settings = conf.engine()
    return _redis(settings.redis_url, settings.redis_prefix) if settings.redis_url else RowDocuments()
