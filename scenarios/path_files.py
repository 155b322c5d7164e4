"""The files that a price process reads: which fields name them, and where they are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.errors import Problem, nearest
from scenarios.files import Layer, locate_path_file, shipped_paths
from scenarios.schema.prices import PROCESS_FIELDS
from scenarios.writing import value_at

_SINGLE = ("file", "correlation_file")


class PathFile(NamedTuple):
    """A file as the scenario names it, and where it is; None if it is nowhere."""

    name: str
    found: Path | None


def path_files(data: Mapping[str, Any], stack: Sequence[Layer], overrides: Mapping[str, Any]) -> dict[str, PathFile]:
    """Every file that the scenario's price process reads, by dotted path of the field that names it.

    A name is relative to the folder of the file that sets it (of an override: to the working folder), or one of the
    paths that are shipped.
    """
    return {
        place: PathFile(name, locate_path_file(name, _folder(place, stack, overrides)))
        for place, name in _named(data.get("prices"))
    }


def path_file_problems(files: Mapping[str, PathFile]) -> list[Problem]:
    """One problem for each file that is not there."""
    problems = []
    for place, file in files.items():
        if file.found is None:
            guess = nearest(file.name, shipped_paths())
            hint = f"; did you mean {guess!r}?" if guess else ""
            allowed = "a CSV file beside the scenario, or one of those shipped: " + ", ".join(shipped_paths())
            problems.append(Problem("", place, f'"{file.name}"', allowed, f"does not exist{hint}"))
    return problems


def is_path_file(place: str) -> bool:
    """Whether the field at a dotted path names a file of the price process."""
    return place.startswith("prices.files.") or place in [f"prices.{key}" for key in _SINGLE]


def names(data: Mapping[str, Any], place: str) -> bool:
    """Whether plain data has a value at a dotted path."""
    try:
        value_at(data, place)
    except (LookupError, TypeError, ValueError):
        return False
    return True


def _named(prices: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(prices, Mapping):
        return
    read = PROCESS_FIELDS.get(str(prices.get("process", "constant")), frozenset())
    for key in _SINGLE:
        name = prices.get(key)
        if key in read and isinstance(name, str) and name:
            yield f"prices.{key}", name
    files = prices.get("files")
    if "files" in read and isinstance(files, Mapping):
        yield from ((f"prices.files.{symbol}", name) for symbol, name in files.items() if isinstance(name, str))


def _folder(place: str, stack: Sequence[Layer], overrides: Mapping[str, Any]) -> Path | None:
    """The folder that the name at a dotted path is relative to: that of the file which sets it."""
    for path, value in overrides.items():
        if place == path or (place.startswith(f"{path}.") and names({"": value}, place.replace(path, "", 1))):
            return Path()
    return next((layer.folder for layer in reversed(stack) if names(layer.data, place)), None)
