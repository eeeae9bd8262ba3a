"""What tests of the withdrawal workflow do again and again: begin one, confirm it, look where it stands."""

from datetime import timedelta

from finaegis.shared.money import Money
from tests.wallet.factories import token
from wallet import operations, queries
from wallet.workflows import WithdrawalWorkflow
from workflows import queries as runs

AMOUNT = Money("100.00", "USD")
UNTOUCHED = {"available": "1000.00", "held": "0.00", "in transit": "0.00"}
SET_ASIDE = {"available": "900.00", "held": "100.00", "in transit": "0.00"}
IN_TRANSIT = {"available": "900.00", "held": "0.00", "in transit": "100.00"}
PAID = {"available": "900.00", "held": "0.00", "in transit": "0.00"}


def begin(env, account, destination, amount=AMOUNT):
    """A withdrawal that waits for its customer; gives its run."""
    run = env.start(WithdrawalWorkflow, account.id, amount, destination.id)
    env.skip(timedelta(0))
    return run


def confirm(env):
    """The customer presses the button of the newest link, and what is due runs."""
    operations.confirm_withdrawal(token())
    env.skip(timedelta(0))


def confirmed(env, account, destination):
    """A withdrawal that its customer confirmed; gives its run."""
    run = begin(env, account, destination)
    confirm(env)
    return run


def withdrawal_of(run):
    return queries.find_by_run(run.id)


def stands(run):
    """The withdrawal's status and reason."""
    found = withdrawal_of(run)
    return str(found.status), found.reason


def state(run):
    """The run's status and why it is held."""
    found = runs.get_run(run.id)
    return found.status, found.hold_reason


def undone(run):
    """The undos that completed, in order."""
    steps = [step for step in runs.list_steps(run.id) if step.kind == "compensation"]
    return [step.name.removeprefix("wallet.") for step in steps if step.status == "completed"]


def kinds(run):
    """What happened to the withdrawal, in order."""
    return [str(event.kind) for event in queries.list_events(withdrawal_of(run).id)]
