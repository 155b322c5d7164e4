"""Liquidators: they watch the book of liquidatable positions and take what pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from agents.base import AgentParameters, EconomicAgent, NonNegative
from agents.planning import Plan, best_plan
from scenarios.schema.base import Table, Whole, empty_table, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View


class LiquidatorParameters(AgentParameters):
    """How quick, how rich, how choosy."""

    latency_blocks_median: float = field(
        1.0,
        "Median time from a position becoming liquidatable to a liquidator noticing it",
        unit="blocks",
        source="assumption: at once (Perez et al. 2021) to within 10 blocks (Sentora, Oct 2025) for most",
        plausible=(0.0, 10.0),
        ge=0,
        le=1e6,
    )
    latency_log_sd: float = field(
        1.0,
        "Log standard deviation of that time",
        unit="1",
        source="assumption: searchers differ in speed, no record of how much",
        plausible=(0.5, 1.5),
        ge=0,
        le=5,
    )
    min_profit_usd: float = field(
        10.0,
        "Profit after gas below which a liquidator does not act",
        unit="USD",
        source="assumption: no record, of the order of the cost of a failed attempt",
        plausible=(0.0, 100.0),
        ge=0,
        le=1e9,
    )
    cost_share_median: float = field(
        0.05,
        "Median share of the gross profit that running the business costs",
        unit="ratio",
        source="assumption: no record of searchers' costs",
        plausible=(0.01, 0.3),
        ge=0,
        lt=1,
    )
    cost_share_log_sd: float = field(
        0.5,
        "Log standard deviation of that share over liquidators",
        unit="1",
        source="assumption: no record of searchers' costs",
        plausible=(0.0, 1.0),
        ge=0,
        le=5,
    )
    bundles_per_step: Whole = field(
        8,
        "Transactions that a liquidator sends in one step",
        unit="count",
        source="assumption: no record, more than are liquidatable in most blocks",
        plausible=(1, 50),
        ge=1,
        le=10000,
    )
    plans_per_step: Whole = field(
        24,
        "Positions, most worthwhile first, that liquidators work out plans for in one step",
        unit="count",
        source="assumption: what lies beyond is worth less and its turn comes in the next step",
        plausible=(8, 200),
        ge=1,
        le=100000,
    )
    funding: Literal["flash", "capital"] = field(
        "flash", "Debt tokens lent by the pool for the call, or the liquidator's own", unit="", source="choice"
    )
    sale: Literal["amm", "outside"] = field("amm", "Where seized collateral is sold", unit="", source="choice")
    capital_usd: Table[str, NonNegative] = field(
        None,
        "Own tokens at the start, by asset, USD at the opening price",
        unit="USD",
        plausible=(0.0, 1e8),
        source="assumption: none where funding is flash",
        refers_to="asset",
        factory=empty_table,
    )
    gas_eth: float = field(
        200.0,
        "ETH in the wallet at the start, to pay for gas",
        unit="ETH",
        source="assumption: so much that gas is a cost and not a limit",
        plausible=(1.0, 1000.0),
        ge=0,
        le=1e9,
    )


class Liquidator(EconomicAgent):
    """A searcher who liquidates for profit after bonus, protocol fee, slippage, flash premium and gas.

    He notices a liquidatable position some blocks after it appeared, a time drawn per (liquidator, position, moment).
    Positions are taken in the order of their worth; of several liquidators bidding for one position, a block includes
    the most valuable bid (`sim.chain.mempool`).
    """

    kind: ClassVar[str] = "liquidator"
    wake: ClassVar[str] = "book"
    Parameters: ClassVar[type[AgentParameters]] = LiquidatorParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Own capital, and each liquidator's cost of doing business."""
        p = population.parameters
        for symbol, value_usd in p.capital_usd.items():
            founding.hold(
                population, symbol, [founding.amount(symbol, value_usd * population.size_ratio)] * len(population)
            )
        shares = founding.log_normal(population, "cost", max(p.cost_share_median, 1e-12), p.cost_share_log_sd)
        population.columns["cost_share"] = np.minimum(np.array(shares), 0.95)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Everybody, once something is liquidatable."""
        return list(rows) if len(view.book) else []

    def act(self, view: View) -> list[Transaction]:
        """Bids for the most worthwhile positions he has noticed."""
        if not self.is_due(view):
            return []
        p = self.parameters
        row = self.row
        step = view.step
        gas_usd = view.gas_usd(view.operations.liquidation)
        kept = 1.0 - float(self.population.columns["cost_share"][row])
        bids: list[Transaction] = []
        for plan, noticed in self.candidates(self.population, view):
            value_usd = plan.profit_usd * kept - gas_usd
            if noticed[row] > step or value_usd < p.min_profit_usd or not self._can_fund(view, plan):
                continue
            bids.append(self._transaction(view, plan, value_usd))
            if len(bids) >= p.bundles_per_step:
                break
        return bids

    @classmethod
    def candidates(cls, population: Population, view: View) -> list[tuple[Plan, list[int]]]:
        """Plans that pay, most worthwhile position first, each with the step at which every row notices the position.

        Worked out once a step for the whole population; positions that nobody has noticed yet are not planned for.
        """
        key = ("candidates", population.name)
        found: list[tuple[Plan, list[int]]] | None = view.cache.get(key)
        if found is None:
            found = []
            p = population.parameters
            planned = 0
            for entry in view.book.top(view.gas_usd(view.operations.liquidation) + p.min_profit_usd):
                noticed = cls._noticed(population, view, entry)
                if min(noticed) <= view.step:
                    planned += 1
                    plan = best_plan(view, entry.account, p.funding == "flash", p.sale == "outside")
                    if plan is not None:
                        found.append((plan, noticed))
                    if planned >= p.plans_per_step:
                        break
            view.cache[key] = found
        return found

    @classmethod
    def _noticed(cls, population: Population, view: View, entry: Any) -> list[int]:
        """For every row the step at which it notices an entry: a log-normal time after the entry appeared."""
        known = population.memory.get(entry.account)
        if known is None or known[0] != entry.since_step:
            p = population.parameters
            if p.latency_blocks_median == 0:
                steps = [entry.since_step] * len(population)
            else:
                key = view.randomness.bits("notice", entry.account, entry.since_step) >> 2
                draws = view.randomness.normal_array("latency", np.arange(len(population)) + population.first, key)
                steps = [
                    entry.since_step
                    + int(p.latency_blocks_median * math.exp(p.latency_log_sd * z) / view.blocks_per_step)
                    for z in draws.tolist()
                ]
            known = population.memory[entry.account] = (entry.since_step, steps)
        noticed: list[int] = known[1]
        return noticed

    def _can_fund(self, view: View, plan: Plan) -> bool:
        if self.parameters.funding == "flash":
            return True
        token = view.pool.reserves[plan.debt_asset].token
        return bool(view.ledger.balances[token][self.account] >= plan.debt_to_cover)

    def _transaction(self, view: View, plan: Plan, value_usd: float) -> Transaction:
        token = view.pool.reserves[plan.debt_asset].token
        unit_usd = view.outside_usd[token] / view.ledger.tokens[token].unit
        flash = self.parameters.funding == "flash"
        arguments = (
            plan.borrower,
            plan.collateral_asset,
            plan.debt_asset,
            plan.debt_to_cover,
            plan.route,
            plan.profit // 2,
            flash,
        )
        return Transaction(
            self.account,
            (Call("periphery", "liquidate", arguments, view.operations.liquidation),),
            "liquidation",
            tip_gwei=0.0 if view.private else view.tip_gwei,
            private=view.private,
            subject=plan.borrower,
            value_usd=value_usd,
            profit_token=token,
            profit_unit_usd=unit_usd,
        )
