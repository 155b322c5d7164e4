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
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

from benchmarks.table import Figure, show

BLOCK_SECONDS = 12
WARM_UP = 50
CRASH_BLOCKS = 600
SCREENS = ("groups", "plain")
#: Sizes of the book in the crash, as multiples of 10,000 borrowers.
CRASH_SCALES = (1.0, 10.0, 100.0)
#: What a second world of the same size may leave of an agent beyond the first: odd pages.
LEFT_KB = 0.05
#: The default mix of kinds: the base market, with the prices of a calm day.
MARKET = "aave-v3-ethereum"
QUIET: dict[str, Any] = {
    "prices.process": "gbm",
    "prices.volatility_per_year": {"WETH": 0.45, "WBTC": 0.25},
    "prices.correlation": 0.83,
}
#: Debt of 100 USD on 0.01 WETH: insolvent from the start, and not worth the gas of a liquidation.
INSOLVENT = {"kind": "position", "supply_tokens": {"WETH": 0.01}, "debt_tokens": {"USDC": 100.0}, "scaled": False}


def resident_bytes() -> int:
    """Memory of this process that is in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


# ---------------------------------------------------------------------- what a process of its own measures
def calm(scale: float, blocks: int) -> dict[str, float]:
    """Set-up, memory, blocks a second and the longest pause of a calm stretch; what closing leaves behind."""
    import pyarrow

    from sim.economy import Economy

    assert pyarrow.__version__
    with Economy("demo"):  # whatever is imported on first use
        pass
    before, began = resident_bytes(), process_time()
    economy = Economy(MARKET, overrides=QUIET | {"populations.scale": scale})
    set_up = process_time() - began
    agents = len(economy.agents)
    size = resident_bytes() - before
    pauses, total = steps(economy, blocks)
    economy.close()
    del economy
    gc.collect()
    # The first world leaves pages that the allocator keeps for the next; what is not freed shows as growth.
    once = resident_bytes()
    with Economy(MARKET, overrides=QUIET | {"populations.scale": scale}):
        pass
    gc.collect()
    return {
        "agents": agents,
        "set_up_seconds": set_up,
        "kb_each": size / agents / 1e3,
        "left_kb_each": (resident_bytes() - once) / agents / 1e3,
        "blocks_per_second": blocks / total,
        "longest_pause_ms": 1e3 * max(pauses),
    }


def crash(scale: float, screen: str, insolvent: int = 0) -> dict[str, float]:
    """WETH and WBTC lose half within 600 blocks: seconds a block, and the share of screens and book in them."""
    from sim.economy import Economy

    shock = {"at_seconds": WARM_UP * BLOCK_SECONDS, "change_ratio": -0.5, "over_seconds": CRASH_BLOCKS * BLOCK_SECONDS}
    overrides: dict[str, Any] = QUIET | {
        "populations.scale": scale,
        "run.screen": screen,
        "run.horizon_seconds": (CRASH_BLOCKS + WARM_UP) * BLOCK_SECONDS,
        "prices.shocks": [{"asset": asset, **shock} for asset in ("WETH", "WBTC")],
    }
    if insolvent:
        overrides |= {
            f"populations.insolvent.{name}": value for name, value in {**INSOLVENT, "count": insolvent}.items()
        }
    with Economy(MARKET, overrides=overrides) as economy:
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


def figures(largest: float = 100.0) -> Iterator[Figure]:
    """Every figure of this part, with its target."""
    import mesa

    # Mesa 3.5 keeps less for each agent than 3.3 does.
    memory = 1.0 if tuple(map(int, mesa.__version__.split(".")[:2])) >= (3, 5) else 1.2
    small = apart("calm", 1.0, 1500)
    yield Figure("10,000 borrowers, calm: blocks a second", small["blocks_per_second"], least=1_500)
    large = apart("calm", largest, 600)
    who = f"{largest * 10_000:,.0f} borrowers"
    yield Figure(f"{who}, calm: blocks a second", large["blocks_per_second"], least=500)
    yield Figure(f"{who}: longest pause, ms", large["longest_pause_ms"], most=300, aim="aim 150")
    yield Figure(f"{who}: time a block over that of 10,000", small["blocks_per_second"] / large["blocks_per_second"])
    yield Figure(f"{who}: set-up, seconds", large["set_up_seconds"], most=20)
    yield Figure(f"{who}: KB each", large["kb_each"], most=memory)
    yield Figure(f"{who}: KB each that a second world leaves after close()", large["left_kb_each"], most=LEFT_KB)
    for scale in CRASH_SCALES:
        if scale <= largest:
            yield from crash_figures(scale)
    few, many = (quickest("crash", 1.0, "groups", count, runs=2) for count in (2_000, 20_000))
    ratio = many["ms_per_block"] / few["ms_per_block"]
    yield Figure("crash: block with ten times the standing insolvent positions", ratio, most=1.5)
    ratio = many["screening_ms"] / few["screening_ms"]
    yield Figure("crash: the same, screening and book alone", ratio, most=1.5)


def crash_figures(scale: float) -> Iterator[Figure]:
    """One size of the book under -50 % in 600 blocks: sorted groups against the plain pass."""
    groups, plain = (quickest("crash", scale, screen, runs=3 if scale == 1.0 else 1) for screen in SCREENS)
    who = f"{scale * 10_000:,.0f} borrowers, crash"
    yield Figure(f"{who}: ms a block", groups["ms_per_block"])
    share = 0.35 if scale == 10.0 else None
    yield Figure(f"{who}: share of screening and book", groups["screening_share"], most=share)
    ratio = groups["ms_per_block"] / plain["ms_per_block"]
    yield Figure(f"{who}: block with groups over plain", ratio, most=1.2)
    ratio = groups["screening_ms"] / plain["screening_ms"]
    yield Figure(f"{who}: screening and book, groups over plain", ratio)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measures: dict[str, Callable[..., dict[str, float]]] = {"calm": calm, "crash": crash}
        print(json.dumps(measures[sys.argv[2]](*json.loads(sys.argv[3]))))
    else:
        show(figures(*map(float, sys.argv[1:])))
