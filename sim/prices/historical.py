"""`HistoricalPath`: a recorded hourly path, with a bridge inside each hour that keeps open, high, low and close."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.prices.bridge import Bar, bridged_hour
from sim.prices.errors import PathError, PathProblem
from sim.prices.process import FINE_SECONDS, PriceProcess, checked_grid
from sim.prices.recorded import Recorded
from sim.prices.table import Header, PathTable, check_window, missing_column, parse, read_rows, refuse
from sim.randomness import Randomness

HOUR_SECONDS = 3_600

#: The close is the price of the hour's last block, so that open and close of neighbouring hours both appear.
CLOSE_AT_SECONDS = HOUR_SECONDS - FINE_SECONDS

#: Up to this length of a step there are two steps inside every hour, on which the high and the low are put.
KEEP_EXTREMES_SECONDS = 1_200

_BARS = ("open", "high", "low", "close")


class Extremes(NamedTuple):
    """Where in an hour the high and the low are reached, seconds after the full hour."""

    high_at: int
    low_at: int


class HistoricalPath(Recorded, PriceProcess):
    """Prices from a CSV file with columns time, X_open, X_high, X_low, X_close, one row an hour.

    `columns` maps an asset to a prefix X of the file. It may also name a column that has one value an hour (between
    two rows the value goes in a straight line, in the last hour it stays), or a product such as `eth*stETH_WETH`.
    Assets that have a price in `price_usd` but no column stay at that price. `scale = "snapshot"` multiplies each
    asset's path so that its first value is its `price_usd`; `"absolute"` takes the recorded prices.

    Within an hour (0 to 3,600 s) open is the price at 0 s and close at 3,588 s, the hour's first and last block; what
    lies between a close and the next open passes in the block between them. High and low are reached at whole minutes
    from 1 to 59, drawn uniformly and common to all assets of the file; the high comes first with probability
    1 / (1 + exp(-12 ln 2 (open - close) / (high - low))), averaged over the file's assets: the likelihood ratio of the
    two orders for a Brownian motion with Parkinson's variance and legs of 20 minutes. In between run Brownian bridges
    reflected at high and low. With steps of up to 20 minutes the two minutes are moved to the nearest steps, so that
    the extremes are always seen; with longer steps they are seen only where a step happens to meet them. Runs that
    start on a full minute see the same path with steps of 12 s and of 60 s.

    Raises `PathError` for a file that cannot be used and for a run that it does not cover.
    """

    def __init__(
        self,
        file: str | Path,
        columns: Mapping[str, str],
        *,
        scale: str = "snapshot",
        price_usd: Mapping[str, float] | None = None,
    ) -> None:
        self._prepare(columns, scale, price_usd)
        header = read_rows(file)
        self._bar_names = [name[:-5] for name in header.names if name.endswith("_open")]
        self._factors = {asset: [part.strip() for part in text.split("*")] for asset, text in self.columns.items()}
        self._table = _read(header, self._bar_names, self._factors)
        self._bars = {
            name: [Bar(*row) for row in zip(*(self._table.columns[f"{name}_{part}"] for part in _BARS), strict=True)]
            for name in self._bar_names
        }
        _check_bars(header, self._bars)

    @property
    def start_timestamp(self) -> int:
        """Unix time at which the recorded path begins."""
        return self._table.times[0]

    @property
    def end_timestamp(self) -> int:
        """Unix time at which the recorded path ends: the end of the last row's hour."""
        return self._table.times[-1] + HOUR_SECONDS

    def paths(self, randomness: Randomness, start_timestamp: int, steps: int, step_seconds: int) -> np.ndarray:
        """Prices at every step, USD; see `PriceProcess.paths`."""
        checked_grid(steps, step_seconds)
        end_timestamp = start_timestamp + steps * step_seconds
        check_window(self._table, self.end_timestamp, start_timestamp, end_timestamp)
        origin = self._table.times[0]
        phase = (start_timestamp - origin) % HOUR_SECONDS
        fine = math.gcd(math.gcd(FINE_SECONDS, step_seconds), phase)
        first_hour = min((start_timestamp - origin) // HOUR_SECONDS, len(self._table.times) - 1)
        hours = range(first_hour, max(-(-(end_timestamp - origin) // HOUR_SECONDS), first_hour + 1))
        extremes = self._extremes(randomness, hours, start_timestamp - origin, step_seconds)
        first = (start_timestamp - origin - hours.start * HOUR_SECONDS) // fine
        picked = first + np.arange(steps + 1) * (step_seconds // fine)
        known: dict[str, np.ndarray] = {}
        recorded: dict[str, np.ndarray] = {}
        for asset, factors in self._factors.items():
            price = np.ones(steps + 1)
            for name in factors:
                if name not in known:
                    known[name] = self._fine_path(randomness, name, hours, extremes, fine)[picked]
                price = price * known[name]
            recorded[asset] = price
        return self._assemble(recorded, steps)

    # ------------------------------------------------------------------ one hour after the other
    def _extremes(self, randomness: Randomness, hours: range, offset: int, step_seconds: int) -> dict[int, Extremes]:
        """High and low times of each hour, drawn from the file's first hour on so that no window changes them."""
        draws = randomness.stream("prices", "extremes").random((hours.stop, 3)).tolist()
        found = {}
        for hour in hours:
            one, other, order = draws[hour]
            minute = 1 + int(one * 59)
            second = 1 + int(other * 58)
            second += second >= minute
            times = sorted((60 * minute, 60 * second))
            if step_seconds <= KEEP_EXTREMES_SECONDS:
                times = _on_steps(times, (offset - hour * HOUR_SECONDS) % step_seconds, step_seconds)
            high_first = order < self._high_first_probability(hour)
            found[hour] = Extremes(*times) if high_first else Extremes(times[1], times[0])
        return found

    def _high_first_probability(self, hour: int) -> float:
        tilts = [
            (bar.open - bar.close) / (bar.high - bar.low)
            for bar in (self._bars[name][hour] for name in self._bar_names)
            if bar.high > bar.low
        ]
        if not tilts:
            return 0.5
        return 1.0 / (1.0 + math.exp(-12.0 * math.log(2.0) * math.fsum(tilts) / len(tilts)))

    def _fine_path(
        self, randomness: Randomness, name: str, hours: range, extremes: dict[int, Extremes], fine: int
    ) -> np.ndarray:
        """One column of the file every `fine` seconds over the given hours, both ends included."""
        points = HOUR_SECONDS // fine
        if name not in self._bars:
            return self._straight(name, hours, points)
        bars = self._bars[name]
        close_at = CLOSE_AT_SECONDS // fine
        normals = randomness.stream("prices", "bridge", name).standard_normal((hours.stop, close_at))
        path = np.empty(len(hours) * points + 1)
        for place, hour in enumerate(hours):
            bar = bars[hour]
            at = extremes[hour]
            begin = place * points
            path[begin : begin + close_at + 1] = bridged_hour(bar, at.high_at // fine, at.low_at // fine, normals[hour])
            following = bars[hour + 1].open if hour + 1 < len(bars) else bar.close
            rest = points - close_at
            path[begin + close_at + 1 : begin + points] = (
                bar.close + (following - bar.close) * np.arange(1, rest) / rest
            )
            path[begin + points] = following
        return path

    def _straight(self, name: str, hours: range, points: int) -> np.ndarray:
        values = self._table.columns[name]
        ends = [values[min(hour, len(values) - 1)] for hour in range(hours.start, hours.stop + 1)]
        parts = [start + (end - start) * np.arange(points) / points for start, end in pairwise(ends)]
        return np.concatenate([*parts, ends[-1:]])


def _on_steps(times: list[int], phase: int, step_seconds: int) -> list[int]:
    """Two different times of steps strictly inside the hour, nearest to the given ones, in the same order."""
    first = phase or step_seconds
    last = (CLOSE_AT_SECONDS - 1 - first) // step_seconds
    early, late = (min(max(round((time - first) / step_seconds), 0), last) for time in times)
    if early == late:
        if late < last:
            late += 1
        else:
            early -= 1
    return [first + early * step_seconds, first + late * step_seconds]


def _read(header: Header, bar_names: list[str], factors: Mapping[str, list[str]]) -> PathTable:
    """Parse every bar of the file and the single columns that an asset asks for."""
    bars = [f"{name}_{part}" for name in bar_names for part in _BARS]
    singles = [name for names in factors.values() for name in names if name not in bar_names]
    unknown = [name for name in dict.fromkeys(singles) if name not in header.names]
    if unknown:
        names = [*bar_names, *(name for name in header.names if name != "time" and name not in bars)]
        raise PathError([missing_column(header._replace(names=names), name) for name in unknown])
    return parse(header, [*bars, *singles], HOUR_SECONDS, HOUR_SECONDS)


def _check_bars(header: Header, bars: Mapping[str, list[Bar]]) -> None:
    """Refuse hours whose high is below the low, or whose open or close lies outside the two."""
    problems = []
    for name, hours in bars.items():
        for (line, _), bar in zip(header.rows, hours, strict=True):
            if bar.high < bar.low:
                allowed = f"at least the low, {bar.low!r}"
                problems.append(PathProblem(header.file, line, f"{name}_high", repr(bar.high), allowed))
                continue
            for part, price in (("open", bar.open), ("close", bar.close)):
                if not bar.low <= price <= bar.high:
                    allowed = f"low to high, {bar.low!r} to {bar.high!r}"
                    problems.append(PathProblem(header.file, line, f"{name}_{part}", repr(price), allowed))
    refuse(header.file, problems)
