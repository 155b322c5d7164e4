"""A scenario with some fields changed, and the packet in which it travels to the process that runs it."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from typing import Any

import scenarios
from agents.registry import kinds
from scenarios import Scenario, ScenarioError


def variant(scenario: Scenario, overrides: Mapping[str, Any], label: str) -> Scenario:
    """The scenario with the overrides laid over it, checked completely; ScenarioError that begins with the label."""
    if not overrides:
        return scenario
    data = scenario.as_dict()
    if scenario.price_file is not None:
        data["prices"]["file"] = str(scenario.price_file.resolve())
    try:
        changed = scenarios.load(data, overrides, kinds())
    except ScenarioError as error:
        said = ", ".join(f"{path}={value}" for path, value in overrides.items())
        raise ScenarioError([problem._replace(file=f"{label} ({said})") for problem in error.problems]) from None
    return changed


def pack(scenario: Scenario) -> bytes:
    """The scenario for a worker; only our own processes write and read such packets."""
    return zlib.compress(pickle.dumps(scenario), 1)


def unpack(packet: bytes) -> Scenario:
    """The scenario in a packet."""
    scenario: Scenario = pickle.loads(zlib.decompress(packet))
    return scenario
