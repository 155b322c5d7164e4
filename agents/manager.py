"""Borrowers who watch: they top up from spare funds, else repay by selling collateral."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from agents.base import AgentParameters
from agents.borrower import WAD, Borrower, BorrowerParameters
from scenarios.schema.base import field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.lending.records import AccountData
from sim.population import Population
from sim.view import View

#: The pool refuses a withdrawal that leaves a health factor under 1; so close to it nobody sends one.
LEAST_HEALTH = 1.0005

#: Room for rounding where a sale is judged by the spot price alone.
SPOT_ROUNDING = 1e-9


class ManagerParameters(BorrowerParameters):
    """When an owner becomes uneasy, and how soon he then looks."""

    alarm_below_target: float = field(
        0.15,
        "Alarm = own target health factor less this (target = opening health factor)",
        unit="1",
        source="assumption: no record of when owners become uneasy",
        plausible=(0.05, 0.4),
        gt=0,
        le=10,
    )
    alarm_least: float = field(
        1.02,
        "Lowest alarm an owner sets",
        unit="1",
        source="assumption: no record of when owners become uneasy",
        plausible=(1.01, 1.1),
        gt=1,
        le=10,
    )
    look_seconds_alarm: float = field(
        1800.0,
        "Mean time until an owner under his alarm looks",
        unit="s",
        source="assumption: no record of how soon owners react",
        plausible=(600.0, 7200.0),
        gt=0,
        le=1e9,
    )
    sale_margin_ratio: float = field(
        0.02,
        "Collateral sold beyond what the quote asks for, against trades that come first in the block",
        unit="ratio",
        source="assumption: small against max_slippage_ratio",
        plausible=(0.005, 0.05),
        ge=0,
        lt=1,
    )
    max_slippage_ratio: float = field(
        0.05,
        "Largest loss against the pool's price that an owner accepts when selling collateral",
        unit="ratio",
        source="assumption: about the liquidation bonus that the sale saves",
        plausible=(0.01, 0.15),
        gt=0,
        lt=1,
    )


class Manager(Borrower):
    """An owner with an alarm. Under it he looks after a random time and brings the health factor back to his target.

    First he adds spare collateral tokens; what is missing he makes up by repaying on a flash loan and selling
    collateral. He does nothing where gas costs more than the penalty he would save.
    """

    kind: ClassVar[str] = "manager"
    wake: ClassVar[str] = "alarm"
    Parameters: ClassVar[type[AgentParameters]] = ManagerParameters

    @classmethod
    def add_columns(cls, population: Population, founding: Founding, health_factors: np.ndarray) -> None:
        """Target, alarm, the time of the next look (infinite while not alarmed) and the number of looks so far."""
        p = population.parameters
        population.columns["target"] = np.array(health_factors, dtype=np.float64)
        population.columns["alarm"] = alarm_of(population.columns["target"], p)
        population.columns["look_at"] = np.full(len(population), np.inf)
        population.columns["looks"] = np.zeros(len(population), dtype=np.int64)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows that look and are under their alarm, or have an appointment for coming or going."""
        alarmed = cls.alarmed(population, rows, view)
        return sorted({*alarmed, *super().due(population, rows, view)})

    @classmethod
    def alarmed(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time of looking has come and whose health factor is under their alarm."""
        look_at = population.columns["look_at"]
        alarm = population.columns["alarm"]
        now = view.timestamp
        health_factor = view.pool.health_factor
        first = population.first
        return [row for row in rows if look_at[row] <= now and health_factor(first + row) < int(alarm[row] * WAD)]

    def act(self, view: View) -> list[Transaction]:
        """Come or go; under the alarm top up, then deleverage what is missing, in one transaction."""
        moved = super().act(view)
        if moved or not self.alarmed(self.population, (self.row,), view):
            return moved
        return self._defend(view)

    def settle_in(self, health_factor: float) -> None:
        """Target and alarm of the newcomer; the screen is told after the block."""
        columns = self.population.columns
        columns["target"][self.row] = health_factor
        columns["alarm"][self.row] = alarm_of(health_factor, self.parameters)
        self.population.memory.setdefault("newcomers", []).append(self.row)

    def _defend(self, view: View) -> list[Transaction]:
        pool = view.pool
        account = self.account
        data = pool.account_data(account)
        collateral_asset, debt_asset = largest_assets(pool, account)
        if collateral_asset < 0 or debt_asset < 0:
            return []
        target = float(self.population.columns["target"][self.row])
        threshold = pool.liquidation_threshold_ratio(collateral_asset, pool.emode(account))
        weighted_usd, debt_usd = weighed(data)
        missing_usd = target * debt_usd - weighted_usd
        calls: list[Call] = []
        added_usd, top_up = self._top_up(view, collateral_asset, missing_usd / threshold)
        if top_up is not None:
            calls.append(top_up)
        missing_usd -= added_usd * threshold
        if missing_usd > 0.01 * target * debt_usd:
            # Selling y of collateral to repay y of debt: (weighted - y LT) / (debt - y) = target.
            repay_usd = min(missing_usd / (target - threshold), debt_usd) if target > threshold else debt_usd
            weighted_usd += added_usd * threshold
            sale = self._deleverage(view, collateral_asset, debt_asset, repay_usd, weighted_usd, debt_usd)
            if sale is not None:
                calls.append(sale)
        if not calls:
            return []
        gas = sum(call.gas for call in calls)
        penalty_usd = 0.5 * debt_usd * pool.liquidation_bonus_ratio(collateral_asset, pool.emode(account))
        if view.gas_usd(gas) > penalty_usd:
            return []
        kind = "deleveraging" if calls[-1].operation == "deleverage" else "top_up"
        return [Transaction(account, tuple(calls), kind, tip_gwei=view.tip_gwei)]

    def _top_up(self, view: View, asset: int, wanted_usd: float) -> tuple[float, Call | None]:
        pool = view.pool
        token = pool.reserves[asset].token
        held = view.ledger.balances[token][self.account]
        room = pool.supply_room(asset)
        if room is not None:
            held = min(held, room)
        unit = view.ledger.tokens[token].unit
        price = view.oracle_usd(asset)
        amount = min(held, int(wanted_usd / price * unit))
        value_usd = amount / unit * price
        if value_usd < 1.0:
            return 0.0, None
        return value_usd, Call("pool", "supply", (asset, amount), view.operations.supply)

    def _deleverage(
        self,
        view: View,
        collateral_asset: int,
        debt_asset: int,
        repay_usd: float,
        weighted_usd: float,
        debt_usd: float,
    ) -> Call | None:
        """The call that repays `repay_usd`; None where markets, pool or health factor do not let it through.

        `weighted_usd` is all collateral times liquidation thresholds, `debt_usd` all debt, both before the sale.
        """
        pool = view.pool
        token_in = pool.reserves[collateral_asset].token
        token_out = pool.reserves[debt_asset].token
        price_in = view.oracle_usd(collateral_asset)
        tokens = view.ledger.tokens
        repay_amount = min(
            int(repay_usd / view.oracle_usd(debt_asset) * tokens[token_out].unit),
            pool.debt_balance(debt_asset, self.account),
            pool.available_liquidity(debt_asset),
        )
        repaid_usd = repay_amount / tokens[token_out].unit * view.oracle_usd(debt_asset)
        if repaid_usd < 1.0:
            return None
        needed = repay_amount + pool.flash_premium(repay_amount)
        amount = int(needed / tokens[token_out].unit * view.oracle_usd(debt_asset) / price_in * tokens[token_in].unit)
        operations = view.operations
        gas = operations.repay + operations.withdraw + operations.swap
        if token_in == token_out:
            return Call("periphery", "deleverage", (collateral_asset, debt_asset, repay_amount, needed, ()), gas)
        most = min(pool.atoken_balance(collateral_asset, self.account), pool.available_liquidity(collateral_asset))
        threshold = pool.liquidation_threshold_ratio(collateral_asset, pool.emode(self.account))
        margin = 1.0 + self.parameters.sale_margin_ratio

        def bearable(sold: int, out: float) -> bool:
            """Whether he has it, the market takes it without too great a loss, and the health factor bears it."""
            fair_usd = sold / tokens[token_in].unit * price_in
            got_usd = out / tokens[token_out].unit * view.oracle_usd(debt_asset)
            left_usd = weighted_usd - fair_usd * threshold
            return (
                sold <= most
                and got_usd >= fair_usd * (1.0 - self.parameters.max_slippage_ratio)
                and left_usd >= (debt_usd - repaid_usd) * LEAST_HEALTH
            )

        # A sale gives at most the spot price and needs at least this much collateral: who cannot bear even that need
        # not ask for quotes (in a crash most cannot).
        spot = view.spot_price(token_in, token_out)
        if not spot:
            return None
        least = int(needed / spot * margin * (1.0 - SPOT_ROUNDING))
        if not bearable(least, spot * least):
            return None
        route, out = view.venues.best_route(token_in, token_out, amount)
        if out <= 0:
            return None
        # One proportional correction for fee and impact, and a margin for trades that come first in the block; what
        # the sale brings beyond the loan repays more debt.
        amount = int(amount * (needed / out) * margin) + 1
        if amount > most:
            return None
        out = view.venues.quote(route, amount)
        if out < needed or not bearable(amount, out):
            return None
        return Call("periphery", "deleverage", (collateral_asset, debt_asset, repay_amount, amount, route), gas)


def weighed(data: AccountData) -> tuple[float, float]:
    """Collateral times liquidation thresholds, and debt, both USD; their ratio is the health factor."""
    debt_usd = data.total_debt_base * 1e-8
    return data.health_factor / WAD * debt_usd, debt_usd


def alarm_of(target: Any, p: ManagerParameters) -> Any:
    """The health factor under which an owner with this target (a number, or one for each) becomes uneasy.

    One whose target is within reach of 1 cannot wait for target - 0.15; he is uneasy half-way to 1.
    """
    half_way = np.maximum(p.alarm_least, 0.5 * (1.0 + target))
    return np.minimum(target, np.maximum(target - p.alarm_below_target, half_way))


def largest_assets(pool: Any, account: int) -> tuple[int, int]:
    """The account's largest collateral and debt reserve by value, -1 where it has none."""
    best = [-1, -1]
    most = [0.0, 0.0]
    for asset in range(len(pool.reserves)):
        price = pool.prices[asset] * 1e-8
        for side, column in enumerate((pool.collateral_column, pool.debt_column)):
            value = float(column[asset, account]) * price
            if value > most[side]:
                most[side] = value
                best[side] = asset
    return best[0], best[1]
