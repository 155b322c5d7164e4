"""The outcomes of one run: the figures that studies are about, each with its unit and definition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.results.facts import drawdown

#: Name: (unit, definition). Where a run's tables lack what a figure is made of, it is NaN.
OUTCOMES: dict[str, tuple[str, str]] = {
    "liquidated_usd": ("USD", "debt repaid by liquidators, at the oracle prices of its time"),
    "liquidations": ("", "number of liquidations"),
    "liquidated_accounts": ("", "number of accounts liquidated at least once"),
    "deficit_usd": (
        "USD",
        "debt written off for which no collateral was left, at the last oracle prices; under rules that book no deficit"
        " (V2, V3.0) the same as bad_debt_usd",
    ),
    "bad_debt_usd": ("USD", "what the debts that stand at the end exceed their collateral by, at oracle prices"),
    "peak_liquidatable_usd": ("USD", "largest debt of accounts with a health factor under 1 at the end of a step"),
    "borrowed_start_usd": ("USD", "debt of all reserves after the first step, at oracle prices"),
    "borrowed_end_usd": ("USD", "debt of all reserves at the end, at oracle prices"),
    "supplied_end_usd": ("USD", "claims of all suppliers at the end, at oracle prices"),
    "peak_utilisation": ("", "highest utilisation of the main stable reserve"),
    "peak_base_fee_gwei": ("gwei", "highest base fee"),
    "waiting_withdrawals_peak_usd": ("USD", "largest sum of withdrawals that lenders wait for"),
    "gas_usd": ("USD", "gas that the agents paid, at the outside price of ETH of its time"),
    "lost_to_liquidation_usd": (
        "USD",
        "collateral seized less debt repaid, protocol fee included, at oracle prices: what liquidated borrowers lost",
    ),
}

#: One figure per asset, `drawdown.WETH`; a study's table leaves out assets that fell in no run.
DRAWDOWN = ("", "largest fall of the outside price from an earlier high, as a fraction of that high")

BOOKS_NO_DEFICIT = ("3.0", "2")
_MOVED = 1e-6
_STABLE = (0.9, 1.1)

Columns = Mapping[str, Any]


def outcomes(run: Any, scenario: Mapping[str, Any] | None = None) -> dict[str, float]:
    """All outcomes of a run: of its tables (name to columns), or of a `sim.results.Run`.

    `scenario` is the resolved scenario as plain values; a `Run` knows its own. A member of a study carries its outcomes
    in its manifest, because it may have been written without the tables they are made of.
    """
    if hasattr(run, "manifest"):
        stored = (run.manifest.get("study") or {}).get("outcomes")
        if stored is not None:
            return {name: math.nan if value in (None, "nan") else float(value) for name, value in stored.items()}
        scenario = run.manifest.get("scenario") or {}
        tables: Mapping[str, Any] = {name: run.frame(name) for name in run.tables}
    else:
        tables = run
    metrics, events = tables["metrics"], tables.get("events", {})
    found = dict.fromkeys(OUTCOMES, math.nan)
    if len(_numbers(metrics, "step")):
        found |= _of_metrics(metrics) | _of_events(events, metrics)
        found["bad_debt_usd"] = _bad_debt(tables.get("positions", {}))
        if str(((scenario or {}).get("pool") or {}).get("rules")) in BOOKS_NO_DEFICIT:
            found["deficit_usd"] = found["bad_debt_usd"]
        found |= _drawdowns(metrics)
    return found


def main_stable(metrics: Columns) -> str | None:
    """The main stable reserve: of those whose oracle price is within 10 % of a dollar, the one with the largest debt.

    Both in the first row. Without a stable one: the one with the largest debt in USD; None without any reserve.
    """
    debts = {name: _first(metrics, f"debt.{name}") * _price(metrics, name, 0) for name in reserves(metrics)}
    low, high = _STABLE
    stable = {name: usd for name, usd in debts.items() if low <= _price(metrics, name, 0) <= high}
    chosen = stable or debts
    return max(chosen, key=lambda name: (chosen[name], name)) if chosen else None


def reserves(metrics: Columns) -> list[str]:
    """Reserves that the metrics tell of, in recorded order."""
    return [name.partition(".")[2] for name in metrics if name.startswith("debt.")]


def _of_metrics(metrics: Columns) -> dict[str, float]:
    main = main_stable(metrics)
    return {
        "liquidated_usd": _sum(_numbers(metrics, "liquidated_usd")),
        "liquidations": _sum(_numbers(metrics, "liquidations")),
        "deficit_usd": _valued(metrics, "deficit", -1),
        "peak_liquidatable_usd": _highest(_numbers(metrics, "liquidatable_usd")),
        "borrowed_start_usd": _valued(metrics, "debt", 0),
        "borrowed_end_usd": _valued(metrics, "debt", -1),
        "supplied_end_usd": _valued(metrics, "supply", -1),
        "peak_utilisation": math.nan if main is None else _highest(_numbers(metrics, f"utilisation.{main}")),
        "peak_base_fee_gwei": _highest(_numbers(metrics, "base_fee_gwei")),
        "waiting_withdrawals_peak_usd": _highest(_numbers(metrics, "waiting_withdrawals_usd")),
    }


def _of_events(events: Columns, metrics: Columns) -> dict[str, float]:
    if "kind" not in events or "ok" not in events:
        return {}
    kind, ok = np.asarray(events["kind"], dtype=object), np.asarray(events["ok"], dtype=object)
    chosen = np.flatnonzero((kind == "liquidation") & (ok == True)) if len(kind) else np.zeros(0, dtype=int)  # noqa: E712
    accounts = _numbers(events, "account")[chosen]
    return {
        "liquidated_accounts": float(len(np.unique(accounts[np.isfinite(accounts)]))),
        "lost_to_liquidation_usd": _sum(_numbers(events, "bonus_usd")[chosen]),
        "gas_usd": _gas_usd(events, metrics),
    }


def _gas_usd(events: Columns, metrics: Columns) -> float:
    eth = next((name for name in ("outside_usd.ETH", "outside_usd.WETH") if name in metrics), None)
    if eth is None:
        return math.nan
    place = np.searchsorted(_numbers(metrics, "step"), _numbers(events, "step"))
    prices = _numbers(metrics, eth)
    return _sum(_numbers(events, "gas_paid_eth") * prices[np.clip(place, 0, len(prices) - 1)])


def _bad_debt(positions: Columns) -> float:
    if "when" not in positions:
        return math.nan
    last = np.flatnonzero(np.asarray(positions["when"], dtype=object) == "last")
    excess = _numbers(positions, "debt_usd")[last] - _numbers(positions, "collateral_usd")[last]
    return _sum(excess[excess > 0])


def _drawdowns(metrics: Columns) -> dict[str, float]:
    found = {}
    for asset in (name.partition(".")[2] for name in metrics if name.startswith("exogenous_usd.")):
        outside = _numbers(metrics, f"outside_usd.{asset}")
        fall = drawdown(outside if np.isfinite(outside).any() else _numbers(metrics, f"exogenous_usd.{asset}"))
        found[f"drawdown.{asset}"] = fall if fall > _MOVED else 0.0
    return found


def _valued(metrics: Columns, what: str, row: int) -> float:
    values = []
    for name in reserves(metrics):
        amounts = _numbers(metrics, f"{what}.{name}")
        if len(amounts) and math.isfinite(amounts[row]) and amounts[row]:
            values.append(float(amounts[row]) * _price(metrics, name, row))
    return math.fsum(values)


def _price(metrics: Columns, asset: str, row: int) -> float:
    for word in ("oracle", "outside", "exogenous"):
        prices = _numbers(metrics, f"{word}_usd.{asset}")
        if len(prices):
            return float(prices[row])
    return math.nan


def _numbers(table: Columns, name: str) -> np.ndarray:
    """A column as float64, missing values as NaN; empty where the table has none of that name."""
    if name not in table:
        return np.zeros(0)
    values = table[name]
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy(dtype=float, na_value=math.nan))
    return np.asarray(values, dtype=float)


def _first(table: Columns, name: str) -> float:
    values = _numbers(table, name)
    return float(values[0]) if len(values) and math.isfinite(values[0]) else 0.0


def _highest(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else math.nan


def _sum(values: np.ndarray) -> float:
    return math.fsum(values[np.isfinite(values)].tolist())
