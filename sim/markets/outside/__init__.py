"""The outside reference market: exogenous prices, and the decaying impact of this economy's trades on them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.markets.outside.market import OutsideMarket
    from sim.markets.outside.records import Cause, Causes, Kernel, OutsideToken, OutsideTrade
    from sim.markets.outside.volatility import RealisedVolatility

_HOMES = {
    "Cause": "records",
    "Causes": "records",
    "Kernel": "records",
    "OutsideMarket": "market",
    "OutsideToken": "records",
    "OutsideTrade": "records",
    "RealisedVolatility": "volatility",
}

__all__ = ["Cause", "Causes", "Kernel", "OutsideMarket", "OutsideToken", "OutsideTrade", "RealisedVolatility"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.markets.outside' has no attribute {name!r}")
    return getattr(import_module(f"sim.markets.outside.{_HOMES[name]}"), name)
