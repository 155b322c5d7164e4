"""What an oracle feed reads and reports."""

from __future__ import annotations

from typing import NamedTuple

from sim.markets.outside.records import Cause

#: Units of an oracle price in one US dollar.
USD = 100_000_000


class Reading(NamedTuple):
    """What a feed has read at `read_at`, before it takes effect.

    `value` is an integer in the feed's own unit. The logs say what the value is made of:
    ln value = ln_exogenous - sum of the impacts + basis + rounding.
    """

    value: int
    read_at: int
    read_block: int
    ln_exogenous: float
    impacts: tuple[tuple[Cause, float], ...]
    basis: float


class Report(NamedTuple):
    """A price that the pool reads from `effective_at` on.

    `asset` is the feed's place in the oracle, `feed` its symbol, `price` in units of 1e-8 USD. The log of the price is
    ln(price / 1e8) = ln_exogenous - sum of the impacts + basis + error, all as they were at `read_at`: the exogenous
    price, by how much each cause had moved the outside price (a fall is positive), what the feed differs by on
    purpose, and the rest (rounding; a cap or a fault).
    """

    asset: int
    feed: str
    read_at: int
    read_block: int
    effective_at: int
    effective_block: int
    price: int
    ln_exogenous: float
    impacts: tuple[tuple[Cause, float], ...]
    basis: float
    error: float

    def parts(self) -> dict[Cause, float]:
        """ln(price / 1e8) as a sum: "outside" for the exogenous price, each cause with its sign, "basis", "error"."""
        parts: dict[Cause, float] = {"outside": self.ln_exogenous}
        for cause, impact in self.impacts:
            parts[cause] = -impact
        parts["basis"] = self.basis
        parts["error"] = self.error
        return parts
