"""Scenario loop-unwind on five seeds: loops close, the discount widens, the redemption queue bounds it."""

from __future__ import annotations

import numpy as np
import pytest

from agents.carry import discount_bound
from sim.economy import Economy

SEEDS = (1, 2, 3, 4, 5)
DAY = 86_400.0

#: Four of the scenario's seven days: the supply is gone by then.
HORIZON = {"run.horizon_seconds": 345_600}

#: Steps of an hour, and of the time before the supply begins to leave.
HOUR, CALM = 12, 144


def outcome(seed, **overrides):
    """(part of the loop debt that is left, discount on the best pool by step, expected wait by step in seconds)."""
    with Economy("loop-unwind", seed=seed, overrides=HORIZON | overrides) as economy:
        accounts = economy.populations["loopers"].accounts
        assert 500 <= sum(len(population) for population in economy.populations.values()) <= 1_000
        weth = economy.pool.asset("WETH")
        before = sum(economy.pool.debt_balance(weth, account) for account in accounts)
        economy.run()
        metrics = economy.finish()["metrics"]
        after = sum(economy.pool.debt_balance(weth, account) for account in accounts)
        staking = economy.world.ratios.yield_per_year(economy.world.queues["stETH"].token)
    discounts = np.minimum(metrics["discount.wstETH-WETH"], metrics["discount.wstETH-WETH-stable"])
    wait = np.array(metrics["queue_wait_days.stETH"]) * DAY
    return after / before, np.array(discounts), wait, np.array(metrics["borrow_rate.WETH"]), staking


@pytest.fixture(scope="module")
def runs():
    return [outcome(seed) for seed in SEEDS]


def test_loop_debt_falls_by_a_third_once_borrowing_costs_more_than_staking_earns(runs):
    left = [run[0] for run in runs]
    assert all(run[3].max() > 2.0 * run[4] for run in runs)
    assert sum(part <= 2 / 3 for part in left) >= 4, left
    assert float(np.mean(left)) <= 2 / 3, left


def test_the_discount_widens(runs):
    rise = [run[1][CALM:].mean() - run[1][:CALM].mean() for run in runs]
    assert sum(r > 0.001 for r in rise) >= 4, rise
    assert float(np.mean(rise)) > 0.001, rise


def test_the_queue_keeps_it_within_the_bound(runs):
    """delta <= r_arb T_q / 365 with r_arb = 25 %, in the mean of every hour; in a step sales come before redeemers."""
    excess = []
    for _, discounts, wait, _, _ in runs:
        bound = np.array([discount_bound(0.25, seconds) for seconds in wait.tolist()])
        excess.append(float((discounts - bound).reshape(-1, HOUR).mean(axis=1).max()))
        assert float(np.mean(discounts > bound)) < 0.05
    assert sum(e <= 0.0004 for e in excess) >= 4, excess
    assert float(np.mean(excess)) <= 0.0004, excess


def test_without_the_queue_nothing_bounds_it(runs):
    _, discounts, _, _, _ = outcome(SEEDS[0], **{"redemptions.stETH.open_from": "2030-01-01T00:00:00Z"})
    assert discounts.max() > 2.0 * runs[0][1].max()
    assert discounts.max() > discount_bound(0.25, 9 * DAY)
