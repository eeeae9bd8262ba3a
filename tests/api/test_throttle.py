"""A thousand requests a minute for each token: counted exactly, and never in the way when the counts are away."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import override_settings
from knox.models import AuthToken

from tests.api.conftest import assert_problem
from workflows.api.throttles import TokenRateThrottle

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 5, 12, 0, 0, tzinfo=UTC)
UNREACHABLE = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
}


@pytest.fixture
def noon(db):
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.fixture
def three_a_minute(monkeypatch):
    monkeypatch.setattr(TokenRateThrottle, "THROTTLE_RATES", {"token": "3/min"})


@pytest.fixture
def ask(admin_user, anonymous, noon):
    """Asks with a token of its own; gives the answer."""
    token = AuthToken.objects.create(admin_user, expiry=timedelta(hours=1))[1]
    return lambda: anonymous.get("/api/v1/workflows/", HTTP_AUTHORIZATION=f"Token {token}")


def statuses(ask, times):
    return [ask().status_code for _ in range(times)]


def test_a_thousand_requests_a_minute_is_the_default():
    assert TokenRateThrottle().parse_rate(TokenRateThrottle().rate) == (1000, 60)


def test_what_is_over_the_rate_is_429_and_told_when_to_come_back(ask, three_a_minute):
    assert statuses(ask, 3) == [200, 200, 200]

    response = ask()

    body = assert_problem(response, 429, "throttled")
    assert body["retry_after"] == int(response["Retry-After"])


def test_who_comes_back_when_told_is_served(ask, three_a_minute, noon):
    statuses(ask, 3)
    told = int(ask()["Retry-After"])

    noon.shift(told - 1)
    early = ask().status_code
    noon.shift(1)

    assert (early, ask().status_code) == (429, 200)


def test_a_minute_that_begins_anywhere_holds_no_more_than_the_rate(ask, three_a_minute, noon):
    noon.shift(31)
    first = statuses(ask, 2)
    noon.shift(40)

    assert (first, statuses(ask, 2)) == ([200, 200], [200, 429])


def test_requests_that_were_refused_do_not_count(ask, three_a_minute, noon):
    assert statuses(ask, 20)[3:] == [429] * 17

    noon.shift(65)

    assert statuses(ask, 4) == [200, 200, 200, 429]


def test_an_unreachable_cache_stops_nobody(ask, monkeypatch):
    monkeypatch.setattr(TokenRateThrottle, "_away_until", 0.0)

    with override_settings(CACHES=UNREACHABLE):
        assert statuses(ask, 3) == [200, 200, 200]


def test_a_cache_that_failed_is_left_alone_for_a_while(ask, three_a_minute, monkeypatch):
    monkeypatch.setattr(TokenRateThrottle, "_away_until", 0.0)
    with override_settings(CACHES=UNREACHABLE):
        ask()

    assert statuses(ask, 5) == [200] * 5
