"""Running a scenario from the outside: simulate, write the folder, make the report."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from scenarios import Scenario
from sim import results
from sim.economy import Economy

State = Literal["done", "interrupted"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """Where a run's files are, its summary in machine form, and how it ended."""

    folder: Path
    summary: dict[str, Any]
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
    manifest = results.new_manifest(scenario, seed=seed)
    toml = scenario.to_toml()
    folder = results.begin_run(folder, manifest=manifest, scenario_toml=toml)
    keeper = results.Progress(folder, scenario.run.steps)
    began = time.perf_counter()
    with Economy(scenario, seed=seed) as economy:
        built = time.perf_counter()
        state: State = "done"

        def each(done: int, total: int) -> None:
            keeper.update(done)
            if progress is not None:
                progress(done, total)

        try:
            economy.run(each)
        except KeyboardInterrupt:
            state = "interrupted"
        ended = time.perf_counter()
        tables = economy.finish()
        steps = economy.clock.step
    manifest = dict(manifest) | {
        "seconds": {"build": round(built - began, 3), "run": round(ended - built, 3)},
        "steps": steps,
        "blocks": steps * scenario.run.blocks_per_step,
    }
    kept = {name: table for name, table in tables.items() if name in scenario.results.keep or name == "reports"}
    results.write_run(folder, tables=kept, manifest=manifest, scenario_toml=toml, state=state)
    keeper.finish(state, steps)
    run = results.load(folder)
    page = results.write_report(folder) if report else None
    return RunResult(folder, results.summarise(run).as_dict(), state, page)
