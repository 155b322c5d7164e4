"""Lending pool with the rules of Aave V3.6: `LendingPool`, its parameters and its results."""

from sim.markets.lending.constants import MAX, RAY, WAD
from sim.markets.lending.liquidation import LIQUIDATION_RULES, LiquidationRules
from sim.markets.lending.pool import LendingPool
from sim.markets.lending.rates import RateModel, TwoSlopeRates
from sim.markets.lending.records import AccountData, EModeParameters, Liquidation, ReserveParameters, ReserveTotals

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
