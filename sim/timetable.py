"""Timetables: appointments of one purpose, for kinds that have several reasons to look.

Times are drawn ahead by the world, exponential, keyed by (population and purpose, row, number of the appointment): they
depend on what an owner is (his mean), never on what he decides, and one row more changes nobody else's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from sim.population import Owners, Population
from sim.randomness import Randomness
from sim.screening import Calendar, Screen


class Timetable:
    """Next times of one purpose over all populations that have it.

    Column `<purpose>_at` holds a row's next time (infinite: none), `<purpose>_number` how many were drawn. Without a
    screen a row always has a next time; with one it gets a time when the screen hands it over, and goes back after it.
    The mean comes from the kind: `look_mean_seconds(population, purpose, row)`, infinite for no appointment.
    """

    def __init__(self, randomness: Randomness, purpose: str, page_seconds: float, screen: Screen | None = None) -> None:
        self.randomness = randomness
        self.purpose = purpose
        self.screen = screen
        self.calendar = Calendar(page_seconds)
        self.owners = Owners()
        self._keys: dict[str, str] = {}
        self._looked: list[int] = []

    @staticmethod
    def add_columns(population: Population, purpose: str) -> None:
        """Columns of a purpose, without any appointment."""
        population.columns[f"{purpose}_at"] = np.full(len(population), np.inf)
        population.columns[f"{purpose}_number"] = np.zeros(len(population), dtype=np.int64)

    def add(self, population: Population, now: int) -> None:
        """Take up a population: draw its first times, or arm its triggers (column `<purpose>_trigger`)."""
        self._keys[population.name] = f"{population.name}.{self.purpose}"
        self.owners.add(population)
        if self.screen is None:
            self._draw_first(population, now)
        else:
            self.screen.arm(population.accounts, population.columns[f"{self.purpose}_trigger"])

    def open(self, now: int, factors: tuple[np.ndarray, np.ndarray]) -> list[int]:
        """Accounts whose time has come; those that the screen hands over get their time first."""
        if self.screen is not None:
            for account in self.screen.look(*factors):
                self._draw(self.owners[account], account, now)
        self._looked = self.calendar.due(now)
        return self._looked

    def close(self, now: int) -> None:
        """After the block: who looked gets his next time, or goes back to the screen."""
        back: list[int] = []
        for account in self._looked:
            population = self.owners[account]
            if self.screen is None:
                self._draw(population, account, now)
            else:
                population.columns[f"{self.purpose}_at"][account - population.first] = math.inf
                back.append(account)
        if back and self.screen is not None:
            self.screen.rearm(np.array(back, dtype=np.int64))
        self._looked = []

    def hasten(self, population: Population, rows: Iterable[int], now: int) -> None:
        """Conditions changed: these rows draw a time with their new mean from now on, and keep the earlier of the two.

        Waiting times are exponential, so drawing anew at a moment that does not depend on the old draw is fair.
        """
        column = population.columns[f"{self.purpose}_at"]
        for row in rows:
            before = float(column[row])
            self._draw(population, population.first + row, now)
            if column[row] > before:
                column[row] = before
                self.calendar.schedule(population.first + row, before)

    def _draw_first(self, population: Population, now: int) -> None:
        """Everybody's first time: `_draw` for all rows at once."""
        mean_of = population.agent_class.look_mean_seconds
        means = np.array([mean_of(population, self.purpose, row) for row in range(len(population))])
        rows = np.flatnonzero(np.isfinite(means))
        times = now + self.randomness.exponential_array(self._keys[population.name], rows, 0, means[rows])
        population.columns[f"{self.purpose}_number"][rows] = 1
        population.columns[f"{self.purpose}_at"][rows] = times
        self.calendar.schedule_many(population.first + rows, times)

    def _draw(self, population: Population, account: int, now: int) -> None:
        row = account - population.first
        mean = population.agent_class.look_mean_seconds(population, self.purpose, row)
        if math.isinf(mean):
            population.columns[f"{self.purpose}_at"][row] = math.inf
            self.calendar.cancel(account)
            return
        numbers = population.columns[f"{self.purpose}_number"]
        number = int(numbers[row])
        numbers[row] = number + 1
        at = now + self.randomness.exponential(self._keys[population.name], row, number, mean)
        population.columns[f"{self.purpose}_at"][row] = at
        self.calendar.schedule(account, at)
