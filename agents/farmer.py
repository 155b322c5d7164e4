"""Farmers: leveraged staking loops, entered and left by carry, health or discount."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from agents.base import AgentParameters
from agents.borrower import Borrower
from agents.carry import gain_of_leaving, net_after_costs, net_carry, queue_cost_ratio
from agents.farmer_parameters import FarmerParameters
from agents.loop_plan import LOOP_PARTS, Exit, Loop, best_exit, entry_call, exit_call, loop_of
from scenarios.errors import Problem, ScenarioError
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View

_RAY = 1e-27


class Farmer(Borrower):
    """A staking loop: staked collateral, its base as debt, in e-mode, turned over in one transaction.

    At a look, a time drawn ahead, sooner while borrowing costs more than staking earns, in this order: claims what the
    queue has ready and repays with it; reduces a loop whose health factor is under the alarm; leaves, in the part that
    gains most, when net · horizon < -exit cost or the discount is beyond his limit; opens a loop with the equity in his
    wallet when the carry after all costs pays. Leaving goes by the pools (their discount) or, where that is cheaper, by
    the queue: spare funds repay, free collateral is handed in, and what is owed goes on costing r_b until the claim.
    What he holds is read from the pool and the queue: he keeps no books of his own.
    """

    kind: ClassVar[str] = "farmer"
    wake: ClassVar[str] = "never"
    timetables: ClassVar[tuple[str, ...]] = ("loop",)
    mechanism: ClassVar[str] = "farmers"
    Parameters: ClassVar[type[AgentParameters]] = FarmerParameters

    # ------------------------------------------------------------------ founding
    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Debt sizes and health factors as a book of loops; rows outside get the same equity as tokens."""
        p = population.parameters
        staked, base = next(iter(p.collateral)), next(iter(p.debt))
        par = founding.assets[staked].base
        if par != base:
            founding.refuse(
                f"populations.{population.name}.debt",
                f"{base}, against {staked}",
                f"the base of {staked}, {par}" if par else 'a collateral of kind "ratio" and its base',
                "is not what the collateral is redeemed for",
            )
        assets = founding.reserve(staked), founding.reserve(base)
        threshold = founding.pool.liquidation_threshold_ratio(assets[0], p.emode)
        sizes = founding.log_normal(
            population, "debt", p.debt_usd_median * population.size_ratio, p.debt_usd_log_sd, base=2
        )
        largest = p.debt_usd_largest * population.size_ratio
        excess = founding.log_normal(population, "health_factor", p.health_factor_median_excess, p.health_factor_log_sd)
        outside = founding.uniform(population, "outside") < p.outside_share_ratio
        target = [1.0 + max(e, p.health_factor_least_excess) for e in excess]
        supplies, debts, wallets = [], [], []
        for size, health, out in zip(sizes, target, outside.tolist(), strict=True):
            debt_usd = min(size, largest)
            collateral_usd = debt_usd * health / threshold
            equity_usd = collateral_usd - debt_usd
            supplies.append(0 if out else math.ceil(founding.amount(staked, collateral_usd)))
            debts.append(0 if out else founding.amount(base, debt_usd))
            wallets.append(founding.amount(base, equity_usd * (1.0 if out else p.spare_share_ratio)))
        founding.supply(population, staked, supplies)
        founding.borrow(population, base, debts)
        founding.hold(population, base, wallets)
        if p.emode:
            founding.enter_emode(population, p.emode)
        columns = population.columns
        columns["target"] = np.array(target)
        columns["alarm"] = 1.0 + p.alarm_share * (columns["target"] - 1.0)
        horizon_days = founding.log_normal(population, "horizon", p.horizon_days_median, p.horizon_log_sd)
        columns["horizon_years"] = np.array(horizon_days) / 365.0
        columns["discount_limit"] = np.array(
            founding.log_normal(population, "discount", p.discount_limit_median, p.discount_limit_log_sd)
        )
        population.memory["assets"] = assets

    @classmethod
    def settle(cls, population: Population, world: Any) -> None:
        """What the times of looking depend on: rates and the redemption ratio."""
        queue, (staked, _) = population.parameters.queue, population.memory["assets"]
        if queue is not None and world.queues[queue].token != world.pool.reserves[staked].token:
            redeems = world.scenario.redemptions[queue].asset
            own = next(iter(population.parameters.collateral))
            path = f"populations.{population.name}.queue"
            given = f"{queue}, which redeems {redeems}"
            raise ScenarioError([Problem("", path, given, f"a queue of {own}", "redeems another asset")])
        population.memory["pool"] = world.pool
        population.memory["ratios"] = world.ratios

    # ------------------------------------------------------------------ times
    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Sooner while the reserve's borrow rate is above what the collateral earns."""
        p = population.parameters
        pool = population.memory["pool"]
        staked, base = population.memory["assets"]
        earned = population.memory["ratios"].yield_per_year(pool.reserves[staked].token)
        stressed = pool.borrow_rate(base) * _RAY > earned + pool.liquidity_rate(staked) * _RAY
        return float(p.look_seconds_alarm if stressed else p.look_seconds)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time of looking has come."""
        look_at = population.columns["loop_at"]
        now = view.timestamp
        return [row for row in rows if look_at[row] <= now]

    # ------------------------------------------------------------------ deciding
    def act(self, view: View) -> list[Transaction]:
        """Claim, reduce, leave or enter: at most one transaction for each."""
        if not self.is_due(view):
            return []
        loop = loop_of(self, view)
        claims = self._claims(view, loop)
        if claims:
            return claims
        if loop.debt:
            decided = self._reduce(view, loop) or self._leave(view, loop) or self._enlarge(view, loop)
        elif loop.collateral:
            decided = self._redeem_rest(view, loop)
        else:
            decided = self._enter(view, loop)
        return decided

    def _claims(self, view: View, loop: Loop) -> list[Transaction]:
        """Take what the queue has ready, and repay with it."""
        if loop.queue is None:
            return []
        ready = loop.queue.claimable(self.account)
        if not ready:
            return []
        calls = [Call(loop.queue.name, "claim", (request.number,), loop.queue.claim_gas) for request in ready]
        repay = min(sum(request.base_amount for request in ready), loop.debt)
        if repay:
            calls.append(Call("pool", "repay", (loop.assets[1], repay), view.operations.repay))
        return [self._transaction(view, tuple(calls), "redemption_claim")]

    def _reduce(self, view: View, loop: Loop) -> list[Transaction]:
        """Back to the target by the pools, unless that costs more than being liquidated.

        Selling y repays y: (weighted - y LT) / (debt - y) = target. Who has collateral under way in the queue has gone
        below his alarm on purpose.
        """
        health = self.health_factor
        target = float(self.population.columns["target"][self.row])
        alarm = float(self.population.columns["alarm"][self.row])
        if loop.queue is not None and loop.queue.requests_of(self.account):
            alarm = min(alarm, 0.5 * (1.0 + self.parameters.exit_health_least))
        if health >= alarm:
            return []
        part = (target - health) / (target - loop.threshold) * loop.debt_base / loop.collateral_base
        bonus = view.pool.liquidation_bonus_ratio(loop.assets[0], self.parameters.emode)
        plan = best_exit(
            self,
            view,
            loop,
            (min(1.0, part),),
            lambda plan: bonus - plan.cost_base / (plan.part * loop.collateral_base),
        )
        return [self._exit(view, loop, plan, "loop_reduction")] if plan is not None else []

    def _leave(self, view: View, loop: Loop) -> list[Transaction]:
        """By the pools or the queue, whichever costs less, if the carry over the horizon loses more than leaving."""
        row, columns = self.row, self.population.columns
        slip = self.parameters.max_slippage_ratio
        horizon = float(columns["horizon_years"][row])
        carry = net_carry(loop.leverage, loop.staking_per_year, loop.borrow_per_year)
        afraid = loop.discount > float(columns["discount_limit"][row])
        if carry >= 0.0 and not afraid:
            return []
        # No sale costs less than the discount, and the queue costs at least what is owed while a request waits.
        cheapest = loop.discount
        if loop.queue is not None and loop.queue.is_open():
            cheapest = min(cheapest, queue_cost_ratio(loop.borrow_per_year, loop.queue.wait_seconds()))
        if not afraid and gain_of_leaving(carry, horizon, cheapest * loop.leverage) <= 0.0:
            return []

        def gain(plan: Exit) -> float:
            if afraid and plan.cost_base <= (loop.discount + slip) * plan.part * loop.collateral_base:
                return plan.part
            return plan.part * gain_of_leaving(carry, horizon, plan.cost_base / (plan.part * loop.equity_base))

        by_pool = best_exit(self, view, loop, LOOP_PARTS, gain)
        by_queue = self._by_queue(view, loop, carry, horizon, by_pool) if not afraid else None
        if by_queue is not None:
            return by_queue
        return [self._exit(view, loop, by_pool, "loop_exit")] if by_pool is not None else []

    def _by_queue(
        self, view: View, loop: Loop, carry: float, horizon: float, by_pool: Exit | None
    ) -> list[Transaction] | None:
        """Repay from the wallet, withdraw what that frees, hand it in; None where the pools are cheaper.

        An owner whose free collateral is already under way waits where nothing else gains.
        """
        p, queue = self.parameters, loop.queue
        if queue is None or not queue.is_open():
            return None
        repay = min(loop.wallet, loop.debt)
        rest_base = loop.debt_base - repay / loop.base_unit
        free_base = loop.collateral_base
        if repay < loop.debt:
            free_base = loop.collateral_base - p.exit_health_least * rest_base / loop.threshold
        part = min(1.0, free_base / loop.collateral_base)
        if part < p.least_queue_share:
            return None
        amount = int(loop.collateral * part)
        handed_base = queue.par(amount) / loop.base_unit
        wait = queue.wait_seconds(queue.par(amount))
        gas_base = view.gas_usd(queue.request_gas + queue.claim_gas + view.operations.withdraw) / loop.base_usd
        whole = by_pool.part if by_pool is not None else part
        per_unit = queue_cost_ratio(loop.borrow_per_year, wait, max(1.0, whole / part)) + gas_base / handed_base
        if gain_of_leaving(carry, horizon, per_unit * loop.leverage) <= 0.0:
            return None
        if by_pool is not None and by_pool.cost_base / (by_pool.part * loop.collateral_base) <= per_unit:
            return None
        calls: list[Call] = []
        if repay:
            calls.append(Call("pool", "repay", (loop.assets[1], repay), view.operations.repay))
        calls.append(Call("pool", "withdraw", (loop.assets[0], amount), view.operations.withdraw))
        calls.append(Call(queue.name, "request", (amount,), queue.request_gas))
        return [self._transaction(view, tuple(calls), "redemption_request")]

    def _redeem_rest(self, view: View, loop: Loop) -> list[Transaction]:
        """A loop whose debt is repaid: hand in what is left if staking alone is not what he is here for."""
        queue = loop.queue
        carry = net_carry(loop.leverage_wanted, loop.staking_per_year, loop.borrow_per_year)
        if queue is None or not queue.is_open() or carry >= 0.0:
            return []
        calls = (
            Call("pool", "withdraw", (loop.assets[0], loop.collateral), view.operations.withdraw),
            Call(queue.name, "request", (loop.collateral,), queue.request_gas),
        )
        return [self._transaction(view, calls, "redemption_request")]

    def _enlarge(self, view: View, loop: Loop) -> list[Transaction]:
        """Equity that lies in the wallet after a part was left comes back when the carry pays again."""
        if loop.wallet < self.parameters.idle_share_ratio * loop.equity_base * loop.base_unit:
            return []
        return self._enter(view, loop)

    def _enter(self, view: View, loop: Loop) -> list[Transaction]:
        """Open a loop with the equity in the wallet, as large as keeps the carry above the hurdle."""
        p = self.parameters
        if loop.wallet / loop.base_unit * loop.base_usd < p.least_equity_usd:
            return []
        horizon = float(self.population.columns["horizon_years"][self.row])
        cost = loop.round_trip_cost * loop.leverage_wanted
        if net_after_costs(loop.leverage_wanted, loop.staking_per_year, loop.borrow_per_year, cost, horizon) < max(
            p.hurdle_per_year, 0.0
        ):
            return []
        call = entry_call(
            self,
            view,
            loop,
            lambda borrow: (
                net_after_costs(loop.leverage_wanted, loop.staking_per_year, borrow, cost, horizon) >= p.hurdle_per_year
            ),
        )
        return [self._transaction(view, (call,), "loop_entry")] if call is not None else []

    # ------------------------------------------------------------------ transactions
    def _exit(self, view: View, loop: Loop, plan: Exit, kind: str) -> Transaction:
        return self._transaction(view, (exit_call(self, view, loop, plan),), kind)

    def _transaction(self, view: View, calls: tuple[Call, ...], kind: str) -> Transaction:
        return Transaction(self.account, calls, kind, tip_gwei=view.tip_gwei)
