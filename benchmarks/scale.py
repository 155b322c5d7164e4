"""How fast and how large: set-up, memory, calm blocks and a crash, up to a million borrowers.

    python -m benchmarks.scale [LARGEST_SCALE]

Scale 1 is 10,000 borrowers, 100 (the default) a million. Each figure comes from a process of its own, so that memory is
that of one world; times are the process's own, one thread. Ratios are taken within one run.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

BLOCK_SECONDS = 12
WARM_UP = 50
CRASH_BLOCKS = 600
SCREENS = ("groups", "plain")
#: Debt of 100 USD on 0.01 WETH: insolvent from the start, and not worth the gas of a liquidation.
INSOLVENT = {"kind": "position", "supply_tokens": {"WETH": 0.01}, "debt_tokens": {"USDC": 100.0}, "scaled": False}


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


# ---------------------------------------------------------------------- what a process of its own measures
def calm(scale: float, blocks: int, traders_scaled: bool = True) -> dict[str, float]:
    """Set-up, memory, blocks a second and the longest pause of a calm stretch; what is left after closing."""
    import pyarrow

    from sim.economy import Economy

    assert pyarrow.__version__
    with Economy("demo"):  # whatever is imported on first use
        pass
    before, began = resident_bytes(), process_time()
    overrides = {"populations.scale": scale, "populations.traders.scaled": traders_scaled}
    economy = Economy("calm", overrides=overrides)
    set_up = process_time() - began
    agents = len(economy.agents)
    size = resident_bytes() - before
    pauses, total = steps(economy, blocks)
    economy.close()
    del economy
    gc.collect()
    return {
        "agents": agents,
        "set_up_seconds": set_up,
        "kb_each": size / agents / 1e3,
        "left_kb_each": (resident_bytes() - before) / agents / 1e3,
        "blocks_per_second": blocks / total,
        "longest_pause_ms": 1e3 * max(pauses),
    }


def crash(scale: float, screen: str, insolvent: int = 0) -> dict[str, float]:
    """WETH and WBTC lose half within 600 blocks: seconds a block, and the share of screens and book in them."""
    from sim.economy import Economy

    shock = {"at_seconds": WARM_UP * BLOCK_SECONDS, "change_ratio": -0.5, "over_seconds": CRASH_BLOCKS * BLOCK_SECONDS}
    overrides: dict[str, Any] = {
        "populations.scale": scale,
        "run.screen": screen,
        "run.horizon_seconds": (CRASH_BLOCKS + WARM_UP) * BLOCK_SECONDS,
        "prices.shocks": [{"asset": asset, **shock} for asset in ("WETH", "WBTC")],
    }
    if insolvent:
        overrides |= {
            f"populations.insolvent.{name}": value for name, value in {**INSOLVENT, "count": insolvent}.items()
        }
    with Economy("calm", overrides=overrides) as economy:
        spent = [0.0]
        for owner, names in (
            (economy.liquidatable, ("look", "touch", "set_aside")),
            (economy.waking.alarms, ("look", "touch", "rearm")),
        ):
            for name in names:
                setattr(owner, name, timed(getattr(owner, name), spent))
        _, total = steps(economy, CRASH_BLOCKS)
        return {
            "ms_per_block": 1e3 * total / CRASH_BLOCKS,
            "screening_share": spent[0] / total,
            "screening_ms": 1e3 * spent[0] / CRASH_BLOCKS,
            "standing": len(economy.liquidatable),
            "liquidations": economy.events.total_liquidations,
        }


def timed(function: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """The function, its time added to `spent`."""

    def call(*arguments: Any) -> Any:
        began = process_time()
        result = function(*arguments)
        spent[0] += process_time() - began
        return result

    return call


def steps(economy: Any, blocks: int) -> tuple[list[float], float]:
    """Seconds of each block after the warm-up, and together."""
    for _ in range(WARM_UP):
        economy.step()
    seconds = []
    for _ in range(blocks):
        began = process_time()
        economy.step()
        seconds.append(process_time() - began)
    return seconds, sum(seconds)


# ---------------------------------------------------------------------- the table
def apart(what: str, *arguments: Any) -> dict[str, float]:
    """A measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--measure", what, json.dumps(arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def quickest(what: str, *arguments: Any, runs: int) -> dict[str, float]:
    """Of several runs the one that a busy machine has disturbed least."""
    return min((apart(what, *arguments) for _ in range(runs)), key=lambda figures: figures["ms_per_block"])


def line(name: str, value: float, target: str) -> None:
    print(f"{name:58s} {value:12,.3f}   {target}", flush=True)


def main(largest: float = 100.0) -> None:
    """Print the figures with their targets."""
    print(f"{'':58s} {'figure':>12s}   target")
    memory = "<= 1.0" if sys.version_info >= (3, 12) else "<= 1.2"
    small = apart("calm", 1.0, 1500)
    line("10,000 borrowers, calm: blocks a second", small["blocks_per_second"], ">= 1,500")
    for scaled in (True, False):
        who = f"{largest * 10_000:,.0f} borrowers" + ("" if scaled else ", 20 traders")
        large = apart("calm", largest, 600, scaled)
        line(f"{who}, calm: blocks a second", large["blocks_per_second"], ">= 500")
        line(f"{who}: longest pause, ms", large["longest_pause_ms"], "<= 300, aim 150")
        line(f"{who}: time a block over that of 10,000", small["blocks_per_second"] / large["blocks_per_second"], "")
    line(f"{who}: set-up, seconds", large["set_up_seconds"], "<= 20")
    line(f"{who}: KB each", large["kb_each"], memory)
    line(f"{who}: KB each left after close()", large["left_kb_each"], "near 0")
    for scale in (1.0, 10.0):
        groups, plain = (quickest("crash", scale, screen, runs=3 if scale == 1.0 else 1) for screen in SCREENS)
        who = f"{scale * 10_000:,.0f} borrowers, crash"
        line(f"{who}: ms a block", groups["ms_per_block"], "")
        line(f"{who}: share of screening and book", groups["screening_share"], "<= 0.35" if scale > 1.0 else "")
        line(f"{who}: block with groups over plain", groups["ms_per_block"] / plain["ms_per_block"], "<= 1.2")
        line(f"{who}: screening and book, groups over plain", groups["screening_ms"] / plain["screening_ms"], "")
    few, many = (quickest("crash", 1.0, "groups", count, runs=2) for count in (2_000, 20_000))
    line("crash: ten times the standing insolvent positions", many["ms_per_block"] / few["ms_per_block"], "<= 1.5")
    line("crash: the same, screening and book alone", many["screening_ms"] / few["screening_ms"], "")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measures: dict[str, Callable[..., dict[str, float]]] = {"calm": calm, "crash": crash}
        print(json.dumps(measures[sys.argv[2]](*json.loads(sys.argv[3]))))
    else:
        main(*map(float, sys.argv[1:]))
