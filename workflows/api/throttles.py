"""At most so many requests a minute for each token, also when they come side by side over several processes."""

from __future__ import annotations

import logging
import math
import time
from typing import Any, ClassVar

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

log = logging.getLogger("workflows.api")

#: The rate's period is counted in so many parts: a request is forgotten at most one part after the period.
_PARTS = 12
#: Seconds in which requests do not wait for a cache that just failed.
_PAUSE = 5.0


class TokenRateThrottle(SimpleRateThrottle):
    """Counts by token; without one by user, without either by address. Rate: setting `token`.

    Counters are raised in the cache itself, so that no request is lost between reading and writing. No period holds
    more than the rate allows; requests that were refused do not count.
    """

    scope = "token"
    num_requests: int
    duration: int
    #: Until when (monotonic) the cache is not asked again after it failed.
    _away_until: ClassVar[float] = 0.0

    def get_cache_key(self, request: Request, view: Any) -> str:
        token = getattr(request.auth, "digest", None)
        user = request.user.pk if request.user and request.user.is_authenticated else None
        if token is not None:
            ident = f"token:{token}"
        elif user is not None:
            ident = f"user:{user}"
        else:
            ident = f"address:{self.get_ident(request)}"
        return self.cache_format % {"scope": self.scope, "ident": ident}

    def allow_request(self, request: Request, view: Any) -> bool:
        if self.rate is None or time.monotonic() < TokenRateThrottle._away_until:
            return True
        try:
            return self._count(self.get_cache_key(request, view))
        except (OSError, RedisError):  # the counts live in a cache; the platform works without it
            log.warning("the cache is unreachable: requests are not counted for %s s", _PAUSE)
            TokenRateThrottle._away_until = time.monotonic() + _PAUSE
            return True

    def wait(self) -> float:
        """Seconds until enough earlier requests are forgotten."""
        left = sum(self._counts.values())
        for part, count in sorted(self._counts.items()):
            left -= count
            if left < self.num_requests:
                return (part + _PARTS + 1) * self._length - self.timer()
        return float(self.duration)

    def _count(self, ident: str) -> bool:
        self._length = self.duration / _PARTS
        now = math.floor(self.timer() / self._length)
        keys = {f"{ident}:{part}": part for part in range(now - _PARTS, now + 1)}
        own = f"{ident}:{now}"
        kept = self.duration + 2 * self._length
        self.cache.add(own, 0, kept)
        try:
            self.cache.incr(own)
        except ValueError:  # the cache let go of it in between
            self.cache.set(own, 1, kept)
        self._counts = {keys[key]: count for key, count in self.cache.get_many(keys).items()}
        if sum(self._counts.values()) <= self.num_requests:
            return True
        self._counts[now] = self.cache.decr(own)
        return False
