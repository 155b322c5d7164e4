"""A population: one named group of agents of one kind, its contiguous accounts and its columns."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

import numpy as np


class Population:
    """State that belongs to a group of agents of one kind.

    `accounts` is contiguous, so row i is account `accounts[0] + i`. `columns` maps a name to a NumPy array with one
    value a row: motives (targets, alarms) and times. Balances are not here: they live in the ledger and the markets.
    `memory` is what a kind keeps for all its rows (draws worked out together, say).
    `size_ratio` multiplies every size (the inverse of `populations.scale`, so that the book's totals stay).
    Draws of row i are keyed by `key + i`, which does not depend on who else is there (`Ledger.identity`).
    The first `present` rows are there from the start; the others are slots that agents who arrive later take.
    Each agent reads and writes its own row only; whole columns are read by `due` and by the world's calendar.
    """

    __slots__ = (
        "accounts",
        "agent_class",
        "agents",
        "columns",
        "first",
        "key",
        "memory",
        "name",
        "parameters",
        "present",
        "size_ratio",
    )

    def __init__(
        self,
        name: str,
        agent_class: Any,
        parameters: Any,
        accounts: range,
        size_ratio: float = 1.0,
        present: int | None = None,
        key: int | None = None,
    ) -> None:
        self.name = name
        self.agent_class = agent_class
        self.parameters = parameters
        self.accounts = accounts
        self.first = accounts.start
        self.key = accounts.start if key is None else key
        self.size_ratio = size_ratio
        self.present = len(accounts) if present is None else present
        self.columns: dict[str, np.ndarray] = {}
        self.agents: list[Any] = []
        self.memory: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.accounts)

    def row(self, account: int) -> int:
        """Row of an account of this population."""
        return account - self.first


class Owners:
    """Which population an account belongs to, found in the order of their first accounts (none has an entry of its own,
    so a million accounts cost nothing).
    """

    __slots__ = ("_firsts", "_populations")

    def __init__(self, populations: Iterable[Population] = ()) -> None:
        self._firsts: list[int] = []
        self._populations: list[Population] = []
        for population in populations:
            self.add(population)

    def add(self, population: Population) -> None:
        """Take up a population; one without rows owns no account."""
        if not len(population):
            return
        place = bisect_right(self._firsts, population.first)
        self._firsts.insert(place, population.first)
        self._populations.insert(place, population)

    def __getitem__(self, account: int) -> Population:
        place = bisect_right(self._firsts, account) - 1
        if place >= 0 and account in (population := self._populations[place]).accounts:
            return population
        raise KeyError(account)
