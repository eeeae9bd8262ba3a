"""E-mails to customers: text and HTML, absolute links, and what a mail server may answer."""

import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from tests.wallet.factories import add_destination, confirmation_mails, links
from tests.wallet.flows import begin, confirm, stands, withdrawal_of
from wallet import errors, operations

pytestmark = pytest.mark.django_db


def html(message):
    (alternative,) = message.alternatives
    assert alternative.mimetype == "text/html"
    return alternative.content


def test_the_confirmation_names_what_is_confirmed_and_until_when(env, account, destination):
    begin(env, account, destination)
    (message,) = mail.outbox

    for text in (message.body, html(message)):
        assert all(part in text for part in ("100.00 USD", "Ada Byron", "Savings", "30 minutes"))
        assert destination.address not in text
        assert destination.address[-4:] in text


def test_the_link_is_absolute_and_begins_where_the_setting_says(env, account, destination, settings):
    settings.WALLET = {**settings.WALLET, "PUBLIC_URL": "https://pay.example.com"}
    begin(env, account, destination)

    body = mail.outbox[0].body
    assert "https://pay.example.com/wallet/confirm/" in body
    assert "https://pay.example.com/wallet/status/" in body
    assert "127.0.0.1" not in body


def test_text_and_html_carry_the_same_links(env, account, destination):
    begin(env, account, destination)
    (message,) = mail.outbox

    for kind in ("confirm", "status"):
        (link,) = links(kind, message)
        assert link in html(message)


def test_a_link_that_is_sent_again_names_the_deadline(env, account, destination):
    run = begin(env, account, destination)
    env.skip(timedelta(minutes=5))
    operations.resend_confirmation(withdrawal_of(run).id)
    env.skip(timedelta(0))

    assert "until 5 January 2026, 12:30 UTC" in confirmation_mails()[-1].body


def test_mails_come_from_the_address_of_the_setting_and_answer_nobody(env, account, destination, settings):
    settings.WALLET = {**settings.WALLET, "MAIL_FROM": "Bank <pay@bank.example>"}
    begin(env, account, destination)
    (message,) = mail.outbox

    assert message.from_email == "Bank <pay@bank.example>"
    assert message.extra_headers["Message-ID"].endswith("@bank.example>")
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"


def test_names_are_escaped_in_html_and_not_in_text(env, account):
    begin(env, account, add_destination(account, beneficiary="Müller & <Söhne>"))
    (message,) = mail.outbox

    assert "Müller & <Söhne>" in message.body
    assert "Müller &amp; &lt;Söhne&gt;" in html(message)


@pytest.mark.parametrize(
    ("moment", "subject"),
    [
        ("timeout", "Your withdrawal of 100.00 USD: cancelled"),
        ("cancel", "Your withdrawal of 100.00 USD: cancelled"),
        ("paid", "Your withdrawal of 100.00 USD: completed"),
    ],
)
def test_an_end_is_told(env, account, destination, moment, subject):
    run = begin(env, account, destination)
    if moment == "cancel":
        operations.cancel_withdrawal(withdrawal_of(run).id)
    elif moment == "paid":
        confirm(env)
    env.skip(timedelta(hours=72))

    assert mail.outbox[-1].subject == subject
    assert links("status", mail.outbox[-1])
    assert links("confirm", mail.outbox[-1]) == []


def test_nothing_is_sent_to_confirm_what_nobody_waits_for(env, account, destination):
    run = begin(env, account, destination)
    confirm(env)
    before = len(mail.outbox)

    assert operations.send_confirmation(withdrawal_of(run).id) is False
    assert len(mail.outbox) == before


# --- What a mail server may answer -----------------------------------------------------------------------------------


class Server:
    """A mail server that answers the given errors first, in this order."""

    answers: list[Exception] = []


class ScriptedBackend(EmailBackend):
    def send_messages(self, messages):
        if Server.answers:
            raise Server.answers.pop(0)
        return super().send_messages(messages)


@pytest.fixture
def server(settings):
    settings.EMAIL_BACKEND = f"{__name__}.ScriptedBackend"
    Server.answers = []
    return Server


BUSY = smtplib.SMTPResponseException(451, b"try again later")
NO_SUCH_BOX = smtplib.SMTPRecipientsRefused({"ada@example.com": (550, b"no such box")})
FULL_BOX = smtplib.SMTPRecipientsRefused({"ada@example.com": (452, b"the box is full")})
NEVER = smtplib.SMTPResponseException(554, b"no")


@pytest.mark.parametrize("answer", [BUSY, FULL_BOX, ConnectionRefusedError(), TimeoutError()])
def test_a_server_that_is_busy_gets_the_mail_again(env, account, destination, server, answer):
    server.answers = [answer, answer]
    run = begin(env, account, destination)
    env.skip(timedelta(minutes=1))

    assert len(confirmation_mails()) == 1
    assert stands(run)[0] == "awaiting_confirmation"


@pytest.mark.parametrize("answer", [NO_SUCH_BOX, NEVER])
def test_a_server_that_says_never_is_asked_once(env, account, destination, server, answer):
    server.answers = [answer]
    run = begin(env, account, destination)

    assert stands(run) == ("rejected", "mail_refused")
    assert confirmation_mails() == []


def test_the_customers_address_is_in_no_error(env, account, destination, server):
    run = begin(env, account, destination)
    server.answers = [NO_SUCH_BOX]

    with pytest.raises(errors.MailRefused) as refused:
        operations.send_confirmation(withdrawal_of(run).id)

    assert "@" not in str(refused.value)
