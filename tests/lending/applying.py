"""Applications for tests. The bureau's simulator reads the last four digits of the SSN as a row of the credit data."""

from decimal import Decimal

from finaegis.shared.money import Money
from ledger import operations as ledger
from ledger import queries as ledger_queries
from ledger.contracts import Leg
from lending import operations, queries
from lending.contracts import ApplicationForm, Document
from workflows import Sensitive

#: Row 2 of the data scores low, row 1 high; 9001 to 9003 are the simulators' own.
GOOD, RISKY, NO_FILE, OUTAGE, FRAUD = "2002", "2001", "9001", "9002", "9003"
PAPERS = (Document(kind="payslip", reference="DOC-1"),)


def ssn_of(ending):
    return f"900-55-{ending}"


def form(ending=GOOD, **changes):
    """A form whose facts are those of a good application unless changed."""
    facts = {
        "applicant": "Ada Lovelace",
        "ssn": Sensitive(ssn_of(ending)),
        "income": Decimal("60000.00"),
        "currency": "EUR",
        "amount": Decimal("2096.00"),
        "term_months": 12,
        "documents": PAPERS,
    }
    return ApplicationForm(**{**facts, **changes})


def given(ending=GOOD, **changes):
    """The same as arguments of the workflow."""
    made = form(ending, **changes)
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def fund(amount="100000.00", currency="EUR"):
    operations.fund_lending(amount=Money(amount, currency), key="test:funds")


def balance(owner, kind, currency="EUR"):
    """What stands on a ledger account, as text; None for one that was never opened."""
    found = ledger_queries.find_account(owner=owner, kind=kind, currency=currency)
    return None if found is None else found.balance.to_text()


def spend(loan, amount, key="test:spending"):
    """The borrower spends money of the loan."""
    outside = ledger.open_account(owner="external", kind="external", currency="EUR", may_go_negative=True)
    current = ledger_queries.find_account(owner=loan.ledger_owner, kind="current", currency="EUR")
    money = Money(amount, "EUR")
    ledger.transfer(key=key, legs=[Leg(current.id, -money), Leg(outside.id, money)])


class Applicants:
    """Takes applications through lending's operations, without a run driving them."""

    def __init__(self):
        self.number = 0

    def submit(self, ending=GOOD, **changes):
        """A submitted application of a person nobody saw before."""
        self.number += 1
        ssn = Sensitive(f"{900 + self.number}-55-{ending}")
        return operations.submit_application(form(ending, ssn=ssn, **changes))

    def checked(self, ending=GOOD, **changes):
        """A submitted application and what its checks found."""
        application = self.submit(ending, **changes)
        return application, self.checks(application, ending)

    def checks(self, application, ending=GOOD):
        ssn = Sensitive(ssn_of(ending))
        operations.pull_credit(application_id=application.id, ssn=ssn)
        operations.screen_fraud(application_id=application.id, ssn=ssn)
        operations.verify_documents(application_id=application.id)
        return queries.get_checks(application.id)

    def assessed(self, ending=GOOD, **changes):
        application, checks = self.checked(ending, **changes)
        return application, operations.assess_application(application_id=application.id, checks=checks)

    def in_review(self, ending=RISKY, **changes):
        changes = {"amount": Decimal("5951.00"), "term_months": 48, **changes}
        application, _ = self.assessed(ending, **changes)
        operations.request_review(application_id=application.id)
        return queries.get_application(application.id)

    def lent(self, **changes):
        """A loan that waits for its money."""
        application, _ = self.assessed(**changes)
        return operations.accept_offer(application_id=application.id, accepted_by="olga")
