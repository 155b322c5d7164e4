"""The book of liquidatable accounts, in the order of what they are worth to a liquidator.

Read from the top only as far as pays: accounts that are worth too little cost nothing until they change.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import NamedTuple

_UNIT = 10**8  # the total is kept in whole units of 1e-8 USD, so that it neither drifts nor depends on the order


class Entry(NamedTuple):
    """A liquidatable account: its worth, and the step since which it has been in the book."""

    account: int
    worth_usd: float
    since_step: int


class LiquidationBook:
    """Accounts ordered by worth, highest first; equal worth by account, lowest first.

    A binary heap that knows where each account stands, so that adding, changing and taking out cost O(log n), and an
    iteration costs what it yields: nothing that was taken out stays behind.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []  # (-worth, account): the smallest comes first
        self._place: dict[int, int] = {}
        self._since: dict[int, int] = {}
        self._total = 0
        self._changes = 0

    def __len__(self) -> int:
        return len(self._heap)

    def __contains__(self, account: int) -> bool:
        return account in self._place

    @property
    def total_worth_usd(self) -> float:
        """Sum of the worths, each rounded to 1e-8 USD."""
        return self._total / _UNIT

    def entry(self, account: int) -> Entry:
        """The entry of an account; `KeyError` if it is not in the book."""
        return Entry(account, -self._heap[self._place[account]][0], self._since[account])

    # ------------------------------------------------------------------ changes
    def add(self, account: int, worth_usd: float, since_step: int) -> None:
        """Enter an account; if it is in the book already, its worth changes and its step stays."""
        if account in self._place:
            self.update(account, worth_usd)
            return
        worth_usd = _checked(account, worth_usd)
        self._since[account] = since_step
        self._heap.append((-worth_usd, account))
        self._total += round(worth_usd * _UNIT)
        self._changes += 1
        self._rise(len(self._heap) - 1)

    def update(self, account: int, worth_usd: float) -> None:
        """Change the worth of an account; `KeyError` if it is not in the book."""
        worth_usd = _checked(account, worth_usd)
        place = self._place[account]
        old = -self._heap[place][0]
        if worth_usd == old:
            return
        self._total += round(worth_usd * _UNIT) - round(old * _UNIT)
        self._changes += 1
        self._heap[place] = (-worth_usd, account)
        if worth_usd > old:
            self._rise(place)
        else:
            self._sink(place)

    def discard(self, account: int) -> bool:
        """Take an account out; whether it was in the book."""
        place = self._place.pop(account, None)
        if place is None:
            return False
        del self._since[account]
        heap = self._heap
        self._total -= round(-heap[place][0] * _UNIT)
        self._changes += 1
        last = heap.pop()
        if place < len(heap):
            removed = heap[place]
            heap[place] = last
            if last < removed:
                self._rise(place)
            else:
                self._sink(place)
        return True

    # ------------------------------------------------------------------ reading
    def top(self, min_worth_usd: float = 0.0, since_at_most: int | None = None) -> Iterator[Entry]:
        """The entries worth at least `min_worth_usd`, highest first, found one by one.

        With `since_at_most`, only those that were in the book by that step. Changing the book ends the iteration with
        a `RuntimeError`.
        """
        heap, since = self._heap, self._since
        changes = self._changes
        bound = -min_worth_usd
        reached = [(heap[0], 0)] if heap else []
        while reached:
            (negative, account), place = heapq.heappop(reached)
            if not negative <= bound:
                return
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(heap):
                    heapq.heappush(reached, (heap[child], child))
            if since_at_most is None or since[account] <= since_at_most:
                yield Entry(account, -negative, since[account])
                if changes != self._changes:
                    raise RuntimeError("the liquidation book changed while it was being read")

    def accounts(self) -> list[int]:
        """All accounts in the book, ascending."""
        return sorted(self._place)

    # ------------------------------------------------------------------ heap order
    def _rise(self, place: int) -> None:
        heap, where = self._heap, self._place
        item = heap[place]
        while place:
            parent = (place - 1) >> 1
            other = heap[parent]
            if other < item:
                break
            heap[place] = other
            where[other[1]] = place
            place = parent
        heap[place] = item
        where[item[1]] = place

    def _sink(self, place: int) -> None:
        heap, where = self._heap, self._place
        item = heap[place]
        size = len(heap)
        child = 2 * place + 1
        while child < size:
            if child + 1 < size and heap[child + 1] < heap[child]:
                child += 1
            other = heap[child]
            if item < other:
                break
            heap[place] = other
            where[other[1]] = place
            place = child
            child = 2 * place + 1
        heap[place] = item
        where[item[1]] = place


def _checked(account: int, worth_usd: float) -> float:
    if not math.isfinite(worth_usd):
        raise ValueError(f"account {account}: worth {worth_usd} is not a finite number of USD")
    return float(worth_usd)
