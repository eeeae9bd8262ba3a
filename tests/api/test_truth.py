"""The OpenAPI document tells the truth: requests that fit and that do not are answered as it says, never by a 500."""

from datetime import timedelta

import pytest
import schemathesis
from django.contrib.auth.models import Group, User
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from knox.models import AuthToken
from schemathesis import checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks as openapi_checks

from ledger import queries as ledger
from tests import talking
from tests.api.cast import RefusedWorkflow
from tests.api.test_schema import routes
from tests.kin import ParcelSent
from tests.talking import HaggleWorkflow, LetterWorkflow
from workflows import events, operations, queries
from workflows.api.throttles import TokenRateThrottle

PROMISES = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
]
OPERATIONS = sorted((path, method) for path, method in routes() if not path.endswith("/auth/token/"))
#: Take nothing, or any text at all, so nothing can be wrong.
BARE = [
    f"/api/v1/{path}/"
    for path in ("workflows", "metrics", "work-queues", "exchange/instruments", "exchange/instruments/{symbol}")
]
#: Requests that fit, and requests that do not where there is anything to get wrong.
KINDS = [
    (path, method, mode)
    for path, method in OPERATIONS
    for mode in GenerationMode
    if not (path in BARE and mode is GenerationMode.NEGATIVE)
]


@pytest.fixture(scope="module", autouse=True)
def _connection_stays_open():
    """A server gives its connection up between requests; here they share the test's transaction."""
    for event in (request_started, request_finished):
        event.disconnect(close_old_connections)
    yield
    for event in (request_started, request_finished):
        event.connect(close_old_connections)


@pytest.fixture(scope="module")
def document(_connection_stays_open):
    return schemathesis.openapi.from_wsgi("/api/schema/", WSGIHandler())


@pytest.fixture
def token(db, monkeypatch):
    monkeypatch.setattr(TokenRateThrottle, "rate", None, raising=False)
    user = User.objects.create_user("operator")
    user.groups.add(Group.objects.get(name="operator"))
    return AuthToken.objects.create(user)[1]


@pytest.fixture
def known(account, workflow_env):
    """What exists, for parameters of paths and members of bodies; the run is held, so that acts fit it.

    By a part of the path; the empty part is of every path.
    """
    run, haggle = operations.start_run(RefusedWorkflow, 1), operations.start_run(HaggleWorkflow)
    operations.start_run(LetterWorkflow, "dear sir")
    events.publish(ParcelSent("a", "heavy"))
    workflow_env.skip(timedelta(0))
    (parked,) = queries.list_deliveries(status="parked")
    (operating,) = ledger.list_accounts(owner=account.ledger_owner, kind="operating")
    return {
        "": {
            "run_id": str(run.id),
            "account_id": str(account.id),
            "workflow": "rest.Addition",
            "version": 1,
            "input": {"n": 7},
            "amount": {"amount": "1.00", "currency": "USD"},
            "currency": "USD",
            "initial_balance": "1.00",
            "constraints": {},
        },
        "/signals/": {"run_id": str(haggle.id), "name": "say", "input": {"text": "hello"}},
        "/queries/": {"run_id": str(haggle.id), "name": "said", "input": {}},
        "/updates/": {"run_id": str(haggle.id), "name": "offer", "input": {"amount": 3}},
        "/timers/": {"run_id": str(haggle.id), "seq": 1, "due_at": "2026-01-05T13:00:00Z"},
        "/events/": {"number": parked.id},
        "/activities/": {"token": talking.tokens[-1], "result": 3},
        "/records/": {"kind": "treasury.treasuryaccount", "record_id": str(account.id)},
        "/ledger/": {"account_id": str(operating.id)},
    }


def aim(case, known):
    """Let a case hit what exists, so that more than refusals is looked at."""
    values = {name: value for part, held in known.items() if part in case.path for name, value in held.items()}
    case.path_parameters.update({name: values[name] for name in case.path_parameters if name in values})
    if case.query:
        case.query.pop("cursor", None)
    if isinstance(case.body, dict):
        case.body.update({name: values[name] for name in case.body if name in values})


@pytest.mark.parametrize(("path", "method", "mode"), KINDS)
def test_every_answer_is_one_that_the_document_tells(document, token, known, path, method, mode):
    @settings(max_examples=8, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=document[path][method.upper()].as_strategy(generation_mode=mode), aimed=st.booleans())
    def ask(case, aimed):
        if aimed and mode is GenerationMode.POSITIVE:
            aim(case, known)
        case.call_and_validate(headers={"Authorization": f"Token {token}"}, checks=PROMISES)

    ask()
