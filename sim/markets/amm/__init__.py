"""Automated market makers in exact integers: constant product (Uniswap V2), concentrated liquidity (Uniswap V3) and
StableSwap (Balancer V2 stable pools).

Every kind speaks its protocol's own dialect (add and remove, or mint, increase, decrease, collect) and shares one
adapter that agents and the economy use: `swap_exact_in`, `swap_exact_out`, `quote_exact_in`, `quote_exact_out`,
`price`, `log_price`, `amount_to_price`, `swap_to_price`, `arbitrage_target`, `depth`, `provide`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.markets.amm.concentrated.pool import ConcentratedPool
    from sim.markets.amm.constant_product import ConstantProductPool
    from sim.markets.amm.stableswap.pool import StableSwapPool

_HOMES = {
    "ConcentratedPool": "concentrated.pool",
    "ConstantProductPool": "constant_product",
    "StableSwapPool": "stableswap.pool",
}

__all__ = ["ConcentratedPool", "ConstantProductPool", "StableSwapPool"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.markets.amm' has no attribute {name!r}")
    return getattr(import_module(f"sim.markets.amm.{_HOMES[name]}"), name)
