"""Pool operations and liquidations a second, beside a fixed pure-Python yardstick.

    python -m benchmarks.pool_operations

The mix is that of a recorded trace: its pool operations at their recorded times, refused ones included, each through
the executor as a transaction of its own (journal, ledger, mirrors and receipt on, gas free). Setting prices, moving the
clock and filling wallets between them is not counted. Liquidations are of separate borrowers, all of them just under
water. The yardstick is a loop over plain integers that no change of the project touches: on a shared or slower machine
compare ratios to it rather than absolute figures.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.table import Figure, show
from sim.chain.clock import Clock
from sim.chain.executor import Executor
from sim.chain.transaction import Call, Transaction
from sim.conformance.aave36 import Trace
from sim.conformance.documents import load_document
from sim.conformance.verification import SHIPPED
from sim.ledger import Ledger
from sim.markets.lending import MAX, RAY, LendingPool, ReserveParameters, TwoSlopeRates

_LIQUIDATED = 300
_DOLLAR = 10**8


def yardstick(loops: int = 100_000) -> float:
    """Iterations a second of a fixed loop over integers of the pool's size. Never change it: ratios hang on it."""
    modulus, factor, increment = 2**255 - 19, 2**89 - 1, 10**27 + 7
    number = 1
    start = perf_counter()
    for i in range(loops):
        number = (number * factor + increment + i) % modulus
        number = number * increment // factor
    assert number
    return loops / (perf_counter() - start)


def trace_operations(path: Path, repeats: int) -> tuple[float, int]:
    """(pool operations a second, their number) in a recorded trace: the best of several runs, each on a fresh pool."""
    document = load_document(path)
    best, count = float("inf"), 0
    for _ in range(repeats):
        trace = Trace(document)
        executor = Executor(trace.ledger, trace.clock, {"pool": trace.pool}, gas_token=0, builder=trace.pool.account)
        steps: list[tuple[int, Transaction | None, Any, tuple[Any, ...]]] = []
        for step in document["steps"]:
            method, arguments = trace.call(step["op"])
            transaction = None
            if getattr(method, "__self__", None) is trace.pool:
                call = Call("pool", method.__name__, arguments[1:], 0)
                transaction = Transaction(arguments[0], (call,), "benchmark")
            steps.append((int(step["timestamp"]), transaction, method, arguments))
        count = sum(transaction is not None for _, transaction, _, _ in steps)
        clock, execute = trace.clock, executor.execute
        gc.collect()
        start = perf_counter()
        for timestamp, transaction, method, arguments in steps:
            clock.timestamp = timestamp
            if transaction is not None:
                execute(transaction, 0)
            else:
                method(*arguments)
        best = min(best, perf_counter() - start)
    return count / best, count


def liquidations(repeats: int, borrowers: int = _LIQUIDATED) -> float:
    """Liquidations a second: half of the debt of as many borrowers, one transaction each, on a fresh pool a repeat."""
    best = float("inf")
    for _ in range(repeats):
        executor, transactions = _underwater(borrowers)
        gc.collect()
        start = perf_counter()
        done = [executor.execute(transaction, 0).ok for transaction in transactions]
        best = min(best, perf_counter() - start)
        if not all(done):
            raise AssertionError("every liquidation of the benchmark must succeed")
    return borrowers / best


def _underwater(borrowers: int) -> tuple[Executor, list[Transaction]]:
    """A pool of borrowers with 10 WETH against 7 500 USDC, the price just fallen to where their HF is 0.97."""
    ledger, clock = Ledger(), Clock(1_700_000_000)
    prices = [1_000 * _DOLLAR, _DOLLAR]
    pool = LendingPool("pool", ledger, clock, prices=prices)
    weth, usdc = ledger.add_token("WETH", 18), ledger.add_token("USDC", 6)
    rates = TwoSlopeRates(RAY * 9 // 10, 0, RAY * 4 // 100, RAY * 6 // 10)
    pool.add_reserve(ReserveParameters(weth, rates, 8_050, 8_250, 10_500, 1_500, 1_000))
    pool.add_reserve(ReserveParameters(usdc, rates, 7_500, 7_800, 10_500, 1_000, 1_000))
    lender, liquidator = ledger.open_accounts(["lender", "liquidator"])
    accounts = ledger.open_accounts(["borrower"] * borrowers)
    pool.load(1, range(lender, lender + 1), [10_000 * borrowers * 10**6], [0])
    pool.load(1, accounts, [0] * borrowers, [7_500 * 10**6] * borrowers)
    pool.load(0, accounts, [10 * 10**18] * borrowers, [0] * borrowers)
    ledger.inflow(usdc, liquidator, 10_000 * borrowers * 10**6)
    ledger.journal.clear()
    clock.timestamp += 12
    prices[0] = 882 * _DOLLAR
    executor = Executor(ledger, clock, {"pool": pool}, gas_token=weth, builder=pool.account)
    calls = [Call("pool", "liquidate", (0, 1, account, MAX), 0) for account in accounts]
    return executor, [Transaction(liquidator, (call,), "liquidation") for call in calls]


def measure(repeats: int = 60) -> dict[str, float]:
    """Pool operations, liquidations and yardstick loops a second."""
    operations, count = trace_operations(SHIPPED / "aave36" / "trace_q1.json.gz", repeats)
    return {
        "pool_operations_per_second": operations,
        "pool_operations_counted": count,
        "liquidations_per_second": liquidations(repeats),
        "yardstick_loops_per_second": max(yardstick() for _ in range(5)),
    }


def figures() -> Iterator[Figure]:
    """Every figure of this part, in operations a second; none has a target of its own, ratios are to the yardstick."""
    measured = measure()
    loops = measured["yardstick_loops_per_second"]
    yield Figure("yardstick: loops a second", loops)
    for name, label in (("pool_operations", "recorded pool operations"), ("liquidations", "bare liquidations")):
        value = measured[f"{name}_per_second"]
        yield Figure(f"{label} a second", value)
        yield Figure(f"{label} over the yardstick", value / loops)


if __name__ == "__main__":
    show(figures())
