"""Rate-sensitive borrowers: they owe less where borrowing has become dear, and more where it is cheap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from agents.base import AgentParameters
from agents.elasticity import debt_target
from agents.manager import WAD, Manager, ManagerParameters, largest_assets, weighed
from scenarios.schema.base import field
from sim.chain.transaction import Call, Transaction
from sim.population import Population
from sim.view import View

#: Room left under what liquidity allows, because others come first in the block.
_ROOM = 0.99

#: Health factor over LT / LTV from which more may be borrowed: the pool rounds, and prices move until execution.
_OPENABLE = 1.002


class RateSensitiveParameters(ManagerParameters):
    """How often an owner compares rates, how fast he moves, and where the money comes from."""

    rate_adjustment_seconds: float = field(
        43_200.0,
        "Time constant with which the gap to the target debt closes",
        unit="s",
        source="assumption: a factor of 3 either way",
        plausible=(14_400.0, 129_600.0),
        gt=0,
        le=1e9,
    )
    rate_look_seconds: float = field(
        21_600.0,
        "Mean time between two comparisons of rates",
        unit="s",
        source="assumption: four times a day: rates are quoted per year and move little within hours",
        plausible=(3_600.0, 86_400.0),
        gt=0,
        le=1e9,
    )
    rate_horizon_seconds: float = field(
        2_592_000.0,
        "Time over which interest saved is weighed against gas",
        unit="s",
        source="assumption: a loan lives 31 days on average (Saengchote 2022); a week to a quarter around it",
        plausible=(604_800.0, 7_776_000.0),
        gt=0,
        le=1e12,
    )
    repays_from: Literal["outside", "collateral"] = field(
        "outside",
        "`outside`: what was borrowed is held elsewhere and comes back, collateral leaves in proportion;"
        " `collateral`: it was spent, collateral is sold on a flash loan",
        source="choice",
    )


class RateSensitive(Manager):
    """A manager who also looks at the borrow rate, at times drawn ahead, and moves his debt towards

        B* = B0 exp(-eta_B (r_b - r_ref)),

    r_b being the rate that his own move leaves behind. At each look 1 - exp(-time since the last look / adjustment
    time) of the gap is closed, if the interest at stake over his horizon pays for the gas. With funds from outside the
    whole position shrinks or grows in proportion, so that its health factor stays.
    """

    kind: ClassVar[str] = "rate_sensitive"
    timetables: ClassVar[tuple[str, ...]] = ("rate",)
    Parameters: ClassVar[type[AgentParameters]] = RateSensitiveParameters

    @classmethod
    def opened(cls, population: Population, pool: Any, now: int) -> None:
        """B0 is what each row owes at the opening, in whole tokens of its debt asset."""
        super().opened(population, pool, now)
        n = len(population)
        anchor = np.zeros(n)
        debts = pool.debt_column[:, population.first : population.first + n]
        for asset in range(len(pool.reserves)):
            anchor += debts[asset]
        population.columns["anchor"] = anchor
        population.columns["rate_seen_at"] = np.full(n, float(now))

    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Time between two comparisons."""
        if purpose == "rate":
            return float(population.parameters.rate_look_seconds)
        return super().look_mean_seconds(population, purpose, row)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """A manager's reasons, and the time to compare."""
        return sorted({*super().due(population, rows, view), *cls.comparing(population, rows, view)})

    @classmethod
    def comparing(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time to compare has come."""
        at = population.columns["rate_at"]
        now = view.timestamp
        return [row for row in rows if at[row] <= now]

    def act(self, view: View) -> list[Transaction]:
        """A manager's reasons first; else compare rates."""
        moved = super().act(view)
        if not self.comparing(self.population, (self.row,), view):
            return moved
        columns = self.population.columns
        elapsed = view.timestamp - float(columns["rate_seen_at"][self.row])
        columns["rate_seen_at"][self.row] = view.timestamp
        return moved or self._compare(view, elapsed)

    def settle_in(self, health_factor: float) -> None:
        """The newcomer's B0 is what he will owe; it is taken from the pool at his first comparison."""
        super().settle_in(health_factor)
        self.population.columns["anchor"][self.row] = 0.0

    def _compare(self, view: View, elapsed: float) -> list[Transaction]:
        pool = view.pool
        account = self.account
        columns = self.population.columns
        collateral_asset, debt_asset = largest_assets(pool, account)
        if collateral_asset < 0 or debt_asset < 0:
            return []
        unit = pool.reserves[debt_asset].unit
        owed = pool.debt_balance(debt_asset, account) / unit
        if columns["anchor"][self.row] <= 0.0:
            columns["anchor"][self.row] = owed
        anchor = float(columns["anchor"][self.row])
        p = self.parameters
        reference = self.population.memory["reference"][debt_asset]
        most = owed + _ROOM * pool.available_liquidity(debt_asset) / unit
        target = debt_target(pool, debt_asset, owed, anchor, p.rate_elasticity, reference, most)
        change = (target - owed) * (1.0 - math.exp(-elapsed / p.rate_adjustment_seconds))
        spread = abs(pool.borrow_rate(debt_asset) * 1e-27 - reference)
        years = p.rate_horizon_seconds / 31_536_000.0
        operations = view.operations
        down = change < 0.0
        gas = operations.repay + operations.withdraw if down else operations.supply + operations.borrow
        at_stake_usd = abs(change) * view.oracle_usd(debt_asset) * spread * years
        if at_stake_usd <= view.gas_usd(gas, view.tip_gwei):
            return []
        if down and p.repays_from == "collateral":
            repay_usd = -change * view.oracle_usd(debt_asset)
            sale = self._deleverage(view, collateral_asset, debt_asset, repay_usd, *weighed(pool.account_data(account)))
            calls: tuple[Call, ...] = () if sale is None else (sale,)
        elif down:
            calls = self._shrink(view, collateral_asset, debt_asset, int(-change * unit))
        else:
            calls = self._grow(view, collateral_asset, debt_asset, int(change * unit))
        kind = "rate_exit" if down else "rate_entry"
        return [Transaction(account, calls, kind, tip_gwei=view.tip_gwei)] if calls else []

    def _shrink(self, view: View, collateral_asset: int, debt_asset: int, amount: int) -> tuple[Call, ...]:
        """Repay with money from outside, and take the same share of the collateral away if the pool can pay it."""
        pool, operations = view.pool, view.operations
        owed = pool.debt_balance(debt_asset, self.account)
        if amount <= 0:
            return ()
        calls = [
            Call("arrivals", "bring", (pool.reserves[debt_asset].token, amount), 0),
            Call("pool", "repay", (debt_asset, amount), operations.repay),
        ]
        released = pool.atoken_balance(collateral_asset, self.account) * amount // owed
        released -= released // 100_000  # interest until execution must not lower the health factor
        healthy = pool.health_factor(self.account) > _OPENABLE * WAD
        if 0 < released <= _ROOM * pool.available_liquidity(collateral_asset) and healthy:
            calls.append(Call("pool", "withdraw", (collateral_asset, released), operations.withdraw))
            calls.append(Call("arrivals", "take_out", (pool.reserves[collateral_asset].token, released), 0))
        return tuple(calls)

    def _grow(self, view: View, collateral_asset: int, debt_asset: int, amount: int) -> tuple[Call, ...]:
        """Add collateral from outside and borrow in proportion, where the position could be opened as it is."""
        pool, operations = view.pool, view.operations
        account = self.account
        ltv_bps, threshold_bps, _ = pool.terms(collateral_asset, pool.emode(account))
        owed = pool.debt_balance(debt_asset, account)
        added = pool.atoken_balance(collateral_asset, account) * amount // owed
        room = pool.supply_room(collateral_asset)
        if amount <= 0 or added <= 0 or not ltv_bps or (room is not None and added > room):
            return ()
        if pool.health_factor(account) < int(_OPENABLE * threshold_bps / ltv_bps * WAD):
            return ()
        return (
            Call("arrivals", "bring", (pool.reserves[collateral_asset].token, added), 0),
            Call("pool", "supply", (collateral_asset, added), operations.supply),
            Call("pool", "borrow", (debt_asset, amount), operations.borrow),
            Call("arrivals", "take_out", (pool.reserves[debt_asset].token, amount), 0),
        )
