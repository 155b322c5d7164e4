"""The whole economy: blocks a second when calm, liquidations a second in the crash, and what the screen is worth.

    python -m benchmarks.economy

Ratios are taken within one run; absolute figures stand beside the yardstick, a fixed pure-Python loop. Seconds are
processor time of this one thread, so that other work on the machine counts as little as possible; `--help` is timed
by the clock on the wall, in a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.pool_operations import yardstick
from benchmarks.table import Figure, show
from sim.economy import Economy

#: The hours of 12 March 2020 in which most of the book becomes liquidatable, as steps of 12 s after midnight.
CRASH_STEPS = range(3_050, 3_450)


def blocks_per_second(scenario: str, screen: str, steps: int, **overrides: Any) -> float:
    """Blocks a second of a stretch, after 50 blocks of warming up."""
    with Economy(scenario, overrides={"run.screen": screen, **overrides}) as economy:
        for _ in range(50):
            economy.step()
        began = time.process_time()
        for _ in range(steps):
            economy.step()
        return steps / (time.process_time() - began)


def crash(screen: str) -> dict[str, float]:
    """Liquidations a second while the book of march-2020 is being liquidated, and time per block there."""
    with Economy("march-2020", overrides={"run.screen": screen}) as economy:
        for _ in range(CRASH_STEPS.start):
            economy.step()
        before = economy.events.total_liquidations
        began = time.process_time()
        for _ in CRASH_STEPS:
            economy.step()
        seconds = time.process_time() - began
        done = economy.events.total_liquidations - before
    return {
        "crash_liquidations": float(done),
        "crash_liquidations_per_second": done / seconds,
        "crash_blocks_per_second": len(CRASH_STEPS) / seconds,
    }


def screen_ratio(steps: int) -> float:
    """Seconds with the sorted groups over seconds with a plain pass, same stretch, one after the other."""
    return blocks_per_second("calm", "plain", steps) / blocks_per_second("calm", "groups", steps)


def help_seconds() -> float:
    """Wall time of `undertow --help` in a new process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "sim.cli", "--help"], check=True, capture_output=True)
    return time.perf_counter() - began


def figures(rounds: int = 5, steps: int = 600) -> Iterator[Figure]:
    """Every figure of this part, with its target."""
    yield Figure("yardstick: loops a second", yardstick())
    calm = statistics.median(blocks_per_second("calm", "auto", steps) for _ in range(rounds))
    yield Figure("10,000 borrowers, calm: blocks a second", calm, least=1_500)
    rapid = [crash("auto") for _ in range(max(1, rounds // 2))]
    done = statistics.median(figure["crash_liquidations_per_second"] for figure in rapid)
    yield Figure("10,000 borrowers, march-2020: liquidations a second", done, least=500)
    blocks = statistics.median(figure["crash_blocks_per_second"] for figure in rapid)
    yield Figure("10,000 borrowers, march-2020: blocks a second", blocks)
    plain, groups = crash("plain"), crash("groups")
    ratio = plain["crash_blocks_per_second"] / groups["crash_blocks_per_second"]
    yield Figure("10,000 borrowers, march-2020: block with groups over plain", ratio, most=1.2)
    ratio = statistics.median(screen_ratio(steps) for _ in range(max(1, rounds // 2)))
    yield Figure("10,000 borrowers, calm: block with groups over plain", ratio, most=1.2)
    yield Figure("undertow --help: seconds", statistics.median(help_seconds() for _ in range(rounds)), most=0.4)


if __name__ == "__main__":
    show(figures())
