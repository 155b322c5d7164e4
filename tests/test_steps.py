"""A step may stand for several blocks: the same four hours in steps of one block and of five tell the same story."""

from __future__ import annotations

from statistics import median

import pytest

from sim.economy import Economy

SEEDS = (1, 2, 3)


def story(step_seconds, seed):
    with Economy("demo", seed=seed, overrides={"run.step_seconds": step_seconds}) as economy:
        economy.run()
        tables = economy.finish()
        metrics, events = tables["metrics"], tables["events"]
        done = [kind for kind, ok in zip(events["kind"], events["ok"], strict=True) if ok]
        return {
            "blocks": economy.clock.block,
            "seconds": economy.clock.timestamp - economy.settings.run.start_timestamp,
            "liquidated_usd": economy.events.total_liquidated_usd,
            "liquidations": economy.events.total_liquidations,
            "lowest_usd": metrics["outside_usd.WETH"].min(),
            "last_usd": metrics["outside_usd.WETH"][-1],
            "interest": metrics["debt_index.USDC"][-1] - 1.0,
            "base_fee_gwei": median(metrics["base_fee_gwei"]),
            "trades": done.count("trading"),
            "deleveraged": done.count("deleveraging") + done.count("top_up"),
        }


#: By how much a story in steps of a minute may differ from one in single blocks, summed over the seeds.
TOLERANCES = {
    "blocks": 0.0,
    "seconds": 0.0,
    "liquidated_usd": 0.10,
    "liquidations": 0.20,
    "lowest_usd": 0.005,
    "last_usd": 0.005,
    "interest": 0.01,
    "base_fee_gwei": 0.03,
    "trades": 0.10,
    "deleveraged": 0.10,
}


def test_one_block_and_five_blocks_a_step_tell_the_same_story():
    fine, coarse = ([story(seconds, seed) for seed in SEEDS] for seconds in (12, 60))
    for what, tolerance in TOLERANCES.items():
        one, other = (sum(float(told[what]) for told in stories) for stories in (fine, coarse))
        assert one > 0.0
        assert other == pytest.approx(one, rel=tolerance), what
