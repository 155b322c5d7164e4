"""Founding: how populations come into being.

An agent class endows its population through a `Founding`: it asks for draws keyed by row and hands over amounts, one
integer a row, that are loaded in bulk once every population is known. Nothing that a row receives depends on how many
rows there are, so adding a borrower changes nobody's size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.errors import Problem
from sim.ledger import Ledger
from sim.normal import inverse_normal_array
from sim.population import Population
from sim.randomness import Randomness


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What founding needs to know of an asset: token, decimals, opening price, and what a staked one is a claim on."""

    symbol: str
    token: int
    unit: int
    price_usd: float
    reserve: int | None
    base: str | None = None


class Founding:
    """Endowments of all populations, collected and then loaded at once.

    `pairs` names the two assets of every AMM. What a scenario asks for and cannot have is collected in `problems`.
    """

    def __init__(
        self,
        randomness: Randomness,
        assets: Mapping[str, AssetFacts],
        pool: Any,
        pairs: Mapping[str, tuple[str, str]],
    ) -> None:
        self.randomness = randomness
        self.assets = assets
        self.pairs = pairs
        self.pool = pool
        self.supplies: dict[int, list[tuple[range, list[int], bool]]] = {}
        self.debts: dict[int, list[tuple[range, list[int]]]] = {}
        self.wallets: list[tuple[int, range, list[int]]] = []
        self.emodes: list[tuple[range, int]] = []
        self.gas_wei: list[tuple[range, int]] = []
        self.problems: list[Problem] = []

    def refuse(self, path: str, given: str, allowed: str, message: str) -> None:
        """Note, once, that the scenario asks for the impossible; the caller goes on, so that all problems are told."""
        problem = Problem("", path, given, allowed, message)
        if problem not in self.problems:
            self.problems.append(problem)

    # ------------------------------------------------------------------ draws, one a row
    def uniform(self, population: Population, attribute: str) -> np.ndarray:
        """Uniform draws in (0, 1), one a row."""
        return self.randomness.uniform_array(f"{population.name}.{attribute}", np.arange(len(population)))

    def log_normal(
        self, population: Population, attribute: str, median: float, log_sd: float, base: int = 0
    ) -> list[float]:
        """Log-normal draws `median * exp(log_sd * z)`; a prime `base` stratifies them, so that totals are steady."""
        purpose = f"{population.name}.{attribute}"
        rows = np.arange(len(population))
        if base:
            uniforms = self.randomness.stratified_array(purpose, rows, base)
        else:
            uniforms = self.randomness.uniform_array(purpose, rows)
        return [median * math.exp(z) for z in (log_sd * inverse_normal_array(uniforms)).tolist()]

    def choose(self, population: Population, attribute: str, shares: Mapping[str, float], base: int = 0) -> np.ndarray:
        """One of the named options a row, as its number in `shares`; probabilities are in proportion to them.

        A prime `base` stratifies the draws.
        """
        names = list(shares)
        edges: list[float] = []
        total = math.fsum(shares.values())
        if not total > 0.0:
            path = f"populations.{population.name}.{attribute}"
            self.refuse(
                path, f"weights that add to {total:g}", "at least one weight above 0", "leaves nothing to choose"
            )
            return np.zeros(len(population), dtype=np.int8)
        level = 0.0
        for name in names:
            level += shares[name] / total
            edges.append(level)
        if base:
            uniforms = self.randomness.stratified_array(
                f"{population.name}.{attribute}", np.arange(len(population)), base
            )
        else:
            uniforms = self.uniform(population, attribute)
        picks = np.searchsorted(np.array(edges), uniforms).astype(np.int8)
        result: np.ndarray = np.minimum(picks, np.int8(len(names) - 1))
        return result

    def traded_assets(self, pools: Sequence[str]) -> list[str]:
        """Assets traded on the named AMMs (on all of them when none is named), in the scenario's order."""
        names = list(pools) or list(self.pairs)
        traded = {symbol for name in names for symbol in self.pairs[name]}
        return [symbol for symbol in self.assets if symbol in traded]

    # ------------------------------------------------------------------ endowments
    def amount(self, symbol: str, value_usd: float) -> int:
        """Smallest units of an asset worth `value_usd` at its opening price."""
        facts = self.assets[symbol]
        return int(value_usd / facts.price_usd * facts.unit)

    def threshold(self, population: Population, symbol: str, emode: int) -> float:
        """Liquidation threshold of a collateral, ratio; one that counts for nothing is refused."""
        threshold = float(self.pool.liquidation_threshold_ratio(self.reserve(symbol), emode))
        if not threshold > 0.0:
            self.refuse(
                f"populations.{population.name}.collateral.{symbol}",
                f"{symbol}, whose liquidation threshold is 0",
                "collateral with a liquidation threshold above 0",
                "cannot back any debt",
            )
            return 1.0
        return threshold

    def amounts(self, symbol: str, values_usd: np.ndarray) -> list[int]:
        """`amount` of every element."""
        facts = self.assets[symbol]
        return list(map(int, (values_usd / facts.price_usd * float(facts.unit)).tolist()))

    def reserve(self, symbol: str) -> int:
        """Reserve of an asset in the lending pool."""
        reserve = self.assets[symbol].reserve
        if reserve is None:
            raise ValueError(f"{symbol} is no reserve of the lending pool")
        return reserve

    def supply(self, population: Population, symbol: str, amounts: list[int], collateral: bool = True) -> None:
        """Supply to the pool, one amount a row."""
        self.supplies.setdefault(self.reserve(symbol), []).append((population.accounts, amounts, collateral))

    def borrow(self, population: Population, symbol: str, amounts: list[int]) -> None:
        """Debt to the pool, one amount a row; the borrowed tokens have left the economy before it begins."""
        self.debts.setdefault(self.reserve(symbol), []).append((population.accounts, amounts))

    def totals(self, symbol: str) -> tuple[int, int]:
        """(supply, debt) of a reserve handed over so far, in smallest units."""
        reserve = self.reserve(symbol)
        supplied = sum(sum(amounts) for _, amounts, _ in self.supplies.get(reserve, []))
        borrowed = sum(sum(amounts) for _, amounts in self.debts.get(reserve, []))
        return supplied, borrowed

    def hold(self, population: Population, symbol: str, amounts: list[int]) -> None:
        """Tokens in the wallet, one amount a row."""
        self.wallets.append((self.assets[symbol].token, population.accounts, amounts))

    def enter_emode(self, population: Population, category: int) -> None:
        """Put the whole population into an e-mode category."""
        self.emodes.append((population.accounts, category))

    def gas(self, population: Population, amount_eth: float) -> None:
        """ETH for gas, the same for every row (not scaled: gas costs what it costs)."""
        self.gas_wei.append((population.accounts, int(amount_eth * 10**18)))

    # ------------------------------------------------------------------ loading
    def check_lending(self) -> None:
        """Refuse reserves that would have lent out more than they were ever given."""
        for symbol, facts in self.assets.items():
            if facts.reserve is None:
                continue
            supplied, borrowed = self.totals(symbol)
            if borrowed > supplied:
                self.refuse(
                    f"pool.reserves.{symbol}",
                    f"debts of {borrowed / facts.unit:,.8g} {symbol}",
                    f"at most what is supplied, {supplied / facts.unit:,.8g} {symbol}",
                    "is borrowed more than is supplied: more lenders (supply_usd, opening_utilisation), or less debt",
                )

    def load(self, ledger: Ledger, gas_token: int) -> None:
        """Bring wallets and positions into being; each reserve's totals and rates are set once."""
        for accounts, category in self.emodes:
            self.pool.load_emodes(accounts, [category] * len(accounts))
        for reserve in sorted({*self.supplies, *self.debts}):
            # Supplies first: the pool checks that there is cash to lend.
            for accounts, amounts, collateral in self.supplies.get(reserve, []):
                self.pool.load(reserve, accounts, amounts, [0] * len(amounts), collateral)
            for accounts, amounts in self.debts.get(reserve, []):
                self.pool.load(reserve, accounts, [0] * len(amounts), amounts)
            ledger.journal.clear()
            self.pool.drain_touched()  # nobody watches yet
        for token, accounts, amounts in self.wallets:
            ledger.inflow_many(token, accounts, amounts)
            ledger.journal.clear()
        for accounts, amount in self.gas_wei:
            ledger.inflow_many(gas_token, accounts, [amount] * len(accounts))
            ledger.journal.clear()
