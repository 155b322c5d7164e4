"""The figures of one run, computed from its tables: plain values, ready for JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Frames = Mapping[str, "pd.DataFrame"]
TOP = 3
EARNED = ("liquidation_usd", "trading_usd", "interest_usd", "gas_usd")
NOT_EARNED = ("price_usd", "other_usd")


def facts(frames: Frames, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of a run. Prices in USD, rates per year, ratios as fractions, times as seconds since 1970 UTC."""
    metrics = frames["metrics"]
    return {
        "run": _run(metrics, manifest),
        "prices": prices(metrics),
        "liquidations": liquidations(metrics, frames.get("events")),
        "deficit": deficit(metrics),
        "utilisation": utilisation(metrics, manifest),
        "gas": gas(metrics, frames.get("events")),
        "agents": agents(frames.get("agents")),
        "audit": manifest.get("audit"),
        "content_hash": manifest.get("content_hash"),
    }


def names(metrics: pd.DataFrame, what: str) -> list[str]:
    """Symbols or names that have a column `what.NAME`, in recorded order."""
    return [column.partition(".")[2] for column in metrics.columns if column.startswith(f"{what}.")]


def step_seconds(metrics: pd.DataFrame) -> float:
    """Simulated time between two rows."""
    if "timestamp" not in metrics or len(metrics) < 2:
        return 0.0
    return float(np.median(np.diff(metrics["timestamp"].to_numpy(dtype=float))))


def _run(metrics: pd.DataFrame, manifest: Mapping[str, Any]) -> dict[str, Any]:
    steps = len(metrics)
    blocks = int(metrics["block"].iloc[-1] - metrics["block"].iloc[0]) if steps > 1 and "block" in metrics else steps
    if steps > 1 and "block" in metrics:
        blocks += round(blocks / (steps - 1))
    wall = manifest.get("wall_seconds")
    versions = manifest.get("versions") or {}
    return {
        "name": manifest.get("name"),
        "title": manifest.get("title"),
        "seed": manifest.get("seed"),
        "state": manifest.get("state"),
        "runs": 1,
        "steps": steps,
        "blocks": blocks,
        "from": _at(metrics, 0),
        "to": _at(metrics, -1),
        "seconds": (_at(metrics, -1) or 0) - (_at(metrics, 0) or 0) + step_seconds(metrics),
        "wall_seconds": wall,
        "blocks_per_second": blocks / wall if wall else None,
        "version": versions.get("undertow"),
        "started_at": manifest.get("started_at"),
    }


def _at(metrics: pd.DataFrame, row: int) -> int | None:
    return int(metrics["timestamp"].iloc[row]) if "timestamp" in metrics and len(metrics) else None


def highest(metrics: pd.DataFrame, column: str) -> int | None:
    """Row of the largest value in a column (the first of equals); None without column or values."""
    if column not in metrics:
        return None
    values = metrics[column].to_numpy(dtype=float)
    return int(np.nanargmax(values)) if np.isfinite(values).any() else None


def drawdown(values: np.ndarray) -> float:
    """Largest fall from an earlier high, as a fraction of that high (0 if it never falls)."""
    values = values[np.isfinite(values) & (values > 0.0)]
    if not len(values):
        return math.nan
    return float(np.max(1.0 - values / np.maximum.accumulate(values)))


def prices(metrics: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Per asset that moved: price asked by the scenario against the prices reached outside and in the oracle."""
    found = {}
    for asset in names(metrics, "exogenous_usd"):
        asked = metrics[f"exogenous_usd.{asset}"].to_numpy(dtype=float)
        series = {"asked": asked}
        for word in ("outside", "oracle"):
            if f"{word}_usd.{asset}" in metrics:
                series[word] = metrics[f"{word}_usd.{asset}"].to_numpy(dtype=float)
        series = {word: values for word, values in series.items() if np.isfinite(values).any()}
        if "asked" not in series or max(_spread(values) for values in series.values()) < 1e-6:
            continue
        entry: dict[str, Any] = {"start_usd": float(asked[0]), "end_usd": float(asked[-1])}
        for word, values in series.items():
            low = int(np.nanargmin(values))
            entry[f"{word}_low_usd"] = float(values[low])
            entry[f"{word}_low_at"] = _at(metrics, low)
            entry[f"{word}_drawdown_ratio"] = drawdown(values)
        if "outside" in series:
            entry["extra_drawdown_ratio"] = entry["outside_drawdown_ratio"] - entry["asked_drawdown_ratio"]
        found[asset] = entry
    return found


def _spread(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.max() / values.min() - 1.0) if len(values) and values.min() > 0 else 0.0


def executed(events: pd.DataFrame | None, kind: str) -> Any:
    """Events of a kind as (executed, reverted), each a DataFrame; None without an events table."""
    if events is None or "kind" not in events:
        return None
    chosen = events[events["kind"] == kind]
    ok = chosen["ok"].fillna(False).astype(bool) if "ok" in chosen else np.ones(len(chosen), dtype=bool)
    return chosen[ok], chosen[~ok]


def liquidations(metrics: pd.DataFrame, events: pd.DataFrame | None) -> dict[str, Any]:
    """How many, how much, by pair, the largest; and the worst moment of debt that could be liquidated."""
    found: dict[str, Any] = {
        "count": int(_sum(metrics, "liquidations")),
        "debt_repaid_usd": _sum(metrics, "liquidated_usd"),
    }
    peak = highest(metrics, "liquidatable_usd")
    if peak is not None:
        found["peak_liquidatable_usd"] = float(metrics["liquidatable_usd"].iloc[peak])
        found["peak_liquidatable_at"] = _at(metrics, peak)
    split = executed(events, "liquidation")
    if split is None:
        return found
    done, reverted = split
    found |= {
        "count": len(done),
        "debt_repaid_usd": _sum(done, "debt_repaid_usd"),
        "collateral_usd": _sum(done, "collateral_usd"),
        "bonus_usd": _sum(done, "bonus_usd"),
        "accounts": int(done["account"].nunique()) if "account" in done else 0,
        "reverted": len(reverted),
        "reverted_reasons": _counts(reverted, "reason"),
        "by_pair": _pairs(done),
    }
    if len(done) and "debt_repaid_usd" in done:
        largest = done.loc[done["debt_repaid_usd"].astype(float).idxmax()]
        keys = (
            "event_id",
            "timestamp",
            "account",
            "collateral_asset",
            "debt_asset",
            "debt_repaid_usd",
            "collateral_usd",
        )
        found["largest"] = {key: _plain(largest[key]) for key in keys if key in largest}
    return found


def _pairs(done: pd.DataFrame) -> list[dict[str, Any]]:
    if not len(done) or not {"collateral_asset", "debt_asset", "debt_repaid_usd"} <= set(done.columns):
        return []
    repaid = done["debt_repaid_usd"].to_numpy(dtype=float)
    pairs: dict[tuple[str, str], list[float]] = {}
    for collateral, debt, usd in zip(done["collateral_asset"], done["debt_asset"], repaid, strict=True):
        pairs.setdefault((str(collateral), str(debt)), []).append(float(usd))
    rows = [
        {"collateral_asset": collateral, "debt_asset": debt, "count": len(usd), "debt_repaid_usd": math.fsum(usd)}
        for (collateral, debt), usd in pairs.items()
    ]
    return sorted(rows, key=lambda row: (-row["debt_repaid_usd"], row["collateral_asset"], row["debt_asset"]))


def deficit(metrics: pd.DataFrame) -> dict[str, Any]:
    """Debt written off per reserve, at the last oracle price, and in total."""
    by_reserve = {}
    for reserve in names(metrics, "deficit"):
        tokens = _last(metrics, f"deficit.{reserve}")
        if tokens:
            by_reserve[reserve] = {"tokens": tokens, "usd": tokens * price_at(metrics, reserve, -1)}
    total = math.fsum(entry["usd"] for entry in by_reserve.values())
    return {"by_reserve": by_reserve, "total_usd": total}


def price_at(metrics: pd.DataFrame, asset: str, row: int) -> float:
    """Oracle price in that row; outside or asked price where no oracle price is recorded; else NaN."""
    for word in ("oracle", "outside", "exogenous"):
        column = f"{word}_usd.{asset}"
        if column in metrics and len(metrics):
            return float(metrics[column].iloc[row])
    return math.nan


def kink(manifest: Mapping[str, Any], reserve: str) -> float | None:
    """Utilisation at the kink of a reserve's rate curve, from the scenario."""
    pool = (manifest.get("scenario") or {}).get("pool") or {}
    value = (pool.get("reserves") or {}).get(reserve, {}).get("optimal_utilisation")
    return float(value) if isinstance(value, int | float) else None


def utilisation(metrics: pd.DataFrame, manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Per reserve: highest utilisation and when, time above the kink, highest borrow rate and when."""
    found = {}
    for reserve in names(metrics, "utilisation"):
        used = metrics[f"utilisation.{reserve}"].to_numpy(dtype=float)
        peak = highest(metrics, f"utilisation.{reserve}")
        if peak is None or used[peak] <= 0:
            continue
        bend = kink(manifest, reserve)
        entry: dict[str, Any] = {
            "peak_ratio": float(used[peak]),
            "peak_at": _at(metrics, peak),
            "end_ratio": float(used[-1]),
        }
        entry["kink_ratio"] = bend
        above = float(np.count_nonzero(used > bend)) * step_seconds(metrics) if bend is not None else None
        entry["seconds_above_kink"] = above
        top = highest(metrics, f"borrow_rate.{reserve}")
        if top is not None:
            rate = float(metrics[f"borrow_rate.{reserve}"].iloc[top])
            entry |= {"peak_borrow_rate_per_year": rate, "peak_borrow_rate_at": _at(metrics, top)}
        found[reserve] = entry
    return found


def gas(metrics: pd.DataFrame, events: pd.DataFrame | None) -> dict[str, Any]:
    """Base fee (median, highest and when), and gas that the agents paid, in ETH and in USD at the price of its time."""
    found: dict[str, Any] = {}
    peak = highest(metrics, "base_fee_gwei")
    if peak is not None:
        fees = metrics["base_fee_gwei"].to_numpy(dtype=float)
        found = {"median_base_fee_gwei": float(np.nanmedian(fees)), "peak_base_fee_gwei": float(fees[peak])}
        found["peak_base_fee_at"] = _at(metrics, peak)
    if events is not None and "gas_paid_eth" in events:
        paid = events["gas_paid_eth"].to_numpy(dtype=float)
        found["paid_eth"] = float(np.nansum(paid))
        eth = next((name for name in ("outside_usd.ETH", "outside_usd.WETH") if name in metrics), None)
        if eth is not None and "step" in events and len(metrics):
            place = np.searchsorted(metrics["step"].to_numpy(), events["step"].to_numpy(dtype=float))
            at = metrics[eth].to_numpy(dtype=float)[np.clip(place, 0, len(metrics) - 1)]
            found["paid_usd"] = float(np.nansum(paid * at))
    return found


def agents(table: pd.DataFrame | None) -> dict[str, Any]:
    """Profit by kind, and who won and lost most by what they did: liquidations, trades, interest, gas."""
    if table is None or not len(table) or "profit_usd" not in table:
        return {"by_kind": {}, "winners": [], "losers": []}
    parts = [name for name in (*EARNED, *NOT_EARNED) if name in table]
    frame = table.copy()
    frame["earned_usd"] = np.zeros(len(frame))
    for name in EARNED:
        if name in parts:
            frame["earned_usd"] += frame[name].fillna(0.0)
    by_kind = {}
    for kind, rows in frame.groupby("kind", sort=True):
        entry = {"agents": len(rows)}
        by_kind[str(kind)] = entry | {name: _sum(rows, name) for name in ("profit_usd", "earned_usd", *parts)}
    ordered = frame.sort_values(["earned_usd", "account"], ascending=[False, True])
    return {
        "by_kind": by_kind,
        "winners": [_agent(row) for row in ordered.head(TOP).to_dict("records") if row["earned_usd"] > 0],
        "losers": [_agent(row) for row in ordered.iloc[::-1].head(TOP).to_dict("records") if row["earned_usd"] < 0],
    }


def _agent(row: Mapping[Any, Any]) -> dict[str, Any]:
    keys = ("account", "population", "kind", "profit_usd", "earned_usd", *EARNED, *NOT_EARNED)
    return {key: _plain(row[key]) for key in keys if key in row}


def _counts(rows: pd.DataFrame, column: str) -> dict[str, int]:
    if column not in rows or not len(rows):
        return {}
    counted = rows[column].fillna("unknown").astype(str).value_counts()
    return {str(word): int(times) for word, times in sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))}


def _sum(frame: pd.DataFrame, column: str) -> float:
    return math.fsum(frame[column].dropna().to_numpy(dtype=float)) if column in frame else 0.0


def _last(frame: pd.DataFrame, column: str) -> float:
    values = frame[column].to_numpy(dtype=float)
    return float(values[-1]) if len(values) and math.isfinite(values[-1]) else 0.0


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
