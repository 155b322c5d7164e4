"""Liquidators: they watch the book of liquidatable positions and take what pays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from agents.base import AgentParameters, EconomicAgent
from agents.liquidator_parameters import LiquidatorParameters
from agents.planning import Plan, resized
from agents.prospects import LARGEST_COST_SHARE, at_work, prospects
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View


class Liquidator(EconomicAgent):
    """A searcher who liquidates for profit after bonus, protocol fee, slippage, flash premium and gas.

    He notices a liquidatable position some blocks after it appeared: median x his speed x a draw per (liquidator,
    position, moment), both log-normal. He acts while he is at work, for pairs he serves, and with own capital as far
    as that goes. Private ordering: one sealed bid worth his profit after costs (`sim.chain.mempool`). Public ordering:
    a transaction whose tip he raises while others bid for the same position, up to his own share of the profit.
    """

    kind: ClassVar[str] = "liquidator"
    wake: ClassVar[str] = "book"
    every_block: ClassVar[bool] = True
    Parameters: ClassVar[type[AgentParameters]] = LiquidatorParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Own capital, costs of doing business, speed, eagerness and settings of each liquidator."""
        p = population.parameters
        rows = len(population)
        multiples = [1.0] * rows
        if p.capital_pareto_alpha is not None:
            draws = founding.uniform(population, "capital").tolist()
            multiples = [min(u ** (-1.0 / p.capital_pareto_alpha), p.capital_largest_ratio) for u in draws]
        for symbol, value_usd in p.capital_usd.items():
            least_usd = value_usd * population.size_ratio
            founding.hold(population, symbol, [founding.amount(symbol, least_usd * m) for m in multiples])
        shares = founding.log_normal(population, "cost", max(p.cost_share_median, 1e-12), p.cost_share_log_sd)
        columns = population.columns
        columns["cost_share"] = np.minimum(np.array(shares), LARGEST_COST_SHARE)
        own_sd = p.latency_log_sd * math.sqrt(p.latency_persistent_share)
        columns["speed"] = np.array(founding.log_normal(population, "speed", 1.0, own_sd))
        columns["silent"] = founding.uniform(population, "silent") < p.silent_share
        eager = founding.uniform(population, "eager")
        columns["tip_share"] = p.tip_share_low + (p.tip_share_high - p.tip_share_low) * eager
        if p.price_ceiling_gwei is None:
            ceilings = [math.inf] * rows
        else:
            ceilings = founding.log_normal(population, "ceiling", p.price_ceiling_gwei, p.price_ceiling_log_sd)
        columns["price_ceiling_gwei"] = np.array(ceilings)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Everybody who is at work, once something is liquidatable."""
        if not len(view.book):
            return []
        present = at_work(population, view)
        return [row for row in rows if present[row]]

    def act(self, view: View) -> list[Transaction]:
        """Bids for the most worthwhile positions he has noticed."""
        if not self.is_due(view):
            return []
        p = self.parameters
        row, step = self.row, view.step
        first_block = step * view.blocks_per_step
        last_block = first_block + view.blocks_per_step
        gas = view.operations.liquidation
        gas_usd = view.gas_usd(gas) if view.private else view.gas_usd(gas, view.tip_gwei)
        own_money = p.funding != "flash"
        bids: list[Transaction] = []
        for plans, served, noticed, kept in prospects(self.population, view):
            if noticed[row] >= last_block:
                continue
            # Most positions have one pair: ask for it without the machinery of choosing.
            plan = plans[0] if served[0][row] else self._next_served(plans, served)
            if plan is not None and own_money:
                plan = self._affordable(view, plan)
            if plan is None:
                continue
            value_usd = plan.profit_usd * kept[row] - gas_usd
            if value_usd < p.min_profit_usd:
                continue
            bid = self._bid(view, plan, value_usd)
            if bid is None:
                continue
            bid.ready_block = max(noticed[row], first_block)
            bids.append(bid)
            if len(bids) >= p.bundles_per_step:
                break
        return bids

    # ------------------------------------------------------------------ one liquidator's own
    def _next_served(self, plans: tuple[Plan, ...], served: tuple[Sequence[bool], ...]) -> Plan | None:
        """The best plan for a pair he serves."""
        row = self.row
        return next((plan for plan, rows in zip(plans, served, strict=True) if rows[row]), None)

    def _affordable(self, view: View, plan: Plan) -> Plan | None:
        """The plan, cut to what he can pay."""
        token = view.pool.reserves[plan.debt_asset].token
        own = view.ledger.balances[token][self.account]
        if own >= plan.debt_to_cover:
            return plan
        return resized(view, plan, own, False) if own > 0 else None

    def _bid(self, view: View, plan: Plan, value_usd: float) -> Transaction | None:
        """His transaction for a plan worth `value_usd` to him; None if it is dearer than his settings allow."""
        if view.private:
            return self._transaction(view, plan, value_usd)
        row = self.row
        columns = self.population.columns
        tip = view.tip_gwei
        base_gwei = 0.0 if view.first_price else view.base_fee_gwei
        usd_per_gwei = view.operations.liquidation * 1e-9 * view.eth_usd
        affordable = float(columns["tip_share"][row]) * plan.profit_usd / usd_per_gwei if usd_per_gwei else math.inf
        ceiling = min(affordable, float(columns["price_ceiling_gwei"][row])) - base_gwei
        if tip > ceiling:
            return None
        transaction = self._transaction(view, plan, value_usd)
        transaction.tip_gwei = tip
        transaction.tip_ceiling_gwei = ceiling
        transaction.revert_gas = view.operations.liquidation_reverted
        return transaction

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
            private=view.private,
            subject=plan.borrower,
            value_usd=value_usd,
            profit_token=token,
            profit_unit_usd=unit_usd,
        )
