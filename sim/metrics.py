"""Metrics: the wide row of numbers that each step leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sim.yield_metrics import YieldMetrics

RAY = 1e-27

#: A withdrawal that lacks less than this share of the supply is served.
QUEUE_ROUNDING = 1e-3

#: Causes under which trades of this economy leave an impact outside.
IMPACT_CAUSES = ("liquidation", "deleveraging", "leveraging", "trading", "arbitrage", "whale")


class Metrics:
    """Names and values of the step's row; `columns` and `row()` have the same order.

    Prices in USD, reserve quantities in whole tokens, rates per year; definitions in `sim.results.columns`.
    """

    def __init__(self, economy: Any) -> None:
        self.economy = economy
        world = economy.world
        self.symbols = world.symbols
        self.tokens = range(len(world.symbols))
        pool = economy.pool
        self.reserve_symbols = [economy.ledger.tokens[reserve.token].symbol for reserve in pool.reserves]
        self.units = [1.0 / reserve.unit for reserve in pool.reserves]
        self.oracle_reserve = {reserve.token: asset for asset, reserve in enumerate(pool.reserves)}
        self._depths: dict[str, tuple[tuple[int, int], float]] = {}
        self.queues = [p for p in economy.populations.values() if p.agent_class.queues]
        self.yields = YieldMetrics(economy)
        self.causes = IMPACT_CAUSES + self.yields.causes
        self.columns = self._names()

    def _names(self) -> list[str]:
        names = ["step", "block", "timestamp", "base_fee_gwei", "block_fullness_ratio"]
        for kind in ("exogenous_usd", "outside_usd", "oracle_usd"):
            names += [f"{kind}.{symbol}" for symbol in self.symbols]
        names += [f"impact.{symbol}.{cause}" for symbol in self.symbols for cause in self.causes]
        for name in self.economy.amms:
            names += [f"amm_price.{name}", f"amm_depth_usd.{name}"]
        for symbol in self.reserve_symbols:
            names += [
                f"{quantity}.{symbol}"
                for quantity in (
                    "cash",
                    "debt",
                    "supply",
                    "utilisation",
                    "borrow_rate",
                    "supply_rate",
                    "liquidity_index",
                    "debt_index",
                    "deficit",
                    "solvency_gap",
                )
            ]
        names += self.yields.names
        names += [
            "liquidatable_usd",
            "liquidatable_accounts",
            "liquidated_usd",
            "liquidations",
            "waiting_withdrawals_usd",
            "transactions",
            "reverted",
        ]
        return names

    def row(self) -> list[float]:
        """The numbers of the step that has just been executed."""
        economy = self.economy
        clock = economy.clock
        outside = economy.outside
        events = economy.events
        values: list[float] = [clock.step, clock.block, clock.timestamp]
        values += (economy.view.base_fee_gwei, economy.gas.fullness_ratio)
        values += economy.world.exogenous[clock.step]
        values += outside.prices[: len(self.symbols)]
        values += economy.oracle.prices_usd()
        for token in self.tokens:
            by_cause = outside.impact_by_cause(token)
            values += [by_cause.get(cause, 0.0) for cause in self.causes]
        for name, amm in economy.amms.items():
            values += (amm.price(), self._depth_tokens(name, amm) * outside.prices[amm.token0])
        for asset in range(len(self.units)):
            values += self._reserve(asset)
        values += self.yields.row()
        values += (
            economy.liquidatable.debt_usd,
            len(economy.liquidatable),
            events.liquidated_usd,
            events.liquidations,
            self.waiting_withdrawals_usd(),
            events.transactions,
            events.reverted,
        )
        return values

    def waiting_withdrawals_usd(self) -> float:
        """What lenders want out of the pool and have not got yet, at the pool's prices: supply above their goal.

        A population names the assets that somebody wants; once all have got theirs, an asset is looked at no more.
        """
        economy = self.economy
        pool = economy.pool
        total = 0.0
        for population in self.queues:
            waiting: dict[str, None] = population.memory.get("waiting", {})
            part = slice(population.first, population.first + len(population))
            for symbol in tuple(waiting):
                asset = population.memory["assets"][symbol]
                goal = population.columns[f"goal.{symbol}"]
                supply = pool.supply_column[asset, part] * (pool.normalized_income(asset) * RAY)
                # The interest earned since he said so is not a wish to leave.
                missing = np.where(supply > goal * (1.0 + QUEUE_ROUNDING), supply - goal, 0.0)
                missing = np.where(missing > QUEUE_ROUNDING * supply, missing, 0.0)
                tokens = float(missing.sum())
                total += tokens * pool.prices[asset] * 1e-8
                if tokens == 0.0:
                    del waiting[symbol]
        return total

    def _depth_tokens(self, name: str, amm: Any) -> float:
        """Token0 that moves a pool 2 % down; worked out anew only when the pool's reserves have changed."""
        reserves = amm.reserves()
        known = self._depths.get(name)
        if known is None or known[0] != reserves:
            known = self._depths[name] = (reserves, float(amm.depth_2pct().token0_down))
        return known[1]

    def _reserve(self, asset: int) -> tuple[float, ...]:
        """Cash, debt, supply, utilisation, rates, indexes, deficit and solvency gap of one reserve.

        The gap (cash + debt + deficit - supply - treasury) is not zero in the contracts: debt compounds, supply does
        not. Supply includes what has accrued to the treasury and is not yet minted.
        """
        totals = self.economy.pool.totals_now(asset)
        unit = self.units[asset]
        income = totals.liquidity_index * RAY
        interest = totals.borrow_index * RAY
        cash = totals.virtual_balance * unit
        debt = totals.scaled_debt * interest * unit
        supply = totals.scaled_supply * income * unit
        treasury = totals.accrued_to_treasury_scaled * income * unit
        deficit = totals.deficit * unit
        borrowed = debt / (cash + debt) if debt > 0.0 else 0.0
        return (
            cash,
            debt,
            supply,
            borrowed,
            totals.borrow_rate * RAY,
            totals.liquidity_rate * RAY,
            income,
            interest,
            deficit,
            cash + debt + deficit - supply - treasury,
        )

    def reporters(self) -> dict[str, Callable[[Any], float]]:
        """What Mesa's own DataCollector reports of a model, for `mesa.batch_run`."""
        return {
            "liquidations": lambda model: float(model.events.total_liquidations),
            "liquidated_usd": lambda model: model.events.total_liquidated_usd,
            "liquidatable_usd": lambda model: model.liquidatable.debt_usd,
            "deficit_usd": lambda model: model.deficit_usd(),
        }
