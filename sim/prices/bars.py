"""Reading recorded bars (open, high, low, close, or close alone) of several assets, from one or several files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from sim.prices.bridge import Bar
from sim.prices.correlation import Mixing, mixing
from sim.prices.errors import PathError, PathProblem
from sim.prices.table import Header, PathTable, missing_column, parse, parse_time, read_rows, refuse, utc

HOUR_SECONDS = 3_600
DAY_SECONDS = 86_400

_PARTS = ("open", "high", "low", "close")
_SPACING = {HOUR_SECONDS: "hourly", DAY_SECONDS: "daily"}

#: Bars around a bar without high and low from which its volatility is taken.
_AROUND = 12


class CloseBar(NamedTuple):
    """A bar of which only the ends are known, USD; `log_sd` is the standard deviation of its log return."""

    open: float
    close: float
    log_sd: float


Bars = Sequence[Bar | CloseBar]


class RecordedBars(NamedTuple):
    """Bars of all assets over the time that every file covers; bar k begins at times[k]."""

    file: str
    bar_seconds: int
    times: list[int]
    bars: dict[str, Bars]

    @property
    def end_timestamp(self) -> int:
        """Unix time at which the last bar ends."""
        return self.times[-1] + self.bar_seconds


def read_bars(
    files: Mapping[str, str | Path], columns: Mapping[str, str], spacings: Sequence[int], *, single: bool
) -> RecordedBars:
    """Bars of each asset from its file; assets may share a file.

    `columns` maps an asset to the prefix X of the columns X_open, X_high, X_low, X_close; an asset that is missing
    there has the columns open, high, low, close. With `single`, one column will do: X_close or close is the price at
    the end of the row's bar, any other column X the price at the row's time, as in `HistoricalPath`. All files must
    have one and the same of `spacings` (s between rows), and rows in common; `PathError` otherwise.
    """
    headers = {str(file): read_rows(file) for file in files.values()}
    bar_seconds = _common_spacing(headers, spacings)
    tables: dict[str, tuple[PathTable, Bars]] = {}
    for asset, file in files.items():
        header = headers[str(file)]
        names = _names(header, columns.get(asset, ""), single)
        table = parse(header, names, bar_seconds, bar_seconds)
        rows = list(zip(*(table.columns[name] for name in names), strict=True))
        if len(names) == 1:
            closes = names[0] == "close" or names[0].endswith("_close")
            begins = table._replace(times=table.times[1:] if closes else table.times[:-1])
            tables[asset] = begins, _single_bars(table.columns[names[0]])
        else:
            whole = [Bar(*row) for row in rows]
            _check_bars(header, names, whole)
            tables[asset] = table, whole
    return _joined(tables, bar_seconds)


def bar_mixing(bars: Mapping[str, Bars]) -> Mixing:
    """Shocks correlated as the log returns within the bars, close / open, are in the record.

    An asset leaves the shocks of those before it as they were.
    """
    moves = {asset: [math.log(bar.close / bar.open) for bar in own] for asset, own in bars.items()}
    centred = {}
    for asset, own_moves in moves.items():
        mean = math.fsum(own_moves) / len(own_moves)
        centred[asset] = [move - mean for move in own_moves]
    squares = {asset: math.fsum(move * move for move in own_moves) for asset, own_moves in centred.items()}
    matrix: dict[str, dict[str, float]] = {}
    for place, (asset, own_moves) in enumerate(centred.items()):
        matrix[asset] = {}
        for other in list(centred)[:place]:
            scale = math.sqrt(squares[asset] * squares[other])
            product = math.fsum(one * two for one, two in zip(own_moves, centred[other], strict=True))
            matrix[asset][other] = min(max(product / scale, -1.0), 1.0) if scale else 0.0
    return mixing(matrix, list(bars), list(bars))


def _common_spacing(headers: Mapping[str, Header], spacings: Sequence[int]) -> int:
    """Seconds from the first row to the second, the same in every file and among those allowed."""
    allowed = " or ".join(f"{_SPACING[spacing]} rows ({spacing} s apart)" for spacing in spacings)
    found: dict[int, str] = {}
    for name, header in headers.items():
        place = header.names.index("time")
        times = [parse_time(row[place]) if place < len(row) else None for _, row in header.rows[:2]]
        if len(times) < 2:
            raise PathError([PathProblem(name, 0, "", "a single row", f"at least two {allowed}")])
        first, second = times
        if first is None or second is None:
            parse(header, [], None, DAY_SECONDS)  # tells every time that cannot be read
        else:
            spacing = second - first
            if spacing not in spacings:
                raise PathError(
                    [PathProblem(name, header.rows[1][0], "time", f"{spacing} s after the row before", allowed)]
                )
            found.setdefault(spacing, name)
    if len(found) > 1:
        given = " and ".join(f"{_SPACING[spacing]} rows in {name}" for spacing, name in found.items())
        raise PathError([PathProblem(", ".join(headers), 0, "time", given, "files with the same spacing")])
    return next(iter(found))


def _names(header: Header, prefix: str, single: bool) -> list[str]:
    """The columns of an asset: four, or with `single` the close or the column of that name."""
    bars = [f"{prefix}_{part}" if prefix else part for part in _PARTS]
    lacking = [name for name in bars if name not in header.names]
    if not lacking:
        return bars
    if single and len(lacking) == 3 and bars[3] in header.names:
        return bars[3:]
    if single and prefix in header.names:
        return [prefix]
    raise PathError([missing_column(header, name) for name in lacking])


def _single_bars(prices: Sequence[float]) -> list[CloseBar]:
    """Bars from each price to the next, with the root mean square of the 25 log returns around as deviation."""
    moves = [math.log(close / before) for before, close in pairwise(prices)]
    bars = []
    for place, (before, close) in enumerate(pairwise(prices)):
        around = moves[max(place - _AROUND, 0) : place + _AROUND + 1]
        log_sd = math.sqrt(math.fsum(move * move for move in around) / len(around))
        bars.append(CloseBar(before, close, log_sd))
    return bars


def _check_bars(header: Header, names: Sequence[str], bars: Sequence[Bar]) -> None:
    """Refuse bars whose high is below the low, or whose open or close lies outside the two."""
    problems = []
    for (line, _), bar in zip(header.rows, bars, strict=True):
        if bar.high < bar.low:
            problems.append(PathProblem(header.file, line, names[1], repr(bar.high), f"at least the low, {bar.low!r}"))
            continue
        for name, price in ((names[0], bar.open), (names[3], bar.close)):
            if not bar.low <= price <= bar.high:
                allowed = f"low to high, {bar.low!r} to {bar.high!r}"
                problems.append(PathProblem(header.file, line, name, repr(price), allowed))
    refuse(header.file, problems)


def _joined(tables: Mapping[str, tuple[PathTable, Bars]], bar_seconds: int) -> RecordedBars:
    """The stretch that all assets have."""
    file = ", ".join(dict.fromkeys(table.file for table, _ in tables.values()))
    begin = max(table.times[0] for table, _ in tables.values())
    end = min(table.times[-1] for table, _ in tables.values())
    phases = {table.times[0] % bar_seconds for table, _ in tables.values()}
    if len(phases) > 1 or begin > end:
        ranges = dict.fromkeys(
            f"{table.file} from {utc(table.times[0])} to {utc(table.times[-1])}" for table, _ in tables.values()
        )
        raise PathError([PathProblem(file, 0, "time", "; ".join(ranges), "files with rows at the same times")])
    bars = {}
    for asset, (table, whole) in tables.items():
        first = (begin - table.times[0]) // bar_seconds
        bars[asset] = whole[first : first + (end - begin) // bar_seconds + 1]
    return RecordedBars(file, bar_seconds, list(range(begin, end + 1, bar_seconds)), bars)
