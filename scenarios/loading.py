"""`load`: a scenario by library name or file, with everything it extends and the overrides, checked completely."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios.errors import Problem, ScenarioError, nearest
from scenarios.files import Layer, label_of, layers, locate, locate_path_file, shipped_paths
from scenarios.files import library_names as library_names
from scenarios.kinds import Kinds
from scenarios.merging import OVERRIDES, OWN, merged, with_override
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
        inherited = {key: value for key, value in data.items() if key not in OWN}
        data = merged(inherited, layer.data)
    data.setdefault("name", stack[-1].name)
    data.pop("extends", None)
    base = data
    data = _overridden(base, overrides or {})
    completed, parameters, problems = check(data, kinds)
    folder = _folder_of_path_file(stack, overrides or {})
    problems += _path_file_problems(data, folder)
    if problems:
        raise ScenarioError(_placed(problems, stack, overrides or {}, kinds))
    result = Scenario.model_validate(completed)
    for name, table in result.populations.tables.items():
        table._parameters = parameters.get(name)
    result._origins = _origins(stack, overrides or {}, completed)
    if result.prices.file:
        result._path_file = locate_path_file(result.prices.file, folder)
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
    for path, value in overrides.items():
        try:
            data = with_override(data, path, value)
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return data


def _folder_of_path_file(stack: list[Layer], overrides: Mapping[str, Any]) -> Path | None:
    """The folder that `prices.file` is relative to: that of the file which sets it."""
    if any(path in ("prices", "prices.file") for path in overrides):
        return Path()
    for layer in reversed(stack):
        prices = layer.data.get("prices")
        if isinstance(prices, Mapping) and "file" in prices:
            return layer.folder
    return None


def _path_file_problems(data: Mapping[str, Any], folder: Path | None) -> list[Problem]:
    prices = data.get("prices")
    if not isinstance(prices, Mapping) or prices.get("process") not in ("historical", "csv"):
        return []
    file = prices.get("file")
    if not isinstance(file, str) or not file or locate_path_file(file, folder) is not None:
        return []
    guess = nearest(file, shipped_paths())
    hint = f"; did you mean {guess!r}?" if guess else ""
    allowed = "a CSV file beside the scenario, or one of those shipped: " + ", ".join(shipped_paths())
    return [Problem("", "prices.file", f'"{file}"', allowed, f"does not exist{hint}")]


def _placed(
    problems: list[Problem], stack: list[Layer], overrides: Mapping[str, Any], kinds: Kinds | None
) -> list[Problem]:
    """The problems with the file that each of them first appears in, when the files are laid one over the other."""
    first: dict[tuple[str, str, str], str] = {}
    data: dict[str, Any] = {}
    for layer in stack:
        data = merged({key: value for key, value in data.items() if key not in OWN}, layer.data)
        data.pop("extends", None)
        for problem in check({"name": layer.name, **data}, kinds)[2]:
            first.setdefault((problem.path, problem.given, problem.message), layer.label)
    last = OVERRIDES if overrides else stack[-1].label
    placed = []
    for problem in problems:
        where = first.get((problem.path, problem.given, problem.message), last)
        if problem.path == "prices.file" and not overrides:
            where = next((x.label for x in reversed(stack) if "file" in x.data.get("prices", {})), last)
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
