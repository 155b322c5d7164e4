"""Loading a scenario for a command: registered kinds, overrides from options, and its price path checked as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from scenarios import Scenario, load
from scenarios.merging import parse_assignments

#: Up to so many accounts `scenario validate` builds the world as it is: about a second.
REHEARSED_AGENTS = 20_000


def load_checked(name: str, sets: Sequence[str] = (), seed: int | None = None) -> Scenario:
    """The scenario, checked with the parameters of its kinds and with its price path; `ScenarioError` otherwise."""
    from agents.registry import kinds

    overrides: dict[str, Any] = parse_assignments(sets)
    if seed is not None:
        overrides["run.seed"] = seed
    make_own_kinds_importable()
    scenario = load(name, overrides, kinds())
    check_price_path(scenario)
    return scenario


def check_price_path(scenario: Scenario) -> None:
    """Make the price process, read its files and hold them against the run; `ScenarioError` with all its problems."""
    from sim.building_prices import exogenous_prices
    from sim.randomness import Randomness

    exogenous_prices(scenario, Randomness(scenario.run.seed), step_seconds=scenario.run.horizon_seconds)


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


def make_own_kinds_importable() -> None:
    """A user's own kinds may stand beside him: the working folder is searched last."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
