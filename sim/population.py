"""A population: one named group of agents of one kind, its contiguous accounts and its columns."""

from __future__ import annotations

from typing import Any

import numpy as np


class Population:
    """State that belongs to a group of agents of one kind.

    `accounts` is contiguous, so row i is account `accounts[0] + i`. `columns` maps a name to a NumPy array with one
    value a row: motives (targets, alarms) and times. Balances are not here: they live in the ledger and the markets.
    `memory` is what a kind keeps for all its rows (draws worked out together, say).
    `size_ratio` multiplies every size (the inverse of `populations.scale`, so that the book's totals stay).
    The first `present` rows are there from the start; the others are slots that agents who arrive later take.
    Each agent reads and writes its own row only; whole columns are read by `due` and by the world's calendar.
    """

    __slots__ = (
        "accounts",
        "agent_class",
        "agents",
        "columns",
        "first",
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
    ) -> None:
        self.name = name
        self.agent_class = agent_class
        self.parameters = parameters
        self.accounts = accounts
        self.first = accounts.start
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
