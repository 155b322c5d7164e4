"""The base market opens as it says: three classes of debt, below every cap, with the snapshot's parameters and cash."""

from __future__ import annotations

import functools
import math
from collections import Counter

import numpy as np
import pytest

from agents.registry import kinds
from scenarios import load
from sim.building import build
from sim.economy import Economy
from sim.markets.routes import SplitRoute, single_routes

BASE = "aave-v3-ethereum"
SEEDS = tuple(range(1, 7))
CLASSES = {"holders": "volatile", "managers": "volatile", "loopers": "ether", "stable_loopers": "dollars"}

#: Cash of the reserves at block 22,840,005, whole tokens; the Ethena tokens together, in sUSDe.
SNAPSHOT_CASH = {
    "USDC": 407.4e6,
    "USDT": 1_054.5e6,
    "WETH": 466_084,
    "WBTC": 39_970,
    "sUSDe": 2_245.5e6 / 1.180365,
}


@functools.cache
def opened(seed):
    return build(load(BASE, kinds=kinds()), seed)


@functools.cache
def debt_by_class(seed):
    world = opened(seed)
    pool = world.pool
    found = Counter()
    for name, population in world.populations.items():
        rows = slice(population.first, population.first + len(population))
        owed = [
            float(np.sum(pool.debt_column[asset, rows])) * pool.prices[asset] * 1e-8
            for asset in range(len(pool.reserves))
        ]
        if math.fsum(owed):
            found[CLASSES[name]] += math.fsum(owed)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_three_classes_of_debt(seed):
    """40 %, 35 % and 25 % of the debt, within three points each (two standard deviations over seeds)."""
    debts = debt_by_class(seed)
    total = math.fsum(debts.values())
    assert debts["volatile"] / total == pytest.approx(0.40, abs=0.03)
    assert debts["ether"] / total == pytest.approx(0.35, abs=0.03)
    assert debts["dollars"] / total == pytest.approx(0.25, abs=0.03)
    assert total == pytest.approx(8.6e9, rel=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_reserve_opens_below_its_caps(seed):
    world = opened(seed)
    pool = world.pool
    for symbol, reserve in world.scenario.pool.reserves.items():
        asset = pool.asset(symbol)
        room = pool.supply_room(asset)
        assert room is not None, symbol
        assert room > 0, symbol
        owed = pool.total_debt(asset) / pool.reserves[asset].unit
        assert owed <= reserve.borrow_cap_tokens if reserve.borrow_cap_tokens else not owed, symbol


def test_idle_cash_is_about_that_of_the_snapshot():
    """Means over seeds, within a sixth: totals are no record, so the book's own is not tuned further."""
    for symbol, cash in SNAPSHOT_CASH.items():
        pools = [opened(seed).pool for seed in SEEDS]
        asset = pools[0].asset(symbol)
        mean = np.mean([pool.available_liquidity(asset) / pool.reserves[asset].unit for pool in pools])
        assert mean == pytest.approx(cash, rel=1 / 6), symbol


def test_e_modes_are_those_of_the_snapshot():
    """Categories 1 (ETH correlated) and 2 (sUSDe Stablecoins), restricted to the assets of the scenario."""
    emodes = load(BASE).pool.emodes
    found = {
        number: (e.label, e.ltv, e.liquidation_threshold, e.liquidation_bonus, e.collateral, e.borrowable)
        for number, e in emodes.items()
    }
    assert found == {
        1: ("ETH correlated", 0.93, 0.95, 0.01, ("WETH", "wstETH"), ("WETH",)),
        2: ("sUSDe Stablecoins", 0.90, 0.92, 0.04, ("sUSDe",), ("USDC", "USDT")),
    }


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_stable_loops_are_in_their_e_mode_and_open_healthy(seed):
    """Health factors as other e-mode loops: at least LT / LTV, the median 8 % above 1."""
    world = opened(seed)
    population = world.populations["stable_loopers"]
    assert {world.pool.emode(account) for account in population.accounts} == {2}
    excess = sorted(world.pool.health_factor(account) / 10**18 - 1.0 for account in population.accounts)
    assert excess[0] >= 0.92 / 0.90 - 1.0 - 1e-3
    assert excess[len(excess) // 2] == pytest.approx(0.08, rel=0.05)


def test_susde_is_priced_by_a_capped_ratio_over_usdt():
    """The name of Aave's oracle is 'Capped sUSDe / USDT / USD'."""
    world = opened(1)
    scenario = world.scenario
    feed = scenario.oracle.feeds["sUSDe"]
    assert (feed.kind, scenario.assets["sUSDe"].base, feed.cap_growth_per_year) == ("ratio", "USDT", 0.5)
    assert world.pool.prices[world.pool.asset("sUSDe")] * 1e-8 == pytest.approx(1.180365, rel=1e-6)


# ---------------------------------------------------------------------- where things are sold
def test_collateral_is_sold_over_stable_pools_and_divided_between_pools():
    world = opened(1)
    venues = world.venues
    token = dict(zip(world.symbols, range(len(world.symbols)), strict=True))
    unit = {symbol: world.ledger.tokens[token[symbol]].unit for symbol in token}

    def used(sold, bought, amount):
        route, received = venues.best_route(token[sold], token[bought], int(amount * unit[sold]))
        assert received > 0
        return route, {leg.venue for legs, _ in single_routes(route, 0) for leg in legs}

    route, names = used("wstETH", "WETH", 5_000)
    assert isinstance(route, SplitRoute)
    assert names == {"wstETH-WETH", "wstETH-WETH-stable"}
    _, names = used("sUSDe", "USDT", 1e6)
    assert names == {"sUSDe-USDT"}
    _, names = used("sUSDe", "USDC", 1e6)
    assert names == {"sUSDe-USDT", "USDT-USDC"}
    route, names = used("WETH", "USDC", 5_000)
    assert isinstance(route, SplitRoute)
    assert names == {"WETH-USDC", "WETH-USDT", "USDT-USDC"}


def test_a_fallen_susde_is_liquidated_through_the_stable_pools():
    """The oracle takes 6 % off sUSDe: loops become liquidatable, and what is seized is sold where it trades."""
    changes = {
        "populations.scale": 0.02,
        "run.step_seconds": 60,
        "run.horizon_seconds": 3_600,
        "oracle.feeds.sUSDe.faults": [{"kind": "factor", "at_seconds": 600, "for_seconds": 3_000, "factor": 0.94}],
    }
    with Economy(BASE, seed=1, overrides=changes) as economy:
        economy.run()
        events = economy.recorder.tables()["events"]
        moves = {name: shift.moves for name, shift in economy.world.venues.displacements.items()}
        economy.pool.audit()
    done = [k for k, kind in enumerate(events["kind"]) if kind == "liquidation" and events["ok"][k]]
    assert len(done) > 3
    assert moves["sUSDe-USDT"]["liquidation"] < 0.0
    assert moves["USDT-USDC"]["liquidation"] < 0.0
    assert "liquidation" not in moves["WBTC-WETH"]


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_a_depeg_of_usdt_reaches_susde_and_eases_its_debtors(seed):
    """USDT falls by 8 %: so does sUSDe, which is counted in it; loops that owe USDC are liquidated, USDT loops not."""
    changes = {
        "populations.scale": 0.02,
        "run.step_seconds": 60,
        "run.horizon_seconds": 7_200,
        "prices.shocks": [{"asset": "USDT", "at_seconds": 600, "change_ratio": -0.08, "over_seconds": 1_200}],
    }
    with Economy(BASE, seed=seed, overrides=changes) as economy:
        loops = set(economy.populations["stable_loopers"].accounts)
        economy.run()
        tables = economy.recorder.tables()
        events, metrics = tables["events"], tables["metrics"]
    assert metrics["oracle_usd.USDT"][-1] == pytest.approx(0.92 * 1.000259, rel=3e-3)
    assert metrics["oracle_usd.sUSDe"][-1] == pytest.approx(0.92 * 1.180365, rel=3e-3)
    seized = Counter(
        events["debt_asset"][k]
        for k, kind in enumerate(events["kind"])
        if kind == "liquidation" and events["ok"][k] and events["account"][k] in loops
    )
    assert seized["USDC"] > 0
    assert seized["USDT"] == 0
