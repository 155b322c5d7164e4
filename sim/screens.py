"""The screens of an economy: who is put before the integers, and what the integers are then asked."""

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
    """Opens screens over a pool's columns, of the kind that the `[run]` of a scenario asks for."""

    def __init__(self, run: Any, pool: Any, ledger: Any, populations: Mapping[str, Population]) -> None:
        self.run = run
        self.pool = pool
        self.ledger = ledger
        self.populations = populations

    def unhealthy(self) -> Screen:
        """Accounts that may be liquidated: crossed when the integers put the health factor under 1."""
        return self._screen(lambda account: self.pool.health_factor(account) < WAD)

    def alarms(self) -> Screen:
        """Owners who have an alarm: crossed when the integers put the health factor under it."""
        owners = Owners(p for p in self.populations.values() if p.agent_class.wake == "alarm")

        def under_alarm(account: int) -> bool:
            population = owners[account]
            alarm = population.columns["alarm"][account - population.first]
            return bool(self.pool.health_factor(account) < int(alarm * WAD))

        return self._screen(under_alarm)

    def upper(self, purpose: str) -> Screen:
        """Owners with a trigger above: crossed when the integers put the health factor of a debtor over it."""
        owners = Owners(p for p in self.populations.values() if purpose in p.agent_class.above)

        def over_trigger(account: int) -> bool:
            population = owners[account]
            trigger = population.columns[f"{purpose}_trigger"][account - population.first]
            health = self.pool.health_factor(account)
            return bool(health < NO_DEBT and health > int(trigger * WAD))

        return self._screen(over_trigger, "above")

    def _screen(self, decide: Callable[[int], bool], side: Side = "below") -> Screen:
        """A screen of the kind the scenario asks for, over the pool's columns."""
        run = self.run
        if run.wake == "all" or not self.pool.reserves:
            return ExhaustiveScreen(self.pool, decide, side=side)
        pool = self.pool
        coarsest_usd = max(
            price * 1e-8 / reserve.unit for price, reserve in zip(pool.prices, pool.reserves, strict=True)
        )
        return open_screen(
            run.screen,
            pool,
            decide,
            expected_accounts=len(self.ledger.owners),
            side=side,
            margin=MARGIN,
            slack_usd=max(LEAST_SLACK_USD, 6.0 * coarsest_usd),
            units=[1.0 / reserve.unit for reserve in pool.reserves],
        )
