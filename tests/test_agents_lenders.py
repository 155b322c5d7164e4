"""Elastic lenders: the target, its time constant, flight, queues, and the switch that freezes them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lending_agents_fixture import DAY, economy, position, run

from agents.elasticity import debt_target, supply_target

NEVER = 1e12


def market(utilisation, supply=1_000_000.0, count=1, **changes):
    """Equal lenders, and one borrower who owes a share of their supply."""
    return {
        "borrower": position(supply={"WETH": 10_000.0}, debt={"USDC": supply * utilisation}),
        "lenders": {
            "kind": "elastic_lender",
            "count": count,
            "opening_utilisation": {"USDC": utilisation},
            "calm_half_life_seconds": NEVER,
        }
        | changes,
    }


def test_targets_meet_the_rate_that_they_leave_behind():
    with economy(market(0.95)) as made:
        pool, usdc = made.pool, made.pool.asset("USDC")
        supply = supply_target(pool, usdc, 1_000_000.0, 1_000_000.0, 5.0, 0.03, 2_000_000.0)
        utilisation = 950_000.0 / supply
        borrow = 0.05 * utilisation / 0.9 if utilisation <= 0.9 else 0.05 + 0.6 * (utilisation - 0.9) / 0.1
        assert supply == pytest.approx(1_000_000.0 * math.exp(5.0 * (borrow * utilisation - 0.03)), rel=1e-6)
        debt = debt_target(pool, usdc, 950_000.0, 950_000.0, 8.0, 0.05, 990_000.0)
        utilisation = debt / 1_000_000.0
        borrow = 0.05 + 0.6 * (utilisation - 0.9) / 0.1
        assert debt == pytest.approx(950_000.0 * math.exp(-8.0 * (borrow - 0.05)), rel=1e-6)
        assert 900_000.0 < debt < 950_000.0


def test_a_target_is_cut_at_what_there_is():
    with economy(market(0.99)) as made:
        assert supply_target(made.pool, made.pool.asset("USDC"), 1e6, 1e6, 50.0, 0.0, 1.2e6) == 1.2e6


def test_the_gap_decays_with_the_time_constant_however_often_he_looks():
    """Without interest S* = S0 exp(-5 x 2 %), and S - S* falls as exp(-t / 24 h) from look to look, exactly."""
    for look_seconds in (3_600.0, 21_600.0):
        people = market(0.5, outside_rate_per_year={"USDC": 0.02}, look_seconds=look_seconds)
        with economy(people, mechanisms__interest=False, run__horizon_seconds=3 * DAY) as made:
            made.run()
            lender = made.populations["lenders"]
            start = float(lender.columns["anchor.USDC"][0])
            target = start * math.exp(-5.0 * 0.02)
            seen = float(lender.columns["seen_at.USDC"][0]) - made.settings.run.start_timestamp
            held = made.pool.atoken_balance(made.pool.asset("USDC"), lender.first) / 1e6
            assert seen > DAY
            assert held - target == pytest.approx((start - target) * math.exp(-seen / DAY), rel=1e-4)


def test_lenders_away_at_the_opening_keep_calm_stationary():
    people = market(0.5, count=400, calm_half_life_seconds=DAY, return_seconds=DAY, supply=4e6)
    with economy(people, run__horizon_seconds=3 * DAY) as made:
        away = made.populations["lenders"].columns["away.USDC"]
        share = math.log(2.0) / (1.0 + math.log(2.0))
        assert away.mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 400))
        made.run()
        assert away.mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 400))
        made.finish()


def test_crowding_halves_the_lenders_in_its_half_life_and_they_wait():
    """U = .995: h1 has a half-life of 12 h; nobody gets out beyond the cash, the others queue and are counted."""
    people = market(0.995, count=400, supply=4e6, elasticity=0.0)
    with economy(people, run__horizon_seconds=12 * 3_600) as made:
        made.run()
        metrics = made.finish()["metrics"]
        lender = made.populations["lenders"]
        away = lender.columns["away.USDC"]
        assert away.mean() == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(400))
        held = np.array([made.pool.atoken_balance(made.pool.asset("USDC"), a) / 1e6 for a in lender.accounts])
        assert metrics["waiting_withdrawals_usd"][-1] == pytest.approx(held[away].sum(), rel=1e-6)
        assert metrics["utilisation.USDC"][-1] == 1.0
        assert metrics["cash.USDC"][-1] == 0.0


def test_a_feared_loss_of_one_per_cent_has_a_half_life_of_six_hours():
    people = market(0.5, count=400, supply=4e6, rumour_usd={"USDC": 40_000.0}, elasticity=0.0)
    with economy(people, run__horizon_seconds=3 * 3_600) as made:
        supply = made.pool.total_supply(made.pool.asset("USDC"))
        made.run()
        gone = 1.0 - made.pool.total_supply(made.pool.asset("USDC")) / supply
        # The same loss weighs more on those who stay, so a little more than 1 - 2^(-1/2) have left.
        assert 0.29 - 0.1 < made.populations["lenders"].columns["away.USDC"].mean() < 0.55
        assert gone > 0.1
        made.finish()


def test_who_waits_is_served_when_somebody_repays():
    people = market(0.995, count=50, supply=1e6, elasticity=0.0)
    with economy(people, run__horizon_seconds=2 * DAY) as made:
        for _ in range(288):
            made.step()
        assert made.metrics.waiting_withdrawals_usd() > 100_000.0
        borrower = made.populations["borrower"].first
        usdc = made.pool.asset("USDC")
        made.ledger.inflow(made.pool.reserves[usdc].token, borrower, 900_000 * 10**6)
        made.pool.repay(borrower, usdc, 900_000 * 10**6)
        made.ledger.journal.clear()
        for _ in range(24):
            made.step()
        assert made.metrics.waiting_withdrawals_usd() == 0.0
        made.finish()


def test_times_of_looking_do_not_depend_on_what_is_decided():
    looks = []
    for half_life in (NEVER, 10 * DAY):
        with economy(market(0.5, count=50, calm_half_life_seconds=half_life)) as made:
            made.run()
            looks.append(made.populations["lenders"].columns["supply_at"].tolist())
            made.finish()
    assert looks[0] == looks[1]


def test_only_supply_that_secures_no_debt_can_leave():
    with economy(market(0.5, count=1)) as made:
        lender = made.populations["lenders"]
        agent, account = lender.agents[0], lender.first
        usdc, weth = made.pool.asset("USDC"), made.pool.asset("WETH")
        made.step()
        assert not agent._secures_debt(made.pool, usdc)
        made.ledger.inflow(made.pool.reserves[weth].token, account, 10**20)
        made.pool.supply(account, weth, 10**20)
        made.pool.borrow(account, usdc, 10**9)
        made.ledger.journal.clear()
        assert agent._secures_debt(made.pool, weth)
        assert not agent._secures_debt(made.pool, usdc)


def test_frozen_lenders_stay():
    people = market(0.995, count=50)
    made, tables = run(people, mechanisms__lender_flight=False)
    assert "withdrawal" not in tables["events"]["kind"]
    assert not made.populations["lenders"].columns["away.USDC"].any()
    assert tables["metrics"]["waiting_withdrawals_usd"].max() == 0.0


def test_one_lender_more_changes_nobody_elses_times():
    columns = []
    for count in (30, 31):
        with economy(market(0.5, count=count)) as made:
            columns.append(made.populations["lenders"].columns["supply_at"][:30].tolist())
    assert columns[0] == columns[1]
