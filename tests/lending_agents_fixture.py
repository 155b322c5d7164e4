"""A market of two assets without frictions, for worked examples of the lending pool's agents."""

from __future__ import annotations

from typing import Any

from agents.registry import kinds
from scenarios import load
from sim.economy import Economy

DAY = 86_400

MARKET: dict[str, Any] = {
    "name": "worked-example",
    "run": {"start": "2025-07-03T00:00:00Z", "horizon_seconds": DAY, "step_seconds": 300, "audit_every_steps": 1},
    "assets": {
        "WETH": {"decimals": 18, "price_usd": 1000.0, "depth_2pct": 1e9},
        "USDC": {"decimals": 6, "price_usd": 1.0},
    },
    "oracle": {
        "latency_blocks": 0,
        "feeds": {"WETH": {"kind": "market", "deviation_ratio": 0.0}, "USDC": {"kind": "fixed", "price_usd": 1.0}},
    },
    "mechanisms": {"gas": False, "oracle_lag": False},
    "pool": {
        "reserves": {
            "WETH": {"ltv": 0.75, "liquidation_threshold": 0.80, "liquidation_bonus": 0.05},
            "USDC": {"optimal_utilisation": 0.9, "slope1_per_year": 0.05, "slope2_per_year": 0.6},
        }
    },
    "amms": {
        "WETH-USDC": {
            "kind": "concentrated", "token0": "WETH", "token1": "USDC", "fee_pips": 500, "tick_spacing": 10,
            "liquidity_usd": 1e9,
        }
    },
}  # fmt: skip


def economy(populations: dict[str, Any], *, seed: int = 1, **overrides: Any) -> Economy:
    """An economy of these populations; overrides are dotted paths with `__` for the dot."""
    changes = {key.replace("__", "."): value for key, value in overrides.items()}
    return Economy(load(MARKET | {"populations": populations}, changes, kinds=kinds()), seed=seed)


def position(**amounts: Any) -> dict[str, Any]:
    """One stated position: `supply={"WETH": 1.0}`, `debt={"USDC": 500.0}`."""
    return {
        "kind": "position",
        "count": 1,
        "supply_tokens": amounts.get("supply", {}),
        "debt_tokens": amounts.get("debt", {}),
    }


def run(populations: dict[str, Any], **overrides: Any) -> tuple[Economy, dict[str, Any]]:
    """Run to the end; the economy is closed, its tables are returned."""
    with economy(populations, **overrides) as made:
        made.run()
        return made, made.finish()
