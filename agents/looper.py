"""Loopers: owners who keep their leverage, downwards and upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from agents.base import AgentParameters
from agents.manager import WAD, Manager, ManagerParameters, largest_assets, weighed
from scenarios.schema.base import field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View

#: Room left under what LTV and liquidity allow, because others come first in the block.
_ROOM = 0.99


class LooperParameters(ManagerParameters):
    """When an owner takes up more leverage, and how soon."""

    lever_above_target: float = field(
        0.15,
        "An owner re-levers when the health factor is over his target by this",
        unit="1",
        source="assumption, as far above the target as the alarm lies below",
        plausible=(0.03, 0.5),
        gt=0,
        le=100,
    )
    lever_seconds: float = field(
        21_600.0,
        "Mean time from passing that point to acting on it",
        unit="s",
        source="assumption: an opportunity is less urgent than an alarm",
        plausible=(1_800.0, 86_400.0),
        gt=0,
        le=1e9,
    )


class Looper(Manager):
    """A manager who, when prices have risen, borrows more and swaps it into collateral until he is at his target again.

    With W the threshold-weighted collateral and D the debt, both in USD, he borrows x = (W - target D) / (target - LT),
    at most what LTV, liquidity and caps allow; what is missing he adds at a later look.
    """

    kind: ClassVar[str] = "looper"
    timetables: ClassVar[tuple[str, ...]] = ("lever",)
    above: ClassVar[tuple[str, ...]] = ("lever",)
    Parameters: ClassVar[type[AgentParameters]] = LooperParameters

    @classmethod
    def add_columns(cls, population: Population, founding: Founding, health_factors: np.ndarray) -> None:
        """A manager's columns, and the trigger above the target."""
        super().add_columns(population, founding, health_factors)
        above = population.parameters.lever_above_target
        population.columns["lever_trigger"] = health_factors + above

    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Time from passing the trigger to acting."""
        if purpose == "lever":
            return float(population.parameters.lever_seconds)
        return super().look_mean_seconds(population, purpose, row)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """A manager's reasons, and a time of looking above the trigger."""
        return sorted({*super().due(population, rows, view), *cls.over_trigger(population, rows, view)})

    @classmethod
    def over_trigger(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time has come and whose health factor, with debt, is over their trigger."""
        at = population.columns["lever_at"]
        trigger = population.columns["lever_trigger"]
        now = view.timestamp
        found: list[int] = []
        for row in rows:
            if at[row] <= now:
                health = view.pool.health_factor(population.first + row)
                if int(trigger[row] * WAD) < health < 2**255:
                    found.append(row)
        return found

    def act(self, view: View) -> list[Transaction]:
        """A manager's reasons first; else take up leverage."""
        moved = super().act(view)
        if moved or not self.over_trigger(self.population, (self.row,), view):
            return moved
        return self._lever(view)

    def settle_in(self, health_factor: float) -> None:
        """The newcomer's trigger too."""
        super().settle_in(health_factor)
        self.population.columns["lever_trigger"][self.row] = health_factor + self.parameters.lever_above_target

    def _lever(self, view: View) -> list[Transaction]:
        pool = view.pool
        account = self.account
        collateral_asset, debt_asset = largest_assets(pool, account)
        if collateral_asset < 0 or debt_asset < 0 or collateral_asset == debt_asset:
            return []
        data = pool.account_data(account)
        weighted_usd, debt_usd = weighed(data)
        target = float(self.population.columns["target"][self.row])
        threshold = pool.liquidation_threshold_ratio(collateral_asset, pool.emode(account))
        wanted_usd = (weighted_usd - target * debt_usd) / (target - threshold) if target > threshold else math.inf
        price = view.oracle_usd(debt_asset)
        unit = pool.reserves[debt_asset].unit
        most_usd = min(data.available_borrows_base * 1e-8, pool.available_liquidity(debt_asset) / unit * price)
        amount_usd = min(wanted_usd, _ROOM * most_usd)
        amount = int(amount_usd / price * unit)
        operations = view.operations
        gas = operations.borrow + operations.swap + operations.supply
        if amount <= 0 or view.gas_usd(gas, view.tip_gwei) > self.parameters.gas_most_ratio * amount_usd:
            return []
        token_in, token_out = pool.reserves[debt_asset].token, pool.reserves[collateral_asset].token
        route, out = view.venues.best_route(token_in, token_out, amount)
        fair = amount_usd / view.oracle_usd(collateral_asset) * pool.reserves[collateral_asset].unit
        least = int(fair * (1.0 - self.parameters.max_slippage_ratio))
        room = pool.supply_room(collateral_asset)
        if out < least or out <= 0 or (room is not None and out > room):
            return []
        call = Call("periphery", "lever", (collateral_asset, debt_asset, amount, route, least), gas)
        return [Transaction(account, (call,), "leveraging", tip_gwei=view.tip_gwei)]
