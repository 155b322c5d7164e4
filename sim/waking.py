"""Waking: who is looked at in a step, and when an owner looks again.

The world keeps every owner's time of looking, drawn ahead and keyed by (purpose, account, number of the look), in a
calendar; and it keeps the screens, which say when an owner has fallen under his alarm. Agents decide, the world only
wakes: `act` evaluates `due` again on its own row.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sim.population import Population
from sim.screening import Calendar, Screen


class Waking:
    """The calendar of looks and the alarm screen, over all populations that use them.

    "calendar" populations have a next time always (Poisson, mean `mean_seconds`); "alarm" populations get one when the
    screen hands them over, with mean `parameters.look_seconds_alarm`, and are given back to the screen afterwards.
    """

    def __init__(self, economy: Any, alarms: Screen, page_seconds: float) -> None:
        self.economy = economy
        self.alarms = alarms
        self.calendar = Calendar(page_seconds)
        self.owners: dict[int, Population] = {}
        self.means: dict[str, float] = {}
        self._looked: list[int] = []

    def add(self, population: Population, now: int) -> None:
        """Take up a population: draw its first times, or arm its alarms."""
        if not len(population):
            return  # a kind without agents has no columns either
        wake = population.agent_class.wake
        if wake == "alarm":
            self.means[population.name] = float(population.parameters.look_seconds_alarm)
            self.alarms.arm(population.accounts, population.columns["alarm"])
        elif wake == "calendar":
            self.means[population.name] = population.agent_class.mean_seconds(population)
            for account in population.accounts:
                self._draw(population, account, now)
        else:
            return
        for account in population.accounts:
            self.owners[account] = population

    def open(self, now: int, factors: tuple[np.ndarray, np.ndarray]) -> dict[str, list[int]]:
        """Owners whose time has come at `now`, as rows by population; newly alarmed ones get their time first."""
        for account in self.alarms.look(*factors):
            self._draw(self.owners[account], account, now)
        woken: dict[str, list[int]] = {}
        self._looked = self.calendar.due(now)
        for account in self._looked:
            population = self.owners[account]
            woken.setdefault(population.name, []).append(account - population.first)
        return woken

    def close(self, now: int) -> None:
        """After the block: who looked gets his next time, or goes back to the screen."""
        back: list[int] = []
        for account in self._looked:
            population = self.owners[account]
            if population.agent_class.wake == "calendar":
                self._draw(population, account, now)
            else:
                population.columns["look_at"][account - population.first] = math.inf
                back.append(account)
        if back:
            self.alarms.rearm(np.array(back, dtype=np.int64))
        self._looked = []

    def _draw(self, population: Population, account: int, now: int) -> None:
        row = account - population.first
        looks = population.columns["looks"]
        number = int(looks[row])
        looks[row] = number + 1
        wait = self.economy.randomness.exponential("look", account, number, self.means[population.name])
        population.columns["look_at"][row] = now + wait
        self.calendar.schedule(account, now + wait)
