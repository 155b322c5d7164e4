"""Reading plain data that may have gaps, and saying what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenarios.describing import show
from scenarios.errors import Problem

Data = Mapping[str, Any]


def problem_at(path: str, given: Any, allowed: str, message: str) -> Problem:
    """A problem; the file is filled in by whoever knows it."""
    return Problem("", path, given if isinstance(given, str) else show(given), allowed, message)


def section(data: Any, *keys: str) -> Data:
    """The table at these keys, empty if there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def tables(data: Data, *keys: str) -> Iterator[tuple[str, Data]]:
    """The named tables below these keys."""
    for name, entry in section(data, *keys).items():
        if isinstance(entry, Mapping):
            yield str(name), entry


def number(data: Data, key: str) -> float | None:
    """The number at a key, None if there is none."""
    value = data.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
