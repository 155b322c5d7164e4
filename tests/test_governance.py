"""Governance: changes of the pool during a run, checked when loaded, noticed by the screens, recorded as events."""

from __future__ import annotations

import pytest
from test_economy import digest, run

from agents.registry import kinds
from scenarios import ScenarioError, load
from sim.economy import Economy

CALM = {"prices.shocks": [], "prices.process": "constant", "run.horizon_seconds": 1_200}


def change(**fields):
    return {"at_seconds": 300, "reserve": "WETH", **fields}


def problems(*changes, **overrides):
    with pytest.raises(ScenarioError) as caught:
        load("demo", {"governance": list(changes), **overrides}, kinds=kinds())
    return {problem.path: problem.message for problem in caught.value.problems}


# ---------------------------------------------------------------------- what does not fit is refused
@pytest.mark.parametrize(
    ("given", "path"),
    [
        (change(liquidation_threshold=0.80), "governance.0.ltv"),  # LTV stays .805
        (change(liquidation_bonus=0.25), "governance.0.liquidation_bonus"),
        (change(), "governance.0"),
        ({"at_seconds": 0, "ltv": 0.5}, "governance.0"),
        (change(emode=1, ltv=0.5), "governance.0"),
        ({"at_seconds": 0, "emode": 1, "frozen": True}, "governance.0.frozen"),
        (change(slope1_per_year=0.9), "governance.0.slope2_per_year"),
        (change(at_seconds=10**8, ltv=0.5), "governance.0.at_seconds"),
        (change(reserve="WET", ltv=0.5), "governance.0.reserve"),
        ({"at_seconds": 0, "emode": 7, "ltv": 0.5}, "governance.0.emode"),
    ],
)
def test_changes_that_do_not_fit(given, path):
    assert path in problems(given)


def test_a_change_is_judged_by_what_earlier_ones_have_left():
    lower_both = [change(ltv=0.5, liquidation_threshold=0.6), change(at_seconds=600, ltv=0.55)]
    load("demo", {"governance": lower_both}, kinds=kinds())
    assert "governance.1.ltv" in problems(lower_both[0], change(at_seconds=600, ltv=0.7))


# ---------------------------------------------------------------------- what it does
def test_parameters_change_in_the_step_of_their_time():
    changes = [
        change(
            ltv=0.5,
            liquidation_threshold=0.82,
            liquidation_bonus=0.06,
            reserve_factor=0.2,
            supply_cap_tokens=7,
            borrow_cap_tokens=8,
            liquidation_protocol_fee=0.3,
            slope1_per_year=0.05,
        ),
        {"at_seconds": 300, "emode": 1, "liquidation_threshold": 0.94},
        {"at_seconds": 360, "reserve": "WBTC", "paused": True},
    ]
    with Economy("demo", overrides={**CALM, "governance": changes}) as economy:
        reserve = economy.pool.reserves[economy.pool.asset("WETH")]
        for _ in range(4):
            economy.step()
        assert (reserve.ltv_bps, reserve.supply_cap_tokens) == (8_050, 3_000_000)
        economy.step()
        assert (reserve.ltv_bps, reserve.liquidation_threshold_bps, reserve.liquidation_bonus_bps) == (
            5_000,
            8_200,
            10_600,
        )
        assert (reserve.reserve_factor_bps, reserve.supply_cap_tokens, reserve.borrow_cap_tokens) == (2_000, 7, 8)
        assert reserve.liquidation_protocol_fee_bps == 3_000
        assert reserve.rate_model.slope1_ray == 5 * 10**25
        assert economy.pool.emodes[1].liquidation_threshold_bps == 9_400
        economy.step()
        assert economy.pool.reserves[economy.pool.asset("WBTC")].paused
        events = economy.finish()["events"]
    rows = [k for k, kind in enumerate(events["kind"]) if kind == "governance"]
    assert [(events["step"][k], events["ok"][k], events["gas_used"][k]) for k in rows] == [
        (5, True, 0),
        (5, True, 0),
        (6, True, 0),
    ]


def test_freezing_and_unfreezing_bring_the_ltv_back():
    changes = [change(frozen=True), change(at_seconds=600, frozen=False)]
    with Economy("demo", overrides={**CALM, "governance": changes}) as economy:
        reserve = economy.pool.reserves[economy.pool.asset("WETH")]
        seen = []
        for _ in range(11):
            economy.step()
            seen.append((reserve.frozen, reserve.ltv_bps, economy.pool.emodes[1].ltv_zero))
    bit = 1 << economy.pool.asset("WETH")
    assert seen[3] == (False, 8_050, 0)
    assert seen[4] == (True, 0, bit)
    assert seen[10] == (False, 8_050, 0)


@pytest.mark.parametrize("screen", ["groups", "plain"])
def test_a_lower_threshold_makes_positions_liquidatable_without_any_price_change(screen):
    lower = [change(at_seconds=300, ltv=0.50, liquidation_threshold=0.55)]
    overrides = {**CALM, "run.screen": screen}
    with Economy("demo", overrides=overrides) as economy:
        economy.run()
        assert economy.events.total_liquidations == 0
    with Economy("demo", overrides={**overrides, "governance": lower}) as economy:
        for _ in range(5):
            economy.step()
        expected = {
            account for account in range(len(economy.ledger.owners)) if economy.pool.health_factor(account) < 10**18
        }
        assert expected
        economy.run()
        assert economy.events.total_liquidations > 0
        assert {a for a in economy.liquidatable.debts_usd if economy.pool.health_factor(a) >= 10**18} == set()


def test_a_higher_threshold_heals():
    changes = [
        change(at_seconds=60, ltv=0.50, liquidation_threshold=0.55),
        change(at_seconds=120, ltv=0.50, liquidation_threshold=0.83),
    ]
    silent = {"populations.liquidators.silent_share": 1.0, "populations.managers.count": 0}
    with Economy("demo", overrides={**CALM, **silent, "governance": changes}) as economy:
        economy.step()
        assert len(economy.liquidatable) > 0
        economy.step()
        assert len(economy.liquidatable) == 0


def test_waking_everybody_gives_the_same_run_under_governance():
    changes = [
        change(at_seconds=600, ltv=0.7, liquidation_threshold=0.75),
        {"at_seconds": 1_200, "emode": 1, "ltv": 0.92, "liquidation_threshold": 0.94},
        {"at_seconds": 1_800, "reserve": "USDC", "slope1_per_year": 0.08},
        {"at_seconds": 2_400, "reserve": "WBTC", "frozen": True},
    ]
    overrides = {"governance": changes, "run.horizon_seconds": 7_200}
    assert digest(run(**overrides)) == digest(run(**overrides, **{"run.wake": "all"}))


def test_rates_stay_off_when_interest_is_off():
    overrides = {**CALM, "mechanisms.interest": False, "governance": [change(slope1_per_year=0.1)]}
    with Economy("demo", overrides=overrides) as economy:
        economy.run()
        model = economy.pool.reserves[economy.pool.asset("WETH")].rate_model
        assert (model.base_rate_ray, model.slope1_ray, model.slope2_ray) == (0, 0, 0)
