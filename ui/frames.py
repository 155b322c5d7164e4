"""Results folders as the page needs them: which there are, one opened, its progress. No Streamlit here."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.results import ResultsError, Run, Summary, load, summarise

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_RUNS = 200


@dataclass(frozen=True)
class Opened:
    """A run with its summary and figures."""

    run: Run
    summary: Summary
    figures: list[Any]


def runs_root() -> Path:
    """The folder whose sub-folders are runs: `UNDERTOW_OUT`, else `out` where the app was started."""
    return Path(os.environ.get("UNDERTOW_OUT") or "out")


def run_names(root: Path) -> list[str]:
    """Names of the runs in a folder, newest first; anything that is not a run is passed over."""
    try:
        found = [(manifest_time(root, entry.name), entry.name) for entry in root.iterdir() if _is_run(root, entry.name)]
    except OSError:
        return []
    return [name for _, name in sorted(found, key=lambda pair: (-pair[0], pair[1]))][:MOST_RUNS]


def folder_of(root: Path, name: str) -> Path | None:
    """The folder of that name directly inside the root; None for a name that could lead anywhere else."""
    if not NAME.fullmatch(name):
        return None
    folder = (root / name).resolve()
    return folder if folder.parent == root.resolve() and folder.is_dir() else None


def _is_run(root: Path, name: str) -> bool:
    folder = folder_of(root, name)
    if folder is None:
        return False
    manifest = _json(folder / "manifest.json")
    return manifest is not None and manifest.get("kind") == "run"


def manifest_time(root: Path, name: str) -> int:
    """When the run's manifest was last written, in nanoseconds; 0 if it is not there."""
    try:
        return (root / name / "manifest.json").stat().st_mtime_ns
    except OSError:
        return 0


def open_run(folder: Path) -> Opened:
    """Read a run, its summary and its figures; ResultsError if it cannot be read."""
    from sim.results.report.figure import source_of
    from sim.results.report.figures import figures

    run = load(folder)
    summary = summarise(run)
    return Opened(run, summary, figures(source_of(run, summary.values)))


def state_of(folder: Path) -> str:
    """State in the manifest: running, done, interrupted, failed; "" if it cannot be told."""
    return str((_json(folder / "manifest.json") or {}).get("state", ""))


def progress_of(folder: Path) -> tuple[float, str]:
    """How far a running run is: a fraction and words."""
    said = _json(folder / "progress.json") or {}
    done, total = said.get("done"), said.get("total")
    if not isinstance(done, int) or not isinstance(total, int) or total <= 0:
        return 0.0, "starting"
    words = f"{done:,} of {total:,} {said.get('unit', 'steps')}"
    left = said.get("seconds_left")
    if isinstance(left, int | float):
        words += f", about {left:,.0f} s left"
    return min(1.0, max(0.0, done / total)), words


def is_alive(folder: Path) -> bool:
    """Whether the process that writes the run is there."""
    pid = (_json(folder / "manifest.json") or {}).get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def friendly(error: ResultsError, root: Path) -> str:
    """The message of an error without the folders above the runs."""
    return str(error).replace(f"{root.resolve()}{os.sep}", "").replace(f"{root}{os.sep}", "")


def _json(file: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
