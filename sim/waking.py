"""Waking: who is looked at in a step, and when an owner looks again.

The world keeps every owner's time of looking, drawn ahead and keyed by (purpose, account, number of the look), in a
calendar; and it keeps the screens, which say when an owner has fallen under his alarm. Agents decide, the world only
wakes: `act` evaluates `due` again on its own row.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np

from sim.population import Owners, Population
from sim.screening import Calendar, Screen
from sim.timetable import Timetable

#: From so many draws on, drawing all of them in one array is faster than one by one.
MANY = 16


class Waking:
    """The calendar of looks and the alarm screen, over all populations that use them.

    "calendar" populations have a next time always (Poisson, mean `mean_seconds`); "alarm" populations get one when the
    screen hands them over, with mean `parameters.look_seconds_alarm`, and are given back to the screen afterwards.
    Kinds with further reasons to look have a timetable for each. `upper_screen(purpose)` makes the screen of a
    timetable that follows a trigger above. A kind that a switched-off mechanism freezes has no times at all.
    """

    def __init__(
        self, economy: Any, alarms: Screen, page_seconds: float, upper_screen: Callable[[str], Screen]
    ) -> None:
        self.economy = economy
        self.alarms = alarms
        self.timetables: dict[str, Timetable] = {}
        self._page_seconds = page_seconds
        self._upper_screen = upper_screen
        self._noticing: list[Population] = []
        self.calendar = Calendar(page_seconds)
        self.owners = Owners()
        self.means: dict[str, float] = {}
        self._looked: list[tuple[Population, list[int]]] = []

    def add(self, population: Population, now: int) -> None:
        """Take up a population: draw its first times, or arm its alarms."""
        if not len(population):
            return  # a kind without agents has no columns either
        kind = population.agent_class
        purposes = kind.purposes(population)
        for purpose in purposes:
            Timetable.add_columns(population, purpose)
        if kind.mechanism and not getattr(self.economy.settings.mechanisms, kind.mechanism):
            return
        for purpose in purposes:
            self._timetable(purpose, purpose in kind.above).add(population, now)
        if kind.notices and len(population):
            self._noticing.append(population)
        wake = kind.wake
        if wake == "alarm":
            self.means[population.name] = float(population.parameters.look_seconds_alarm)
            self.alarms.arm(population.accounts, population.columns["alarm"])
        elif wake == "calendar":
            self.means[population.name] = population.agent_class.mean_seconds(population)
            self._draw_many(population, np.arange(population.first, population.first + len(population)), now)
        else:
            return
        self.owners.add(population)

    def open(self, now: int, factors: tuple[np.ndarray, np.ndarray]) -> dict[str, list[int]]:
        """Owners whose time has come at `now`, as rows by population; newly alarmed ones get their time first."""
        for population in self._noticing:
            purpose, rows = population.agent_class.noticed(population, self.economy.pool, now)
            if rows:
                self.timetables[purpose].hasten(population, rows, now)
        for account in self.alarms.look(*factors):
            self._draw(self.owners[account], account, now)
        woken: dict[str, list[int]] = {}
        self._looked = self._by_population(self.calendar.due(now))
        for population, accounts in self._looked:
            first = population.first
            woken[population.name] = [account - first for account in accounts]
        for timetable in self.timetables.values():
            for account in timetable.open(now, factors):
                population = timetable.owners[account]
                woken.setdefault(population.name, []).append(account - population.first)
        # A row may have several reasons to look at once; it is asked once.
        return {name: sorted(dict.fromkeys(rows)) for name, rows in woken.items()}

    def _by_population(self, accounts: list[int]) -> list[tuple[Population, list[int]]]:
        """Ascending accounts, cut where another population begins."""
        found: list[tuple[Population, list[int]]] = []
        place = 0
        while place < len(accounts):
            population = self.owners[accounts[place]]
            end = bisect_left(accounts, population.accounts.stop, place)
            found.append((population, accounts[place:end]))
            place = end
        return found

    def touch(self, accounts: list[int]) -> None:
        """Balances of these accounts changed: every screen looks at them anew."""
        self.alarms.touch(accounts)
        for timetable in self.timetables.values():
            if timetable.screen is not None:
                timetable.screen.touch(accounts)

    def close(self, now: int) -> None:
        """After the block: who looked gets his next time, or goes back to the screen."""
        for timetable in self.timetables.values():
            timetable.close(now)
        back: list[int] = []
        for population, accounts in self._looked:
            if population.agent_class.wake == "calendar":
                self._draw_next(population, accounts, now)
            else:
                look_at = population.columns["look_at"]
                for account in accounts:
                    look_at[account - population.first] = math.inf
                back.extend(accounts)
        if back:
            self.alarms.rearm(np.array(back, dtype=np.int64))
        self._looked = []
        self._rearm_newcomers()

    def _rearm_newcomers(self) -> None:
        """Rows that new owners have taken have new triggers."""
        for population in self.economy.populations.values():
            rows = population.memory.get("newcomers")
            if not rows:
                continue
            for screen, column in self._triggers(population):
                screen.arm([population.first + row for row in rows], population.columns[column][rows])
            rows.clear()

    def _triggers(self, population: Population) -> list[tuple[Screen, str]]:
        found: list[tuple[Screen, str]] = []
        if population.agent_class.wake == "alarm":
            found.append((self.alarms, "alarm"))
        for purpose in population.agent_class.above:
            screen = self.timetables[purpose].screen
            if screen is not None:
                found.append((screen, f"{purpose}_trigger"))
        return found

    def _timetable(self, purpose: str, above: bool) -> Timetable:
        found = self.timetables.get(purpose)
        if found is None:
            screen = self._upper_screen(purpose) if above else None
            found = Timetable(self.economy.randomness, purpose, self._page_seconds, screen)
            self.timetables[purpose] = found
        return found

    def _draw_next(self, population: Population, accounts: list[int], now: int) -> None:
        if len(accounts) >= MANY:
            self._draw_many(population, np.array(accounts), now)
            return
        for account in accounts:
            self._draw(population, account, now)

    def _draw_many(self, population: Population, accounts: np.ndarray, now: int) -> None:
        """`_draw` for distinct accounts at once."""
        rows = accounts - population.first
        looks = population.columns["looks"]
        numbers = looks[rows]
        looks[rows] = numbers + 1
        mean = self.means[population.name]
        times = now + self.economy.randomness.exponential_array("look", population.key + rows, numbers, mean)
        population.columns["look_at"][rows] = times
        self.calendar.schedule_many(accounts, times)

    def _draw(self, population: Population, account: int, now: int) -> None:
        row = account - population.first
        looks = population.columns["looks"]
        number = int(looks[row])
        looks[row] = number + 1
        wait = self.economy.randomness.exponential("look", population.key + row, number, self.means[population.name])
        population.columns["look_at"][row] = now + wait
        self.calendar.schedule(account, now + wait)
