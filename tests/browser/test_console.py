"""The console as an operator meets it: in a browser, with a worker behind it."""

import re

import pytest

pytestmark = pytest.mark.browser


def wait_for_state(page, text):
    """Until the run's page, which renews itself, shows the state."""
    label = page.locator("#run-page section[aria-label=State] span.uppercase")
    label.filter(has_text=re.compile(rf"^\s*{text}\s*$")).wait_for()


def open_account(page):
    page.goto("/admin/treasury/treasuryaccount/")
    page.click("text=Operating liquidity")
    page.wait_for_selector("text=Balances")


def operating_balance(page):
    open_account(page)
    return page.locator("tr", has_text="operating").last.locator("td.fa-amount").first.inner_text()


def start_cash_management(page, amount):
    """Start it from the account that it is for; the run's page is open then."""
    open_account(page)
    page.click("text=Start cash management")
    page.fill("[name='input.amount_0']", amount)
    page.fill("[name='input.strategy']", "balanced")
    page.fill("[name=reason]", "money lies idle")
    page.click("button:has-text('Start the run')")
    page.wait_for_selector("#run-page")


def test_an_operator_starts_cash_management_and_takes_it_back(operator, complaints):
    before = operating_balance(operator)

    start_cash_management(operator, "1000.00")
    wait_for_state(operator, "completed")
    run_page = operator.url
    during = operating_balance(operator)
    operator.goto(run_page)
    operator.click("text=Compensate >> nth=0")
    plan = operator.locator("#plan").inner_text()
    operator.fill("[name=reason]", "allocated by mistake")
    operator.click("button:has-text('Compensate the run')")
    wait_for_state(operator, "compensated")

    assert operator.url == run_page
    assert "treasury.reverse_allocation" in plan
    assert "1,000.00 USD" in plan
    audit = operator.locator("#audit").inner_text()
    assert "allocated by mistake" in audit
    assert audit.count("operator") == 2
    assert during != before
    assert operating_balance(operator) == before
    assert complaints == []


def test_a_dialog_that_is_clicked_twice_acts_once(operator):
    operator.goto("/admin/workflows/run/?hold_reason__exact=paused")
    operator.click("text=treasury.CashManagement")
    operator.click("text=Resume >> nth=0")
    operator.fill("[name=reason]", "twice")

    operator.dblclick("button:has-text('Resume the run')")
    wait_for_state(operator, "completed")

    assert operator.locator("#audit").inner_text().count("twice") == 1


def test_a_refused_start_says_why_and_keeps_what_was_typed(operator):
    unknown = "3d243987-403c-4f51-8a15-6c152da4dc80"
    operator.goto(f"/admin/workflows/run/start/?workflow=treasury.CashManagement&account_id={unknown}")
    operator.fill("[name='input.amount_0']", "5.00")
    operator.fill("[name='input.amount_1']", "USD")
    operator.fill("[name='input.strategy']", "aggressive")
    operator.click("button:has-text('Start the run')")

    assert "unknown_account" in operator.locator("[role=alert]").inner_text()
    assert operator.input_value("[name='input.strategy']") == "aggressive"
    assert operator.locator("button:has-text('Start the run')").is_enabled()


def test_an_id_is_copied_by_its_button(operator):
    operator.goto("/admin/workflows/run/?status__exact=compensated")
    operator.click("text=treasury.CashManagement >> nth=0")

    operator.click("#run-page [data-copy] >> nth=0")

    operator.wait_for_selector("text=copied")
    assert operator.evaluate("navigator.clipboard.readText()") in operator.url


def test_no_page_is_wider_than_its_window(operator):
    operator.goto("/admin/workflows/run/?status__exact=compensated")
    run_page = operator.locator("#result_list a[href*='/change/']").first.get_attribute("href")
    addresses = [
        "/admin/", "/admin/workflows/run/", run_page, run_page.replace("change", "rerun"),
        "/admin/workflows/run/start/", "/admin/workflows/run/start/?workflow=treasury.CashManagement",
        "/admin/ledger/account/", "/admin/ledger/transfer/",
    ]  # fmt: skip

    too_wide = []
    for address in addresses:
        operator.goto(address)
        for width in (390, 1400):
            operator.set_viewport_size({"width": width, "height": 844})
            if operator.evaluate("document.documentElement.scrollWidth > innerWidth"):
                too_wide.append((width, address))

    assert too_wide == []
