"""Staking loops: carry by hand, loops opened and closed in one transaction, the bound that redeemers set."""

from __future__ import annotations

import math

import pytest

from agents.arbitrageur import best_amount
from agents.carry import (
    breakeven_borrow,
    discount_bound,
    gain_of_leaving,
    leverage_at,
    net_after_costs,
    net_carry,
    queue_cost_ratio,
)
from sim.chain.transaction import Call, Transaction
from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.results.tables import to_arrow

UNIT = 10**18
DAY = 86_400

#: The providers that the scenario itself leaves out, so that every kind of this file is there.
PROVIDERS = {
    "populations.providers": {
        "kind": "liquidity_provider",
        "count": 40,
        "pool": "WETH-USDC",
        "value_usd": 100e6,
        "look_seconds": 3_600.0,
    }
}

#: Two days in which the supply is gone within hours.
SHORT = {
    "run.horizon_seconds": 90_000,
    "populations.leaving.at_seconds": 3_600.0,
    "populations.leaving.over_seconds": 14_400.0,
    **PROVIDERS,
}


def digest(tables):
    return content_hash({name: to_arrow(name, table) for name, table in tables.items()})


def execute(economy, sender, *calls):
    receipt = economy.executor.execute(Transaction(sender, calls, "test"), 0)
    assert receipt.ok, receipt.reason
    return receipt.results


# ---------------------------------------------------------------------- by hand
def test_carry_by_hand():
    leverage = leverage_at(1.08, 0.95)
    assert leverage == pytest.approx(1.08 / 0.13)
    assert net_carry(8.0, 0.027, 0.02) == pytest.approx(8 * 0.027 - 7 * 0.02)
    assert net_carry(8.0, 0.027, 0.18) == pytest.approx(-1.044)
    # 1 % in and out over a quarter of a year is 4 % a year.
    assert net_after_costs(8.0, 0.027, 0.02, 0.01, 0.25) == pytest.approx(0.076 - 0.04)
    # A month at -1.044 a year costs 8.58 % of the equity; leaving at .3 % of eight times it costs 2.4 %.
    assert gain_of_leaving(-1.044, 30 / 365, 8 * 0.003) == pytest.approx(0.085808 - 0.024, abs=1e-6)
    rate = breakeven_borrow(8.0, 0.027, 30 / 365, 0.024)
    assert gain_of_leaving(net_carry(8.0, 0.027, rate), 30 / 365, 0.024) == pytest.approx(0.0, abs=1e-15)
    assert rate == pytest.approx((0.216 + 0.292) / 7)


def test_bound_by_hand():
    """Nine days of queue at 10 to 25 % a year: 25 to 62 bp, as in July 2025 (30 to 60)."""
    assert discount_bound(0.10, 9 * DAY) == pytest.approx(0.0024658, abs=1e-7)
    assert discount_bound(0.25, 9 * DAY) == pytest.approx(0.0061644, abs=1e-7)
    assert queue_cost_ratio(0.18, 9 * DAY) == pytest.approx(0.0044384, abs=1e-7)
    assert queue_cost_ratio(0.18, 9 * DAY, 4.0) == pytest.approx(4 * 0.0044384, abs=1e-6)
    assert queue_cost_ratio(-0.01, 9 * DAY) == 0.0


def test_best_amount_finds_the_top():
    amount, profit = best_amount(lambda x: x * (2_000_000 - x), 2_000_000)
    assert amount == pytest.approx(1_000_000, rel=2e-3)
    assert profit == pytest.approx(10**12, rel=1e-5)
    assert best_amount(lambda x: -x, 0) == (0, 0)


# ---------------------------------------------------------------------- loops
def test_a_loop_opens_and_closes_in_one_transaction_each():
    with Economy("loop-unwind") as economy:
        economy.step()
        pool, loops = economy.pool, economy.world.loops
        staked, base = pool.asset("wstETH"), pool.asset("WETH")
        token = pool.reserves[base].token
        population = economy.populations["loopers"]
        account = next(a for a in population.accounts if not pool.debt_balance(base, a))
        own = economy.ledger.balances[token][account]
        loan = 7 * own
        source = loops.flash_source(base, loan, "stETH", own + loan)
        arguments = (staked, base, 1, own, loan, source.name, "stETH", 1)
        entered = execute(economy, account, Call("loops", "enter", arguments, 0))[0]
        assert pool.debt_balance(base, account) == pytest.approx(loan + entered.flash_fee, abs=2)
        assert pool.health_factor(account) / 1e18 == pytest.approx(0.95 * 8 / 7, rel=1e-3)
        route, out = economy.venues.best_route(pool.reserves[staked].token, token, entered.supplied)
        debt = pool.debt_balance(base, account)
        source = loops.flash_source(base, debt + 10, route)
        arguments = (staked, base, debt + 10, 2**256 - 1, source.name, route, out * 99 // 100)
        left = execute(economy, account, Call("loops", "leave", arguments, 0))[0]
        assert pool.debt_balance(base, account) == 0
        assert pool.atoken_balance(staked, account) == 0
        # What he has lost is what the sale fell short of par and two flash fees, to a few units of rounding.
        fair = economy.world.queues["stETH"].par(left.sold)
        lost = own - economy.ledger.balances[token][account]
        assert lost == pytest.approx(fair - left.proceeds + entered.flash_fee + left.flash_fee, abs=1e6)
        economy.audit()


def test_flash_liquidity_comes_from_an_amm_when_the_pool_has_none():
    with Economy("loop-unwind") as economy:
        economy.step()
        pool, loops = economy.pool, economy.world.loops
        base = pool.asset("WETH")
        cash = pool.available_liquidity(base)
        # The cheapest is the staked token's own pool, at 1 bp; a route that trades on it finds it locked.
        assert loops.flash_source(base, UNIT, "stETH")[:2] == ("wstETH-WETH", UNIT // 10**4)
        token, staked = pool.reserves[base].token, economy.world.queues["stETH"].token
        direct = next(r for r in economy.venues.routes(staked, token) if r[0].venue == "wstETH-WETH")
        assert loops.flash_source(base, UNIT, direct)[:2] == ("pool", UNIT // 2_000)
        assert loops.flash_source(base, UNIT, direct, cash)[:2] == ("WETH-USDC", UNIT // 2_000)
        everything = loops.flash_source(base, 10**30, direct)
        assert everything.available < 10**30


def test_the_stable_pool_follows_the_ratio_without_a_trade():
    overrides = {
        "populations.traders.count": 0,
        "populations.loopers.count": 0,
        "populations.redeemers.count": 0,
        "populations.arbitrageurs.count": 0,
        "populations.managers.count": 0,
        "prices.process": "constant",
        "populations.leaving.count": 0,
        "run.horizon_seconds": 864_000,
        "run.step_seconds": 86_400,
    }
    with Economy("loop-unwind", overrides=overrides) as economy:
        amm = economy.amms["wstETH-WETH-stable"]
        opening = amm.price()
        economy.run()
        growth = math.exp(0.027 * 10 / 365)
        # The staked side of the pool is worth more now, so its price is a little below par: growth / (A + 1).
        behind = math.log(amm.price() / opening / growth)
        assert behind == pytest.approx(-0.027 * 10 / 365 / 51, rel=2e-2)
        displacement = economy.venues.displacements["wstETH-WETH-stable"]
        assert displacement.total() == pytest.approx(behind, abs=1e-12)
        assert displacement.components().keys() == {"outside"}


def test_an_amplification_ramp_runs_its_course():
    ramp = {"to_amplification": 200, "from_seconds": 86_400, "to_seconds": 259_200}
    overrides = {"amms.wstETH-WETH-stable.amplification": 100, "amms.wstETH-WETH-stable.ramp": ramp}
    with Economy("loop-unwind", overrides=overrides) as economy:
        amm = economy.amms["wstETH-WETH-stable"]
        found = []
        for day in range(4):
            economy.clock.timestamp = economy.settings.run.start_timestamp + day * 86_400
            found.append(amm.amplification())
        assert found == [100.0, 100.0, 150.0, 200.0]


# ---------------------------------------------------------------------- the discount
def discount(economy):
    world = economy.world
    token, base = world.queues["stETH"].token, world.queues["stETH"].base
    prices = [amm.price() for amm in world.amms.values() if (amm.token0, amm.token1) == (token, base)]
    return 1.0 - max(prices) / world.ratios.par(token, base)


@pytest.mark.parametrize("opened", [True, False])
def test_redeemers_bring_a_discount_back_to_their_bound(opened):
    overrides = {"populations.loopers.count": 0, "populations.leaving.count": 0, "populations.traders.count": 0}
    if not opened:
        overrides["redemptions.stETH.open_from"] = "2030-01-01T00:00:00Z"
    with Economy("loop-unwind", overrides=overrides) as economy:
        economy.step()
        queue = economy.world.queues["stETH"]
        seller = economy.ledger.open_account("seller")
        economy.ledger.inflow(queue.token, seller, 60_000 * UNIT)
        route, _ = economy.venues.best_route(queue.token, queue.base, 60_000 * UNIT)
        execute(economy, seller, Call("venues", "swap", (route, 60_000 * UNIT, 0, "farming"), 0))
        before = discount(economy)
        assert before > 0.01
        for _ in range(12):
            economy.step()
        after = discount(economy)
        if opened:
            required = economy.populations["redeemers"].columns["required_per_year"]
            assert after < discount_bound(float(required.min()), queue.wait_seconds()) + 0.0006
            assert queue.requests
        else:
            assert after == pytest.approx(before, rel=0.02)
            assert not queue.requests
        economy.audit()


def test_redeemers_sell_newly_staked_tokens_above_par():
    overrides = {"populations.loopers.count": 0, "populations.leaving.count": 0, "populations.traders.count": 0}
    with Economy("loop-unwind", overrides=overrides) as economy:
        economy.step()
        queue = economy.world.queues["stETH"]
        buyer = economy.ledger.open_account("buyer")
        economy.ledger.inflow(queue.base, buyer, 60_000 * UNIT)
        route, _ = economy.venues.best_route(queue.base, queue.token, 60_000 * UNIT)
        execute(economy, buyer, Call("venues", "swap", (route, 60_000 * UNIT, 0, "trading"), 0))
        assert discount(economy) < -0.01
        for _ in range(3):
            economy.step()
        assert discount(economy) > -0.0006


# ---------------------------------------------------------------------- whole runs
def test_waking_everybody_gives_the_same_run_and_nothing_is_lost():
    with Economy("loop-unwind", overrides=SHORT | {"run.audit_every_steps": 20}) as economy:
        economy.run()
        due = economy.finish()
        assert economy.audits > 10
    with Economy("loop-unwind", overrides=SHORT | {"run.wake": "all"}) as economy:
        economy.run()
        everybody = economy.finish()
    kinds = {kind for kind, ok in zip(due["events"]["kind"], due["events"]["ok"], strict=True) if ok}
    assert {"loop_exit", "redemption", "redemption_request", "liquidity_withdraw", "arbitrage", "whale"} <= kinds
    assert digest(due) == digest(everybody)


def test_switched_off_farmers_stand_still():
    with Economy("loop-unwind", overrides=SHORT | {"mechanisms.farmers": False}) as economy:
        accounts = economy.populations["loopers"].accounts
        before = [economy.pool.scaled_debts[0][account] for account in accounts]
        economy.run()
        assert [economy.pool.scaled_debts[0][account] for account in accounts] == before
        kinds = set(economy.finish()["events"]["kind"])
        assert not kinds & {"loop_exit", "loop_entry", "loop_reduction", "redemption_request"}
