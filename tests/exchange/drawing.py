"""Random order flow, the same for the same seed: crossing and resting, every kind of order, cancels in between."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

from tests.exchange.reference import Wish

#: The taker's rate of the flow, in parts per million: fees that hardly ever divide evenly.
TAKER_PPM = 3217


@dataclass(frozen=True)
class Drawn:
    """An order to submit, or the name of one to cancel."""

    wish: Wish | None = None
    cancels: str | None = None


def draw_flow(
    seed: int, number: int, *, accounts: int = 5, ticks: tuple[int, int] = (90, 110), worth: int = 100
) -> list[Drawn]:
    """So many orders and cancels around the middle of a narrow grid, so that most of them meet somebody."""
    chance = random.Random(seed)
    names: list[str] = []
    flow = []
    for index in range(number):
        if names and chance.random() < 0.1:
            flow.append(Drawn(cancels=chance.choice(names[-60:])))
            continue
        name = f"{seed}-{index}"
        names.append(name)
        flow.append(Drawn(wish=_draw_wish(chance, name, accounts, ticks, worth)))
    return flow


def _draw_wish(chance: random.Random, name: str, accounts: int, ticks: tuple[int, int], worth: int) -> Wish:
    side = chance.choice(("buy", "sell"))
    is_market = chance.random() < 0.25
    lots: int | None = chance.randint(1, 20)
    cap = None
    price: int | None = chance.randint(*ticks)
    tif = chance.choice(("GTC", "GTC", "GTC", "GTC", "IOC", "FOK"))
    if is_market:
        price, tif = None, chance.choice(("IOC", "IOC", "FOK"))
        if side == "buy":
            cap = chance.randint(1, 25 * ticks[1] * worth)
            lots = chance.choice((None, None, lots))
    return Wish(
        name=name,
        account=f"trader {chance.randrange(accounts)}",
        side=side,
        price=price,
        lots=lots,
        cap=cap,
        tif=tif,
        taker_rate=Fraction(TAKER_PPM, 1_000_000),
    )
