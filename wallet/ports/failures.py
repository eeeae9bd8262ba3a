"""What a call of a third party came to, in the wallet's own errors: one translation for adapter and simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from finaegis.shared.third_party import NotTaken, OutcomeUnknown, Refused, ThirdPartyError, Unavailable
from wallet.contracts import (
    Payment,
    PaymentOrder,
    PaymentRail,
    SanctionsScreening,
    Screening,
    ScreeningSubject,
)
from wallet.errors import RailOutcomeUnknown, RailRefused, RailUnavailable, ScreeningUnavailable


class TranslatedRail:
    """A rail that raises the wallet's errors.

    An order whose call failed midway is of unknown outcome: only "not taken" says that nothing was done. An inquiry has
    no effect, so however it failed it is only unavailable.
    """

    def __init__(self, rail: PaymentRail) -> None:
        self.rail = rail

    def inquire(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        try:
            return self.rail.inquire(key=key)
        except Refused as error:
            raise RailRefused(str(error), code=error.code) from error
        except ThirdPartyError as error:
            raise RailUnavailable(str(error)) from error

    def submit(self, *, key: str, order: PaymentOrder) -> Payment:
        """See `PaymentRail`."""
        with _effects():
            return self.rail.submit(key=key, order=order)

    def recall(self, *, key: str) -> Payment:
        """See `PaymentRail`."""
        with _effects():
            return self.rail.recall(key=key)


class TranslatedScreening:
    """A screening that raises the wallet's errors. It has no effect, so every failure is "ask again"."""

    def __init__(self, screening: SanctionsScreening) -> None:
        self.screening = screening

    def screen(self, *, key: str, subject: ScreeningSubject) -> Screening:
        """See `SanctionsScreening`."""
        try:
            return self.screening.screen(key=key, subject=subject)
        except ThirdPartyError as error:
            raise ScreeningUnavailable(str(error)) from error


@contextmanager
def _effects() -> Iterator[None]:
    try:
        yield
    except NotTaken as error:
        raise RailUnavailable(str(error)) from error
    except (Unavailable, OutcomeUnknown) as error:
        raise RailOutcomeUnknown(str(error)) from error
    except Refused as error:
        raise RailRefused(str(error), code=error.code) from error
