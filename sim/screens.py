"""The screens of an economy: who can be liquidated, who has come under his alarm, who over an upper trigger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sim.population import Owners, Population
from sim.screening import ExhaustiveScreen, Screen, open_screen
from sim.screening.screen import Side

WAD = 10**18

#: Health factors from here on are those of accounts without debt.
NO_DEBT = 2**255

#: The arithmetic of V3.6 truncates no average, so float and integer health factors differ by rounding only; the slack
#: covers the rounding of small amounts, with room for prices to rise threefold.
MARGIN = 1e-6
LEAST_SLACK_USD = 0.003


class Screens:
    """Makes screens of the kind a scenario's `run` table asks for, over the columns of its pool."""

    def __init__(self, pool: Any, run: Any, populations: Mapping[str, Population], accounts: int) -> None:
        self.pool = pool
        self.run = run
        self.populations = populations
        self.accounts = accounts

    def unhealthy(self) -> Screen:
        """Accounts whose health factor the integers put under 1."""
        return self._open(lambda account: self.pool.health_factor(account) < WAD)

    def alarmed(self) -> Screen:
        """Owners who have an alarm: crossed when the integers put the health factor under it."""
        owners = Owners(p for p in self.populations.values() if p.agent_class.wake == "alarm")

        def under_alarm(account: int) -> bool:
            population = owners[account]
            alarm = population.columns["alarm"][account - population.first]
            return bool(self.pool.health_factor(account) < int(alarm * WAD))

        return self._open(under_alarm)

    def above(self, purpose: str) -> Screen:
        """Owners with a trigger above: crossed when the integers put the health factor of a debtor over it."""
        owners = Owners(p for p in self.populations.values() if purpose in p.agent_class.above)

        def over_trigger(account: int) -> bool:
            population = owners[account]
            trigger = population.columns[f"{purpose}_trigger"][account - population.first]
            health = self.pool.health_factor(account)
            return bool(health < NO_DEBT and health > int(trigger * WAD))

        return self._open(over_trigger, "above")

    def _open(self, decide: Callable[[int], bool], side: Side = "below") -> Screen:
        pool = self.pool
        if self.run.wake == "all" or not pool.reserves:
            return ExhaustiveScreen(pool, decide, side=side)
        coarsest_usd = max(
            price * 1e-8 / reserve.unit for price, reserve in zip(pool.prices, pool.reserves, strict=True)
        )
        return open_screen(
            self.run.screen,
            pool,
            decide,
            expected_accounts=self.accounts,
            side=side,
            margin=MARGIN,
            slack_usd=max(LEAST_SLACK_USD, 6.0 * coarsest_usd),
            units=[1.0 / reserve.unit for reserve in pool.reserves],
        )
