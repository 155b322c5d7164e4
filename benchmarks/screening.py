"""What a block's screening costs: grouped screen, plain pass, and the Mesa loop over all agents, in one run.

    python -m benchmarks.screening [ACCOUNTS ...]

The book: WETH, wstETH, WBTC, USDC; 10 % staking loops in e-mode, most others one collateral against USDC, a quarter
with several collaterals or debts; HF - 1 log-normal with median 0.8 and log-sd 0.7 (loops 0.08 and 0.5). Prices walk
at 80 % a year in blocks of 12 s. The judge of a candidate is the same scalar arithmetic in all three. Times are the
process's own (one thread), so that a busy machine disturbs them little; absolute figures depend on it all the same.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from benchmarks.table import Figure, show
from sim.screening import Calendar, GroupScreen, LiquidationBook, PlainScreen, Screen

PRICES = np.array([3500.0, 4200.0, 100_000.0, 1.0])  # WETH, wstETH, WBTC, USDC
THRESHOLDS = np.array([[0.83, 0.81, 0.78, 0.78], [0.955, 0.955, 0.78, 0.78]])
CORRELATION = 0.8
VOLATILITY_PER_YEAR = 0.8
BLOCK_SECONDS = 12.0
BLOCKS_PER_YEAR = 365.0 * 86_400.0 / BLOCK_SECONDS
SIZES = (10_000, 100_000, 1_000_000)
LOOK_SECONDS = 86_400.0  # mean time between an owner's looks


class Book:
    """Columns of a lending pool's kind, and the prices of the moment."""

    def __init__(self, accounts: int, seed: int = 1) -> None:
        random = np.random.Generator(np.random.Philox(seed))
        self.accounts = accounts
        kind = random.random(accounts)
        size_usd = np.exp(random.normal(9.0, 2.0, accounts))
        health = 1.0 + np.exp(random.normal(np.log(0.8), 0.7, accounts))
        loops = kind < 0.10
        health[loops] = 1.0 + np.maximum(np.exp(random.normal(np.log(0.08), 0.5, int(loops.sum()))), 0.0215)
        collateral, debt = np.zeros((4, accounts)), np.zeros((4, accounts))
        collateral[1, loops] = debt[0, loops] = 1.0
        for reserve, first, end in ((0, 0.10, 0.55), (1, 0.55, 0.65), (2, 0.65, 0.75)):
            single = (kind >= first) & (kind < end)
            collateral[reserve, single] = debt[3, single] = 1.0
        several = kind >= 0.75
        mixed = (4, int(several.sum()))
        collateral[:, several] = random.random(mixed) * (random.random(mixed) < 0.5)
        collateral[0, several] += 0.1
        debt[3, several] = 1.0
        owing_more = kind >= 0.90
        mixed = (3, int(owing_more.sum()))
        debt[:3, owing_more] = random.random(mixed) * (random.random(mixed) < 0.4)
        self.emode_column = loops.astype(np.int16)
        self.triggers = np.ones(accounts)
        self.prices = PRICES.copy()
        factors = (PRICES * THRESHOLDS)[self.emode_column].T
        self.collateral_column = collateral / collateral.sum(axis=0) * size_usd * health / factors
        self.debt_column = debt / debt.sum(axis=0) * size_usd / PRICES[:, None]
        self.collateral_views = [memoryview(row) for row in self.collateral_column]
        self.debt_views = [memoryview(row) for row in self.debt_column]
        self.emode_view = memoryview(self.emode_column)
        self.trigger_view = memoryview(self.triggers)
        self.set_prices(PRICES)

    def set_prices(self, prices: np.ndarray) -> None:
        self.prices = prices
        self.factors = prices * THRESHOLDS, prices
        self.collateral_factors: list[list[float]] = self.factors[0].tolist()
        self.debt_factors: list[float] = prices.tolist()

    def health_factor(self, account: int) -> float:
        a, b, c, d = self.collateral_views
        e, f, g, h = self.debt_views
        w, x, y, z = self.collateral_factors[self.emode_view[account]]
        p, q, r, s = self.debt_factors
        debt = e[account] * p + f[account] * q + g[account] * r + h[account] * s
        return (a[account] * w + b[account] * x + c[account] * y + d[account] * z) / debt if debt else float("inf")

    def decide(self, account: int) -> bool:
        return self.health_factor(account) < self.trigger_view[account]


def walk(blocks: int, seed: int = 2) -> Iterator[np.ndarray]:
    """Prices block by block; wstETH follows WETH."""
    random = np.random.Generator(np.random.Philox(seed))
    draws = random.normal(size=(blocks, 2)) * VOLATILITY_PER_YEAR / BLOCKS_PER_YEAR**0.5
    draws[:, 1] = CORRELATION * draws[:, 0] + (1.0 - CORRELATION**2) ** 0.5 * draws[:, 1]
    paths = np.exp(np.cumsum(draws, axis=0))
    for eth, btc in paths:
        yield PRICES * np.array([eth, eth, btc, 1.0])


# ---------------------------------------------------------------------- the Mesa way
def mesa_model(book: Book) -> Any:
    """A Mesa model with one agent an account, whose properties read its row through the columns' memory views."""
    import mesa

    class Borrower(mesa.Agent):
        def __init__(self, model: mesa.Model, row: int) -> None:
            super().__init__(model)
            self.row = row

        @property
        def health_factor(self) -> float:
            return self.model.book.health_factor(self.row)

        @property
        def trigger(self) -> float:
            return self.model.book.trigger_view[self.row]

    model: Any = mesa.Model(seed=1)
    model.book = book
    gc.disable()
    for row in range(book.accounts):
        Borrower(model, row)
    gc.collect()
    gc.freeze()
    gc.enable()
    return model


def close(model: Any) -> None:
    """Let go of all agents (Mesa 3.3 keeps every model in a class attribute)."""
    import mesa

    gc.unfreeze()
    getattr(mesa.Agent, "_ids", {}).pop(model, None)
    model.remove_all_agents()
    gc.collect()


# ---------------------------------------------------------------------- measurements
def calm(accounts: int, blocks: int = 600, rounds: int = 3) -> dict[str, float]:
    """Seconds of one look in blocks without touched rows: Mesa, plain pass, grouped screen, on the same positions."""
    book = Book(accounts)
    prices = list(walk(blocks))
    screens: list[Screen] = [GroupScreen(book, book.decide), PlainScreen(book, book.decide)]
    handed: list[set[int]] = [set(), set()]
    start = process_time()
    screens[0].arm(range(accounts), book.triggers)
    handed[0].update(screens[0].look(*book.factors))
    built = process_time() - start
    screens[1].arm(range(accounts), book.triggers)
    model = mesa_model(book)
    seconds: dict[str, list[float]] = {"groups": [], "plain": [], "mesa": []}
    part = blocks // rounds
    for first in range(0, part * rounds, part):
        for block in range(first, first + part):
            book.set_prices(prices[block])
            start = process_time()
            handed[0].update(screens[0].look(*book.factors))
            seconds["groups"].append(process_time() - start)
            if block % max(part // 10, 1) == 0 or block == first + part - 1:
                start = process_time()
                handed[1].update(screens[1].look(*book.factors))
                seconds["plain"].append(process_time() - start)
        start = process_time()
        under = [agent for agent in model.agents if agent.health_factor < agent.trigger]
        seconds["mesa"].append(process_time() - start)
        rows = {agent.row for agent in under}
        if not rows <= handed[0] or {row for row in handed[0] if book.decide(row)} != rows:
            raise AssertionError("the screen and the Mesa loop find different positions")
        if not rows <= handed[1] <= handed[0]:
            raise AssertionError("the screen and the plain pass find different positions")
        del under
    close(model)
    result = {f"{name}_seconds": median(values) for name, values in seconds.items()}
    return {"build_seconds": built, "found": float(len(handed[0])), **result}


def day(accounts: int, touched: int, kind: type[Screen] = GroupScreen, blocks: int = 7200) -> dict[str, float]:
    """Seconds a block over a day, reports of touched rows included; a touch changes balances by up to 2 %."""
    book = Book(accounts)
    screen = kind(book, book.decide)
    screen.arm(range(accounts), book.triggers)
    screen.look(*book.factors)
    random = np.random.Generator(np.random.Philox(3))
    seconds, handed = [], 0
    gc.collect()
    for prices in walk(blocks):
        book.set_prices(prices)
        rows = random.integers(0, accounts, touched)
        book.collateral_column[:, rows] *= random.uniform(0.98, 1.02, touched)
        changed = rows.tolist()
        start = process_time()
        if changed:
            screen.touch(changed)
        handed += len(screen.look(*book.factors))
        seconds.append(process_time() - start)
    return {
        "mean": float(np.mean(seconds)),
        "median": median(seconds),
        "longest": max(seconds),
        "handed": float(handed),
    }


def appointments(owners: int, blocks: int = 3000) -> float:
    """Seconds a block of a calendar with Poisson looks once a day: what is due, and the next times of those."""
    random = np.random.Generator(np.random.Philox(4))
    calendar = Calendar()
    calendar.schedule_many(np.arange(owners), random.exponential(LOOK_SECONDS, owners))
    seconds = 0.0
    for block in range(1, blocks + 1):
        now = block * BLOCK_SECONDS
        start = process_time()
        items = calendar.due(now)
        seconds += process_time() - start
        times = now + random.exponential(LOOK_SECONDS, len(items))
        start = process_time()
        calendar.schedule_many(items, times)
        seconds += process_time() - start
    return seconds / blocks


def standing(positions: int, blocks: int = 2000) -> float:
    """Seconds a block of a book with that many positions of which ten pay: ten change, the top is read."""
    random = np.random.Generator(np.random.Philox(5))
    book = LiquidationBook()
    for account, worth in enumerate(random.random(positions).tolist()):
        book.add(account, worth, 0)
    for account in range(10):
        book.update(account, 2.0)
    changes = random.integers(10, positions, (blocks, 10)).tolist()
    worths = random.random((blocks, 10)).tolist()
    start = process_time()
    for accounts, new in zip(changes, worths, strict=True):
        for account, worth in zip(accounts, new, strict=True):
            book.update(account, worth)
        if len(list(book.top(1.0))) != 10:
            raise AssertionError("ten positions pay")
    return (process_time() - start) / blocks


def measure(sizes: tuple[int, ...] = SIZES, blocks: int = 7200) -> dict[int, dict[str, float]]:
    """All figures by number of accounts, in seconds."""
    result = {}
    for accounts in sizes:
        figures = calm(accounts)
        for name, value in day(accounts, 10, blocks=blocks).items():
            figures[f"day_{name}"] = value
        more = day(accounts, 50, blocks=blocks // 3)
        less = day(accounts, 10, blocks=blocks // 3)
        figures["further_row_seconds"] = (more["mean"] - less["mean"]) / 40
        figures["day_plain_mean"] = day(accounts, 10, PlainScreen, max(blocks * 1000 // accounts, 60))["mean"]
        figures["calendar_seconds"] = appointments(accounts)
        figures["book_seconds"] = standing(accounts)
        result[accounts] = figures
    return result


ROWS = [
    ("calm block: Mesa loop", "mesa_seconds", "ms"),
    ("calm block: plain pass", "plain_seconds", "ms"),
    ("calm block: groups", "groups_seconds", "ms"),
    ("day, 10 touched a block: groups, mean", "day_mean", "ms"),
    ("day, 10 touched a block: groups, median", "day_median", "ms"),
    ("day, 10 touched a block: groups, longest", "day_longest", "ms"),
    ("day, 10 touched a block: plain pass, mean", "day_plain_mean", "ms"),
    ("each further touched row", "further_row_seconds", "µs"),
    ("calendar, looks once a day", "calendar_seconds", "ms"),
    ("book, ten pay and ten change", "book_seconds", "ms"),
    ("sorting everybody, once", "build_seconds", "ms"),
]


def figures(sizes: tuple[int, ...] = SIZES, measured: dict[int, dict[str, float]] | None = None) -> Iterator[Figure]:
    """Every figure of this part, with its target."""
    measured = measured or measure(sizes)
    for size in sizes:
        for label, key, unit in ROWS:
            yield Figure(f"{size:,} accounts, {label}, {unit}", measured[size][key] * (1e3 if unit == "ms" else 1e6))
        ratio = measured[size]["mesa_seconds"] / measured[size]["groups_seconds"]
        yield Figure(f"{size:,} accounts, calm: Mesa loop over groups", ratio)
    smallest, largest = measured[sizes[0]], measured[sizes[-1]]
    who = f"day of {sizes[-1]:,} accounts"
    ratio = largest["day_mean"] / smallest["day_mean"]
    yield Figure(f"{who}: screening over that of {sizes[0]:,}", ratio, most=15)
    ratio = largest["day_mean"] / largest["day_plain_mean"]
    yield Figure(f"{who}: screening over a plain pass", ratio, most=0.1)
    yield Figure(f"{who}: each further touched row, µs", 1e6 * largest["further_row_seconds"], most=5)


if __name__ == "__main__":
    show(figures(tuple(int(argument) for argument in sys.argv[1:]) or SIZES))
