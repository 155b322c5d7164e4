"""Exogenous prices: processes that make every asset's price for a whole run, before any impact of this economy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.prices.brownian import GeometricBrownianMotion
    from sim.prices.constant import ConstantPrices
    from sim.prices.csv_path import CsvPath
    from sim.prices.errors import PathError, PathProblem
    from sim.prices.historical import HistoricalPath
    from sim.prices.process import PriceProcess
    from sim.prices.ratio import Ratio, WithRatios
    from sim.prices.shocks import Shock, Shocked

_HOMES = {
    "ConstantPrices": "constant",
    "CsvPath": "csv_path",
    "GeometricBrownianMotion": "brownian",
    "HistoricalPath": "historical",
    "PathError": "errors",
    "PathProblem": "errors",
    "PriceProcess": "process",
    "Ratio": "ratio",
    "Shock": "shocks",
    "Shocked": "shocks",
    "WithRatios": "ratio",
}

__all__ = [
    "ConstantPrices",
    "CsvPath",
    "GeometricBrownianMotion",
    "HistoricalPath",
    "PathError",
    "PathProblem",
    "PriceProcess",
    "Ratio",
    "Shock",
    "Shocked",
    "WithRatios",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.prices' has no attribute {name!r}")
    return getattr(import_module(f"sim.prices.{_HOMES[name]}"), name)
