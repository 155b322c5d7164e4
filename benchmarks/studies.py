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
from pathlib import Path

from agents.registry import kinds
from scenarios import load
from sim.economy import Economy
from sim.studies import Status, execute, load_design
from sim.studies.execution import Here

#: A run of about a second: the small market, twice as long.
SECOND = {"run.horizon_seconds": 28_800}

TARGETS = {
    "efficiency_of_two_workers": ">= 0.85",
    "overhead_ms_per_run": "<= 60",
    "parent_growth_mb": "<= 50",
}


def measure(runs: int = 200, blocks: int = 4, small_runs: tuple[int, int] = (100, 2_000)) -> dict[str, float]:
    """Figures by name."""
    found = efficiency(runs, blocks) | overhead()
    small = [peak_mb(count) for count in small_runs]
    found["parent_mb_at_100_small_runs"], found["parent_growth_mb"] = small[0], small[1] - small[0]
    return found


def efficiency(runs: int, blocks: int) -> dict[str, float]:
    """Time with one worker over twice the time with two, both from the first run's end to the last's."""
    scenario = load("demo", SECOND, kinds())
    seconds: dict[int, float] = {1: 0.0, 2: 0.0}
    each = max(4, runs // blocks)
    for block in range(blocks):
        for workers in (1, 2):
            seconds[workers] += paced(scenario, each, workers, seed0=1 + block * each)
    return {
        "seconds_per_run_one_worker": seconds[1] / (each * blocks),
        "efficiency_of_two_workers": seconds[1] / (2.0 * seconds[2]),
    }


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


def overhead(runs: int = 40) -> dict[str, float]:
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
    return {"overhead_ms_per_run": 1_000.0 * (inside - alone) / runs}


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


def main() -> None:
    """Print the figures with their targets."""
    for name, value in measure().items():
        print(f"{name:34s} {value:16,.3f}   {TARGETS.get(name, '')}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _one_study(int(sys.argv[1]))
    else:
        main()
