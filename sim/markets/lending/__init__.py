"""Lending pool with the rules of Aave V3.6, in exact integers: `LendingPool`, its parameters and its results."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.markets.lending.constants import MAX, RAY, WAD
    from sim.markets.lending.liquidation import LIQUIDATION_RULES, LiquidationRules
    from sim.markets.lending.pool import LendingPool
    from sim.markets.lending.rates import RateModel, TwoSlopeRates
    from sim.markets.lending.records import AccountData, EModeParameters, Liquidation, ReserveParameters, ReserveTotals

_HOMES = {
    "LIQUIDATION_RULES": "liquidation",
    "MAX": "constants",
    "RAY": "constants",
    "WAD": "constants",
    "AccountData": "records",
    "EModeParameters": "records",
    "LendingPool": "pool",
    "Liquidation": "records",
    "LiquidationRules": "liquidation",
    "RateModel": "rates",
    "ReserveParameters": "records",
    "ReserveTotals": "records",
    "TwoSlopeRates": "rates",
}

__all__ = [
    "LIQUIDATION_RULES",
    "MAX",
    "RAY",
    "WAD",
    "AccountData",
    "EModeParameters",
    "LendingPool",
    "Liquidation",
    "LiquidationRules",
    "RateModel",
    "ReserveParameters",
    "ReserveTotals",
    "TwoSlopeRates",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.markets.lending' has no attribute {name!r}")
    return getattr(import_module(f"sim.markets.lending.{_HOMES[name]}"), name)
