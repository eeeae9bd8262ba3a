"""The customer's pages in a real browser without scripts: its rules about posts, referrers, styles and keys."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import sync_playwright

from finaegis.shared.money import Money
from tests.browser.conftest import require_chromium
from tests.wallet.factories import add_destination, open_account, token_of
from wallet import links, operations
from wallet.models import Withdrawal
from workflows import clock

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TELEPHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 800}


@pytest.fixture
def withdrawal():
    """One that waits for its customer."""
    account = open_account("12345.00")
    asked = operations.request_withdrawal(
        key="k", account_id=account.id, amount=Money("1234.50", "USD"), destination_id=add_destination(account).id
    )
    operations.place_withdrawal(
        key="step", run_id=asked.run.id, account_id=account.id, amount=asked.withdrawal.amount,
        destination_id=asked.withdrawal.destination.id,
    )  # fmt: skip
    operations.open_confirmation(withdrawal_id=asked.withdrawal.id, deadline=clock.now() + timedelta(minutes=30))
    return Withdrawal.objects.get(pk=asked.withdrawal.id)


@pytest.fixture
def addresses(withdrawal, live_server, settings):
    """Where the customer's mail leads: to confirm, and to the status."""
    settings.WALLET = {**settings.WALLET, "PUBLIC_URL": live_server.url}
    return links.confirmation_link(token_of(withdrawal)), links.status_link(withdrawal.id)


@contextmanager
def opened(address, *, scripts=False, **options):
    """A page of a browser, and what it complained about. No row can be asked for while it is open."""
    complaints = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=require_chromium(), args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=scripts, **options).new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        yield page
        browser.close()
    assert complaints == []


def test_the_button_works_in_a_browser_that_tells_no_origin(addresses, withdrawal):
    with opened(addresses[0], viewport=DESK) as page:
        asked = page.inner_text("main")
        page.click("text=Confirm the withdrawal")
        told = page.inner_text("main")

    withdrawal.refresh_from_db()
    assert "1,234.50 USD" in asked
    assert "You confirmed this withdrawal." in told
    assert withdrawal.status == "confirmed"


def test_the_customer_cancels_with_the_keyboard_alone(addresses, withdrawal):
    with opened(addresses[1], viewport=DESK) as page:
        for _ in range(2):
            page.keyboard.press("Tab")
        focused = page.locator("*:focus").inner_text()
        page.keyboard.press("Enter")
        told = page.inner_text("main")

    withdrawal.refresh_from_db()
    assert focused == "Cancel the withdrawal"
    assert "The withdrawal is cancelled." in told
    assert (withdrawal.status, withdrawal.reason) == ("cancelled", "customer")


@pytest.mark.parametrize("which", [0, 1], ids=["confirm", "status"])
@pytest.mark.parametrize("viewport", [TELEPHONE, DESK], ids=["telephone", "desk"])
def test_pages_fit_a_telephone_and_a_desk(addresses, which, viewport):
    with opened(addresses[which], scripts=True, viewport=viewport) as page:
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        styled = page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")
        lowest = page.evaluate("Math.min(...[...document.querySelectorAll('button')].map(b => b.offsetHeight))")

    assert (overflow, styled) == (0, "576px")
    assert lowest >= 44
