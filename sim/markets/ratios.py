"""Redemption ratios: what one staked token is worth in its base, and the stable pools that read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sim.chain.clock import Clock
from sim.prices.ratio import Ratio

WAD = 10**18


class Staked(NamedTuple):
    """A token, its base (ledger tokens), and the ratio between them through time."""

    token: int
    base: int
    ratio: Ratio


class RedemptionRatios:
    """The ratio of every staked token now: ratio(t) = ratio · exp(growth · years), as the exogenous prices have it.

    A stable pool trades around the ratio of its tokens; `follow` brings its rates to the present once a step, as a rate
    provider does on chain, and books the pool's move of price under "outside": nobody traded.
    """

    def __init__(self, clock: Clock, staked: Iterable[Staked]) -> None:
        self.clock = clock
        self.start = clock.timestamp
        self.staked = {entry.token: entry for entry in staked}
        self._pools: list[tuple[Any, Any]] = []

    # ------------------------------------------------------------------ readers
    def ratio(self, token: int) -> float:
        """Base tokens that one whole token is worth now; 1 for a token that is not staked."""
        entry = self.staked.get(token)
        return 1.0 if entry is None else entry.ratio.at(float(self.clock.timestamp - self.start))

    def ratio_wad(self, token: int) -> int:
        """`ratio` with 18 decimals, rounded down."""
        return int(self.ratio(token) * WAD)

    def par(self, token0: int, token1: int) -> float:
        """What a pool's price (token1 per token0) is where nothing is displaced: the ratio of the two ratios."""
        return self.ratio(token0) / self.ratio(token1)

    def yield_per_year(self, token: int) -> float:
        """Growth of the ratio, compounded continuously, 1/year."""
        entry = self.staked.get(token)
        return 0.0 if entry is None else entry.ratio.ratio_growth_per_year

    def related(self, token0: int, token1: int) -> bool:
        """Whether the two tokens are staked forms of one asset, or one is the base of the other."""
        bases = [self.staked[t].base if t in self.staked else t for t in (token0, token1)]
        return bases[0] == bases[1]

    def rates(self, tokens: Iterable[int]) -> list[int]:
        """Rates for a stable pool of these tokens, 18 decimals."""
        return [self.ratio_wad(token) for token in tokens]

    # ------------------------------------------------------------------ stable pools
    def attach(self, amms: Mapping[str, Any], displacements: Mapping[str, Any]) -> None:
        """Take up the stable pools that trade a staked token."""
        for name, amm in amms.items():
            if hasattr(amm, "rates") and any(token in self.staked for token in amm.tokens):
                self._pools.append((amm, displacements[name]))

    def follow(self) -> None:
        """Bring the rates of the stable pools to the present; called between transactions, so nothing can undo it."""
        for amm, displacement in self._pools:
            rates = self.rates(amm.tokens)
            if rates != amm.rates:
                before = amm.log_price()
                amm.rates[:] = rates
                move = amm.log_price() - before
                if math.isfinite(move):
                    displacement.revalue(move)
