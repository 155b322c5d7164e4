"""Stable pools, pictures of their state and an exact invariant that the tests of StableSwap share."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.stableswap.fixed_point import ONE
from sim.markets.amm.stableswap.pool import StableSwapPool

DAY = 86_400
RATE = 1_234_567_890_123_456_789


class Market:
    """A ledger with stable tokens of 18, 6, 18, 8 and 2 decimals, two rich accounts and a poor one."""

    DECIMALS = (18, 6, 18, 8, 2)

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.clock = Clock(1_700_000_000)
        self.tokens = [self.ledger.add_token(f"T{i}", decimals) for i, decimals in enumerate(self.DECIMALS)]
        self.provider, self.trader, self.poor = self.ledger.open_accounts(["provider", "trader", "poor"])
        for token in self.tokens:
            for account in (self.provider, self.trader):
                self.ledger.inflow(token, account, 10**33)

    def pool(
        self,
        whole: tuple[float, ...] = (1e6, 1e6),
        amplification: int = 100,
        fee_pips: int = 400,
        rates: list[int] | None = None,
    ) -> StableSwapPool:
        """A pool of the first tokens, as many as amounts (in whole tokens) are given for the first deposit."""
        tokens = self.tokens[: len(whole)]
        pool = StableSwapPool("stable", self.ledger, self.clock, tokens, amplification, fee_pips, rates)
        if whole[0]:
            amounts = [int(x * 10 ** self.DECIMALS[token]) for token, x in zip(tokens, whole, strict=True)]
            pool.add_liquidity(self.provider, amounts)
        self.ledger.journal.clear()
        return pool


def picture(pool: StableSwapPool) -> Any:
    """Everything exact that an operation could have changed, and the float that mirrors the fee."""
    ledger = pool.ledger
    parts = (vars(pool.state), pool.balances, pool.rates, pool.shares, pool.fee_ratio, ledger.balances, ledger.inflows)
    return copy.deepcopy(parts)


def refusal(operation: Callable[..., Any], *arguments: Any, **options: Any) -> str | None:
    """The reason an operation is refused for; a refusal leaves nothing behind."""
    pool = operation.__self__  # type: ignore[attr-defined]
    before = picture(pool)
    try:
        with pool.journal.atomic():
            operation(*arguments, **options)
    except Revert as revert:
        assert picture(pool) == before
        return revert.reason
    return None


def exact_invariant(amp_milli: int, balances: list[int]) -> int:
    """floor(D) by bisection on the polynomial, in whole numbers without any rounding."""
    count, total, weight = len(balances), sum(balances), amp_milli * len(balances)
    product = math.prod(balances) * count**count
    low, high = 0, total
    while low < high:
        d = (low + high + 1) // 2
        if (weight * total + 1000 * d - weight * d) * product >= 1000 * d ** (count + 1):
            low = d
        else:
            high = d - 1
    return low


AMOUNTS = st.floats(0.0, 25.0).map(lambda exponent: int(10**exponent))
POOLS = st.fixed_dictionaries(
    {
        "whole": st.lists(st.floats(2.0, 8.0).map(lambda e: float(int(10**e))), min_size=2, max_size=5).map(tuple),
        "amplification": st.sampled_from([1, 10, 50, 200, 5000]),
        "fee_pips": st.sampled_from([0, 0, 1, 400, 100_000]),
        "rates": st.sampled_from([None, "rates"]),
    }
)


def opened(market: Market, options: dict[str, Any]) -> StableSwapPool:
    whole = options["whole"]
    rates = [RATE, ONE, ONE + 1, 987_654_321_098_765_432, 3 * ONE][: len(whole)] if options["rates"] else None
    try:
        return market.pool(whole, options["amplification"], options["fee_pips"], rates)
    except Revert:
        assume(False)
        raise
