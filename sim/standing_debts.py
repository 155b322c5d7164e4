"""Debts of the accounts that are liquidatable at present, in arrays, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_GONE = -1
_FIRST_CAPACITY = 64


class StandingDebts:
    """Account -> debt in USD, like a dict that can be read and written as a whole.

    What is taken out leaves a hole; holes are closed when they are more than the rest, so the order stays that in
    which the accounts came, and reading all costs what is there.
    """

    def __init__(self) -> None:
        self._place: dict[int, int] = {}
        self._accounts = np.full(_FIRST_CAPACITY, _GONE, dtype=np.int64)
        self._debts = np.zeros(_FIRST_CAPACITY)
        self._end = 0

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, account: int) -> bool:
        return account in self._place

    def __iter__(self) -> Iterator[int]:
        return iter(self._place)

    def add(self, account: int, debt_usd: float) -> None:
        """Enter an account that is not there."""
        if self._end == len(self._accounts):
            self._make_room()
        self._accounts[self._end] = account
        self._debts[self._end] = debt_usd
        self._place[account] = self._end
        self._end += 1

    def take_out(self, account: int) -> float | None:
        """Take an account out; its debt, None if it is not there."""
        place = self._place.pop(account, None)
        if place is None:
            return None
        self._accounts[place] = _GONE
        return float(self._debts[place])

    def accounts(self) -> np.ndarray:
        """All accounts, in the order in which they came."""
        accounts = self._accounts[: self._end]
        return accounts[accounts != _GONE]

    def replace(self, debts_usd: np.ndarray) -> None:
        """New debts of all accounts, in the order of `accounts()`."""
        self._debts[: self._end][self._accounts[: self._end] != _GONE] = debts_usd

    def total_usd(self) -> float:
        """Sum of all debts."""
        return float(self._debts[: self._end][self._accounts[: self._end] != _GONE].sum())

    def _make_room(self) -> None:
        there = self._accounts[: self._end] != _GONE
        accounts, debts = self._accounts[: self._end][there], self._debts[: self._end][there]
        capacity = max(_FIRST_CAPACITY, 2 * len(accounts))
        self._accounts = np.full(capacity, _GONE, dtype=np.int64)
        self._debts = np.zeros(capacity)
        self._end = len(accounts)
        self._accounts[: self._end] = accounts
        self._debts[: self._end] = debts
        self._place = dict(zip(accounts.tolist(), range(self._end), strict=True))
