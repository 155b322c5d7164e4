"""Undo: every operation of both pools, stopped at every single write, leaves the state exactly as it was."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from amm_fixture import USDC, WETH, Market, snapshot

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick

Operation = Callable[[Market, Any], Any]


class Stopped(Exception):
    """The journal was told to stop here."""


class StoppingList(list[Any]):
    """A journal that breaks down at its n-th write."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.writes = writes

    def append(self, entry: Any) -> None:
        if len(self) == self.writes:
            raise Stopped
        super().append(entry)


def concentrated(market: Market) -> Any:
    """A pool with protocol fees, positions of two owners, fees earned and owed, and crossed ticks."""
    pool = market.concentrated(fee_protocol=4)
    pool.mint(market.other, -202_200, -197_400, 10**18, 2000 * 10**6)
    pool.swap_exact_in(market.trader, WETH, 10**21)
    pool.swap_exact_in(market.trader, USDC, 10**12)
    pool.decrease(market.other, 4, pool.positions[4].liquidity // 3)
    emptied = pool.mint(market.other, 0, 60, 10**18, 0).position
    pool.decrease(market.other, emptied, pool.positions[emptied].liquidity)
    pool.collect(market.other, emptied)
    return pool


def constant_product(market: Market) -> Any:
    """A pool with the protocol fee on, shares owed to it, and a block gone by."""
    pool = market.constant_product(protocol_fee_on=True)
    pool.swap_exact_in(market.trader, WETH, 10**21)
    market.clock.timestamp += 12
    return pool


def _flash(market: Market, pool: Any) -> Any:
    def pay_back() -> None:
        market.ledger.transfer(WETH, market.trader, pool.account, 10**18 + 10**16)
        market.ledger.transfer(USDC, market.trader, pool.account, 10**9 + 10**8)

    return pool.flash(market.trader, 10**18, 10**9, pay_back)


def _flash_swap(market: Market, pool: Any) -> Any:
    return pool.swap(
        market.trader, 10**18, 0, lambda: market.ledger.transfer(USDC, market.trader, pool.account, 3000 * 10**6)
    )


def _pay_then(operation: str) -> Operation:
    def run(market: Market, pool: Any) -> Any:
        market.ledger.transfer(WETH, market.trader, pool.account, 10**18)
        market.ledger.transfer(USDC, market.trader, pool.account, 10**10)
        return getattr(pool, operation)(market.trader)

    return run


def _far(pool: Any, ticks: int) -> int:
    return sqrt_ratio_at_tick(pool.state.tick + ticks)


CONCENTRATED: dict[str, Operation] = {
    "initialize": lambda m, p: m.concentrated(price=None).initialize(1 << 96),
    "sell within a range": lambda m, p: p.swap_exact_in(m.trader, WETH, 10**15),
    "buy within a range": lambda m, p: p.swap_exact_in(m.trader, USDC, 10**6),
    "sell across ticks": lambda m, p: p.swap_exact_in(m.trader, WETH, 10**22),
    "buy across ticks": lambda m, p: p.swap_exact_in(m.trader, USDC, 10**14),
    "sell to a limit": lambda m, p: p.swap_exact_in(m.trader, WETH, 10**25, 0, _far(p, -700)),
    "buy an exact amount": lambda m, p: p.swap_exact_out(m.trader, USDC, 3 * 10**21),
    "sell for an exact amount": lambda m, p: p.swap_exact_out(m.trader, WETH, 10**12),
    "swap to a price": lambda m, p: p.swap_to_price(m.trader, 1500.0),
    "mint on new ticks": lambda m, p: p.mint(m.provider, -201_000, -199_980, 10**18, 10**10),
    "mint on known ticks": lambda m, p: p.mint(m.provider, -202_200, -197_400, 10**18, 10**10),
    "mint above": lambda m, p: p.mint(m.provider, 60, 120, 10**18, 10**10),
    "provide": lambda m, p: p.provide(m.provider, 1700.0, None, 10**12),
    "increase": lambda m, p: p.increase(m.provider, 4, 10**18, 10**10),
    "decrease a part": lambda m, p: p.decrease(m.other, 4, 12345),
    "decrease all": lambda m, p: p.decrease(m.other, 4, p.positions[4].liquidity),
    "collect": lambda m, p: p.collect(m.other, 4),
    "collect a part": lambda m, p: p.collect(m.other, 4, 3, 3),
    "burn": lambda m, p: p.burn(m.other, 5),
    "flash": _flash,
    "set protocol fee": lambda m, p: p.set_fee_protocol(m.trader, 5, 0),
    "collect protocol fee": lambda m, p: p.collect_protocol(m.trader),
}

CONSTANT_PRODUCT: dict[str, Operation] = {
    "first deposit": lambda m, p: m.constant_product(price=None).add_liquidity(m.provider, 10**18, 10**18),
    "add": lambda m, p: p.add_liquidity(m.other, 10**18, 10**12),
    "provide": lambda m, p: p.provide(m.other, None, None, 10**12),
    "remove": lambda m, p: p.remove_liquidity(m.provider, 10**9),
    "sell": lambda m, p: p.swap_exact_in(m.trader, WETH, 10**18),
    "buy": lambda m, p: p.swap_exact_out(m.trader, USDC, 10**18),
    "swap to a price": lambda m, p: p.swap_to_price(m.trader, 2222.0),
    "flash swap": _flash_swap,
    "low-level mint": _pay_then("mint"),
    "skim": _pay_then("skim"),
    "sync": _pay_then("sync"),
    "transfer shares": lambda m, p: p.transfer_shares(m.provider, m.trader, 5),
    "set protocol fee": lambda m, p: p.set_protocol_fee(m.trader, False),
    "add after the protocol fee was switched off": lambda m, p: (
        p.set_protocol_fee(m.trader, False), p.add_liquidity(m.other, 10**18, 10**12)
    ),
}  # fmt: skip

CASES = [
    pytest.param(build, operation, id=f"{build.__name__}: {name}")
    for build, operations in ((concentrated, CONCENTRATED), (constant_product, CONSTANT_PRODUCT))
    for name, operation in operations.items()
]


@pytest.mark.parametrize(("build", "operation"), CASES)
def test_an_operation_stopped_at_any_write_leaves_no_trace(
    build: Callable[[Market], Any], operation: Operation
) -> None:
    market = Market()
    pool = build(market)
    journal = market.ledger.journal
    journal.clear()
    # Opening a pool opens accounts, which is not undone: do it once before, so that both pictures have them.
    operation(market, pool)
    writes = len(journal.entries)
    assert writes > 0
    journal.undo()
    before = snapshot(pool)
    for stop in range(writes):
        journal.entries = StoppingList(stop)
        with pytest.raises(Stopped), journal.atomic():
            operation(market, pool)
        assert _same_accounts(snapshot(pool), before)
        assert list(journal.entries) == []
    journal.entries = []
    result = operation(market, pool)
    assert len(journal.entries) == writes
    journal.undo()
    assert _same_accounts(snapshot(pool), before)
    assert operation(market, pool) == result


def _same_accounts(after: Any, before: Any) -> bool:
    """Equal but for accounts opened since, which must hold nothing."""
    width = len(before[1][0])
    for column in after[1]:
        assert not any(column[width:])
    after[1] = [column[:width] for column in after[1]]
    return bool(after == before)


def test_a_whole_day_of_trading_is_undone() -> None:
    for build, operations in ((concentrated, CONCENTRATED), (constant_product, CONSTANT_PRODUCT)):
        market = Market()
        pool = build(market)
        market.ledger.journal.clear()
        before = snapshot(pool)
        done = 0
        for name, operation in operations.items():
            if name not in ("initialize", "first deposit"):
                # Some are refused where the ones before have left the pool: that is undone within the day.
                with suppress(Revert), market.ledger.journal.atomic():
                    operation(market, pool)
                    done += 1
        assert done > len(operations) // 2
        market.ledger.journal.undo()
        assert snapshot(pool) == before
