"""Exogenous prices: processes that make every asset's price for a whole run, before any impact of this economy."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.prices.bootstrap import BlockBootstrap
    from sim.prices.brownian import GeometricBrownianMotion
    from sim.prices.constant import ConstantPrices
    from sim.prices.correlation import read_correlation
    from sim.prices.csv_path import CsvPath
    from sim.prices.daily import DailyPath
    from sim.prices.errors import PathError, PathProblem
    from sim.prices.garch import Garch
    from sim.prices.historical import HistoricalPath
    from sim.prices.jump_diffusion import JumpDiffusion
    from sim.prices.jumps import Jumps, market_jumps
    from sim.prices.process import PriceProcess
    from sim.prices.ratio import Ratio, WithRatios
    from sim.prices.shocks import Shock, Shocked
    from sim.prices.stochastic_volatility import StochasticVolatility

_HOMES = {
    "BlockBootstrap": "bootstrap",
    "ConstantPrices": "constant",
    "CsvPath": "csv_path",
    "DailyPath": "daily",
    "Garch": "garch",
    "GeometricBrownianMotion": "brownian",
    "HistoricalPath": "historical",
    "JumpDiffusion": "jump_diffusion",
    "Jumps": "jumps",
    "PathError": "errors",
    "PathProblem": "errors",
    "PriceProcess": "process",
    "Ratio": "ratio",
    "Shock": "shocks",
    "Shocked": "shocks",
    "StochasticVolatility": "stochastic_volatility",
    "WithRatios": "ratio",
    "market_jumps": "jumps",
    "read_correlation": "correlation",
}

__all__ = [
    "BlockBootstrap",
    "ConstantPrices",
    "CsvPath",
    "DailyPath",
    "Garch",
    "GeometricBrownianMotion",
    "HistoricalPath",
    "JumpDiffusion",
    "Jumps",
    "PathError",
    "PathProblem",
    "PriceProcess",
    "Ratio",
    "Shock",
    "Shocked",
    "StochasticVolatility",
    "WithRatios",
    "market_jumps",
    "read_correlation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.prices' has no attribute {name!r}")
    return getattr(import_module(f"sim.prices.{_HOMES[name]}"), name)
