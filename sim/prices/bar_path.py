"""A run's prices from bars that follow each other, with a bridge inside each bar that keeps what the bar tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sim.prices.bars import DAY_SECONDS, HOUR_SECONDS, Bars, CloseBar
from sim.prices.bridge import SIGMA_PER_RANGE, Bar, bridged_hour, brownian_bridge, fold
from sim.prices.correlation import CorrelatedNormals, Mixing
from sim.prices.process import FINE_SECONDS
from sim.randomness import Randomness

#: Times at which a bar's high and low may be reached: whole minutes of an hour, whole hours of a day.
_SLOT_SECONDS = {HOUR_SECONDS: 60, DAY_SECONDS: HOUR_SECONDS}

#: The high and the low are at least this share of the bar apart: real ones seldom come close together.
_APART = 4

#: Least share of a bar's variance that its bridges keep, however far and fast it must go to meet its extremes.
_LEAST_FREE = 0.25


class BarGrid(NamedTuple):
    """Where a run's steps lie: step k is `offset_seconds` + k `step_seconds` after the first bar's beginning."""

    bar_seconds: int
    offset_seconds: int
    steps: int
    step_seconds: int

    @property
    def bars(self) -> range:
        """The bars that the run touches."""
        end = self.offset_seconds + self.steps * self.step_seconds
        last = max(end - 1, 0) // self.bar_seconds
        return range(min(self.offset_seconds // self.bar_seconds, last), last + 1)

    @property
    def fine_seconds(self) -> int:
        """Spacing of the finest points: 12 s, or a divisor that meets every step."""
        return math.gcd(FINE_SECONDS, self.step_seconds, self.offset_seconds % self.bar_seconds)

    @property
    def knot_seconds(self) -> int:
        """Spacing of the bar's own bridge: the finest points of an hour, whole hours of a day."""
        return self.fine_seconds if self.bar_seconds == HOUR_SECONDS else HOUR_SECONDS

    @property
    def spacing_seconds(self) -> int:
        """Spacing that the steps need: the bar's own bridge where all of them fall on it, else the finest."""
        return self.knot_seconds if self.every(self.knot_seconds) else self.fine_seconds

    def every(self, seconds: int) -> bool:
        """Whether all steps fall on multiples of `seconds` after the first bar's beginning."""
        return self.offset_seconds % seconds == 0 and self.step_seconds % seconds == 0

    def steps_within(self, bar: int) -> range:
        """The steps from the bar's beginning to just before its end."""
        begin = bar * self.bar_seconds - self.offset_seconds
        first = max(-(-begin // self.step_seconds), 0)
        return range(first, min(-(-(begin + self.bar_seconds) // self.step_seconds), self.steps + 1))


class Turns(NamedTuple):
    """When a bar reaches its two extremes, s after its beginning, and the draw that says which of them comes first."""

    early_at: int
    late_at: int
    order: float


def bridged_bars(randomness: Randomness, bars: Mapping[str, Bars], grid: BarGrid, mix: Mixing) -> dict[str, np.ndarray]:
    """Prices of every asset at every step, USD.

    Open is the price at a bar's beginning, close at its last block (12 s before its end); what lies between a close
    and the next open passes in that block. High and low are reached at whole minutes of an hour or whole hours of a
    day, a quarter of the bar or more apart, at times common to all assets, moved to the nearest steps where a bar has
    three or more. Which comes first is drawn with the likelihood ratio of the two orders for a Brownian motion with
    Parkinson's (1980) variance V = (high - low)^2 / (4 ln 2). Between the four run Brownian bridges reflected at high
    and low and scaled so that the squared moves of a bar add up to V, and within the hours of a day others of variance
    V / 24. A bar without high and low is one bridge of log prices.

    The bridges' draws are correlated as `mix` says, so that assets move together within a bar as from bar to bar.
    """
    prices = {asset: np.empty(grid.steps + 1) for asset in bars}
    turns = randomness.stream("prices", "turns").random((grid.bars.stop, 3)).tolist()
    for bar in grid.bars:
        steps = grid.steps_within(bar)
        if grid.every(grid.bar_seconds):
            lines = {asset: np.array([own[bar].open]) for asset, own in bars.items()}
            spacing = grid.bar_seconds
        else:
            lines = _lines(randomness, bars, bar, grid, mix, _turns(turns[bar], bar, grid))
            spacing = grid.spacing_seconds
        moments = grid.offset_seconds + np.arange(steps.start, steps.stop) * grid.step_seconds
        places = (moments - bar * grid.bar_seconds) // spacing
        for asset, own in bars.items():
            prices[asset][steps.start : steps.stop] = lines[asset][places]
            if steps.stop == grid.steps:
                prices[asset][grid.steps] = _following(own, bar)
    return prices


def _following(own: Bars, bar: int) -> float:
    """The price at a bar's end: the next one's open, or the close where none follows."""
    return own[bar + 1].open if bar + 1 < len(own) else own[bar].close


def _lines(
    randomness: Randomness, bars: Mapping[str, Bars], bar: int, grid: BarGrid, mix: Mixing, turns: Turns
) -> dict[str, np.ndarray]:
    """One bar of every asset at the spacing that the steps need, from its beginning to just before its end.

    Draws belong to the bar, so that neither the start of a run nor its length changes them.
    """
    fine = grid.fine_seconds
    close_at = (grid.bar_seconds - FINE_SECONDS) // fine
    parts = close_at if grid.knot_seconds == fine else grid.bar_seconds // grid.knot_seconds
    normals = CorrelatedNormals(randomness, f"bridge {bar}", mix).draw(parts)
    knots = {asset: _knots(own[bar], turns, normals[asset], grid.knot_seconds) for asset, own in bars.items()}
    if grid.knot_seconds != fine and grid.spacing_seconds == fine:
        normals = CorrelatedNormals(randomness, f"bridges of hours {bar}", mix).draw(close_at)
        knots = {asset: _between(own[bar], knots[asset], normals[asset], close_at) for asset, own in bars.items()}
    lines = {}
    for asset, own in bars.items():
        line = knots[asset] if isinstance(own[bar], Bar) else _exponentials(own[bar].open, knots[asset])
        if grid.spacing_seconds != fine:
            lines[asset] = line[:-1]
            continue
        rest = FINE_SECONDS // fine
        move = _following(own, bar) - own[bar].close
        lines[asset] = np.concatenate([line, own[bar].close + move * np.arange(1, rest) / rest])
    return lines


def _knots(bar: Bar | CloseBar, turns: Turns, normals: np.ndarray, spacing: int) -> np.ndarray:
    """Prices (of a bar without high and low: logs relative to its open) at 0, 1, ..., n = len(normals) spacings."""
    n = len(normals)
    if not isinstance(bar, Bar):
        end = math.log(bar.close / bar.open)
        return np.array([0.0, *brownian_bridge(0.0, end, normals, bar.log_sd / math.sqrt(n)), end])
    early, late = turns.early_at // spacing, turns.late_at // spacing
    variance = ((bar.high - bar.low) * SIGMA_PER_RANGE) ** 2
    if variance == 0.0:
        return np.full(n + 1, bar.open)
    squared_moves = []
    for first, second in ((bar.high, bar.low), (bar.low, bar.high)):
        legs = ((first - bar.open, early), (second - first, late - early), (bar.close - second, n - late))
        squared_moves.append(math.fsum(move * move / length for move, length in legs))
    ratio = 0.5 * n * (squared_moves[0] - squared_moves[1]) / variance
    high_first = turns.order < 1.0 / (1.0 + math.exp(min(ratio, 700.0)))
    left = max(1.0 - squared_moves[not high_first] / variance, _LEAST_FREE) * n / (n - 3)
    at = (early, late) if high_first else (late, early)
    return bridged_hour(bar, *at, math.sqrt(left) * normals)


def _between(bar: Bar | CloseBar, knots: np.ndarray, normals: np.ndarray, close_at: int) -> np.ndarray:
    """The finest points of a day whose hours end at `knots`, the last hour at the day's last block."""
    hours = len(knots) - 1
    points = -(-close_at // hours)
    day_sd = (bar.high - bar.low) * SIGMA_PER_RANGE if isinstance(bar, Bar) else bar.log_sd
    line = np.empty(close_at + 1)
    for hour in range(hours):
        begin = hour * points
        end = min(begin + points, close_at)
        start, target = float(knots[hour]), float(knots[hour + 1])
        inner = brownian_bridge(start, target, normals[begin:end], day_sd / math.sqrt(close_at))
        line[begin] = start
        line[begin + 1 : end] = fold(inner, bar.low, bar.high) if isinstance(bar, Bar) else inner
    line[close_at] = knots[hours]
    return line


def _exponentials(start: float, logs: np.ndarray) -> np.ndarray:
    return np.array([start * math.exp(move) for move in logs.tolist()])


def _turns(draws: Sequence[float], bar: int, grid: BarGrid) -> Turns:
    """Where a bar turns: the distance of the extremes and the first of them drawn uniformly among the slots."""
    slot = _SLOT_SECONDS[grid.bar_seconds]
    slots = grid.bar_seconds // slot
    apart = slots // _APART + int(draws[0] * (slots - 1 - slots // _APART))
    early = 1 + int(draws[1] * (slots - 1 - apart))
    times = [slot * early, slot * (early + apart)]
    if grid.every(grid.knot_seconds) and 3 * grid.step_seconds <= grid.bar_seconds:
        times = _on_steps(times, (grid.offset_seconds - bar * grid.bar_seconds) % grid.step_seconds, grid)
    return Turns(times[0], times[1], draws[2])


def _on_steps(times: Sequence[int], phase: int, grid: BarGrid) -> list[int]:
    """Two different times of steps strictly inside the bar, nearest to the given ones, in the same order."""
    step = grid.step_seconds
    first = phase or step
    last = (grid.bar_seconds - FINE_SECONDS - 1 - first) // step
    early, late = (min(max(round((time - first) / step), 0), last) for time in times)
    if early == late:
        if late < last:
            late += 1
        else:
            early -= 1
    return [first + early * step, first + late * step]
