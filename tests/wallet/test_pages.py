"""The pages that customers reach by their e-mails."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.wallet.factories import NEVER_ACCEPTED, add_destination, confirmation_mails, links, money_of, token
from tests.wallet.flows import IN_TRANSIT, SET_ASIDE, UNTOUCHED, begin, confirm, confirmed, stands, withdrawal_of
from wallet import operations
from wallet.models import Case, Withdrawal

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor():
    """A browser that nobody is logged in to, and that is as strict about posts as a real one."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def run(env, account, destination):
    return begin(env, account, destination)


def confirm_page():
    return links("confirm", confirmation_mails()[-1])[0]


def status_page():
    return links("status")[0]


class Reader(HTMLParser):
    """What a person and a screen reader find on a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.forms, self.text, self.language = [], {}, "", None
        self._form = None
        self.feed(page.content.decode())

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if tag == "html":
            self.language = given.get("lang")
        if tag == "form":
            self._form = (given.get("method"), given.get("action"))

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None

    def handle_data(self, data):
        self.text += data
        if self._form and data.strip():
            self.forms[data.strip()] = self._form


def read(page):
    return Reader(page)


# --- Confirming ------------------------------------------------------------------------------------------------------


def test_opening_the_link_shows_the_withdrawal_and_confirms_nothing(visitor, run, account):
    pages = [visitor.get(confirm_page()), visitor.head(confirm_page()), visitor.get(confirm_page())]

    assert [page.status_code for page in pages] == [200, 200, 200]
    shown = read(pages[0]).text
    assert all(text in shown for text in ("100.00 USD", "Ada Byron", "Savings", "12:30 UTC", "in 30"))
    assert (stands(run)[0], money_of(account)) == ("awaiting_confirmation", SET_ASIDE)


def test_the_button_confirms_and_leads_to_the_status(visitor, env, run, account):
    answer = visitor.post(confirm_page())
    page = visitor.get(answer["Location"])

    assert (answer.status_code, page.status_code) == (303, 200)
    assert "You confirmed this withdrawal." in read(page).text
    env.skip(timedelta(0))
    assert (stands(run)[0], money_of(account)) == ("in_transit", IN_TRANSIT)


def test_pressing_twice_confirms_once_and_says_so(visitor, env, run, account):
    visitor.post(confirm_page())
    env.skip(timedelta(0))
    again = visitor.post(confirm_page_of_first_mail())
    seen = visitor.get(confirm_page_of_first_mail())

    assert "nothing was done twice" in read(visitor.get(again["Location"], follow=True)).text
    assert "nothing was done twice" in read(visitor.get(seen["Location"])).text
    assert money_of(account) == IN_TRANSIT


def confirm_page_of_first_mail():
    return links("confirm", confirmation_mails()[0])[0]


def test_a_link_that_was_replaced_confirms_nothing(visitor, env, run):
    old = confirm_page()
    operations.resend_confirmation(withdrawal_of(run).id)
    env.skip(timedelta(0))

    pages = [visitor.get(old), visitor.post(old)]

    assert [page.status_code for page in pages] == [410, 410]
    assert all("replaced" in read(page).text for page in pages)
    assert "form" not in read(pages[0]).tags
    assert stands(run)[0] == "awaiting_confirmation"


@pytest.mark.parametrize("moment", ["late", "timed out", "cancelled"])
def test_a_link_that_came_too_late_says_what_happened(visitor, env, run, account, moment):
    link = confirm_page()
    if moment == "late":
        env.now += timedelta(minutes=30, microseconds=1)
    elif moment == "timed out":
        env.skip(timedelta(minutes=30))
    else:
        operations.cancel_withdrawal(withdrawal_of(run).id)

    pages = [visitor.get(link), visitor.post(link)]

    assert [page.status_code for page in pages] == [410, 410]
    assert "can no longer confirm" in read(pages[1]).text
    assert "form" not in read(pages[1]).tags
    env.skip(timedelta(0))
    assert (stands(run)[0], money_of(account)) == ("cancelled", UNTOUCHED)


@pytest.mark.parametrize("made_up", ["x", "x" * 43, "%00", "%ff", "%C3%BC", "a" * 3000])
def test_a_link_that_nobody_was_sent_is_not_found(visitor, run, made_up):
    for page in (visitor.get(f"/wallet/confirm/{made_up}/"), visitor.post(f"/wallet/confirm/{made_up}/")):
        assert page.status_code == 404
        assert "We do not know this link" in read(page).text
    assert stands(run)[0] == "awaiting_confirmation"


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_no_other_way_of_asking_is_answered(visitor, run, method):
    assert getattr(visitor, method)(confirm_page()).status_code == 405


# --- The status page -------------------------------------------------------------------------------------------------


def test_the_status_page_tells_what_happened_what_comes_next_and_until_when(visitor, run):
    text = " ".join(read(visitor.get(status_page())).text.split())

    assert "Your confirmation is needed" in text
    assert "What happened The amount is set aside, and a link was sent to a•••@example.com." in text
    assert "What comes next Open the link in the e-mail and confirm." in text
    assert "Until 5 January 2026, 12:30 UTC" in text


@pytest.mark.parametrize(
    ("moment", "headline", "buttons"),
    [
        ("awaiting", "Your confirmation is needed", {"Send the link again", "Cancel the withdrawal"}),
        ("late", "The time to confirm is over", {"Cancel the withdrawal"}),
        ("confirmed", "Confirmed", {"Cancel the withdrawal"}),
        ("in transit", "On its way", set()),
        ("held", "On its way", set()),
        ("completed", "Completed", set()),
        ("timed out", "Cancelled", set()),
        ("rejected", "Not carried out", set()),
        ("returned", "Returned", set()),
        ("credited", "Returned to you", set()),
    ],
)
def test_each_stage_has_its_words_and_its_buttons(visitor, env, account, destination, moment, headline, buttons):
    if moment == "held":
        destination = add_destination(account, ending=NEVER_ACCEPTED)
    run = begin(env, account, destination)
    page = status_page()
    if moment == "late":
        env.now += timedelta(minutes=30, microseconds=1)
    elif moment == "timed out":
        env.skip(timedelta(minutes=30))
    elif moment == "confirmed":
        operations.confirm_withdrawal(token())
    elif moment == "rejected":
        operations.freeze_account(account.id, actor="officer", reason="a court order")
        confirm(env)
    elif moment != "awaiting":
        confirm(env)
    if moment in ("completed", "held", "returned", "credited"):
        env.skip(timedelta(hours=72))
    if moment in ("returned", "credited"):
        operations.record_return(key="r", withdrawal_id=withdrawal_of(run).id, reason="closed", actor="desk")
    if moment == "credited":
        operations.resolve_case(Case.objects.get().id, resolution="credited", reason="closed", actor="officer")

    shown = read(visitor.get(page))

    assert headline in shown.text
    assert set(shown.forms) == buttons


def test_success_is_never_shown_while_the_money_is_still_under_way(visitor, env, account, destination):
    confirmed(env, account, destination)
    text = read(visitor.get(status_page())).text

    assert "On its way" in text
    assert "Completed" not in text
    assert "8 January 2026, 12:00 UTC" in text


def test_the_customer_cancels_on_the_status_page(visitor, env, run, account):
    method, action = read(visitor.get(status_page())).forms["Cancel the withdrawal"]
    answer = visitor.post(action)

    assert (method, answer.status_code) == ("post", 303)
    assert "The withdrawal is cancelled." in read(visitor.get(answer["Location"])).text
    assert money_of(account) == UNTOUCHED
    env.skip(timedelta(0))
    assert stands(run) == ("cancelled", "customer")


def test_cancelling_on_the_confirmation_page_works_too(visitor, run):
    _, action = read(visitor.get(confirm_page())).forms["Cancel it instead"]
    visitor.post(action)

    assert stands(run) == ("cancelled", "customer")


def test_a_cancel_that_comes_too_late_says_so(visitor, env, run, account):
    _, action = read(visitor.get(status_page())).forms["Cancel the withdrawal"]
    confirm(env)

    answer = visitor.post(action)

    assert "It can no longer be cancelled." in read(visitor.get(answer["Location"])).text
    assert (stands(run)[0], money_of(account)) == ("in_transit", IN_TRANSIT)


def test_the_customer_has_the_link_sent_again(visitor, env, run):
    old = confirm_page()
    _, action = read(visitor.get(status_page())).forms["Send the link again"]

    answer = visitor.post(action)
    env.skip(timedelta(0))

    assert "A new link is on its way." in read(visitor.get(answer["Location"])).text
    assert (len(confirmation_mails()), confirm_page() == old) == (2, False)


def test_asking_for_the_link_too_often_is_refused_in_words(visitor, run):
    _, action = read(visitor.get(status_page())).forms["Send the link again"]
    answers = [visitor.post(action) for _ in range(6)]

    assert "sent several times already" in read(visitor.get(answers[-1]["Location"])).text


def test_nothing_is_done_by_looking(visitor, run, account):
    forms = read(visitor.get(status_page())).forms
    for _, action in forms.values():
        assert visitor.get(action).status_code == 405

    assert (stands(run)[0], money_of(account), len(confirmation_mails())) == ("awaiting_confirmation", SET_ASIDE, 1)


@pytest.mark.parametrize("part", ["", "cancel/", "resend/"])
def test_a_status_page_cannot_be_guessed(visitor, run, part):
    own = Withdrawal.objects.get().id
    for reference in (str(own), f"{own}.x", "x", f"{own}.{'x' * 43}", "%ff"):
        address = f"/wallet/status/{reference}/{part}"
        page = visitor.post(address) if part else visitor.get(address)
        assert page.status_code == 404

    assert stands(run)[0] == "awaiting_confirmation"


def test_a_note_in_the_address_puts_no_text_on_the_page(visitor, run):
    page = visitor.get(status_page() + "?note=<b>Pay+me</b>")

    assert page.status_code == 200
    assert "Pay" not in page.content.decode()


# --- What every page keeps to ----------------------------------------------------------------------------------------


@pytest.fixture(params=["confirm", "replaced", "status", "unknown", "redirect", "refused method"])
def any_page(request, visitor, env, run):
    link, status = confirm_page(), status_page()
    if request.param == "replaced":
        operations.resend_confirmation(withdrawal_of(run).id)
    asked = {
        "confirm": lambda: visitor.get(link),
        "replaced": lambda: visitor.get(link),
        "status": lambda: visitor.get(status),
        "unknown": lambda: visitor.get("/wallet/confirm/x/"),
        "redirect": lambda: visitor.post(link),
        "refused method": lambda: visitor.put(link),
    }
    return asked[request.param]()


def test_no_page_tells_its_address_to_anybody(any_page):
    assert any_page["Referrer-Policy"] == "no-referrer"
    assert any_page["Cache-Control"] == "no-store"
    assert "noindex" in any_page["X-Robots-Tag"]
    assert "sessionid" not in any_page.cookies


def test_pages_need_no_script_and_no_style_of_their_own(visitor, run):
    for address in (confirm_page(), status_page()):
        page = visitor.get(address)
        assert not {"script", "style", "iframe"} & set(read(page).tags)
        assert "style=" not in page.content.decode()
        assert "http://" not in page.content.decode()
        assert page["Content-Security-Policy"]


def test_pages_say_their_language_and_have_one_heading(visitor, run):
    for address in (confirm_page(), status_page(), "/wallet/confirm/x/"):
        shown = read(visitor.get(address))
        assert shown.language == "en"
        assert (shown.tags.count("h1"), shown.tags.count("main"), shown.tags.count("title")) == (1, 1, 1)


def test_what_a_customer_typed_is_text_and_no_markup(visitor, env, account):
    begin(env, account, add_destination(account, beneficiary="<b>Eve</b> & Sons"))

    page = visitor.get(confirm_page()).content.decode()

    assert "&lt;b&gt;Eve&lt;/b&gt; &amp; Sons" in page
    assert "<b>" not in page
