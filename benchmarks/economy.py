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
from typing import Any

from benchmarks.pool_operations import yardstick
from sim.economy import Economy

#: The hours of 12 March 2020 in which most of the book becomes liquidatable, as steps of 12 s after midnight.
CRASH_STEPS = range(3_050, 3_450)


def measure(rounds: int = 5, steps: int = 600) -> dict[str, float]:
    """Figures by name; medians over `rounds`."""
    result = {"yardstick_loops_per_second": yardstick()}
    calm = [blocks_per_second("calm", "auto", steps) for _ in range(rounds)]
    result["calm_blocks_per_second"] = statistics.median(calm)
    result |= crash("auto")
    plain = crash("plain")["crash_blocks_per_second"]
    result["crash_groups_over_plain"] = plain / crash("groups")["crash_blocks_per_second"]
    ratios = [screen_ratio(steps) for _ in range(max(1, rounds // 2))]
    result["calm_groups_over_plain"] = statistics.median(ratios)
    result["help_seconds"] = statistics.median(help_seconds() for _ in range(rounds))
    return result


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


#: What the figures are held against.
TARGETS = {
    "calm_blocks_per_second": ">= 1,500",
    "crash_liquidations_per_second": ">= 500",
    "calm_groups_over_plain": "<= 1.2",
    "crash_groups_over_plain": "<= 1.2",
    "help_seconds": "<= 0.4",
}


def main() -> None:
    """Print the figures with their targets."""
    for name, value in measure().items():
        print(f"{name:34s} {value:16,.3f}   {TARGETS.get(name, '')}")


if __name__ == "__main__":
    main()
