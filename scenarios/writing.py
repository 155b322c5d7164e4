"""A resolved scenario as TOML: complete, of its own, and read back to the same values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from scenarios.files import PATHS
from scenarios.schema import Scenario

_BARE = re.compile(r"^[A-Za-z0-9_-]+$")


def to_toml(scenario: Scenario) -> str:
    """Every value written out; what no file or override has set is marked as default.

    A path file of the user's own is written with its full path, so that the text can be run from any folder.
    """
    data = scenario.as_dict()
    for place, file in scenario.price_files.items():
        if PATHS not in file.parents:
            *keys, last = place.split(".")
            value_at(data, ".".join(keys))[last] = str(file.resolve())
    lines: list[str] = []
    _table(lines, data, (), scenario)
    return "\n".join(lines).strip("\n") + "\n"


def assignments(scenario: Scenario) -> list[str]:
    """`path=value` in TOML's notation for every override, by the path it was given with."""
    paths = dict.fromkeys(
        origin.where.partition(" ")[2] for origin in scenario.origins().values() if origin.kind == "override"
    )
    data = scenario.as_dict()
    return [f"{path}={toml_value(value_at(data, path))}" for path in paths]


def value_at(data: Any, path: str) -> Any:
    """The value at a dotted path of plain data; entries of lists are counted from 0."""
    for key in path.split("."):
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


def leaves(data: Any, prefix: str = "") -> dict[str, Any]:
    """Every value below a table by dotted path; entries of lists of tables are counted from 0."""
    found: dict[str, Any] = {}
    items = data.items() if isinstance(data, Mapping) else enumerate(data)
    for key, value in items:
        path = f"{prefix}{key}"
        tables = isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value)
        if tables or (isinstance(value, Mapping) and value):
            found.update(leaves(value, f"{path}."))
        else:
            found[path] = value
    return found


def _table(lines: list[str], table: Mapping[str, Any], keys: tuple[str, ...], scenario: Scenario) -> None:
    values = {key: value for key, value in table.items() if value is not None and not _is_header(value)}
    tables = {key: value for key, value in table.items() if _is_header(value)}
    if keys and (values or not tables):
        lines += ["", f"[{'.'.join(map(_key, keys))}]"]
    for key, value in values.items():
        note = "" if scenario.origin(".".join([*keys, key])).kind != "default" else "  # default"
        lines.append(f"{_key(key)} = {toml_value(value)}{note}")
    for key, value in tables.items():
        if isinstance(value, list):
            for entry in value:
                lines += ["", f"[[{'.'.join(map(_key, (*keys, key)))}]]"]
                lines += [f"{_key(k)} = {toml_value(v)}" for k, v in entry.items() if v is not None]
        else:
            _table(lines, value, (*keys, key), scenario)


def _is_header(value: Any) -> bool:
    """Whether a value gets a header of its own: a table, or a list of tables."""
    return isinstance(value, Mapping) or (bool(value) and isinstance(value, list) and isinstance(value[0], Mapping))


def _key(key: str) -> str:
    return key if _BARE.match(key) else _text(key)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: Any) -> str:
    """A value in TOML's notation."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inner = ", ".join(
            f"{_key(str(key))} = {toml_value(entry)}" for key, entry in value.items() if entry is not None
        )
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return repr(value)
