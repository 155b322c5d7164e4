"""Pools, traders and snapshots that the tests of the AMMs share."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.constant_product import ConstantProductPool

WETH, USDC = 0, 1
PLENTY = 10**30


class Market:
    """A ledger with two tokens (18 and 6 decimals), three rich accounts and one poor one."""

    def __init__(self, decimals0: int = 18, decimals1: int = 6) -> None:
        self.ledger = Ledger()
        self.clock = Clock(1_700_000_000)
        self.ledger.add_token("WETH", decimals0)
        self.ledger.add_token("USDC", decimals1)
        accounts = self.ledger.open_accounts(["provider", "other provider", "trader", "poor trader"])
        self.provider, self.other, self.trader, self.poor = accounts
        for account in (self.provider, self.other, self.trader):
            self.ledger.inflow(WETH, account, PLENTY)
            self.ledger.inflow(USDC, account, PLENTY)

    def concentrated(
        self,
        price: float | None = 2000.0,
        ranges: tuple[tuple[float | None, float | None], ...] = ((None, None), (1600.0, 2400.0), (1900.0, 2100.0)),
        fee_pips: int = 3000,
        tick_spacing: int = 60,
        fee_protocol: int = 0,
        value1: int = 10**13,
    ) -> ConcentratedPool:
        """A pool with one position of `value1` in each range, all of the provider."""
        pool = ConcentratedPool("WETH/USDC", self.ledger, self.clock, WETH, USDC, fee_pips, tick_spacing, fee_protocol)
        if price is not None:
            pool.initialize_at(price)
            for lower, upper in ranges:
                pool.provide(self.provider, lower, upper, value1)
        self.ledger.journal.clear()
        return pool

    def constant_product(
        self, price: float | None = 2000.0, fee_bps: int = 30, protocol_fee_on: bool = False, value1: int = 10**13
    ) -> ConstantProductPool:
        """A pool with one deposit of `value1` of the provider."""
        pool = ConstantProductPool("WETH/USDC v2", self.ledger, self.clock, WETH, USDC, fee_bps, protocol_fee_on)
        if price is not None:
            pool.provide(self.provider, None, None, value1, price)
        self.ledger.journal.clear()
        return pool


def snapshot(pool: Any) -> Any:
    """Everything exact that an operation of the pool could have changed."""
    parts = [vars(pool.state), pool.ledger.balances, pool.ledger.inflows, pool.ledger.outflows]
    for name in ("ticks", "tick_words", "ranges", "positions", "shares"):
        parts.append(getattr(pool, name, None))
    return copy.deepcopy(parts)


def refusal(operation: Callable[..., Any], *arguments: Any, pool: Any, **options: Any) -> str | None:
    """The reason an operation is refused for, or None if it is not; a refusal leaves nothing behind."""
    before = snapshot(pool)
    try:
        with pool.journal.atomic():
            operation(*arguments, **options)
    except Revert as revert:
        assert snapshot(pool) == before
        return revert.reason
    return None
