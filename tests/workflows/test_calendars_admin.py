"""Business calendars in the console: who may, edits them; what makes no sense is refused with its reason."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from workflows.models import Calendar, Holiday

LIST = reverse("admin:workflows_calendar_changelist")
ADD = reverse("admin:workflows_calendar_add")


def signed_in(*permissions: str) -> Client:
    user = User.objects.create_user("a-person", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="workflows", codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor() -> Client:
    return signed_in("view_calendar", "change_calendar")


@pytest.fixture
def dollar() -> Calendar:
    return Calendar.objects.get(code="USD")


def page(calendar: Calendar, name: str = "change") -> str:
    return reverse(f"admin:workflows_calendar_{name}", args=[calendar.pk])


def form(calendar: Calendar | None, **changes: Any) -> dict[str, Any]:
    """The fields of the form as it was opened, with these changes."""
    facts: dict[str, Any] = {
        "code": "rail-x", "name": "Rail X", "zone": "Europe/Paris", "opens_at": "08:00", "cut_off": "16:00",
        "weekend": ["6", "7"], "source": "",
    }  # fmt: skip
    holidays = []
    if calendar is not None:
        names = ("name", "zone", "opens_at", "cut_off", "source")
        facts = {name: getattr(calendar, name) for name in names} | {"weekend": list(calendar.weekend)}
        holidays = list(calendar.holidays.order_by("date"))
    for number, holiday in enumerate(holidays):
        facts |= {
            f"holidays-{number}-id": holiday.pk,
            f"holidays-{number}-date": holiday.date,
            f"holidays-{number}-name": holiday.name,
        }
    return facts | {"holidays-TOTAL_FORMS": len(holidays), "holidays-INITIAL_FORMS": len(holidays)} | changes


def text(answer: Any) -> str:
    assert isinstance(answer, HttpResponse)
    return answer.content.decode()


def test_the_list_shows_hours_and_how_far_the_holidays_reach(editor: Client) -> None:
    shown = text(editor.get(LIST))

    assert "America/New_York" in shown
    assert "18:45" in shown
    assert "Saturday, Sunday" in shown
    assert "2027" in shown


def test_hours_and_weekdays_are_edited(editor: Client, dollar: Calendar) -> None:
    answer = editor.post(page(dollar), form(dollar, cut_off="17:30", weekend=["7", "5"]))

    assert answer.status_code == 302
    dollar.refresh_from_db()
    assert (dollar.cut_off, dollar.weekend) == (time(17, 30), "57")


def test_the_form_shows_the_days_that_are_closed(editor: Client, dollar: Calendar) -> None:
    answer = editor.get(page(dollar))

    assert answer.context["adminform"].form["weekend"].value() == ["6", "7"]


def test_a_holiday_is_entered_and_another_removed(editor: Client, dollar: Calendar) -> None:
    count = dollar.holidays.count()
    removed = dollar.holidays.order_by("date").first()
    assert removed is not None

    answer = editor.post(
        page(dollar),
        form(dollar)
        | {
            "holidays-TOTAL_FORMS": count + 1,
            "holidays-0-DELETE": "on",
            f"holidays-{count}-date": "2026-03-02",
            f"holidays-{count}-name": "Day of mourning",
        },
    )

    assert answer.status_code == 302
    assert dollar.holidays.filter(date=date(2026, 3, 2), name="Day of mourning").exists()
    assert not dollar.holidays.filter(pk=removed.pk).exists()
    assert dollar.holidays.count() == count


def test_a_calendar_of_another_rail_is_added(editor: Client) -> None:
    answer = editor.post(ADD, form(None))

    assert answer.status_code == 302
    assert Calendar.objects.get(code="rail-x").zone == "Europe/Paris"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"zone": "Europe/Entenhausen"}, "is no IANA time zone"),
        ({"zone": "../etc/passwd"}, "is no IANA time zone"),
        ({"cut_off": "09:00"}, "The cut-off is later than the opening hour"),
        ({"weekend": list("1234567")}, "At least one day of the week stays open"),
        ({"weekend": ["8"]}, "Select a valid choice"),
        ({"opens_at": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(
    editor: Client, dollar: Calendar, changes: dict[str, Any], reason: str
) -> None:
    answer = editor.post(page(dollar), form(dollar, **changes))

    assert reason in text(answer)
    unchanged = Calendar.objects.get(pk=dollar.pk)
    assert (unchanged.zone, unchanged.cut_off, unchanged.weekend) == ("America/New_York", time(18, 45), "67")


def test_a_day_that_is_entered_twice_is_refused(editor: Client, dollar: Calendar) -> None:
    count = dollar.holidays.count()

    answer = editor.post(
        page(dollar),
        form(dollar)
        | {
            "holidays-TOTAL_FORMS": count + 1,
            f"holidays-{count}-date": "2026-01-01",
            f"holidays-{count}-name": "New Year again",
        },
    )

    assert answer.status_code == 200
    assert dollar.holidays.count() == count


def test_the_code_that_workflows_name_stays(editor: Client, dollar: Calendar) -> None:
    editor.post(page(dollar), form(dollar, code="dollars"))

    dollar.refresh_from_db()
    assert dollar.code == "USD"


def test_nobody_deletes_a_calendar(admin_client: Client, dollar: Calendar) -> None:
    answer = admin_client.post(page(dollar, "delete"), {"post": "yes"})

    assert answer.status_code == 403
    assert Calendar.objects.filter(pk=dollar.pk).exists()


def test_who_may_only_look_changes_nothing(dollar: Calendar) -> None:
    viewer = signed_in("view_calendar")
    holidays = Holiday.objects.count()

    shown = [viewer.get(LIST).status_code, viewer.get(page(dollar)).status_code]
    refused = [
        viewer.post(page(dollar), form(dollar, name="Mine")).status_code,
        viewer.post(ADD, form(None)).status_code,
    ]

    assert shown == [200, 200]
    assert refused == [403, 403]
    dollar.refresh_from_db()
    assert dollar.name == "US dollar (Fedwire)"
    assert (Calendar.objects.count(), Holiday.objects.count()) == (2, holidays)


def test_without_a_permission_nothing_is_shown(dollar: Calendar) -> None:
    stranger = signed_in("view_run")

    assert [stranger.get(LIST).status_code, stranger.get(page(dollar)).status_code] == [403, 403]
