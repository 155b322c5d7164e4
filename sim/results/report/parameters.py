"""The resolved parameters of a run: every value, where it comes from, and which are assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

SKIPPED = ("name", "title", "why", "source", "extends")
ORIGINS = {"default": "default", "file": "set", "set": "set", "override": "overridden", "overridden": "overridden"}


class Parameter(NamedTuple):
    """One value of the resolved scenario; `origin` is default, set or overridden."""

    path: str
    value: str
    unit: str
    origin: str
    source: str
    assumption: bool
    description: str


def parameters(manifest: Mapping[str, Any]) -> list[Parameter]:
    """Every parameter of the run in the order of the scenario."""
    origins, notes = manifest.get("origins") or {}, manifest.get("fields") or {}
    found = []
    for path, value in walk(manifest.get("scenario") or {}):
        if path in SKIPPED or path.endswith((".source", "_source")):
            continue
        said = notes.get(path) or {}
        origin = origins.get(path, "default")
        where = origin.get("kind", "default") if isinstance(origin, Mapping) else origin
        stated = (origin.get("source") if isinstance(origin, Mapping) else "") or said.get("source") or ""
        found.append(
            Parameter(
                path,
                shown(value),
                str(said.get("unit") or ""),
                ORIGINS.get(where, str(where)),
                str(stated),
                bool(said.get("assumption")) or str(stated).startswith("assumption"),
                str(said.get("description") or ""),
            )
        )
    return found


def walk(value: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of everything in a resolved scenario that is not itself a table."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from walk(inner, f"{before}.{key}" if before else str(key))
    else:
        yield before, value


def shown(value: Any) -> str:
    """A value as people write it."""
    if value is None or value == {} or value == []:
        return "–"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.10g}"
    if isinstance(value, list | tuple):
        return ", ".join(shown(inner) for inner in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(inner)}" for key, inner in value.items())
    return str(value)
