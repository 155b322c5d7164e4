"""Times of looking, pauses and other appointments, kept in short pages.

The time of every item stands in one array. A page of the calendar lists, in order of time, the items that fall due
next; it is made when the last one ends, by one pass over the array, and a block reads only the lines that have come
up. Pages grow and shrink until one holds about a hundredth of all items, so that the pass is shared by many lines.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np

from sim.screening.screen import ascending, lengthened

_NEVER = np.inf
_FEW = 1 / 128  # a page with fewer lines than this share of all items is followed by a longer one ...
_MANY = 1 / 32  # ... and one with more by a shorter one
_HANDFUL = 4096  # more appointments than this, made at once for the page being read, begin a new page


class Calendar:
    """At most one appointment per item (a small non-negative integer, such as a row or an account).

    The newest appointment of an item counts; lines that became void are skipped when they come up. Times are seconds
    on a scale that does not go back. `page_seconds` is the length of the first page; what falls due when does not
    depend on it.
    """

    def __init__(self, page_seconds: float = 600.0) -> None:
        if not 0.0 < page_seconds < np.inf:
            raise ValueError(f"page_seconds is {page_seconds}; it must be positive and finite")
        self._page_seconds = float(page_seconds)
        self._page_bounds = (page_seconds / 1024.0, page_seconds * 1024.0)
        self._time = np.empty(0)  # newest appointment of each item
        self._now = -np.inf
        self._page_end = -np.inf
        self._page_times = np.empty(0)
        self._page_items = np.empty(0, dtype=np.int64)
        self._read = 0  # lines of the page that have been read
        self._added: list[tuple[float, int]] = []  # made for this page after it was made: a heap

    # ------------------------------------------------------------------ appointments
    def schedule(self, item: int, time_seconds: float) -> None:
        """Make (or move) the appointment of an item; a time that has passed falls due at the next `due`."""
        if item < 0 or not -1e15 < time_seconds < 1e15:
            raise ValueError(f"item {item} at {time_seconds} s: an item is not negative and a time is finite")
        self._reach(item)
        self._time[item] = time_seconds
        if time_seconds < self._page_end:
            heapq.heappush(self._added, (time_seconds, item))

    def schedule_many(self, items: Any, times_seconds: Any) -> None:
        """Make (or move) the appointments of distinct items, one time each."""
        items = np.asarray(items, dtype=np.int64)
        times = np.asarray(times_seconds, dtype=np.float64)
        if items.shape != times.shape or items.ndim != 1:
            raise ValueError(f"need one time for each item, got {items.shape} items and {times.shape} times")
        if not len(items):
            return
        if items.min() < 0 or not (times.min() > -1e15 and times.max() < 1e15):
            raise ValueError("an item is not negative and a time is finite")
        self._reach(int(items.max()))
        self._time[items] = times
        soon = (times < self._page_end).nonzero()[0]
        if len(soon) > _HANDFUL:
            self._page_end = -np.inf
            return
        for line in zip(times[soon].tolist(), items[soon].tolist(), strict=True):
            heapq.heappush(self._added, line)

    def cancel(self, item: int) -> None:
        """Drop the appointment of an item, if it has one."""
        if 0 <= item < len(self._time):
            self._time[item] = _NEVER

    def time_of(self, item: int) -> float | None:
        """When an item's appointment is; None without one."""
        if not 0 <= item < len(self._time) or self._time[item] == _NEVER:
            return None
        return float(self._time[item])

    # ------------------------------------------------------------------ what has come up
    def due(self, now_seconds: float) -> list[int]:
        """The items whose time is not after `now_seconds`, ascending, each once; their appointments are over."""
        if not now_seconds >= self._now:
            raise ValueError(f"time goes back from {self._now} s to {now_seconds} s")
        self._now = now_seconds
        if now_seconds >= self._page_end:
            self._turn_page(now_seconds)
        end = int(self._page_times.searchsorted(now_seconds, side="right"))
        items = self._page_items[self._read : end]
        self._read = end
        added = self._added
        if added and added[0][0] <= now_seconds:
            lines = []
            while added and added[0][0] <= now_seconds:
                lines.append(heapq.heappop(added)[1])
            items = np.concatenate([items, np.array(lines, dtype=np.int64)])
        if not len(items):
            return []
        items = ascending(items[self._time.take(items) <= now_seconds])
        self._time[items] = _NEVER
        result: list[int] = items.tolist()
        return result

    def _turn_page(self, now_seconds: float) -> None:
        self._page_end = max(now_seconds + self._page_seconds, math.nextafter(now_seconds, math.inf))
        items = (self._time < self._page_end).nonzero()[0]
        times = self._time[items]
        order = times.argsort()
        self._page_times, self._page_items = times[order], items[order]
        self._read = 0
        self._added.clear()
        shortest, longest = self._page_bounds
        if len(items) < _FEW * len(self._time):
            self._page_seconds = min(2.0 * self._page_seconds, longest)
        elif len(items) > _MANY * len(self._time):
            self._page_seconds = max(0.5 * self._page_seconds, shortest)

    def _reach(self, item: int) -> None:
        if item >= len(self._time):
            self._time = lengthened(self._time, max(item + 1, 2 * len(self._time)), _NEVER)
