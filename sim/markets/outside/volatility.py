"""Realised volatility over the last hour, kept step by step."""

from __future__ import annotations

import math
from collections import deque

YEAR_SECONDS = 31_536_000
WINDOW_SECONDS = 3_600

#: Prices are compared over this time at least, so that single blocks and minutes see the same volatility.
SAMPLE_SECONDS = 60


class RealisedVolatility:
    """sigma_1h: the root of the summed squared log returns of the last hour, per year, against a reference.

    Returns are those of a minute, or of a step if that is longer: in returns of 12 s a fall in a straight line would
    count a fifth of what it counts in minutes. `ratio` is sigma_1h / reference. Until an hour has passed, the part of
    the window before the first price counts at the reference volatility, so a run begins at 1. Steps longer than an
    hour use the last step alone.
    """

    __slots__ = ("_covered", "_elapsed", "_last", "_popped", "_reference", "_squares", "_window", "ratio")

    def __init__(self, reference_volatility_per_year: float) -> None:
        self._reference = reference_volatility_per_year**2 / YEAR_SECONDS
        self._window: deque[tuple[int, float]] = deque()
        self._covered = 0
        self._squares = 0.0
        self._popped = 0
        self._last: float | None = None
        self._elapsed = 0
        self.ratio = 1.0

    @property
    def volatility_per_year(self) -> float:
        """sigma_1h, 1/sqrt(year)."""
        return self.ratio * math.sqrt(self._reference * YEAR_SECONDS)

    def update(self, log_price: float, seconds: int) -> float:
        """Take in the log price `seconds` after the last one and return the ratio to the reference."""
        last = self._last
        if last is None:
            self._last = log_price
            return self.ratio
        seconds += self._elapsed
        if seconds < SAMPLE_SECONDS:
            self._elapsed = seconds
            return self.ratio
        self._last = log_price
        self._elapsed = 0
        window = self._window
        move = log_price - last
        window.append((seconds, move * move))
        squares = self._squares + move * move
        covered = self._covered + seconds
        while covered - window[0][0] >= WINDOW_SECONDS:
            length, square = window.popleft()
            covered -= length
            squares -= square
            self._popped += 1
            if self._popped >= len(window):
                self._popped = 0
                squares = math.fsum([square for _, square in window])  # drops the rounding of the subtractions
        self._squares = squares
        self._covered = covered
        if covered >= WINDOW_SECONDS:
            variance = squares / covered / self._reference
        else:
            variance = (squares / self._reference + (WINDOW_SECONDS - covered)) / WINDOW_SECONDS
        ratio = self.ratio = math.sqrt(variance) if variance > 0.0 else 0.0
        return ratio
