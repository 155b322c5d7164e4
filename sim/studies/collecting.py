"""From the runs of a study to its own tables: `runs.parquet`, `fans.parquet`, `summary.json`, and its hash."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.results.files import dump_json, read_manifest
from sim.results.progress import replace_text
from sim.results.tables import to_arrow
from sim.studies.design import Design
from sim.studies.fans import fans
from sim.studies.folder import StudyFolder, disk_errors
from sim.studies.outcomes import OUTCOMES

Row = dict[str, Any]


def collect(folder: StudyFolder) -> dict[str, Any]:
    """Write the study's tables from the folders of its runs; what the manifest then says of them.

    `content_hash`: SHA-256 over a line a member, in order: its number and content hash, "failed" or "missing".
    """
    folder.sort_failures()
    failed = folder.failed()
    rows = []
    for run in range(len(folder.design)):
        manifest = None if run in failed else read_manifest(folder.run_folder(run))
        rows.append(_row(folder.design, run, manifest, run in failed))
    tables = {"runs": runs_table(folder.design, rows), "fans": fans(folder, rows)}
    sizes = {}
    with disk_errors(folder.path):
        for name, columns in tables.items():
            table = to_arrow(name, columns)
            write_table(folder.path / f"{name}.parquet", table)
            sizes[name] = {"rows": table.num_rows, "columns": table.num_columns}
    return {
        "done": len([row for row in rows if row["state"] == "done"]),
        "failed": len(failed),
        "content_hash": content_hash(rows),
        "tables": sizes,
    }


def write_summary(folder: StudyFolder, said: Mapping[str, Any]) -> None:
    """Write `summary.json` from the study's tables: what `undertow summary --json` prints, but for the folder's name.

    `said` is what the manifest will say of them.
    """
    from sim.studies.reading import Study
    from sim.studies.summary import summarise

    values = summarise(Study(folder.path, folder.manifest | dict(said))).to_json()
    del values["study"]["folder"]  # it may be moved
    with disk_errors(folder.path):
        replace_text(folder.path / "summary.json", dump_json(values))


def content_hash(rows: Sequence[Mapping[str, Any]]) -> str:
    """The study's content hash from the runs' states and hashes, in their order."""
    lines = [f"{row['run']} {row['content_hash'] or row['state']}\n" for row in rows]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _row(design: Design, run: int, manifest: Mapping[str, Any] | None, failed: bool) -> Row:
    study = (manifest or {}).get("study") or {}
    return member_row(
        design,
        run,
        "failed" if failed else "done" if manifest else "missing",
        study.get("seconds", math.nan),
        (manifest or {}).get("content_hash") or "",
        {name: math.nan if value == "nan" else float(value) for name, value in study.get("outcomes", {}).items()},
    )


def member_row(
    design: Design, run: int, state: str, seconds: float, content_hash: str, outcomes: Mapping[str, float]
) -> Row:
    """One row of `runs`: keys, and outcomes by name."""
    member = design.member(run)
    return {
        "run": run,
        "point": member.point.index,
        "replicate": member.replicate,
        "seed": member.seed,
        "state": state,
        "wall_seconds": seconds,
        "content_hash": content_hash,
        "set": member.point.overrides,
        "outcomes": outcomes,
    }


def runs_table(design: Design, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The columns of `runs`: keys, `set.FIELD` for what the design varies, outcomes."""
    keys = ("run", "point", "replicate", "seed", "state", "wall_seconds", "content_hash")
    table: dict[str, list[Any]] = {key: [row[key] for row in rows] for key in keys}
    for path in design.fields:
        table[f"set.{path}"] = _set_column([row["set"].get(path) for row in rows])
    further = sorted({name for row in rows for name, value in row["outcomes"].items() if value} - set(OUTCOMES))
    for name in (*OUTCOMES, *further):
        table[name] = [float(row["outcomes"].get(name, math.nan)) for row in rows]
    return table


def _set_column(values: list[Any]) -> list[Any]:
    """Numbers as float64; text where any value is something else, as it stands in a file."""
    given = [value for value in values if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        return [math.nan if value is None else float(value) for value in values]
    from scenarios.writing import toml_value

    return [value if value is None or isinstance(value, str) else toml_value(value) for value in values]


def write_table(file: Path, table: Any) -> None:
    """Write a Parquet file so that a reader sees the old one or the new one."""
    import pyarrow.parquet as pq

    beside = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        pq.write_table(table, beside, compression="zstd", version="2.6", store_schema=False)
        os.replace(beside, file)
    finally:
        beside.unlink(missing_ok=True)
