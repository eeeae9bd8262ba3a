"""Users of each role and runs in each state."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from finaegis.shared.money import Money
from tests.admin import flows
from workflows import operations, queries
from workflows.models import Run

AMOUNT = Money("250.00", "USD")


@pytest.fixture
def env(workflow_env):
    return workflow_env


def user_of(role):
    user = User.objects.create_user(f"the-{role}", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def operator(db):
    return user_of("operator")


@pytest.fixture
def viewer(db):
    return user_of("viewer")


@pytest.fixture
def client(operator):
    """A browser in which the operator is logged in."""
    return signed_in(operator)


def signed_in(user, **options):
    client = Client(**options)
    client.force_login(user)
    return client


def without(user, permission):
    """The same user with one permission less."""
    group = user.groups.get()
    group.permissions.remove(Permission.objects.get(codename=permission))
    return User.objects.get(pk=user.pk)


def page_of(run, page="change"):
    return reverse(f"admin:workflows_run_{page}", args=[run.id])


@pytest.fixture
def make(env):
    return Runs(env)


class Runs:
    """Makes runs in the state that a test asks for."""

    def __init__(self, env):
        self.env = env

    def start(self, **options):
        return operations.start_run(flows.SettlementWorkflow, trade="T-1", amount=AMOUNT, ssn=flows.SECRET, **options)

    def pending(self, **options):
        return self.start(**options)

    def completed(self):
        return self._driven(self.start())

    def backing_off(self):
        """Its last step failed once and waits for its second attempt."""
        self.env.mock(flows.settle).raises(flows.Down("the gateway answered 503")).returns("settled at last")
        run = self.start()
        self.env.skip(timedelta(0))
        return queries.get_run(run.id)

    def held(self):
        self.env.mock(flows.settle).raises(flows.Down("the gateway answered 503")).raises(
            flows.Down("the gateway answered 503")
        ).returns("settled at last")
        return self._driven(self.start())

    def paused(self):
        run = self.start()
        return operations.pause_run(run.id, reason="lunch")

    def cancelled(self):
        return operations.cancel_run(self.start().id, reason="entered twice")

    def compensated(self):
        return self._driven(operations.start_run(flows.UndoneWorkflow, trade="T-2", amount=AMOUNT))

    def many(self, number):
        return self._driven(operations.start_run(flows.ManyWorkflow, number))

    def leaving(self):
        """Held, and a cancel would leave what it did."""
        return self._driven(operations.start_run(flows.LeavingWorkflow, trade="T-5", amount=AMOUNT))

    def failed(self):
        return self._driven(operations.start_run(flows.HopelessWorkflow, trade="T-3"))

    def undo_failed(self):
        """Held because its undo failed for good."""
        mock = self.env.mock(flows.release)
        for _ in range(3):
            mock.raises(flows.Down("the ledger is closed"))
        mock.returns(None)
        return self._driven(operations.start_run(flows.UndoneWorkflow, trade="T-4", amount=AMOUNT))

    def moved(self, *statuses):
        """A run whose row was taken through these states: those that only a living driver or a later release makes."""
        run = self.start()
        for status in statuses:
            Run.objects.filter(pk=run.id).update(status=status)
        return queries.get_run(run.id)

    def everywhere(self):
        """A run in each state and for each way of being held that can be made here."""
        return [
            self.pending(), self.paused(), self.cancelled(), self.compensated(), self.failed(), self.undo_failed(),
            self.held(), self.completed(), self.moved("running"), self.moved("running", "waiting"),
            self.moved("running", "compensating"), self.moved("terminated"), self.moved("timed_out"),
            self.moved("running", "continued"),
        ]  # fmt: skip

    def _driven(self, run):
        self.env.skip(timedelta(minutes=10))
        return queries.get_run(run.id)
