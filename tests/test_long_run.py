"""Scenario long-run, four weeks around 19 May 2021 with 240 borrowers: the book lives through a crash."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios import load
from sim.economy import Economy

DAY = 86_400

#: 3 to 31 May 2021, when ether fell from 4,372 to 1,729 USD.
WEEKS = {
    "run.start": "2021-05-03T00:00:00Z",
    "run.horizon_seconds": 28 * DAY,
    "governance": [],
    "populations.scale": 0.12,
}


def indebted(economy):
    """Accounts with debt."""
    return sum(
        any(debts[account] for debts in economy.pool.scaled_debts)
        for population in economy.populations.values()
        for account in population.accounts
    )


@pytest.fixture(scope="module")
def run():
    with Economy("long-run", overrides=WEEKS) as economy:
        before = indebted(economy)
        economy.run()
        return before, indebted(economy), economy.finish()


def test_the_book_lives(run):
    before, after, tables = run
    assert before == 240
    assert 0.5 * before <= after <= 2.0 * before
    kinds = [kind for kind, ok in zip(tables["events"]["kind"], tables["events"]["ok"], strict=True) if ok]
    # With a mean life of 31 days four weeks replace half of the book.
    assert kinds.count("arrival") > 0.3 * before
    assert kinds.count("exit") > 0.3 * before


def test_liquidations_come_with_the_crash_and_leave_little_bad_debt(run):
    metrics = run[2]["metrics"]
    days = (np.array(metrics["timestamp"]) - 12) // DAY
    liquidated = np.array(metrics["liquidated_usd"])
    by_day = {day: float(liquidated[days == day].sum()) for day in sorted(set(days.tolist()))}
    crash = 1_621_382_400 // DAY  # 19 May 2021
    assert sum(by_day[day] for day in range(crash, crash + 5)) > 0.5 * sum(by_day.values())
    assert by_day[crash] > 0.1 * sum(by_day.values())
    assert 0.0 < liquidated.sum() < 0.4 * metrics["debt.USDC"][0]
    assert metrics["liquidatable_usd"][-1] < 0.001 * metrics["debt.USDC"][0]


def test_most_who_deleverage_come_through(run):
    """One hour holds many sales: a pool that one sale exhausts would turn the others back."""
    events = run[2]["events"]
    done = [ok for kind, ok in zip(events["kind"], events["ok"], strict=True) if kind == "deleveraging"]
    assert len(done) > 50
    assert sum(done) > 0.6 * len(done)


def test_utilisation_comes_back_to_the_kink(run):
    used = np.array(run[2]["metrics"]["utilisation.USDC"])
    assert used[0] == pytest.approx(0.80, abs=0.03)
    assert 0.6 < np.median(used) < 0.95
    assert (used > 0.99).mean() < 0.05


def test_the_prices_are_those_of_the_record(run):
    metrics = run[2]["metrics"]
    ether = np.array(metrics["exogenous_usd.WETH"])
    assert max(ether) == pytest.approx(4_372.72, rel=0.01)
    assert min(ether) == pytest.approx(1_728.74, rel=0.01)


def test_the_whole_of_it():
    scenario = load("long-run")
    assert (scenario.run.step_seconds, scenario.run.steps) == (3_600, 13_104)
    assert sum(scenario.scaled_count(name) for name in ("holders", "managers")) == 2_000
