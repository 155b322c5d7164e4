"""Running a scenario from the outside: simulate, write the folder, make the report."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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

    Ctrl-C ends the run after the step in progress; what was recorded is kept, marked interrupted (twice: at once). A
    run that fails keeps what it recorded as well, marked failed, and raises. A folder that holds something else is
    refused (`ResultsError`) before anything is simulated.
    """
    folder = Path(out) if out is not None else Path("out") / f"{scenario.name}-{seed}"
    origins, fields = manifest_notes(scenario)
    manifest = results.new_manifest(
        scenario.as_dict(),
        seed,
        origins=origins,
        fields=fields,
        command=command(scenario, seed),
        inputs=inputs(scenario),
    )
    toml = scenario.to_toml()
    results.prepare(folder, manifest["identity"])
    state: State = "done"

    began = time.perf_counter()
    with Economy(scenario, seed=seed) as economy, _after_the_step() as stop:

        def each(done: int, total: int) -> None:
            keeper.update(done)
            if progress is not None:
                progress(done, total)
            if stop.is_set():
                raise KeyboardInterrupt

        # Only a world that could be built is announced: what fails before leaves no trace.
        folder = results.begin_run(folder, manifest=manifest, scenario_toml=toml)
        keeper = results.Progress(folder, scenario.run.steps)
        built = time.perf_counter()
        try:
            try:
                economy.run(each)
            except KeyboardInterrupt:
                state = "interrupted"
                economy.ledger.journal.undo()  # in case a transaction was under way
            ended = time.perf_counter()
            tables = economy.finish()
        except Exception:
            _keep(economy.recorder.tables(), scenario, folder, manifest, toml, "failed")
            keeper.finish("failed", economy.clock.step)
            raise
        steps = economy.clock.step
        audits = economy.audits
    manifest = dict(manifest) | {
        "wall_seconds": round(ended - built, 3),
        "build_seconds": round(built - began, 3),
        "audit": {"ok": True, "checks": audits, "tokens": len(economy.ledger.tokens)},
    }
    _keep(tables, scenario, folder, manifest, toml, state)
    keeper.finish(state, steps)
    page = Path(results.write_report(folder)) if report else None
    return RunResult(folder, state, page)


def _keep(
    tables: Mapping[str, Any], scenario: Scenario, folder: Path, manifest: dict[str, Any], toml: str, state: str
) -> None:
    """Write the tables that the scenario asks for; metrics and reports always, the summary is made of them."""
    names = ("metrics", "reports", *scenario.results.keep)
    kept = {name: table for name, table in tables.items() if name in names}
    results.write_run(folder, tables=kept, manifest=manifest, scenario_toml=toml, state=state)


@contextmanager
def _after_the_step() -> Iterator[threading.Event]:
    """Ctrl-C sets the event instead of raising in the middle of a step; a second one raises at once."""
    stop = threading.Event()

    def note(number: int, frame: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def inputs(scenario: Scenario) -> dict[str, str]:
    """The files that the scenario reads, by name, with the SHA-256 of their contents."""
    files = scenario.price_files.values()
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def command(scenario: Scenario, seed: int) -> list[str]:
    """The command line that makes this run again from the library or a file, with its overrides."""
    words = ["undertow", "run", scenario.name, "--seed", str(seed)]
    for assignment in scenario.assignments():
        if not assignment.startswith("run.seed="):
            words += ["--set", assignment]
    return words
