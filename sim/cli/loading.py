"""Loading a scenario for a command: registered kinds, overrides from options, and its price path checked as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from scenarios import Problem, Scenario, ScenarioError, load
from scenarios.merging import parse_assignments

#: Up to so many accounts `scenario validate` builds the world as it is: about a second.
REHEARSED_AGENTS = 20_000


def load_checked(name: str, sets: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """The scenario, checked with the parameters of its kinds and with its price path; `ScenarioError` otherwise."""
    from agents.registry import kinds

    overrides: dict[str, Any] = parse_assignments(sets)
    if seed is not None:
        overrides["run.seed"] = seed
    _make_own_kinds_importable()
    scenario = load(name, overrides, kinds())
    check_price_path(scenario)
    return scenario


def check_price_path(scenario: Scenario) -> None:
    """Read the path file of a recorded process and hold it against the run; `ScenarioError` with all its problems."""
    if scenario.price_file is None or scenario.prices.process not in ("historical", "csv"):
        return
    from sim.prices import CsvPath, HistoricalPath, PathError
    from sim.randomness import Randomness

    settings, run = scenario.prices, scenario.run
    market = {name: float(asset.price_usd) for name, asset in scenario.assets.items() if asset.price_usd is not None}
    process = HistoricalPath if settings.process == "historical" else CsvPath
    try:
        path = process(str(scenario.price_file), settings.columns, scale=settings.scale, price_usd=market)
        path.paths(Randomness(0), run.start_timestamp, 1, run.horizon_seconds)
    except PathError as error:
        file = settings.file or str(scenario.price_file)
        raise ScenarioError([_problem(file, problem) for problem in error.problems]) from None


def _problem(file: str, problem: Any) -> Problem:
    place = [f"row {problem.row}"] if problem.row else []
    place += [f"column {problem.column}"] if problem.column else []
    return Problem(file, ", ".join(place), problem.given, problem.allowed, "")


def rehearse(scenario: Scenario, name: str, sets: Sequence[str]) -> str:
    """Build the scenario's world and its agents, and throw them away; `ScenarioError` for what only shows then.

    A book beyond `REHEARSED_AGENTS` is built in fewer, larger positions (`populations.scale`), which the words
    returned say; they are empty otherwise.
    """
    from agents.registry import kinds
    from sim.economy import Economy

    tables = scenario.populations.tables
    counts = [scenario.scaled(each, max(table.count, _slots(table))) for each, table in tables.items()]
    agents, note = sum(counts), ""
    if agents > REHEARSED_AGENTS:
        scale = scenario.populations.scale * REHEARSED_AGENTS / agents
        scenario = load(name, parse_assignments(sets) | {"populations.scale": scale}, kinds())
        note = f" (built with populations.scale = {scale:.3g} in place of {scale * agents / REHEARSED_AGENTS:.3g})"
    with Economy(scenario):
        return note


def _slots(table: Any) -> int:
    return int(getattr(table.parameters, "slots", 0))


def _make_own_kinds_importable() -> None:
    """A user's own kinds may stand beside him: the working folder is searched last."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
