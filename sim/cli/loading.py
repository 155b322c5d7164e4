"""Loading a scenario for a command: registered kinds, overrides from options, and its price path checked as well."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from scenarios import Scenario, load
from scenarios.merging import parse_assignments


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
    """Make the price process, read its files and hold them against the run; `ScenarioError` with all its problems."""
    from sim.building_prices import exogenous_prices
    from sim.randomness import Randomness

    exogenous_prices(scenario, Randomness(scenario.run.seed), step_seconds=scenario.run.horizon_seconds)


def _make_own_kinds_importable() -> None:
    """A user's own kinds may stand beside him: the working folder is searched last."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
