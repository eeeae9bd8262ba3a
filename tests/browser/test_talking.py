"""An operator talks to a run and moves its timer, in a browser, with a worker behind it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def withdrawal(operator):
    """The page of the demo's withdrawal, which waits for its customer."""
    operator.goto("/admin/workflows/run/timers/?show=wait")
    operator.click("text=wallet.Withdrawal >> nth=0")
    operator.wait_for_selector("#messages")
    return operator.url


def offer(page, name):
    return page.locator("#messages tr", has_text=name).locator("a").first


def test_a_signal_that_is_clicked_twice_is_sent_once(operator, withdrawal, complaints):
    offer(operator, "signal resend").click()
    operator.fill("[name=reason]", "the customer has lost the mail")

    operator.dblclick("button:has-text('Send the signal')")
    operator.locator("#messages", has_text="delivered").wait_for()

    sent = operator.locator("#messages tr", has_text="the customer has lost the mail")
    assert sent.count() == 1
    assert operator.locator("#audit").inner_text().count("the customer has lost the mail") == 1
    assert complaints == []


def test_a_query_is_answered(operator, withdrawal):
    offer(operator, "query status").click()

    assert "awaiting confirmation" in operator.locator("#answer").inner_text()


def test_a_timer_is_moved_and_the_page_says_until_when(operator, withdrawal):
    operator.click("#steps a:has-text('Move')")
    before = datetime.fromisoformat(operator.input_value("[name=due_at]"))
    later = (before + timedelta(hours=2)).replace(microsecond=0)
    operator.fill("[name=due_at]", later.isoformat())
    operator.fill("[name=reason]", "the customer asked for time")

    operator.click("button:has-text('Move the timer')")
    operator.wait_for_selector(f"text=at most until {later:%Y-%m-%d %H:%M:%S} UTC")

    assert operator.url == withdrawal
    assert "the customer asked for time" in operator.locator("#audit").inner_text()


def test_no_page_is_wider_than_its_window(operator, withdrawal):
    signal, query = (offer(operator, name).get_attribute("href") for name in ("signal resend", "query status"))
    move = operator.locator("#steps a", has_text=re.compile("^Move$")).get_attribute("href")
    addresses = [withdrawal, "/admin/workflows/run/timers/", signal, query, move]

    too_wide = []
    for address in addresses:
        operator.goto(address)
        for width in (390, 1400):
            operator.set_viewport_size({"width": width, "height": 844})
            if operator.evaluate("document.documentElement.scrollWidth > innerWidth"):
                too_wide.append((width, address))

    assert too_wide == []
