"""Studies: what two workers gain, what a run costs beyond itself, and whether the parent's memory grows.

All three are differences or ratios within one session, so that they mean the same on machines of any speed. Efficiency
is measured in blocks of runs with one and two workers by turns; it needs two processors that nobody else uses.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from agents.registry import kinds
from benchmarks.table import Figure, show
from scenarios import load
from sim.economy import Economy
from sim.studies import Status, execute, load_design
from sim.studies.execution import Here

#: A run of about a second: the small market, twice as long.
SECOND = {"run.horizon_seconds": 28_800}

#: A day in minutes, with 2,000 borrowers: 10,000 are in the book of that scenario.
DAY = {"run.horizon_seconds": 86_400, "run.step_seconds": 60, "populations.scale": 0.2}


def figures(
    runs: int = 200, blocks: int = 4, small_runs: tuple[int, int] = (100, 2_000), day_runs: int = 6
) -> Iterator[Figure]:
    """Every figure of this part, with its target."""
    one, two = both_ways(runs, blocks)
    yield Figure("studies: seconds a run, one worker", one)
    yield Figure("studies: efficiency of two workers", one / (2.0 * two), least=0.85)
    yield Figure("studies: processor time that a study adds to a run, ms", overhead_ms(), most=60)
    yield Figure("studies: hours for 1,000 runs of 2,000 borrowers and 1,440 minutes, two workers", day_hours(day_runs))
    few, many = (peak_mb(count) for count in small_runs)
    yield Figure(f"studies: parent's memory after {small_runs[0]:,} small runs, MB", few)
    yield Figure(f"studies: its growth until {small_runs[1]:,} small runs, MB", many - few, most=50)


def both_ways(runs: int, blocks: int) -> tuple[float, float]:
    """Seconds a run with one worker and with two, in blocks by turns."""
    scenario = load("demo", SECOND, kinds())
    seconds: dict[int, float] = {1: 0.0, 2: 0.0}
    each = max(4, runs // blocks)
    for block in range(blocks):
        for workers in (1, 2):
            seconds[workers] += paced(scenario, each, workers, seed0=1 + block * each)
    return seconds[1] / (each * blocks), seconds[2] / (each * blocks)


def paced(scenario: object, runs: int, workers: int, seed0: int) -> float:
    """Seconds for `runs` runs at the pace between the first and the last end; starting the workers is left out."""
    ends: list[float] = []

    def note(status: Status) -> None:
        if status.done:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        design = load_design(scenario, runs=runs + workers, seed0=seed0)  # type: ignore[arg-type]
        execute(design, Path(folder) / "study", workers=workers, progress=note)
    return (ends[-1] - ends[workers - 1]) * runs / (len(ends) - workers)


def day_hours(runs: int) -> float:
    """Hours that 1,000 runs of a day would take two workers, from the pace of a few."""
    scenario = load("march-2020", DAY, kinds())
    return 1_000.0 * paced(scenario, runs, 2, seed0=1) / runs / 3_600.0


def overhead_ms(runs: int = 40) -> float:
    """Processor time that a study adds to each run: writing, hashing, outcomes, tables at the end; milliseconds.

    Measured in one process, as the difference between a short and a longer study, less building and stepping the same
    worlds alone. What a task's way to its worker and back adds is small against it and left out.
    """
    scenario = load("cascade-by-hand", {}, kinds())

    def study(count: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            design = load_design(scenario, runs=count)
            began = time.process_time()
            execute(design, Path(folder) / "study", executor=Here())
            return time.process_time() - began

    study(5)
    inside = study(10 + runs) - study(10)
    began = time.process_time()
    for seed in range(11, 11 + runs):
        with Economy(scenario, seed=seed) as economy:
            economy.run()
            economy.finish()
    alone = time.process_time() - began
    return 1_000.0 * (inside - alone) / runs


def peak_mb(runs: int) -> float:
    """Largest resident memory of a process that runs a study of so many small runs, its children left out."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.studies", str(runs)], check=True, capture_output=True, text=True
    )
    return float(json.loads(done.stdout)["peak_mb"])


def _one_study(runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        execute(load_design("cascade-by-hand", runs=runs), Path(folder) / "study", workers=2)
    print(json.dumps({"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _one_study(int(sys.argv[1]))
    else:
        show(figures())
