"""One member of a study again, with everything kept, and its tables compared with those of the study."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scenarios import Scenario
from sim import __version__
from sim.results import ResultsError, load
from sim.results.files import read_manifest
from sim.results.hashing import content_hash
from sim.run import run_scenario
from sim.studies.design import TABLES, load_design
from sim.studies.errors import StudyError
from sim.studies.task import folder_name
from sim.studies.variants import variant


@dataclass(frozen=True, slots=True)
class Replayed:
    """A run made again: its folder, how it ended, the tables compared, and those of them that differ.

    `compared` is empty where the study has no result of the run. `other_version` is the version that made the study,
    where it is not this one.
    """

    folder: Path
    state: str
    compared: tuple[str, ...]
    different: tuple[str, ...]
    other_version: str = ""


def replay(
    study: str | os.PathLike[str],
    run: int,
    *,
    out: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    report: bool = True,
) -> Replayed:
    """Run member `run` of the study again, into `out` (default `STUDY/replays/NUMBER`), with all tables and a report.

    StudyError if there is no such study or member. A run that failed fails again, with its own exception; what it
    recorded until then is kept in the folder.
    """
    path = Path(study).expanduser()
    manifest = read_manifest(path)
    if manifest is None or manifest.get("kind") != "study":
        raise StudyError(str(path), "is not the folder of a study", "", "a folder that undertow batch has written")
    design = load_design(path / "study.toml")
    if not 0 <= run < len(design):
        raise StudyError(str(path), "--run", str(run), f"0 to {len(design) - 1}")
    member = design.member(run)
    folder = Path(out) if out is not None else path / "replays" / folder_name(run)
    result = run_scenario(
        _keeping_all(design.variant(member.point.index)), seed=member.seed, out=folder, progress=progress, report=report
    )
    compared, different = _compared(path / "runs" / folder_name(run), result.folder)
    version = (manifest.get("versions") or {}).get("undertow", "")
    return Replayed(result.folder, result.state, compared, different, version if version != __version__ else "")


def _keeping_all(scenario: Scenario) -> Scenario:
    return variant(scenario, {"results.keep": list(TABLES)}, "results.keep")


def _compared(kept: Path, again: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables that both folders hold, and those whose content hashes differ."""
    if not (kept / "manifest.json").is_file():
        return (), ()
    first, second = load(kept), load(again)
    different = []
    for name in first.tables:
        try:
            same = content_hash({name: first.arrow(name)}) == content_hash({name: second.arrow(name)})
        except ResultsError:  # cut off or missing: not what the run made
            same = False
        if not same:
            different.append(name)
    return tuple(first.tables), tuple(different)
