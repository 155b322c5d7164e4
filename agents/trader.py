"""Traders: uninformed flow that uses the AMMs for reasons of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence as Rows
from typing import ClassVar

import numpy as np

from agents.base import AgentParameters, EconomicAgent, gas_eth_field
from scenarios.schema.base import Sequence, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.venues import Leg
from sim.normal import inverse_normal_array
from sim.population import Population
from sim.view import View

#: From so many trades on, drawing all of them in one array is faster than one by one.
MANY = 12


class TraderParameters(AgentParameters):
    """How often and how much uninformed traders trade."""

    trades_per_day: float = field(
        24.0,
        "Mean number of trades of one trader a day (Poisson)",
        unit="1/day",
        source="assumption: no record of uninformed flow",
        plausible=(1.0, 1000.0),
        gt=0,
        le=1e6,
    )
    size_usd_median: float = field(
        3000.0,
        "Median size of a trade",
        unit="USD",
        source="assumption: no record of uninformed flow",
        plausible=(300.0, 30000.0),
        gt=0,
        le=1e12,
    )
    size_log_sd: float = field(
        1.5,
        "Log standard deviation of trade sizes",
        unit="1",
        source="assumption: no record of uninformed flow",
        plausible=(1.0, 2.5),
        ge=0,
        le=5,
    )
    inventory_usd: float = field(
        2000000.0,
        "Tokens of each traded asset in the wallet at the start, USD at the opening price",
        unit="USD",
        source="assumption: so much that trades are rarely refused",
        plausible=(100000.0, 10000000.0),
        ge=0,
        le=1e12,
    )
    pools: Sequence[str] = field((), "AMMs traded on; all when empty", unit="", source="choice", refers_to="amm")
    gas_eth: float = gas_eth_field(50.0)


class Trader(EconomicAgent):
    """Trades a random amount in a random direction at random times, all drawn ahead and keyed by the trade's number."""

    kind: ClassVar[str] = "trader"
    wake: ClassVar[str] = "calendar"
    Parameters: ClassVar[type[AgentParameters]] = TraderParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Inventories, and the columns of the calendar."""
        p = population.parameters
        for symbol in founding.traded_assets(p.pools):
            founding.hold(
                population, symbol, [founding.amount(symbol, p.inventory_usd * population.size_ratio)] * len(population)
            )
        population.columns["look_at"] = np.full(len(population), np.inf)
        population.columns["looks"] = np.zeros(len(population), dtype=np.int64)

    @classmethod
    def mean_seconds(cls, population: Population) -> float:
        """Mean time between two trades of one trader."""
        return 86_400.0 / float(population.parameters.trades_per_day)

    @classmethod
    def due(cls, population: Population, rows: Rows[int], view: View) -> list[int]:
        """Rows whose time has come."""
        look_at = population.columns["look_at"]
        now = view.timestamp
        found = [row for row in rows if look_at[row] <= now]
        if len(found) >= MANY:
            draw_ahead(population, found, view)
        return found

    def is_due(self, view: View) -> bool:
        """`due` on this agent's own row."""
        return bool(self.population.columns["look_at"][self.row] <= view.timestamp)

    def act(self, view: View) -> list[Transaction]:
        """One trade; if the wallet lacks the token, the trade goes the other way."""
        if not self.is_due(view):
            return []
        population = self.population
        p = population.parameters
        account = population.first + self.row
        amms = view.venues.amms
        names = p.pools or tuple(amms)
        if not names:
            return []
        pool_draw, size_draw, side_draw = self._drawn(view)
        name = names[int(pool_draw * len(names))]
        amm = amms[name]
        size_usd = p.size_usd_median * population.size_ratio * math.exp(p.size_log_sd * size_draw)
        token_in, token_out = amm.token0, amm.token1
        if side_draw >= 0.5:
            token_in, token_out = token_out, token_in
        ledger = view.ledger
        for _ in range(2):
            amount = int(size_usd / view.outside_usd[token_in] * ledger.tokens[token_in].unit)
            if 0 < amount <= ledger.balances[token_in][account]:
                route = (Leg(name, token_in, token_out),)
                call = Call("venues", "swap", (route, amount, 0, "trading"), view.operations.swap)
                return [Transaction(account, (call,), "trading", view.tip_gwei)]
            token_in, token_out = token_out, token_in
        return []

    def _drawn(self, view: View) -> tuple[float, float, float]:
        """Draws of this trade for pool, size (normal) and side, keyed by its number."""
        account = self.account
        drawn: tuple[float, float, float] | None = view.cache.get(("trade", account))
        if drawn is None:
            number = int(self.population.columns["looks"][self.row])
            draw = view.randomness
            drawn = (
                draw.uniform("trade.pool", self.identity, number),
                draw.normal("trade.size", self.identity, number),
                draw.uniform("trade.side", self.identity, number),
            )
        return drawn


def draw_ahead(population: Population, rows: list[int], view: View) -> None:
    """The draws of many trades at once, kept in the view for this step."""
    identities = np.array(rows) + population.key
    numbers = population.columns["looks"][rows]
    purposes = ("trade.pool", "trade.size", "trade.side")
    pools, sizes, sides = view.randomness.uniform_arrays(purposes, identities, numbers)
    drawn = zip(pools.tolist(), inverse_normal_array(sizes).tolist(), sides.tolist(), strict=True)
    for row, draws in zip(rows, drawn, strict=True):
        view.cache["trade", population.first + row] = draws
