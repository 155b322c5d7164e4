"""Laying one file over another, and overrides over both."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from scenarios.errors import Problem, ScenarioError
from scenarios.schema.prices import LASTING_FIELDS, PROCESS_FIELDS

#: Said about a file itself, so not handed down to those that extend it.
OWN = ("extends", "name", "title", "why")
OVERRIDES = "--set"
_LOOSE_NUMBER = re.compile(r"^[+-]?(\d+\.|\.\d+)([eE][+-]?\d+)?$")


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merge key by key, everything else is replaced.

    A table that states another `kind` replaces the inherited one: the keys of one kind mean nothing to another.
    """
    result = dict(base)
    for key, value in over.items():
        inherited = result.get(key)
        if isinstance(value, Mapping) and isinstance(inherited, Mapping):
            other_kind = "kind" in value and "kind" in inherited and value["kind"] != inherited["kind"]
            result[key] = dict(value) if other_kind else merged(inherited, value)
        else:
            result[key] = dict(value) if isinstance(value, Mapping) else value
    return result


def inherited_prices(base: Mapping[str, Any], process: Any) -> dict[str, Any]:
    """What a file that names a price process, or overrides that do, inherit of the data beneath.

    Of another process only what both read and what says the same under either: the files and columns of one mean
    nothing to another. `process` None: none is named, everything is inherited.
    """
    prices = base.get("prices")
    if not isinstance(process, str) or not isinstance(prices, Mapping):
        return dict(base)
    if process == prices.get("process", "constant") or process not in PROCESS_FIELDS:
        return dict(base)
    kept = PROCESS_FIELDS[process] & LASTING_FIELDS
    dropped = frozenset().union(*PROCESS_FIELDS.values()) - kept
    return {**base, "prices": {key: value for key, value in prices.items() if key not in dropped}}


def laid_over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A file's data over what it extends."""
    inherited = {key: value for key, value in base.items() if key not in OWN}
    prices = own.get("prices")
    return merged(inherited_prices(inherited, prices.get("process") if isinstance(prices, Mapping) else None), own)


def parse_assignment(text: str) -> tuple[str, Any]:
    """`a.b=v` as path and value; v is read as TOML, and as plain text where it is none."""
    path, separator, value = text.partition("=")
    if not separator or not path.strip():
        raise ScenarioError(
            [Problem(OVERRIDES, text.strip(), "", "field=value, for example run.seed=7", "sets nothing")]
        )
    return path.strip(), parse_value(value.strip())


def parse_value(text: str) -> Any:
    """A TOML value; `.5` and `5.` are read as numbers as well, words that are not TOML as text."""
    if _LOOSE_NUMBER.match(text):
        return float(text)
    try:
        tables = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return tables["value"] if list(tables) == ["value"] else text


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """All `--set` options as overrides; what is wrong with them is told at once, a later one wins."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in texts:
        try:
            path, value = parse_assignment(text)
            found.pop(path, None)
            found[path] = value
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return found


def with_override(data: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with the value at a dotted path set; list entries are counted from 0 (`prices.shocks.0.change_ratio`)."""
    keys = path.split(".")
    if not all(keys):
        raise _impossible(path, value, "names separated by single dots", "is not a field")
    return _set(data, keys, 0, value)


def _set(here: Any, keys: list[str], depth: int, value: Any) -> Any:
    if depth == len(keys):
        return merged(here, value) if isinstance(here, Mapping) and isinstance(value, Mapping) else value
    key, path = keys[depth], ".".join(keys)
    if isinstance(here, list):
        if not key.isdecimal() or int(key) >= len(here):
            allowed = f"an entry from 0 to {len(here) - 1}" if here else "no entry: the list is empty"
            raise _impossible(path, value, allowed, f"{'.'.join(keys[:depth])} has no entry {key}")
        return [_set(entry, keys, depth + 1, value) if i == int(key) else entry for i, entry in enumerate(here)]
    if here is not None and not isinstance(here, Mapping):
        raise _impossible(path, value, "a field of a table", f"{'.'.join(keys[:depth])} is a value, not a table")
    result = dict(here or {})
    changed = _set(result.get(key), keys, depth + 1, value)
    result[key] = changed
    return result


def _impossible(path: str, value: Any, allowed: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(OVERRIDES, path, str(value), allowed, message)])
