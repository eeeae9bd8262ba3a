"""The wallet in the console: looked at by every role, acted on by dialogs, limits edited."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from tests.admin.browsing import once_of
from tests.wallet.factories import confirmation_mails, money_of
from tests.wallet.flows import SET_ASIDE, UNTOUCHED, begin, confirmed, stands, withdrawal_of
from wallet import operations
from wallet.models import Case, Destination, Event, LimitSet, WalletAccount, Withdrawal
from workflows import operations as engine

pytestmark = pytest.mark.django_db

READ_ONLY = [Withdrawal, Case, WalletAccount, Destination]
REASON = "the desk asked for it"


def url(model, page, *args):
    return reverse(f"admin:wallet_{model._meta.model_name}_{page}", args=args)


def browser_of(role):
    user = User.objects.create_user(f"the-{role}", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(env):
    """A browser in which an operator is logged in."""
    return browser_of("operator")


@pytest.fixture
def run(env, account, destination):
    return begin(env, account, destination)


@pytest.fixture
def row(run):
    return Withdrawal.objects.get()


def test_its_page_says_that_its_run_is_held(desk, env, run, row):
    engine.pause_run(run.id, reason="the bank is closed")
    env.skip(timedelta(0))

    page = desk.get(url(Withdrawal, "change", row.pk)).content.decode()

    assert "held: paused" in page


@pytest.fixture
def case(env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)
    operations.record_return(key="r", withdrawal_id=withdrawal_of(run).id, reason="closed", actor="desk")
    return Case.objects.get()


def send(client, thing, act, **fields):
    """Open the dialog and send it."""
    address = url(type(thing), act, thing.pk)
    return client.post(address, {"reason": REASON, "once": once_of(client.get(address)), **fields})


# --- Looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["operator", "approver", "viewer", "auditor"])
@pytest.mark.parametrize("model", [*READ_ONLY, LimitSet])
def test_every_role_opens_lists_and_rows(case, role, model):
    client, thing = browser_of(role), model.objects.first()

    assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(model, "change", thing.pk)).status_code == 200


@pytest.mark.parametrize("model", READ_ONLY)
def test_what_operations_write_cannot_be_edited(admin_client, case, model):
    thing = model.objects.first()
    before = list(model.objects.order_by("pk").values())

    answers = [
        admin_client.get(url(model, "add")),
        admin_client.post(url(model, "change", thing.pk), {"status": "completed"}),
        admin_client.post(url(model, "delete", thing.pk), {"post": "yes"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(model.objects.order_by("pk").values()) == before


def test_a_withdrawals_page_tells_its_story(desk, run, row):
    page = desk.get(url(Withdrawal, "change", row.pk)).content.decode()

    assert all(
        text in page for text in ("100.00 USD", "Your confirmation is needed", "link sent", "2026-01-05 12:30:00")
    )
    assert reverse("admin:workflows_run_change", args=[run.id]) in page


def test_an_accounts_page_shows_its_money_and_its_story(desk, account, row):
    page = desk.get(url(WalletAccount, "change", account.id)).content.decode()

    assert all(text in page for text in ("900.00 USD", "in transit", "requested", account.customer.email))


@pytest.mark.parametrize("model", READ_ONLY)
def test_a_row_that_is_not_there_is_not_found(desk, model):
    for page in ("x", "00000000-0000-0000-0000-000000000007"):
        assert desk.get(url(model, "change", page), follow=True).status_code in (200, 404)
    for name in {"withdrawal": ["cancel"], "case": ["resolve"], "walletaccount": ["freeze"], "destination": ["remove"]}[
        model._meta.model_name
    ]:
        assert desk.get(url(model, name, "x")).status_code == 404


def test_lists_are_found_by_id(desk, run, row):
    page = desk.get(url(Withdrawal, "changelist") + f"?q={row.id}")

    assert page.context["cl"].result_count == 1


# --- Acting ----------------------------------------------------------------------------------------------------------


def test_an_operator_cancels_a_withdrawal(desk, run, row, account):
    answer = send(desk, row, "cancel")

    assert (answer.status_code, stands(run), money_of(account)) == (302, ("cancelled", "customer"), UNTOUCHED)
    cancelled = Event.objects.get(kind="cancelled")
    assert (cancelled.actor, cancelled.detail) == ("the-operator", REASON)


def test_an_operator_has_the_link_sent_again(desk, env, run, row):
    send(desk, row, "resend")
    env.skip(timedelta(0))

    assert len(confirmation_mails()) == 2


def test_an_operator_records_a_return(desk, env, account, destination):
    run = confirmed(env, account, destination)
    env.finish(run.id)
    send(desk, Withdrawal.objects.get(), "return")

    assert (stands(run)[0], Case.objects.get().opened_by) == ("returned", "the-operator")


@pytest.mark.parametrize("role", ["operator", "approver"])
def test_a_case_is_resolved(case, account, role):
    send(browser_of(role), case, "resolve", resolution="credited")

    case.refresh_from_db()
    assert (case.status, case.resolution, case.resolved_by) == ("resolved", "credited", f"the-{role}")
    assert money_of(account) == UNTOUCHED


def test_a_case_offers_only_what_ends_it(desk, case):
    page = desk.get(url(Case, "resolve", case.pk)).content.decode()

    assert "credited" in page
    assert "cleared" not in page


def test_an_account_is_frozen_and_unfrozen(desk, account):
    row = WalletAccount.objects.get(pk=account.id)
    send(desk, row, "freeze")
    row.refresh_from_db()
    frozen = row.status
    send(desk, row, "unfreeze")
    row.refresh_from_db()

    assert (frozen, row.status) == ("frozen", "active")
    assert list(Event.objects.filter(kind__in=["frozen", "unfrozen"]).values_list("detail", flat=True)) == [REASON] * 2


def test_a_destination_is_removed(desk, destination):
    row = Destination.objects.get(pk=destination.id)
    send(desk, row, "remove")
    row.refresh_from_db()

    assert row.status == "removed"


def test_a_dialog_that_is_sent_twice_acts_once(desk, env, run, row):
    address = url(Withdrawal, "resend", row.pk)
    once = once_of(desk.get(address))
    for _ in range(2):
        desk.post(address, {"reason": REASON, "once": once})
    env.skip(timedelta(0))

    assert row.tokens.count() == 2


def test_opening_a_dialog_changes_nothing(desk, run, row, account):
    for act in ("cancel", "resend", "return"):
        assert desk.get(url(Withdrawal, act, row.pk)).status_code == 200

    assert (stands(run)[0], money_of(account)) == ("awaiting_confirmation", SET_ASIDE)


def test_an_act_without_a_reason_is_sent_back(desk, run, row):
    answer = send(desk, row, "cancel", reason=" ")

    assert (answer.status_code, stands(run)[0]) == (200, "awaiting_confirmation")
    assert "Nothing was done" in answer.content.decode()


def test_an_act_that_no_longer_fits_says_why(desk, env, run, row):
    address = url(Withdrawal, "cancel", row.pk)
    once = once_of(desk.get(address))
    env.skip(timedelta(minutes=30))
    Withdrawal.objects.filter(pk=row.pk).update(status="rejected")

    answer = desk.post(address, {"reason": REASON, "once": once})

    assert answer.status_code == 200
    assert "not_cancellable" in answer.content.decode()


def test_a_key_of_another_dialog_is_refused(desk, run, row):
    once = once_of(desk.get(url(Withdrawal, "resend", row.pk)))
    answer = desk.post(url(Withdrawal, "cancel", row.pk), {"reason": REASON, "once": once})

    assert (answer.status_code, stands(run)[0]) == (200, "awaiting_confirmation")


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver"])
@pytest.mark.parametrize("act", ["cancel", "resend", "return"])
def test_who_may_not_act_is_shown_no_button_and_no_dialog(run, row, role, act):
    client = browser_of(role)

    assert act not in _acts_on(client.get(url(Withdrawal, "change", row.pk)))
    assert client.get(url(Withdrawal, act, row.pk)).status_code == 403
    assert client.post(url(Withdrawal, act, row.pk), {"reason": REASON}).status_code == 403
    assert stands(run)[0] == "awaiting_confirmation"


def _acts_on(page):
    return {button.url.split("/")[-2] for button in page.context["act_buttons"]}


def test_buttons_fit_what_stands(desk, env, run, row):
    def offered():
        return _acts_on(desk.get(url(Withdrawal, "change", row.pk)))

    waiting = offered()
    env.skip(timedelta(minutes=30))

    assert (waiting, offered()) == ({"cancel", "resend"}, set())


# --- Limits ----------------------------------------------------------------------------------------------------------


def limits_form(row, **changes):
    return {
        "currency": row.currency,
        "account": "",
        "per_transaction_minor": row.per_transaction_minor,
        "per_day_minor": row.per_day_minor,
        "per_month_minor": row.per_month_minor,
        "per_destination_minor": row.per_destination_minor,
        "velocity_count": row.velocity_count,
        "velocity_window": "1:00:00",
        "cooling_off": "1 00:00:00",
        **changes,
    }


def test_an_approver_sets_limits(env):
    row = LimitSet.objects.get(currency="USD")
    answer = browser_of("approver").post(
        url(LimitSet, "change", row.pk), limits_form(row, per_transaction_minor=100, cooling_off="2 00:00:00")
    )

    row.refresh_from_db()
    assert (answer.status_code, row.per_transaction_minor, row.cooling_off) == (302, 100, timedelta(days=2))


@pytest.mark.parametrize("role", ["operator", "viewer", "auditor"])
def test_whoever_carries_withdrawals_sets_no_limits(env, role):
    row = LimitSet.objects.get(currency="USD")
    answer = browser_of(role).post(url(LimitSet, "change", row.pk), limits_form(row, per_transaction_minor=100))

    assert answer.status_code == 403
    assert LimitSet.objects.get(pk=row.pk).per_transaction_minor == row.per_transaction_minor


@pytest.mark.parametrize(
    "changes",
    [{"per_transaction_minor": 0}, {"per_transaction_minor": -1}, {"per_day_minor": 1}, {"velocity_count": 0},
     {"velocity_window": "soon"}, {"currency": ""}, {"currency": "XXX"}],
)  # fmt: skip
def test_limits_that_make_no_sense_are_sent_back(env, changes):
    row = LimitSet.objects.get(currency="USD")
    answer = browser_of("approver").post(url(LimitSet, "change", row.pk), limits_form(row, **changes))

    assert answer.status_code == 200
    assert LimitSet.objects.get(pk=row.pk).per_day_minor == row.per_day_minor


def test_limits_of_an_account_are_in_its_currency(account):
    row = LimitSet.objects.get(currency="USD")
    client = browser_of("approver")

    answers = [
        client.post(url(LimitSet, "add"), limits_form(row, account=str(account.id), currency=currency))
        for currency in ("EUR", "USD")
    ]

    assert [answer.status_code for answer in answers] == [200, 302]
    assert LimitSet.objects.get(account_id=account.id).currency == "USD"
