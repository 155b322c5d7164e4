"""Reading a path file: CSV with a `time` column and columns of prices, checked completely before anything is used."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from sim.prices.errors import PathError, PathProblem

#: Problems listed before the rest is only counted.
_LISTED = 20
_TIME = "an ISO 8601 time such as 2020-03-12T00:00Z (UTC where no zone is given), or whole Unix seconds"
_PRICE = "a finite number above 0"

#: Unix seconds of the first moment that a date cannot express; times in milliseconds are beyond it.
_YEAR_10000 = 253_402_300_800


class PathTable(NamedTuple):
    """A checked path file: `times` (Unix seconds, ascending) and the price columns by name, row by row."""

    file: str
    times: list[int]
    columns: dict[str, list[float]]


class Header(NamedTuple):
    """Names of a file's columns, and its rows as text with their line numbers."""

    file: str
    names: list[str]
    rows: list[tuple[int, list[str]]]


def read_rows(file: str | Path) -> Header:
    """The file's header and rows as text; `PathError` if it is missing, empty, binary or without `time` column."""
    name = str(file)
    try:
        data = Path(file).read_bytes()
    except OSError as error:
        raise _whole(name, error.strerror or "an unreadable file", "a readable CSV file") from None
    if not data.strip():
        raise _whole(name, "an empty file", "a CSV file with a header and rows")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise _whole(name, "a binary file", "CSV text in UTF-8")
    try:
        rows = [(line, row) for line, row in enumerate(csv.reader(text.splitlines()), start=1) if row]
    except csv.Error as error:
        raise _whole(name, f"text that is no CSV ({error})", "a CSV file with a header and rows") from None
    header = [cell.strip() for cell in rows[0][1]]
    if "time" not in header:
        raise PathError([PathProblem(name, rows[0][0], "time", f"columns {', '.join(header)}", "a column named time")])
    doubled = sorted({cell for cell in header if header.count(cell) > 1})
    if doubled:
        raise PathError([PathProblem(name, rows[0][0], cell, "a column twice", "each column once") for cell in doubled])
    if len(rows) == 1:
        raise _whole(name, "a header without rows", "at least one row")
    return Header(name, header, rows[1:])


def missing_column(header: Header, column: str) -> PathProblem:
    """The problem that a wanted column is not there, with the nearest name that is."""
    others = [name for name in header.names if name != "time"]
    near = get_close_matches(column, others, n=1, cutoff=0.5)
    hint = f" (nearest: {near[0]})" if near else ""
    return PathProblem(header.file, 1, column, "no such column", f"one of {', '.join(others)}{hint}")


def parse(header: Header, columns: Iterable[str], spacing_seconds: int | None, max_gap_seconds: int) -> PathTable:
    """Times and the named price columns as numbers; `PathError` with every problem found.

    With `spacing_seconds` rows must follow each other at exactly that distance, otherwise at most at `max_gap_seconds`.
    """
    wanted = list(dict.fromkeys(columns))
    problems = [missing_column(header, column) for column in wanted if column not in header.names]
    if problems:
        raise PathError(problems)
    places = [(column, header.names.index(column)) for column in wanted]
    time_place = header.names.index("time")
    times: list[int] = []
    values: dict[str, list[float]] = {column: [] for column in wanted}
    previous: int | None = None
    for line, row in header.rows:
        if len(row) != len(header.names):
            problems.append(PathProblem(header.file, line, "", f"{len(row)} cells", f"{len(header.names)} cells"))
            previous = None  # the distance to an unreadable row is not a second problem
            continue
        time = parse_time(row[time_place])
        if time is None:
            problems.append(PathProblem(header.file, line, "time", repr(row[time_place]), _TIME))
            previous = None
        else:
            fault = _sequence_fault(previous, time, spacing_seconds, max_gap_seconds)
            if fault:
                problems.append(PathProblem(header.file, line, "time", f"{row[time_place]} ({fault[0]})", fault[1]))
            previous = time if previous is None else max(previous, time)
            times.append(time)
        for column, place in places:
            price = parse_price(row[place])
            if price is None:
                problems.append(PathProblem(header.file, line, column, repr(row[place]), _PRICE))
            values[column].append(price or 0.0)
    refuse(header.file, problems)
    return PathTable(header.file, times, values)


def refuse(file: str, problems: list[PathProblem]) -> None:
    """Raise the problems, if there are any, in the order of the file."""
    if not problems:
        return
    problems = sorted(problems, key=lambda problem: problem.row)
    more = len(problems) - _LISTED
    if more > 0:
        problems = [*problems[:_LISTED], PathProblem(file, 0, "", f"{more} more problems", "none")]
    raise PathError(problems)


def parse_time(text: str) -> int | None:
    """Unix seconds of an ISO 8601 time or of whole seconds as digits; None if it is neither."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) >= 9:
        return int(text) if int(text) < _YEAR_10000 else None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) if moment.microsecond == 0 else None


def parse_price(text: str) -> float | None:
    """The number, or None unless it is finite and above zero."""
    try:
        price = float(text)
    except ValueError:
        return None
    return price if math.isfinite(price) and price > 0.0 else None


def check_window(table: PathTable, end_of_path: int, start_timestamp: int, end_timestamp: int) -> None:
    """`PathError` unless the path reaches from the start of the run to its end."""
    begin = table.times[0]
    if begin <= start_timestamp and end_timestamp <= end_of_path:
        return
    given = f"a run from {utc(start_timestamp)} to {utc(end_timestamp)}"
    allowed = f"a run within {utc(begin)} to {utc(end_of_path)}, which the file covers"
    raise PathError([PathProblem(table.file, 0, "time", given, allowed)])


def utc(timestamp: int) -> str:
    """A Unix time as text."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(file: str, given: str, allowed: str) -> PathError:
    return PathError([PathProblem(file, 0, "", given, allowed)])


def _sequence_fault(
    previous: int | None, time: int, spacing_seconds: int | None, max_gap_seconds: int
) -> tuple[str, str] | None:
    if previous is None:
        return None
    if time == previous:
        return "a time that was there before", "each time once"
    if time < previous:
        return "earlier than a row above", "times in ascending order"
    if spacing_seconds is not None:
        if time - previous != spacing_seconds:
            return f"{time - previous} s after the row before", f"{spacing_seconds} s after the row before"
    elif time - previous > max_gap_seconds:
        return f"{time - previous} s after the row before", f"at most {max_gap_seconds} s after the row before"
    return None
