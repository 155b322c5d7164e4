"""A step may stand for several blocks: a crash in steps of one block and of five tells the same story."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.economy import Economy

SEEDS = range(1, 21)

#: Student's t with 19 degrees of freedom, 97.5 %.
T_95 = 2.093

#: The base market with all its kinds, 500 borrowers, in an hour and a quarter: ether falls by 30 % in 45 minutes.
CRASH = {
    "populations.scale": 0.05,
    "run.horizon_seconds": 4_500,
    "prices.process": "gbm",
    "prices.volatility_per_year": {"WETH": 0.45, "WBTC": 0.25},
    "prices.correlation": 0.83,
    "prices.shocks": [
        {"asset": "WETH", "at_seconds": 600, "change_ratio": -0.30, "over_seconds": 2_700},
        {"asset": "WBTC", "at_seconds": 600, "change_ratio": -0.25, "over_seconds": 2_700},
    ],
}

#: Largest half-width of an interval, as a share of the mean: with a wider one the comparison would say little.
NARROW = {"utilisation": 0.005, "liquidated_usd": 0.10, "base_fee_gwei": 0.005}


def story(step_seconds, seed):
    """Utilisation of USDC and base fee, means over the ends of minutes, and what was liquidated."""
    with Economy("aave-v3-ethereum", seed=seed, overrides={**CRASH, "run.step_seconds": step_seconds}) as economy:
        economy.run()
        metrics = economy.finish()["metrics"]
        every = 60 // step_seconds
        assert economy.clock.block == 375
        return {
            "utilisation": float(np.mean(metrics["utilisation.USDC"][every - 1 :: every])),
            "liquidated_usd": economy.events.total_liquidated_usd,
            "base_fee_gwei": float(np.mean(metrics["base_fee_gwei"][every - 1 :: every])),
        }


@pytest.fixture(scope="module")
def stories():
    return [(story(12, seed), story(60, seed)) for seed in SEEDS]


@pytest.mark.slow
@pytest.mark.parametrize("what", sorted(NARROW))
def test_one_block_and_five_blocks_a_step_agree(stories, what):
    """The 95 % interval of the mean difference over 20 seeds, the same draws in both, contains zero and is narrow."""
    apart = [coarse[what] - fine[what] for fine, coarse in stories]
    level = math.fsum(fine[what] for fine, _ in stories) / len(stories)
    half = T_95 * float(np.std(apart, ddof=1)) / math.sqrt(len(apart))
    mean = math.fsum(apart) / len(apart)
    print(f"{what}: {level:.6g}, apart {mean:.3g} +- {half:.3g}")
    assert abs(mean) <= half, (mean, half)
    assert half < NARROW[what] * level


def test_whose_transaction_failed_tries_again_within_the_step_and_pools_are_brought_back():
    """In steps of five minutes owners who sell together get in each other's way, and arbitrage is needed in between."""
    with Economy("aave-v3-ethereum", seed=1, overrides={**CRASH, "run.step_seconds": 300}) as economy:
        economy.run()
        events = economy.finish()["events"]
    done = zip(events["step"], events["sender"], events["kind"], events["market"], events["ok"], strict=True)
    failed, again, brought_back = {}, 0, {}
    for step, sender, kind, market, ok in done:
        if kind == "arbitrage" and ok:
            brought_back[step, market] = brought_back.get((step, market), 0) + 1
        elif kind == "deleveraging" and not ok:
            failed[sender] = step
        elif kind == "deleveraging":
            again += failed.get(sender) == step
    assert again > 10
    assert max(brought_back.values()) > 1
