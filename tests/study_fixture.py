"""A study's folder without a simulation: invented outcomes in the layout that `undertow batch` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import scenarios
from agents.registry import kinds
from sim.randomness import Randomness

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LOSSES = ("deficit_usd", "bad_debt_usd")


def outcomes(replicates: int, *, shift: float = 0.0, quiet: bool = False) -> dict[str, np.ndarray]:
    """Losses that are 0 in most runs and heavy-tailed in the others; the same seeds whatever the shift."""
    stream = Randomness(7).stream("study fixture")
    size = np.exp(1.2 * stream.standard_normal(replicates) + 13.0 + shift)
    hit = stream.random(replicates) < 0.3
    liquidated = np.exp(0.5 * stream.standard_normal(replicates) + 16.0 + shift)
    deficit = np.where(hit & (not quiet), size, 0.0)
    return {
        "liquidated_usd": liquidated,
        "liquidations": np.floor(liquidated / 2e5),
        "liquidated_accounts": np.floor(liquidated / 4e5),
        "deficit_usd": deficit,
        "bad_debt_usd": deficit * 1.1,
        "peak_liquidatable_usd": liquidated * 0.4,
        "borrowed_start_usd": np.full(replicates, 4e8),
        "borrowed_end_usd": 4e8 - liquidated,
        "supplied_end_usd": np.full(replicates, 9e8),
        "peak_utilisation": 0.8 + 0.15 * stream.random(replicates),
        "peak_base_fee_gwei": 5.0 + 100.0 * stream.random(replicates),
        "waiting_withdrawals_peak_usd": np.where(hit, 1e6, 0.0),
        "gas_usd": liquidated * 1e-4,
        "lost_to_liquidation_usd": liquidated * 0.06,
        "drawdown.WETH": 0.3 + 0.1 * stream.random(replicates),
    }


def write_study(
    folder: Path,
    replicates: int = 120,
    *,
    points: Sequence[Mapping[str, Any]] = ({},),
    shifts: Sequence[float] | None = None,
    assumed: Sequence[str] = (),
    failed: Sequence[int] = (),
    quiet: bool = False,
    members: bool = False,
    scenario: str = "cascade-by-hand",
) -> Path:
    """Write the folder; point k's losses are larger by exp(shifts[k]); `members` writes the runs' own folders too."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = list(dict.fromkeys(field for point in points for field in point))
    parts = []
    for number, point in enumerate(points):
        rows = pd.DataFrame(
            {
                "run": number * replicates + np.arange(replicates),
                "point": number,
                "replicate": np.arange(replicates),
                "seed": 1 + np.arange(replicates),
                "state": "done",
                "wall_seconds": 0.5,
                "content_hash": "0" * 64,
            }
        )
        for field in fields:
            rows[f"set.{field}"] = float(point[field]) if field in point else np.nan
        shift = shifts[number] if shifts else 0.0
        parts.append(rows.assign(**outcomes(replicates, shift=shift, quiet=quiet)))
    runs = pd.concat(parts, ignore_index=True)
    runs.loc[runs["run"].isin(list(failed)), "state"] = "failed"
    losing = runs["state"] == "failed"
    runs.loc[losing, list(outcomes(1))] = np.nan
    runs.to_parquet(folder / "runs.parquet")
    _fans(runs, points).to_parquet(folder / "fans.parquet")
    loaded = [scenarios.load(scenario, dict(point), kinds()) for point in points]
    manifest = {
        "format": 1,
        "kind": "study",
        "name": scenario,
        "title": loaded[0].title,
        "state": "done",
        "identity": "fixture",
        "n": len(runs),
        "content_hash": "1" * 64,
        "versions": {"undertow": "0.1.0"},
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:10:00Z",
        "wall_seconds": 600.0,
        "command": ["undertow", "batch", scenario, "--runs", str(replicates)],
        "scenario": loaded[0].as_dict(),
        "design": {"fields": fields, "assumptions": list(assumed)},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, default=str), encoding="utf-8")
    if members:
        _members(folder, runs, loaded)
    return folder


def _fans(runs: pd.DataFrame, points: Sequence[Any]) -> pd.DataFrame:
    rows = []
    metrics = {"utilisation.USDC": 0.9, "oracle_usd.WETH": 2500.0, "liquidated_usd": 1e7, "base_fee_gwei": 20.0}
    metrics |= {"liquidatable_usd": 4e6, "borrow_rate.USDC": 0.08}
    for point in range(len(points)):
        n = int((runs["point"] == point).sum())
        for name, size in metrics.items():
            for step in range(60):
                for level in QUANTILES:
                    value = size * (0.5 + 0.4 * step / 60.0 * (level - 0.3))
                    rows.append((point, step + 1, 60.0 * (step + 1), name, level, value, n))
    return pd.DataFrame(rows, columns=["point", "step", "seconds", "metric", "quantile", "value", "n"])


def _members(folder: Path, runs: pd.DataFrame, loaded: Sequence[Any]) -> None:
    for row in runs.itertuples():
        own = folder / "runs" / f"{row.run:06d}"
        own.mkdir(parents=True)
        scenario = loaded[int(row.point)]
        (own / "scenario.toml").write_text(scenario.to_toml(), encoding="utf-8")
        manifest = {"kind": "run", "seed": int(row.seed), "scenario": scenario.as_dict()}
        (own / "manifest.json").write_text(json.dumps(manifest, default=str), encoding="utf-8")
        table = pd.DataFrame({"step": np.arange(1, 4), "liquidated_usd": [0.0, float(row.run), 1.0]})
        if row.run % 2:
            table["utilisation.USDC"] = 0.5
        table.to_parquet(own / "metrics.parquet", index=False)
