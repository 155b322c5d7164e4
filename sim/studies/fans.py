"""Fans: how a metric spreads over the runs of a design point, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.studies.errors import StudyError
from sim.studies.outcomes import main_stable

if TYPE_CHECKING:
    from sim.studies.folder import StudyFolder

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
#: Steps are thinned evenly to at most this many; the last one is always among them.
MOST_STEPS = 200
#: Values held at a time, so that memory does not grow with the number of runs.
AT_ONCE = 1_000_000

COLUMNS = ("point", "step", "seconds", "metric", "quantile", "value", "n")
_ALONE = ("liquidatable_usd", "liquidated_usd", "base_fee_gwei")


def fans(folder: StudyFolder, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of `fans`: for each point, thinned step, metric and quantile the value, over `n` runs.

    `liquidated_usd` is cumulated from the start. Quantiles are interpolated linearly between order statistics.
    """
    parts: list[dict[str, Any]] = []
    for point in folder.design.points:
        done = [row["run"] for row in rows if row["point"] == point.index and row["state"] == "done"]
        if done:
            parts.extend(_fans_of(folder, point.index, done))
    return {
        name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0)
        for name in COLUMNS
        if name != "metric"
    } | {"metric": [name for part in parts for name in part["metric"]]}


def thinned(steps: int) -> np.ndarray:
    """The rows that are kept of so many, evenly spread, first and last included."""
    if steps <= MOST_STEPS:
        return np.arange(steps)
    return (np.arange(MOST_STEPS) * (steps - 1)) // (MOST_STEPS - 1)


def _fans_of(folder: StudyFolder, point: int, runs: Sequence[int]) -> list[dict[str, Any]]:
    first = read_columns(folder, runs[0], None)
    steps = len(first["step"])
    if not steps:
        return []
    kept = thinned(steps)
    names = _metrics(first)
    seconds = (first["timestamp"] - first["timestamp"][0]) + folder.design.variant(point).run.step_seconds
    found: list[dict[str, Any]] = []
    group = max(1, AT_ONCE // (len(runs) * len(kept)))
    for begin in range(0, len(names), group):
        chosen = names[begin : begin + group]
        values = np.full((len(chosen), len(runs), len(kept)), np.nan)
        for place, run in enumerate(runs):
            table = read_columns(folder, run, chosen)
            for k, name in enumerate(chosen):
                column = table.get(name)
                if column is not None and len(column) == steps:
                    values[k, place] = (np.cumsum(column) if name == "liquidated_usd" else column)[kept]
        found += [_fan(point, name, first["step"][kept], seconds[kept], values[k]) for k, name in enumerate(chosen)]
    return found


def _metrics(table: Mapping[str, np.ndarray]) -> list[str]:
    main = main_stable(table)
    return [
        name
        for name in table
        if name in _ALONE or name.startswith(("utilisation.", "oracle_usd.")) or name == f"borrow_rate.{main}"
    ]


def _fan(point: int, name: str, steps: np.ndarray, seconds: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """Rows of one metric: step by step, quantile by quantile."""
    present = np.isfinite(values)
    count = present.sum(axis=0)
    spread = np.full((len(steps), len(QUANTILES)), np.nan)
    whole = count == len(values)
    if whole.any():
        spread[whole] = np.quantile(values[:, whole], QUANTILES, axis=0).T
    for place in np.flatnonzero(~whole & (count > 0)):
        spread[place] = np.quantile(values[present[:, place], place], QUANTILES)
    each = len(QUANTILES)
    return {
        "point": np.full(len(steps) * each, point),
        "step": np.repeat(steps.astype(np.int64), each),
        "seconds": np.repeat(seconds.astype(float), each),
        "metric": [name] * (len(steps) * each),
        "quantile": np.tile(np.array(QUANTILES), len(steps)),
        "value": spread.ravel(),
        "n": np.repeat(count.astype(np.int64), each),
    }


def read_columns(folder: StudyFolder, run: int, names: Sequence[str] | None) -> dict[str, np.ndarray]:
    """Columns of a run's metrics as float64 (all for None); StudyError that names the file if it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = folder.run_folder(run) / "metrics.parquet"
    try:
        reader = pq.ParquetFile(file)
        wanted = None if names is None else [name for name in names if name in reader.schema_arrow.names]
        table = reader.read(wanted)
    except (pa.ArrowException, OSError, ValueError) as error:
        said = (str(error).splitlines() or ["unreadable"])[0]
        raise StudyError(
            str(file), "cannot be read, it is damaged or cut off", said, "--resume runs it again"
        ) from None
    return {name: table[name].to_numpy().astype(float) for name in table.column_names}
