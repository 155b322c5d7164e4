"""The ladder: how much debt becomes liquidatable at each fall of the prices, before anybody reacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sim.results.facts import names, price_at

STEP, DEEPEST = 0.02, 0.60


def falling_assets(metrics: pd.DataFrame, manifest: Mapping[str, Any]) -> list[str]:
    """Assets that fall together on the ladder: those whose feed is not fixed and whose price is not held near 1 USD."""
    feeds = ((manifest.get("scenario") or {}).get("oracle") or {}).get("feeds") or {}
    chosen = []
    for asset in names(metrics, "oracle_usd"):
        fixed = (feeds.get(asset) or {}).get("kind") == "fixed"
        if not fixed and not 0.8 < price_at(metrics, asset, 0) < 1.25:
            chosen.append(asset)
    return chosen


def ladder(positions: pd.DataFrame, metrics: pd.DataFrame, manifest: Mapping[str, Any]) -> pd.DataFrame | None:
    """`low`, `high` (fall of the prices), `value` (debt newly liquidatable, USD), `total`; None if it cannot be told.

    Health factor after a fall x of the falling assets: sum(supply x price x threshold) / sum(debt x price), with the
    thresholds of the scenario (of the account's e-mode where it applies). Each account's figure is scaled by what its
    recorded health factor says at x = 0, which accounts for supplies that do not count as collateral.
    """
    first = positions[(positions["when"] == "first") & (positions["debt_usd"] > 0)] if len(positions) else positions
    reserves = names(positions, "supply")
    pool = (manifest.get("scenario") or {}).get("pool") or {}
    if not len(first) or not reserves or not pool.get("reserves"):
        return None
    falling = set(falling_assets(metrics, manifest))
    fixed_value, moving_value = np.zeros((2, len(first))), np.zeros((2, len(first)))
    for reserve in reserves:
        price = price_at(metrics, reserve, 0)
        if not np.isfinite(price):
            return None
        threshold = _thresholds(first, pool, reserve)
        supplied = first[f"supply.{reserve}"].fillna(0.0).to_numpy(dtype=float) * price * threshold
        owed = np.zeros(len(first))
        if f"debt.{reserve}" in first:
            owed = first[f"debt.{reserve}"].fillna(0.0).to_numpy(dtype=float) * price
        (moving_value if reserve in falling else fixed_value)[:] += np.array([supplied, owed])
    recorded = first["health_factor"].to_numpy(dtype=float)
    backed, owed = fixed_value + moving_value
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where((owed > 0) & (backed > 0) & np.isfinite(recorded), recorded * owed / backed, np.nan)
    if not np.isfinite(scale).any() or np.nanmedian(np.abs(scale - 1.0)) > 0.05:
        return None
    falls = np.round(np.arange(0.0, DEEPEST + STEP / 2, STEP), 10)
    debt = first["debt_usd"].to_numpy(dtype=float)
    under = np.array([_under(fixed_value, moving_value, scale, fall) @ debt for fall in falls])
    under = np.maximum.accumulate(under)
    return pd.DataFrame({"low": falls[:-1], "high": falls[1:], "value": np.diff(under), "total": under[1:]})


def _thresholds(first: pd.DataFrame, pool: Mapping[str, Any], reserve: str) -> np.ndarray:
    own = float((pool["reserves"].get(reserve) or {}).get("liquidation_threshold") or 0.0)
    found = np.full(len(first), own)
    if "emode" in first:
        category = first["emode"].fillna(0).to_numpy(dtype=int)
        for number, terms in (pool.get("emodes") or {}).items():
            if reserve in (terms.get("collateral") or ()):
                found[category == int(number)] = float(terms["liquidation_threshold"])
    return found


def _under(fixed: np.ndarray, moving: np.ndarray, scale: np.ndarray, fall: float) -> np.ndarray:
    backed, owed = fixed + moving * (1.0 - fall)
    return (np.nan_to_num(backed * scale, nan=np.inf) < owed).astype(float)
