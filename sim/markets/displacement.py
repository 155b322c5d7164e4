"""`Displacement`: how far a pool's price is from the outside price, and who pushed it there (docs/model.md 8)."""

from __future__ import annotations

from typing import Protocol

from sim.chain.journal import Journal
from sim.markets.outside.records import Cause, Causes

#: What neither this economy's swaps nor its impact did: moves of the exogenous price, and the gap at the start.
OUTSIDE = "outside"

#: Cause of the part of an arbitrage trade that goes beyond the gap it found.
ARBITRAGE = "arbitrage"


class ReferenceMarket(Protocol):
    """What a displacement reads of the outside market."""

    log_exogenous: list[float]

    def impact_by_cause(self, token: int) -> dict[Cause, float]:
        """Fall of the token's log price by cause."""
        ...


class Displacement:
    """delta = ln P_pool - ln(R0 / R1), as a sum of components by cause.

    A swap adds its move of ln P_pool to its cause. An impact of cause c on an outside price moves R and so the
    component c; a move of the exogenous price moves the component "outside". An arbitrage trade is charged to the
    components on the side it closes, in proportion to their sizes, and its outside order goes out under the same
    shares, of which "outside" leaves no impact; what it moves beyond closing them is a displacement by "arbitrage".

    Kept are only the pool's own moves by cause, c: S_c with sum_c S_c = ln P_pool; the outside side is read from the
    market, delta_c = S_c + I0_c - I1_c, delta_outside = S_outside - ln(E0 / E1). So nothing has to be told when prices
    move, and the components add up to delta at any moment. Writes go through the journal.

    `log_price` is ln P_pool (whole token1 per whole token0) when the pool is opened.
    """

    def __init__(self, journal: Journal, outside: ReferenceMarket, token0: int, token1: int, log_price: float) -> None:
        self.journal = journal
        self.outside = outside
        self.token0 = token0
        self.token1 = token1
        self.moves: dict[Cause, float] = {OUTSIDE: log_price}

    # ------------------------------------------------------------------ writes
    def swap(self, cause: Cause, log_move: float) -> None:
        """Book a swap that moved ln P_pool by `log_move` under `cause`."""
        self.journal.put(self.moves, cause, self.moves.get(cause, 0.0) + log_move)

    def revalue(self, log_move: float) -> None:
        """Book a move of ln P_pool that no transaction made, under "outside"; it is final, so the journal has no part.

        Called between transactions: an entry left in the journal would be taken back with the next one.
        """
        self.moves[OUTSIDE] = self.moves.get(OUTSIDE, 0.0) + log_move

    def arbitrage(self, log_move: float) -> Causes:
        """Charge an arbitrage trade that has moved ln P_pool by `log_move`; returns the causes of its outside order."""
        shares = self.shares(log_move)
        for cause, share in shares:
            self.swap(cause, share * log_move)
        return shares

    # ------------------------------------------------------------------ readers
    def shares(self, log_move: float) -> Causes:
        """Causes, and their shares, of an arbitrage trade that moves ln P_pool by `log_move`; nothing is written."""
        if log_move == 0.0:
            return ((OUTSIDE, 1.0),)
        closed = [(cause, size) for cause, size in self.components().items() if size * log_move < 0.0]
        total = 0.0
        for _, size in closed:
            total += abs(size)
        charged = min(1.0, total / abs(log_move))
        shares = {cause: charged * (abs(size) / total) for cause, size in closed}
        if charged < 1.0:
            shares[ARBITRAGE] = shares.get(ARBITRAGE, 0.0) + (1.0 - charged)
        return tuple(shares.items())

    def components(self) -> dict[Cause, float]:
        """The displacement by cause now; the values add up to `total`."""
        components = dict(self.moves)
        outside = self.outside
        exogenous = outside.log_exogenous
        components[OUTSIDE] -= exogenous[self.token0] - exogenous[self.token1]
        for cause, impact in outside.impact_by_cause(self.token0).items():
            components[cause] = components.get(cause, 0.0) + impact
        for cause, impact in outside.impact_by_cause(self.token1).items():
            components[cause] = components.get(cause, 0.0) - impact
        return components

    def total(self) -> float:
        """delta: positive when the pool's price of token0 is above the outside price."""
        total = 0.0
        for size in self.components().values():
            total += size
        return total
