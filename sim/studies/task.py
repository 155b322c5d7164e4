"""One run of a study, from the packet that a worker gets to the folder that it writes."""

from __future__ import annotations

import functools
import os
import socket
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenarios import Scenario
from sim import __version__, results
from sim.economy import Economy
from sim.results.manifest import run_identity
from sim.results.progress import utc_now
from sim.run import command, inputs
from sim.studies.errors import StudyError
from sim.studies.outcomes import outcomes
from sim.studies.variants import unpack


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker needs to know for one run; `runs_folder` is None where nothing is written."""

    run: int
    point: int
    replicate: int
    seed: int
    overrides: Mapping[str, Any]
    packet: bytes
    runs_folder: str | None
    keep: tuple[str, ...]
    version: str = __version__


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: "done", "failed" (with error and trace), or "unwritten" (its folder could not be written)."""

    run: int
    state: str
    wall_seconds: float = 0.0
    content_hash: str = ""
    outcomes: dict[str, float] = field(default_factory=dict)
    error: str = ""
    trace: str = ""
    place: str = ""


def folder_name(run: int) -> str:
    """The name of a run's folder."""
    return f"{run:06d}"


def run_member(task: Task) -> Ended:
    """Simulate one member and write its folder, whole or not at all. Whatever goes wrong is returned, not raised."""
    place = f"process {os.getpid()} on {socket.gethostname()}"
    began = time.perf_counter()
    try:
        if task.version != __version__:
            raise StudyError(
                place, "undertow's version", __version__, f"{task.version}, as where the study was started"
            )
        done = _simulated(task, place)
    except results.ResultsError as error:
        state = "unwritten" if isinstance(error.__cause__, OSError) else "failed"
        return Ended(task.run, state, error=str(error), trace=traceback.format_exc(), place=place)
    except Exception as error:
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        seconds = time.perf_counter() - began
        return Ended(task.run, "failed", seconds, error=said, trace=traceback.format_exc(), place=place)
    return done


def _simulated(task: Task, place: str) -> Ended:
    scenario, toml, manifest = _prepared(task.packet)
    began = time.perf_counter()
    with Economy(scenario, seed=task.seed) as economy:
        built = time.perf_counter()
        economy.run()
        tables = economy.finish()
        ended = time.perf_counter()
        audit = {"ok": True, "checks": economy.audits, "tokens": len(economy.ledger.tokens)}
    found = outcomes(tables, manifest["scenario"])
    if task.runs_folder is None:
        return Ended(task.run, "done", ended - began, outcomes=found, place=place)
    own = {
        "seed": task.seed,
        "identity": run_identity(manifest["scenario"], task.seed, inputs=manifest["inputs"]),
        "pid": os.getpid(),
        "started_at": utc_now(),
        "build_seconds": round(built - began, 3),
        "wall_seconds": round(ended - built, 3),
        "command": command(scenario, task.seed),
        "audit": audit,
        "study": {
            "run": task.run,
            "point": task.point,
            "replicate": task.replicate,
            "set": dict(task.overrides),
            "seconds": round(ended - began, 4),
            "outcomes": found,
        },
    }
    written = results.write_run(
        Path(task.runs_folder) / folder_name(task.run),
        tables={name: table for name, table in tables.items() if name in task.keep},
        manifest=manifest | own,
        scenario_toml=toml,
    )
    return Ended(task.run, "done", ended - began, written["content_hash"], found, place=place)


@functools.lru_cache(maxsize=2)
def _prepared(packet: bytes) -> tuple[Scenario, str, dict[str, Any]]:
    """What all runs of one design point share: the scenario, its text, and the manifest but for the run's own part.

    Origins and notes of the fields stand in the study's manifest, once.
    """
    scenario = unpack(packet)
    return scenario, scenario.to_toml(), results.new_manifest(scenario.as_dict(), 0, inputs=inputs(scenario))
