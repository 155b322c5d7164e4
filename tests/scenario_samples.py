"""A small complete scenario as plain data, and parameter classes of two kinds, for tests of the scenario system."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import model_validator

from scenarios.schema import Section, Sequence, Table, Whole, field


class WatcherParameters(Section):
    """A kind with a required value, a default, and names that must be known."""

    debt_usd_median: float = field(..., "Median debt", unit="USD", gt=0)
    look_seconds: float = field(
        1_800.0, "Mean time between looks", unit="s", source="assumption", plausible=(600, 7_200)
    )
    collateral: Table[str, float] = field(..., "Weights of the collateral", refers_to="asset")
    emode: Whole = field(0, "E-mode category, 0 for none", refers_to="emode", ge=0, le=255)
    pools: Sequence[str] = field((), "Pools traded on", refers_to="amm")


class PairParameters(Section):
    """A kind with a rule of its own."""

    low: float = field(0.0, "Lower end")
    high: float = field(1.0, "Upper end")

    @model_validator(mode="after")
    def _ordered(self) -> PairParameters:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Agent:
    """A class as a user might write it."""

    Parameters = PairParameters


class AgentWithoutParameters:
    """A class that lacks what a kind needs."""


KINDS: dict[str, Any] = {"watcher": WatcherParameters, "pair": PairParameters}

DATA: dict[str, Any] = {
    "name": "sample",
    "run": {"horizon_seconds": 600},
    "assets": {
        "ETH": {"price_usd": 1_000.0},
        "stETH": {"kind": "ratio", "base": "ETH", "ratio": 1.1},
        "USD": {"decimals": 6, "price_usd": 1},
    },
    "oracle": {"feeds": {"ETH": {}, "stETH": {"kind": "ratio"}, "USD": {"kind": "fixed", "price_usd": 1.0}}},
    "gas": {"price_asset": "ETH"},
    "pool": {
        "reserves": {
            "ETH": {"ltv": 0.8, "liquidation_threshold": 0.83, "liquidation_bonus": 0.05},
            "stETH": {"ltv": 0.75, "liquidation_threshold": 0.79, "liquidation_bonus": 0.06},
            "USD": {},
        },
        "emodes": {
            "1": {
                "ltv": 0.93,
                "liquidation_threshold": 0.95,
                "liquidation_bonus": 0.01,
                "collateral": ["ETH", "stETH"],
                "borrowable": ["ETH"],
            }
        },
    },
    "amms": {
        "ETH-USD": {
            "kind": "concentrated",
            "token0": "ETH",
            "token1": "USD",
            "fee_pips": 500,
            "tick_spacing": 10,
            "liquidity_usd": 1e6,
            "ranges": [{"width_ratio": 0.1, "share": 0.5}, {"width_ratio": 1.0, "share": 0.5}],
        }
    },
    "populations": {
        "watchers": {"kind": "watcher", "count": 10, "debt_usd_median": 5_000, "collateral": {"ETH": 1.0}},
        "pairs": {"kind": "pair", "count": 3},
    },
}


def sample(**changes: Any) -> dict[str, Any]:
    """The sample with values at dotted paths (`__` for the dot) set, or removed where the value is None."""
    data = copy.deepcopy(DATA)
    for path, value in changes.items():
        *above, last = path.split("__")
        here = data
        for key in above:
            here = here.setdefault(key, {})
        if value is None:
            here.pop(last, None)
        else:
            here[last] = value
    return data


def toml_of(data: dict[str, Any], prefix: str = "") -> str:
    """Plain data as TOML text, tables by header."""
    from scenarios.writing import toml_value

    lines = [f'"{key}" = {toml_value(value)}' for key, value in data.items() if not isinstance(value, dict)]
    for key, value in data.items():
        if isinstance(value, dict):
            lines += [f'[{prefix}"{key}"]', toml_of(value, f'{prefix}"{key}".')]
    return "\n".join(lines)
