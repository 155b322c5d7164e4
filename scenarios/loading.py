"""`load`: a scenario by library name or file, with everything it extends and the overrides, checked completely."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.errors import Problem, ScenarioError
from scenarios.files import Layer, label_of, layers, locate
from scenarios.files import library_names as library_names
from scenarios.kinds import Kinds
from scenarios.merging import OVERRIDES, inherited_prices, laid_over, with_override
from scenarios.path_files import is_path_file, names, path_file_problems, path_files
from scenarios.schema import Origin, Scenario
from scenarios.validation import check
from scenarios.writing import leaves


def load(
    scenario: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    kinds: Kinds | None = None,
) -> Scenario:
    """A checked, frozen scenario.

    `scenario` is a name from the library, a TOML file (or a folder that holds `scenario.toml`), or plain data.
    `overrides` maps dotted paths to values and is laid over the file. `kinds` maps each kind of agent to the class of
    its parameters; populations are checked against them and get their defaults. Without it, only what all kinds have
    in common is checked. Raises `ScenarioError` with all problems at once.
    """
    stack = _stack(scenario)
    data: dict[str, Any] = {}
    for layer in stack:
        data = laid_over(data, layer.data)
    data.setdefault("name", stack[-1].name)
    data.pop("extends", None)
    base = data
    data = _overridden(base, overrides or {})
    completed, parameters, problems = check(data, kinds)
    files = path_files(data, stack, overrides or {})
    problems += path_file_problems(files)
    if problems:
        raise ScenarioError(_placed(problems, stack, overrides or {}, kinds))
    result = Scenario.model_validate(completed)
    for name, table in result.populations.tables.items():
        table._parameters = parameters.get(name)
    result._origins = _origins(stack, overrides or {}, completed)
    result._path_files = {place: file.found for place, file in files.items() if file.found is not None}
    return result


def _stack(scenario: str | Path | Mapping[str, Any]) -> list[Layer]:
    if isinstance(scenario, Mapping):
        own = Layer("scenario", dict(scenario), Path(), "unnamed")
        parent = own.data.get("extends")
        if not isinstance(parent, str):
            return [own]
        path = locate(parent, Path(), "scenario", "extends")
        return [*layers(path, label_of(path, parent)), own]
    path = locate(scenario, Path())
    return layers(path, label_of(path, str(scenario)))


def _overridden(data: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    problems: list[Problem] = []
    whole = overrides.get("prices")
    data = inherited_prices(
        data, overrides.get("prices.process", whole.get("process") if isinstance(whole, Mapping) else None)
    )
    for path, value in overrides.items():
        try:
            data = with_override(data, path, value)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return data


def _placed(
    problems: list[Problem], stack: list[Layer], overrides: Mapping[str, Any], kinds: Kinds | None
) -> list[Problem]:
    """The problems with the file that each of them first appears in, when the files are laid one over the other."""
    first: dict[tuple[str, str, str], str] = {}
    data: dict[str, Any] = {}
    for layer in stack:
        data = laid_over(data, layer.data)
        data.pop("extends", None)
        for problem in check({"name": layer.name, **data}, kinds)[2]:
            first.setdefault((problem.path, problem.given, problem.message), layer.label)
    last = OVERRIDES if overrides else stack[-1].label
    placed = []
    for problem in problems:
        where = first.get((problem.path, problem.given, problem.message), last)
        if is_path_file(problem.path) and not overrides:
            where = next((layer.label for layer in reversed(stack) if names(layer.data, problem.path)), last)
        placed.append(problem._replace(file=where))
    order = {label: i for i, label in enumerate([*(layer.label for layer in stack[::-1]), OVERRIDES])}
    return sorted(placed, key=lambda problem: order[problem.file])


def _origins(stack: list[Layer], overrides: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Origin]:
    """Where each value that is set comes from; the source is the one stated in the same file for the nearest table."""
    found: dict[str, Origin] = {}
    present = set(leaves(data))
    for layer in stack:
        own = leaves(layer.data)
        for path in own:
            if path in present and path.split(".")[0] not in ("extends",):
                found[path] = Origin("file", layer.label, _source(path, own))
    for path, value in overrides.items():
        below = leaves(value, f"{path}.") if isinstance(value, Mapping) and value else {path: value}
        for leaf in [*below, *(known for known in present if known.startswith(f"{path}."))]:
            found[leaf] = Origin("override", f"{OVERRIDES} {path}", "")
    return {path: found[path] for path in leaves(data) if path in found}


#: Fields with a source field of their own.
_SOURCES = {
    "price_usd": "price_source",
    "ratio": "price_source",
    "ratio_growth_per_year": "growth_source",
    "depth_2pct": "depth_source",
    "depth_unit": "depth_source",
    "impact_per_unit": "depth_source",
    "liquidity_usd": "liquidity_source",
    "ranges": "liquidity_source",
}


def _source(path: str, own: Mapping[str, Any]) -> str:
    keys = path.split(".")
    place = keys.index("ranges") if "ranges" in keys else len(keys) - 1
    stated = own.get(f"{'.'.join(keys[:place])}.{_SOURCES.get(keys[place], 'source')}")
    if isinstance(stated, str) and stated:
        return stated
    for depth in range(len(keys) - 1, 0, -1):
        source = own.get(".".join([*keys[:depth], "source"]))
        if isinstance(source, str) and source:
            return source
    return ""
