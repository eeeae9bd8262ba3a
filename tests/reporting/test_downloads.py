"""Getting a report's file: who may, what is sent, what is recorded, and what is kept back."""

from __future__ import annotations

import base64
import hashlib
import stat

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, storages

from finaegis.settings import base
from reporting import operations, queries
from reporting.errors import SourceForbidden
from reporting.models import Download
from tests.api.conftest import assert_problem
from tests.reporting import books

pytestmark = pytest.mark.django_db

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def where(report):
    return f"/api/v1/reporting/reports/{report.id}/download/"


def recorded(report):
    return [(item.actor, item.door, item.outcome) for item in queries.list_downloads(report.id)]


def replace_file(report, content):
    storage = storages["reports"]
    storage.delete(report.file.name)
    assert storage.save(report.file.name, ContentFile(content)) == report.file.name


@pytest.mark.parametrize("format", books.FORMATS)
def test_the_file_is_sent_as_what_it_is(env, treasury, operator, format) -> None:
    report = books.made(env, format=format)

    response = operator.get(where(report))

    content = b"".join(response.streaming_content)
    assert (response.status_code, response["Content-Type"]) == (200, MEDIA[format])
    name = f"treasury_positions-2026-01-05-{str(report.id)[:8]}.{format}"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert (response["Cache-Control"], response["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert int(response["Content-Length"]) == len(content) == report.file.size
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
    assert response["Repr-Digest"] == f"sha-256=:{digest}:"
    assert content == books.content_of(report)


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "*/*", "application/pdf"])
def test_it_is_sent_whatever_the_client_says_it_accepts(env, treasury, operator, accept) -> None:
    report = books.made(env)

    assert operator.get(where(report), headers={"Accept": accept}).status_code == 200


def test_each_download_is_recorded_with_who_got_it(env, treasury, operator, viewer) -> None:
    report = books.made(env)

    operator.get(where(report))
    viewer.get(where(report))

    assert sorted(recorded(report)) == [("operator", "rest", "given"), ("viewer", "rest", "given")]


def test_a_report_that_is_being_made_cannot_be_got_yet(env, treasury, operator) -> None:
    report = books.order()

    assert_problem(operator.get(where(report)), 409, "report_not_ready")
    assert recorded(report) == []


def test_a_report_that_was_taken_back_cannot_be_got(env, treasury, operator) -> None:
    report = books.made(env)
    operations.withdraw_report(report_id=report.id)

    assert_problem(operator.get(where(report)), 409, "report_withdrawn")
    assert recorded(report) == []


@pytest.mark.parametrize("address", ["3fa85f64-5717-4562-b3fc-2c963f66afa6", "nonsense"])
def test_a_report_that_is_not_there_is_not_found(operator, address) -> None:
    assert_problem(operator.get(f"/api/v1/reporting/reports/{address}/download/"), 404, "not_found")


def test_a_file_that_was_changed_is_kept_back_and_that_is_recorded(env, treasury, operator) -> None:
    report = books.made(env)
    replace_file(report, books.content_of(report).replace(b"900000.00", b"990000.00"))

    assert_problem(operator.get(where(report)), 409, "report_file_altered")
    assert recorded(report) == [("operator", "rest", "altered")]


def test_a_file_that_is_gone_is_told_and_recorded(env, treasury, operator) -> None:
    report = books.made(env)
    storages["reports"].delete(report.file.name)

    assert_problem(operator.get(where(report)), 409, "report_file_missing")
    assert recorded(report) == [("operator", "rest", "missing")]


def test_without_a_login_nothing_is_sent(env, treasury, anonymous) -> None:
    assert_problem(anonymous.get(where(books.made(env))), 401, "not_authenticated")


def test_who_may_not_download_gets_nothing(env, treasury, client_with) -> None:
    report = books.made(env)
    client = client_with("reporting.view_report", "treasury.view_treasuryaccount", "ledger.view_account")

    assert_problem(client.get(where(report)), 403, "permission_denied")
    assert recorded(report) == []


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("treasury_positions", ("ledger.view_account", "lending.view_loan")),
        ("loan_book", ("ledger.view_account", "treasury.view_treasuryaccount")),
        ("daily_activity", ("ledger.view_account", "wallet.view_withdrawal")),
    ],
)
def test_who_may_not_see_what_a_report_is_made_of_gets_nothing(env, client_with, kind, seen) -> None:
    report = books.made(env, kind)
    client = client_with("reporting.download_report", *seen)

    assert_problem(client.get(where(report)), 403, "source_forbidden")
    assert recorded(report) == []


def test_the_operation_itself_asks_for_the_permission(env, treasury) -> None:
    report = books.made(env)
    user = User.objects.create_user("nobody")

    with pytest.raises(SourceForbidden):
        operations.open_download(report.id, actor=user, door="rest")

    assert Download.objects.count() == 0


def test_a_user_who_left_gets_nothing(env, treasury) -> None:
    report = books.made(env)
    user = User.objects.create_superuser("left")
    user.is_active = False
    user.save()

    with pytest.raises(SourceForbidden):
        operations.open_download(report.id, actor=user, door="rest")


@pytest.mark.parametrize("role", ["operator", "approver", "viewer", "auditor"])
def test_roles_that_read_may_download_and_operators_alone_order(role) -> None:
    permissions = Group.objects.get(name=role).permissions.filter(content_type__app_label="reporting")
    held = set(permissions.values_list("codename", flat=True))

    expected = {"view_report", "view_download", "download_report"} | ({"add_report"} if role == "operator" else set())
    assert held == expected
    assert Permission.objects.filter(content_type__app_label="reporting").count() == 4


def test_files_are_read_by_the_platform_alone(tmp_path) -> None:
    options = {**base.STORAGES["reports"]["OPTIONS"], "location": str(tmp_path)}
    storage = FileSystemStorage(**options)

    storage.save("a/b.csv", ContentFile(b"x"))

    assert stat.S_IMODE((tmp_path / "a/b.csv").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_a_file_is_never_written_over(tmp_path) -> None:
    storage = FileSystemStorage(**{**base.STORAGES["reports"]["OPTIONS"], "location": str(tmp_path)})

    names = {storage.save("a/b.csv", ContentFile(content)) for content in (b"first", b"second")}

    assert len(names) == 2
    assert (tmp_path / "a/b.csv").read_bytes() == b"first"
