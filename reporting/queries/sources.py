"""What a report is made of, read from the domains and the ledger by their own queries.

Each of these reads several things that have to fit together: call it inside one snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from exchange import queries as exchange
from finaegis.shared.money import Money
from ledger import contracts as ledger_contracts
from ledger import queries as ledger
from lending import queries as lending
from reporting.contracts import (
    BalanceLine,
    Content,
    DueInstalment,
    LedgerPosition,
    LoanPosition,
    ReportKind,
    TradeLine,
    TreasuryPosition,
    WithdrawalLine,
)
from reporting.rules import daily_activity, loan_book, treasury_positions
from treasury import queries as treasury
from wallet import queries as wallet

_DAY = timedelta(days=1)
_TREASURY, _WALLET = "treasury:", "wallet:"


def read_position() -> LedgerPosition:
    """Up to where the ledger is read."""
    found = ledger.read_position()
    return LedgerPosition(transfers=found.transfers, newest=found.newest, posted_at=found.posted_at)


def read_content(kind: ReportKind, business_date: date) -> Content:
    """What the report says about the end of a business day."""
    return _READERS[kind](business_date)


def _trial_balance(until: date, since: date | None = None) -> list[BalanceLine]:
    return [
        BalanceLine(
            account_id=item.account_id,
            owner=item.owner,
            kind=item.kind,
            currency=item.currency,
            added=item.added,
            taken=item.taken,
            balance=item.balance,
        )
        for item in ledger.read_trial_balance(until=until, since=since)
    ]


# --- Treasury positions ----------------------------------------------------------------------------------------------


def _treasury_positions(business_date: date) -> Content:
    lines = _trial_balance(business_date)
    own: dict[str, list[BalanceLine]] = {}
    for line in lines:
        if line.owner.startswith(_TREASURY):
            own.setdefault(line.owner, []).append(line)
    is_open = business_date >= ledger.get_business_date()
    held = ledger.read_held([line.account_id for found in own.values() for line in found]) if is_open else {}
    positions = [
        TreasuryPosition(
            account_id=account.id,
            name=account.name,
            status=account.status,
            kind=line.kind,
            balance=line.balance,
            held=held.get(line.account_id),
        )
        for account in treasury.list_accounts()
        for line in own.get(account.ledger_owner, ())
    ]
    return treasury_positions.compose(positions, lines)


# --- Loan book -------------------------------------------------------------------------------------------------------


def _loan_book(business_date: date) -> Content:
    booked = list(lending.iterate_book())
    keys = [
        key for loan in booked for pay in loan.payouts for key in (pay.capture_key, pay.credit_key, pay.recovery_key)
    ]
    standing = ledger.read_standing(keys, until=business_date)
    loans = []
    for loan in booked:
        currency = loan.principal.currency
        captured = Money.total((_moved(standing.get(pay.capture_key), currency) for pay in loan.payouts), currency)
        credited = Money.total((_moved(standing.get(pay.credit_key), currency) for pay in loan.payouts), currency)
        owed = (pay.owed for pay in loan.payouts if pay.recovery_key in standing)
        loans.append(
            LoanPosition(
                loan_id=loan.id,
                borrower=loan.borrower,
                status=loan.status,
                principal=loan.principal,
                annual_rate=loan.annual_rate,
                apr=loan.apr,
                term_months=loan.term_months,
                disbursed_on=loan.disbursed_on,
                schedule=tuple(
                    DueInstalment(
                        due_on=entry.due_on,
                        instalment=entry.instalment,
                        principal=entry.principal,
                        balance=entry.balance,
                    )
                    for entry in loan.schedule
                ),
                paid_out=credited,
                in_transit=captured - credited,
                receivable=Money.total(owed, currency),
            )
        )
    return loan_book.compose(loans, _trial_balance(business_date), business_date=business_date)


def _moved(transfer: ledger_contracts.Transfer | None, currency: str) -> Money:
    """How much a transfer moved: what it added somewhere."""
    zero = Money.zero(currency)
    if transfer is None:
        return zero
    return Money.total(
        (leg.amount for leg in transfer.legs if leg.amount.currency == currency and leg.amount > zero), currency
    )


# --- Daily activity --------------------------------------------------------------------------------------------------


def _daily_activity(business_date: date) -> Content:
    begins = datetime.combine(business_date, time(), tzinfo=UTC)
    moved = _trial_balance(business_date, since=business_date)
    transfers = ledger.list_day(business_date)
    return daily_activity.compose(
        list(_trades(begins, [transfer.key for transfer in transfers])),
        list(_withdrawals(begins, transfers, {line.account_id: line for line in moved})),
        moved,
        _trial_balance(business_date),
    )


def _trades(begins: datetime, keys: list[str]) -> Iterator[TradeLine]:
    posted = set(keys)
    for item in exchange.list_daily_trades(begins=begins, ends=begins + _DAY, settled_by=keys):
        trade = item.trade
        settled = item.settlement_key in posted
        stands = "matched" if trade.status == daily_activity.SETTLED else str(trade.status)
        yield TradeLine(
            trade_id=trade.id,
            event=daily_activity.SETTLED if settled else stands,
            at=trade.settled_at if settled and trade.settled_at is not None else trade.matched_at,
            symbol=trade.symbol,
            number=trade.number,
            buyer=item.buyer,
            seller=item.seller,
            price=trade.price,
            quantity=Money(trade.quantity, item.base),
            notional=trade.notional,
            buyer_fee=trade.buyer_fee,
            seller_fee=trade.seller_fee,
        )


def _withdrawals(
    begins: datetime, transfers: list[ledger_contracts.Transfer], accounts: dict[UUID, BalanceLine]
) -> Iterator[WithdrawalLine]:
    """One line for each time that money of a withdrawal moved, and one for a withdrawal of which none did."""
    events: dict[UUID, list[tuple[str, datetime]]] = {}
    for transfer in transfers:
        event = _event_of(transfer, accounts)
        if transfer.run_id is not None and event is not None:
            events.setdefault(transfer.run_id, []).append((event, transfer.posted_at))
    for item in wallet.list_daily_withdrawals(begins=begins, ends=begins + _DAY, moved_by=list(events)):
        status = str(item.status).replace("_", " ")
        for event, at in events.get(item.run_id, [("requested", item.requested_at)]):
            yield WithdrawalLine(
                withdrawal_id=item.id,
                event=event,
                at=at,
                customer=item.customer.name,
                beneficiary=item.destination.beneficiary,
                amount=item.amount,
                status=status,
            )


def _event_of(transfer: ledger_contracts.Transfer, accounts: dict[UUID, BalanceLine]) -> str | None:
    """What a transfer did with money in transit of a wallet account; None where it touched none."""
    legs = [(accounts[leg.account_id], leg.amount) for leg in transfer.legs]
    if not any(account.owner.startswith(_WALLET) and account.kind == "in_transit" for account, _ in legs):
        return None
    ends = {amount > Money.zero(amount.currency): account.kind for account, amount in legs}
    way = (ends[False], ends[True])
    return daily_activity.INTO_TRANSIT.get(way) or daily_activity.OUT_OF_TRANSIT.get(way)


_READERS = {
    ReportKind.TREASURY_POSITIONS: _treasury_positions,
    ReportKind.LOAN_BOOK: _loan_book,
    ReportKind.DAILY_ACTIVITY: _daily_activity,
}
