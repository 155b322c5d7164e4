"""Running a scenario from the outside: simulate, write the folder, make the report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scenarios import Scenario
from scenarios.fields import manifest_notes
from sim import results
from sim.economy import Economy

State = Literal["done", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run's files are, and how it ended."""

    folder: Path
    state: State
    report: Path | None = None


def run_scenario(
    scenario: Scenario,
    *,
    seed: int,
    out: Path | str | None = None,
    progress: Callable[[int, int], None] | None = None,
    report: bool = True,
) -> RunResult:
    """Run `scenario` with `seed` and write its results to `out` (default `out/<name>-<seed>`).

    Ctrl-C ends the run after the step in progress; what was recorded is kept, marked interrupted. A folder that holds
    something else is refused (`ResultsError`) before anything is simulated.
    """
    folder = Path(out) if out is not None else Path("out") / f"{scenario.name}-{seed}"
    origins, fields = manifest_notes(scenario)
    manifest = results.new_manifest(
        scenario.as_dict(), seed, origins=origins, fields=fields, command=command(scenario, seed)
    )
    toml = scenario.to_toml()
    results.prepare(folder, manifest["identity"])
    state: State = "done"

    def each(done: int, total: int) -> None:
        keeper.update(done)
        if progress is not None:
            progress(done, total)

    began = time.perf_counter()
    with Economy(scenario, seed=seed) as economy:
        # Only a world that could be built is announced: what fails before leaves no trace.
        folder = results.begin_run(folder, manifest=manifest, scenario_toml=toml)
        keeper = results.Progress(folder, scenario.run.steps)
        built = time.perf_counter()
        try:
            economy.run(each)
        except KeyboardInterrupt:
            state = "interrupted"
        ended = time.perf_counter()
        tables = economy.finish()
        steps = economy.clock.step
        audits = economy.audits
    manifest = dict(manifest) | {
        "wall_seconds": round(ended - built, 3),
        "build_seconds": round(built - began, 3),
        "audit": {"ok": True, "checks": audits, "tokens": len(economy.ledger.tokens)},
    }
    kept = {name: table for name, table in tables.items() if name in scenario.results.keep or name == "reports"}
    results.write_run(folder, tables=kept, manifest=manifest, scenario_toml=toml, state=state)
    keeper.finish(state, steps)
    page = Path(results.write_report(folder)) if report else None
    return RunResult(folder, state, page)


def command(scenario: Scenario, seed: int) -> list[str]:
    """The command line that makes this run again from the library or a file, with its overrides."""
    words = ["undertow", "run", scenario.name, "--seed", str(seed)]
    for assignment in scenario.assignments():
        if not assignment.startswith("run.seed="):
            words += ["--set", assignment]
    return words
