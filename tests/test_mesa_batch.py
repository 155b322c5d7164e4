"""Mesa's own door: `mesa.batch_run(Economy, …)` gives the figures of our runs with the same seeds."""

from __future__ import annotations

import inspect

import mesa
import pytest

from scenarios import load
from sim.economy import Economy
from sim.run import run_scenario
from sim.studies import evaluate

#: Mesa 3.5 hands seeds over as `rng`, earlier ones as a parameter like any other.
SEEDS_AS_RNG = "rng" in inspect.signature(mesa.batch_run).parameters


def batch(seeds, processes=1, **parameters):
    if SEEDS_AS_RNG:
        return mesa.batch_run(
            Economy, parameters=parameters, rng=seeds, number_processes=processes, display_progress=False
        )
    return mesa.batch_run(
        Economy, parameters=parameters | {"seed": seeds}, number_processes=processes, display_progress=False
    )


def test_the_same_figures_as_our_runs(tmp_path):
    from agents.registry import kinds
    from sim.results import load as load_run

    steps = [3_600, 7_200]
    rows = batch([3, 4], scenario="demo", run__horizon_seconds=steps)
    assert len(rows) == 4
    by_key = {(row["run__horizon_seconds"], row["seed"]): row for row in rows}
    assert len({row["liquidated_usd"] for row in rows}) > 2
    for (horizon, seed), row in by_key.items():
        scenario = load("demo", {"run.horizon_seconds": horizon}, kinds())
        folder = tmp_path / f"{horizon}-{seed}"
        run_scenario(scenario, seed=seed, out=folder, report=False)
        last = load_run(folder).metrics.iloc[-1]
        ours = evaluate(scenario, [{}], [seed]).iloc[0]
        assert row["liquidatable_usd"] == last["liquidatable_usd"]
        assert row["liquidations"] == ours["liquidations"]
        assert row["liquidated_usd"] == pytest.approx(ours["liquidated_usd"], rel=1e-12)
        assert row["deficit_usd"] == pytest.approx(ours["deficit_usd"], rel=1e-12)


def test_in_processes():
    """Two of them, started by Mesa: the model and its parameters travel."""
    alone = batch([1, 2], scenario="cascade-by-hand")
    together = batch([1, 2], processes=2, scenario="cascade-by-hand")
    assert sorted(map(str, alone)) == sorted(map(str, together))
    assert {row["liquidations"] for row in alone} == {3.0}
