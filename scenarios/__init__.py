"""Scenarios: the description of a run, read from TOML, checked completely, and shipped as a small library.

`load("march-2020")` gives a frozen `Scenario`. This package imports neither the simulator nor the agents.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scenarios.errors import Problem, ScenarioError
    from scenarios.fields import field_table, json_schema
    from scenarios.loading import library_names, load
    from scenarios.schema import Scenario

_HOMES = {
    "Problem": "errors",
    "ScenarioError": "errors",
    "Scenario": "schema",
    "load": "loading",
    "library_names": "loading",
    "field_table": "fields",
    "json_schema": "fields",
}

__all__ = ["Problem", "Scenario", "ScenarioError", "field_table", "json_schema", "library_names", "load"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'scenarios' has no attribute {name!r}")
    return getattr(import_module(f"scenarios.{_HOMES[name]}"), name)
