"""What a person does in the console, by Django's test client: open a dialog, fill it in, send it."""

import re
from html.parser import HTMLParser

from django.urls import reverse

_ONCE = re.compile(r'name="once" value="([^"]+)"')


class DialogReader(HTMLParser):
    """The names and values that a browser would send from the page's dialog, left as it stands."""

    def __init__(self):
        super().__init__()
        self.values, self._inside, self._open = {}, False, None

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self._inside = "fa-dialog" in (given.get("class") or "")
        name = given.get("name")
        if not self._inside:
            return
        if tag == "input" and name:
            self.values[name] = given.get("value") or ""
        elif tag in ("textarea", "select") and name:
            self._open, self.values[name] = name, ""
        elif tag == "option" and self._open and "selected" in given:
            self.values[self._open] = given.get("value") or ""

    def handle_endtag(self, tag):
        if tag in ("textarea", "select"):
            self._open = None
        elif tag == "form":
            self._inside = False

    def handle_data(self, data):
        if self._open and self.get_starttag_text().startswith("<textarea"):
            self.values[self._open] += data


def typed_in(page):
    """What stands in the page's dialog; nothing for a page without one."""
    reader = DialogReader()
    reader.feed(page.content.decode())
    values = {name: value.strip() for name, value in reader.values.items()}
    values.pop("csrfmiddlewaretoken", None)
    return values


def once_of(page):
    """The one-time key that stands in a dialog."""
    found = _ONCE.search(page.content.decode())
    assert found, "the page has no one-time key"
    return found[1]


def open_dialog(client, run, act):
    return client.get(reverse(f"admin:workflows_run_{act}", args=[run.id]))


def send(client, run, act, **fields):
    """Open the dialog and send it with these fields, the others as they stand."""
    return resend(client, run, act, once=once_of(open_dialog(client, run, act)), **fields)


def resend(client, run, act, *, once, **fields):
    standing = typed_in(open_dialog(client, run, act))
    url = reverse(f"admin:workflows_run_{act}", args=[run.id])
    return client.post(url, {**standing, "reason": "the desk asked for it", **fields, "once": once})


def start_url(workflow=None):
    return reverse("admin:workflows_run_start") + (f"?workflow={workflow}" if workflow else "")


def messages_of(client, response):
    """The messages that the page shows to which a dialog sends on."""
    page = client.get(response.url)
    return [str(message) for message in page.context["messages"]]
