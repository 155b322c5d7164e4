"""Results to DataFrames in the shape that charts draw: long, thinned, binned beforehand, times in milliseconds UTC."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.results.facts import executed, names
from sim.results.report.thinning import POINTS, thin

BARS = 72
MOST_ROWS = 4000
_LENGTHS = (12, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 604_800)


def times(metrics: pd.DataFrame) -> np.ndarray:
    """Time of each row in milliseconds since 1970 UTC; the step number where no time is recorded."""
    column = "timestamp" if "timestamp" in metrics else "step"
    return metrics[column].to_numpy(dtype=float) * 1000.0


def long(metrics: pd.DataFrame, series: Mapping[str, np.ndarray], points: int = POINTS) -> pd.DataFrame:
    """Columns `time`, `series`, `value`: each series thinned by itself."""
    at = times(metrics)
    points = min(points, MOST_ROWS // max(1, len(series)))
    parts = []
    for name, values in series.items():
        rows = thin(values, points)
        part = pd.DataFrame({"time": at[rows], "series": name, "value": values[rows]})
        parts.append(part[np.isfinite(part["value"])])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"time": [], "series": [], "value": []})


def per_name(metrics: pd.DataFrame, what: str, keep: Sequence[str] | None = None) -> dict[str, np.ndarray]:
    """The columns `what.NAME` by name."""
    chosen = names(metrics, what) if keep is None else [name for name in keep if f"{what}.{name}" in metrics]
    return {name: metrics[f"{what}.{name}"].to_numpy(dtype=float) for name in chosen}


def in_usd(metrics: pd.DataFrame, what: str) -> dict[str, np.ndarray]:
    """The columns `what.NAME`, counted in tokens, at the oracle price of their time."""
    found = {}
    for name, tokens in per_name(metrics, what).items():
        column = next((f"{word}_usd.{name}" for word in ("oracle", "outside") if f"{word}_usd.{name}" in metrics), None)
        if column is not None:
            found[name] = tokens * metrics[column].to_numpy(dtype=float)
    return found


def price_series(metrics: pd.DataFrame, manifest: Mapping[str, Any], asset: str) -> dict[str, np.ndarray]:
    """Price of one asset in USD: asked, outside market, oracle, and in each AMM that trades it."""
    series = {}
    for word, column in (("outside market", "outside_usd"), ("oracle", "oracle_usd"), ("asked", "exogenous_usd")):
        if f"{column}.{asset}" in metrics:
            series[word] = metrics[f"{column}.{asset}"].to_numpy(dtype=float)
    pools = (manifest.get("scenario") or {}).get("amms") or {}
    for name in names(metrics, "amm_price"):
        pair = pools.get(name) or {}
        tokens = (pair.get("token0"), pair.get("token1"))
        other = tokens[1] if tokens[0] == asset else tokens[0]
        if asset not in tokens or f"outside_usd.{other}" not in metrics or "AMM" in series:
            continue
        ratio = metrics[f"amm_price.{name}"].to_numpy(dtype=float)
        ratio = ratio if tokens[0] == asset else 1.0 / ratio
        series["AMM"] = ratio * metrics[f"outside_usd.{other}"].to_numpy(dtype=float)
    return series


def impact_by_cause(metrics: pd.DataFrame, asset: str) -> dict[str, np.ndarray]:
    """Log displacement of the outside price by cause, negative where the price was pushed down.

    The recorded sign is settled by the prices: the causes together must explain ln(outside / asked).
    """
    prefix = f"impact.{asset}."
    chosen = [str(name) for name in metrics.columns if str(name).startswith(prefix)]
    causes = {name[len(prefix) :]: metrics[name].to_numpy(dtype=float) for name in chosen}
    causes = {cause: values for cause, values in causes.items() if np.nanmax(np.abs(values), initial=0.0) > 1e-7}
    if not causes or f"outside_usd.{asset}" not in metrics or f"exogenous_usd.{asset}" not in metrics:
        return causes
    total = np.sum(list(causes.values()), axis=0)
    ratio = metrics[f"outside_usd.{asset}"].to_numpy(dtype=float) / metrics[f"exogenous_usd.{asset}"].to_numpy(
        dtype=float
    )
    moved = np.log(ratio)
    sign = 1.0 if np.nansum(np.abs(moved - total)) <= np.nansum(np.abs(moved + total)) else -1.0
    return {cause: sign * values for cause, values in causes.items()}


def bar_seconds(metrics: pd.DataFrame, bars: int = BARS) -> float:
    """A round length of time of which at most that many make the run."""
    at = times(metrics) / 1000.0
    length = float(at[-1] - at[0]) if len(at) > 1 else 1.0
    return next((float(size) for size in _LENGTHS if length / size <= bars), length / bars)


def liquidation_bars(metrics: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Debt repaid per stretch of time and collateral asset: `start`, `end`, `series`, `value`."""
    split = executed(events, "liquidation")
    done = split[0] if split else pd.DataFrame()
    columns = ["start", "end", "series", "value"]
    if not len(done) or "debt_repaid_usd" not in done:
        return pd.DataFrame({name: [] for name in columns})
    size = bar_seconds(metrics) * 1000.0
    first = times(metrics)[0]
    at = done["timestamp"].to_numpy(dtype=float) * 1000.0 if "timestamp" in done else _event_times(metrics, done)
    start = first + np.floor((at - first) / size) * size
    asset = done["collateral_asset"].fillna("?").astype(str) if "collateral_asset" in done else "all"
    frame = pd.DataFrame({"start": start, "series": asset, "value": done["debt_repaid_usd"].to_numpy(dtype=float)})
    summed = frame.groupby(["start", "series"], sort=True)["value"].sum().reset_index()
    summed["end"] = summed["start"] + size
    return summed[columns]


def _event_times(metrics: pd.DataFrame, events: pd.DataFrame) -> np.ndarray:
    place = np.searchsorted(metrics["step"].to_numpy(), events["step"].to_numpy(dtype=float))
    return times(metrics)[np.clip(place, 0, len(metrics) - 1)]


def running_total(metrics: pd.DataFrame, bars: pd.DataFrame) -> pd.DataFrame:
    """`time`, `value`: the sum of all bars so far, from the first moment of the run to the last."""
    by_time = bars.groupby("end", sort=True)["value"].sum()
    at = times(metrics)
    ends = np.concatenate([[at[0]], by_time.index.to_numpy(dtype=float), [at[-1]]])
    total = np.concatenate([[0.0], np.cumsum(by_time.to_numpy()), [by_time.sum()]])
    order = np.argsort(ends, kind="stable")
    return pd.DataFrame({"time": np.minimum(ends[order], max(at[-1], ends.max())), "value": total[order]})


def liquidation_marks(metrics: pd.DataFrame, events: pd.DataFrame, assets: Sequence[str], price: str) -> pd.DataFrame:
    """`time`, `value` (price then), `usd`, `count`: liquidations that seized one of the assets, per stretch of time."""
    split = executed(events, "liquidation")
    empty = pd.DataFrame({"time": [], "value": [], "usd": [], "count": []})
    if split is None or "collateral_asset" not in split[0] or f"oracle_usd.{price}" not in metrics:
        return empty
    done = split[0][split[0]["collateral_asset"].isin(list(assets))]
    if not len(done):
        return empty
    place = np.clip(np.searchsorted(metrics["step"], done["step"].to_numpy(dtype=float)), 0, len(metrics) - 1)
    at = times(metrics)
    size = bar_seconds(metrics, 2 * BARS) * 1000.0
    frame = pd.DataFrame(
        {
            "bucket": np.floor((at[place] - at[0]) / size),
            "time": at[place],
            "value": metrics[f"oracle_usd.{price}"].to_numpy(dtype=float)[place],
            "usd": done["debt_repaid_usd"].fillna(0.0).to_numpy(dtype=float),
        }
    )
    grouped = frame.groupby("bucket", sort=True)
    return pd.DataFrame(
        {
            "time": grouped["time"].mean().to_numpy(),
            "value": grouped["value"].min().to_numpy(),
            "usd": grouped["usd"].sum().to_numpy(),
            "count": grouped.size().to_numpy(),
        }
    )


def stretches(metrics: pd.DataFrame, column: str, how: str) -> pd.DataFrame:
    """`start`, `end`, `value`: a column per stretch of time, its highest ("max") or its sum ("sum")."""
    size = bar_seconds(metrics) * 1000.0
    at = times(metrics)
    start = at[0] + np.floor((at - at[0]) / size) * size
    values = pd.Series(metrics[column].to_numpy(dtype=float)).groupby(start).agg(how)
    begun = values.index.to_numpy(dtype=float)
    return pd.DataFrame({"start": begun, "end": begun + size, "value": values.to_numpy()})


HEALTH_LOW, HEALTH_HIGH, HEALTH_WIDTH = 0.8, 3.0, 0.05


def health_by_value(positions: pd.DataFrame) -> pd.DataFrame:
    """`when`, `low`, `high`, `value`: debt in USD per stretch of health factor, for the first, worst and last snapshot.

    Health factors under the range drawn are in its first stretch; those above it are left out.
    """
    cells = round((HEALTH_HIGH - HEALTH_LOW) / HEALTH_WIDTH)
    edges = HEALTH_LOW + HEALTH_WIDTH * np.arange(cells + 1)
    parts = []
    for when in ("first", "worst", "last"):
        rows = positions[(positions["when"] == when) & (positions["debt_usd"] > 0)]
        rows = rows[rows["health_factor"] < HEALTH_HIGH]
        if not len(rows):
            continue
        health = np.maximum(rows["health_factor"].to_numpy(dtype=float), HEALTH_LOW)
        place = np.minimum(np.floor((health - HEALTH_LOW) / HEALTH_WIDTH + 1e-9).astype(int), cells - 1)
        value = np.bincount(place, weights=rows["debt_usd"].to_numpy(dtype=float), minlength=cells)
        parts.append(pd.DataFrame({"when": when, "low": edges[:-1], "high": edges[1:], "value": value}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"when": []})


def debt_at(positions: pd.DataFrame, when: str, low: float, high: float) -> float:
    """Debt in USD with a health factor from `low` to under `high` in a snapshot."""
    health = positions["health_factor"]
    rows = positions[(positions["when"] == when) & (health >= low) & (health < high)]
    return math.fsum(rows["debt_usd"].dropna())


PARTS = {"liquidation_usd": "liquidations", "trading_usd": "trades", "interest_usd": "interest", "gas_usd": "gas"}


def profit_by_kind(agents: pd.DataFrame) -> pd.DataFrame:
    """`kind`, `part`, `value`: what each kind of agent gained or lost, price changes of what they held left out."""
    rows = [
        {"kind": str(kind), "part": word, "value": math.fsum(group[column].dropna())}
        for kind, group in agents.groupby("kind", sort=True)
        for column, word in PARTS.items()
        if column in group
    ]
    return pd.DataFrame(rows, columns=["kind", "part", "value"])


def largest_liquidations(events: pd.DataFrame, rows: int = 12) -> pd.DataFrame:
    """The executed liquidations that repaid most, largest first."""
    split = executed(events, "liquidation")
    if split is None or "debt_repaid_usd" not in split[0]:
        return pd.DataFrame()
    done = split[0].assign(size=split[0]["debt_repaid_usd"].fillna(0.0))
    return done.sort_values(["size", "event_id"], ascending=[False, True]).drop(columns="size").head(rows)


def deficits_usd(metrics: pd.DataFrame) -> dict[str, np.ndarray]:
    """Bad debt per reserve in USD, of the reserves that have any."""
    return {name: values for name, values in in_usd(metrics, "deficit").items() if np.nanmax(values, initial=0.0) > 0}
