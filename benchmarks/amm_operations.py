"""Swaps and quotes a second on both kinds of AMM, beside a fixed pure-Python yardstick.

    python -m benchmarks.amm_operations

A swap is the pool's operation itself, journal and ledger on, without the executor's transaction around it. The
concentrated pool has four nested ranges around its price; trades go to and fro. On a shared or slower machine compare
ratios to the yardstick rather than absolute figures.
"""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

from benchmarks.pool_operations import yardstick
from benchmarks.table import Figure, show
from sim.chain.clock import Clock
from sim.ledger import Ledger
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.constant_product import ConstantProductPool

#: Value of a trade that stays within one range of the concentrated pool, and of the whole pools, in units of USDC.
_TRADE = 2_500 * 10**6
_POOL_VALUE = 4 * 10**13
_PRICE = 2_500.0
_RANGES = ((None, None), (2_000.0, 3_000.0), (2_400.0, 2_600.0), (2_450.0, 2_550.0))


def measure(repeats: int = 5, loops: int = 10_000) -> dict[str, float]:
    """Operations a second by name, each the median of several runs, and the yardstick's loops a second."""
    figures: dict[str, float] = {}
    for name, operation, share in _operations():
        count = max(int(loops * share), 1)
        figures[name] = statistics.median(_per_second(operation, count) for _ in range(repeats))
    figures["yardstick_loops_per_second"] = max(yardstick() for _ in range(5))
    return figures


def _per_second(operation: Callable[[int], Any], loops: int) -> float:
    operation(0)
    operation(1)
    gc.collect()
    start = perf_counter()
    for i in range(loops):
        operation(i)
    return loops / (perf_counter() - start)


def _operations() -> list[tuple[str, Callable[[int], Any], float]]:
    """(name, operation of the loop's counter, share of the loops)."""
    ledger, clock = Ledger(), Clock(1_700_000_000)
    weth, usdc = ledger.add_token("WETH", 18), ledger.add_token("USDC", 6)
    provider, trader = ledger.open_accounts(["provider", "trader"])
    for account in (provider, trader):
        ledger.inflow(weth, account, 10**30)
        ledger.inflow(usdc, account, 10**24)
    concentrated = ConcentratedPool("concentrated", ledger, clock, weth, usdc, fee_pips=500, tick_spacing=10)
    concentrated.initialize_at(_PRICE)
    for lower, upper in _RANGES:
        concentrated.provide(provider, lower, upper, _POOL_VALUE // len(_RANGES))
    pair = ConstantProductPool("constant product", ledger, clock, weth, usdc)
    pair.provide(provider, None, None, _POOL_VALUE, _PRICE)
    clear = ledger.journal.clear

    def to_and_fro(pool: Any) -> Callable[[int], Any]:
        def swap(i: int) -> None:
            if i & 1:
                pool.swap_exact_in(trader, usdc, _TRADE)
            else:
                pool.swap_exact_in(trader, weth, 10**18)
            clear()

        return swap

    def across(i: int) -> None:
        concentrated.swap_to_price(trader, 1_900.0 if i & 1 else 3_100.0)
        clear()

    return [
        ("concentrated_swaps_per_second", to_and_fro(concentrated), 1.0),
        ("concentrated_quotes_per_second", lambda i: concentrated.quote_exact_in(weth, 10**18), 1.0),
        ("concentrated_amounts_to_price_per_second", lambda i: concentrated.amount_to_price(2_490.0), 1.0),
        ("concentrated_depths_per_second", lambda i: concentrated.depth_2pct(), 1.0),
        ("constant_product_swaps_per_second", to_and_fro(pair), 1.0),
        ("constant_product_quotes_per_second", lambda i: pair.quote_exact_in(weth, 10**18), 1.0),
        ("constant_product_amounts_to_price_per_second", lambda i: pair.amount_to_price(2_490.0), 1.0),
        ("concentrated_swaps_across_six_ticks_per_second", across, 0.1),
    ]


def figures() -> Iterator[Figure]:
    """Every figure of this part, in operations a second; none has a target."""
    for name, value in measure().items():
        yield Figure(name.replace("_", " "), value)


if __name__ == "__main__":
    show(figures())
