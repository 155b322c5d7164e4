"""The cascade of three borrowers, every figure worked out by hand (docs/model.md 13)."""

from __future__ import annotations

import math

import pytest

from sim.economy import Economy

#: borrower: (oracle price, health factor before, USDC repaid, WETH seized)
BY_HAND = {
    "A": (950.0000, 0.989583, 38_400.0, 42.442105),
    "B": (926.1134, 0.985227, 56_400.0, 63.944651),
    "C": (891.2544, 0.990283, 18_000.0, 21.206066),
}


@pytest.fixture(scope="module")
def run():
    with Economy("cascade-by-hand") as economy:
        economy.run()
        tables = economy.finish()
        owners = {owner: account for account, owner in enumerate(economy.ledger.owners)}
        health = {name: economy.pool.health_factor(owners[name]) / 1e18 for name in BY_HAND}
        yield tables, owners, health, economy.outside.prices[0], economy


def liquidations(tables, owners):
    events = tables["events"]
    rows = [k for k, kind in enumerate(events["kind"]) if kind == "liquidation" and events["ok"][k]]
    return {
        name: {column: events[column][k] for column in events}
        for k in rows
        for name, account in owners.items()
        if events["account"][k] == account
    }


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_each_liquidation_has_the_digits_of_the_hand_calculation(run, name):
    tables, owners, _, _, _ = run
    oracle, health, repaid, seized = BY_HAND[name]
    event = liquidations(tables, owners)[name]
    assert event["debt_repaid"] == repaid
    assert event["collateral_seized"] == pytest.approx(seized, abs=5e-7)
    assert event["health_factor_before"] == pytest.approx(health, abs=5e-7)
    price = tables["metrics"]["oracle_usd.WETH"][tables["metrics"]["step"].tolist().index(event["step"])]
    assert price == pytest.approx(oracle, abs=5e-5)


def test_one_liquidation_a_step_in_the_order_of_the_prices(run):
    tables, owners, _, _, _ = run
    found = liquidations(tables, owners)
    assert [found[name]["step"] for name in "ABC"] == [1, 2, 3]
    assert sum(event["debt_repaid"] for event in found.values()) == 112_800.0


def test_final_price_and_health_factors(run):
    _, _, health, price, _ = run
    assert price == pytest.approx(879.9863, abs=5e-5)
    assert health["A"] == pytest.approx(1.0552, abs=5e-5)
    assert health["B"] == pytest.approx(1.0741, abs=5e-5)
    assert health["C"] == pytest.approx(1.1261, abs=5e-5)


def test_the_price_of_every_report_is_the_sum_of_its_causes(run):
    tables, _, _, _, _ = run
    reports = tables["reports"]
    weth = [k for k, feed in enumerate(reports["feed"]) if feed == "WETH"]
    assert len(weth) >= 4
    for k in weth:
        impact = math.fsum(reports[name][k] or 0.0 for name in reports if name.startswith("ln_impact."))
        parts = reports["ln_exogenous"][k] - impact + reports["basis"][k] + reports["error"][k]
        assert math.log(reports["price_usd"][k]) == pytest.approx(parts, abs=1e-12)
    last = weth[-1]
    assert reports["ln_impact.liquidation"][last] == pytest.approx(6e-4 * (42.442105 + 63.944651 + 21.206066), abs=1e-8)


def test_without_impact_only_the_first_is_liquidated():
    with Economy("cascade-by-hand", overrides={"mechanisms.liquidation_impact": False}) as economy:
        economy.run()
        tables = economy.finish()
        events = tables["events"]
        repaid = [events["debt_repaid"][k] for k, kind in enumerate(events["kind"]) if kind == "liquidation"]
        assert repaid == [38_400.0]
        assert economy.outside.prices[0] == 950.0
