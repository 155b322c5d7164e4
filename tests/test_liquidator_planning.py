"""Plans of liquidators: what is planned on a view is what happens when nothing comes between, to the unit."""

from __future__ import annotations

from collections import Counter

import pytest

from agents.planning import best_plan
from sim.economy import Economy
from sim.markets.periphery import UNPROFITABLE

POSITIONS = {
    "populations.liquidators.count": 1,
    "populations.liquidators.capital_usd": {"USDC": 1e9, "WETH": 1e9, "WBTC": 1e9, "wstETH": 1e9, "USDT": 1e9},
    "populations.liquidators.latency_blocks_median": 1e6,  # he only watches: the test acts for him
    "populations.managers.look_seconds_alarm": 1e9,
    "populations.drowned": {
        "kind": "position",
        "count": 6,
        "supply_tokens": {"WETH": 9.87654321},
        "debt_tokens": {"USDC": 29_000.123456},
    },
    "populations.sunk": {
        "kind": "position",
        "count": 6,
        "supply_tokens": {"WBTC": 0.123},
        "debt_tokens": {"USDC": 33_000.0},
    },
    "populations.two_debts": {
        "kind": "position",
        "count": 6,
        "supply_tokens": {"WETH": 12.3, "WBTC": 0.1},
        "debt_tokens": {"USDC": 20_000.0, "wstETH": 3.3},
    },
    "populations.one_token": {
        "kind": "position",
        "count": 6,
        "supply_tokens": {"WETH": 10.0},
        "debt_tokens": {"WETH": 8.2999, "USDC": 900.0},
    },
    "populations.small": {
        "kind": "position",
        "count": 6,
        "supply_tokens": {"WBTC": 0.03},
        "debt_tokens": {"USDC": 2_600.0},
    },
}


def plans(economy, flash, outside):
    """The plan for every account whose health factor is under 1."""
    economy.view.cache.clear()
    for account in range(economy.world.first_agent_account, len(economy.ledger.owners)):
        if economy.pool.health_factor(account) < 10**18:
            plan = best_plan(economy.view, account, flash, outside)
            if plan is not None:
                yield plan


def attempt(economy, plan, flash, min_profit):
    """Do what the plan says, and take it back."""
    journal = economy.ledger.journal
    sender = economy.populations["liquidators"].first
    assert not journal.entries
    try:
        pair = (plan.borrower, plan.collateral_asset, plan.debt_asset)
        liquidate = economy.executor.markets["periphery"].liquidate
        return liquidate(sender, *pair, plan.debt_to_cover, plan.route, min_profit, flash)
    finally:
        journal.undo()


@pytest.mark.parametrize("rules", ["3.6", "3.0", "2"])
@pytest.mark.parametrize(("flash", "outside"), [(True, False), (False, False), (True, True), (False, True)])
def test_a_plan_comes_true(rules, flash, outside):
    met = Counter()
    with Economy("demo", overrides=POSITIONS | {"pool.rules": rules}) as economy:
        pool = economy.pool
        for step in range(1, 101):
            economy.step()
            if step > 2 and step % 10:
                continue
            for plan in plans(economy, flash, outside):
                done = attempt(economy, plan, flash, 0)
                # For all of the collateral a little more debt is offered than is taken; a flash loan of it costs.
                offered = plan.debt_to_cover - done.debt_repaid
                premium = pool.flash_premium(plan.debt_to_cover) - pool.flash_premium(done.debt_repaid)
                assert 0 <= offered <= 2 + done.debt_repaid // 1_000
                assert done.profit == plan.profit - (premium if flash else 0)
                held = pool.atoken_balance(plan.collateral_asset, plan.borrower)
                met["all of the collateral"] += done.collateral_seized + done.protocol_fee >= held - 2
                met["deficit"] += len(done.deficits)
                met["same token"] += plan.collateral_asset == plan.debt_asset
                met["plans"] += 1
    assert met["plans"] > 50
    assert met["all of the collateral"] > 10
    assert (met["deficit"] > 10) == (rules == "3.6")


def test_where_the_pool_has_little_of_the_collateral_as_much_is_planned_as_it_can_pay():
    lent_out = {f"populations.{name}.count": 0 for name in ("holders", "managers", "loopers")} | {
        "populations.whale": {
            "kind": "position",
            "count": 1,
            "supply_tokens": {"WETH": 1_000.0},
            "debt_tokens": {"USDC": 2_300_000.0},
        },
        "populations.shorts": {
            "kind": "position",
            "count": 1,
            "supply_tokens": {"WBTC": 500.0},
            "debt_tokens": {"WETH": 3_000.0},
        },
        "populations.rest.opening_utilisation.WETH": 0.99,
        "populations.liquidators.capital_usd": {"USDC": 1e7},
    }
    with Economy("demo", overrides=lent_out) as economy:
        pool = economy.pool
        weth = pool.asset("WETH")
        economy.view.open(step=0, block=0, timestamp=economy.clock.timestamp, base_fee_gwei=0.0, eth_usd=2_500.0)
        cash = pool.available_liquidity(weth)
        assert cash < 40 * 10**18
        plan = best_plan(economy.view, economy.populations["whale"].first, False, False)
        assert plan is not None
        done = attempt(economy, plan, False, 0)
        assert 0.998 * cash < done.collateral_seized <= cash
        assert pool.health_factor(economy.populations["whale"].first) < 10**18


def test_a_plan_is_refused_when_it_earns_less_than_asked():
    with Economy("demo", overrides=POSITIONS) as economy:
        economy.step()
        plan = next(plans(economy, True, False))
        with pytest.raises(Exception, match=UNPROFITABLE):
            attempt(economy, plan, True, plan.profit + 1)
