"""The lending pool's agents together: waking, screens, conservation, one seed one run; and what emerges from them."""

from __future__ import annotations

import numpy as np
import pytest

from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.results.tables import to_arrow

#: Every kind of this pool, a crash and a recovery in a day of 120 s steps, with lenders who have reason to run.
EVERYBODY = {
    "run.horizon_seconds": 86_400,
    "run.step_seconds": 120,
    "populations.holders.count": 60,
    "populations.holders.slots": 120,
    "populations.holders.life_seconds": 86_400.0,
    "populations.managers.kind": "rate_sensitive",
    "populations.managers.count": 60,
    "populations.managers.slots": 120,
    "populations.managers.life_seconds": 86_400.0,
    "populations.managers.rate_look_seconds": 7_200.0,
    "populations.levered": {
        "kind": "looper", "count": 30, "debt_usd_median": 50_000.0, "collateral": {"WETH": 1.0}, "debt": {"USDC": 1.0},
        "lever_above_target": 0.05, "lever_seconds": 1_800.0, "slots": 60, "life_seconds": 86_400.0,
    },
    "populations.lenders.kind": "elastic_lender",
    "populations.lenders.count": 30,
    "populations.lenders.look_seconds": 7_200.0,
    "populations.lenders.rumour_usd": {"USDC": 500_000.0},
    "populations.lenders.rumour_at_seconds": 30_000.0,
    "populations.lenders.rumour_for_seconds": 20_000.0,
    "populations.whale": {
        "kind": "whale", "count": 1, "action": "sell", "asset": "WETH", "into": "USDC",
        "wallet_tokens": {"WETH": 300.0}, "at_seconds": 10_000, "over_seconds": 3_000,
    },
    "prices.shocks": [
        {"asset": "WETH", "at_seconds": 6_000, "change_ratio": 0.08, "over_seconds": 3_600},
        {"asset": "WETH", "at_seconds": 40_000, "change_ratio": -0.30, "over_seconds": 7_200},
    ],
}  # fmt: skip

KINDS = {"liquidation", "arrival", "exit", "rate_entry", "supply", "withdrawal", "leveraging", "deleveraging", "whale"}


def run(seed=1, **overrides):
    with Economy("demo", seed=seed, overrides=EVERYBODY | overrides) as economy:
        economy.run()
        return economy.finish()


def digest(tables):
    return content_hash({name: to_arrow(name, table) for name, table in tables.items()})


@pytest.fixture(scope="module")
def tables():
    return run()


def test_everybody_acts(tables):
    events = tables["events"]
    assert {kind for kind, ok in zip(events["kind"], events["ok"], strict=True) if ok} >= KINDS


def test_waking_everybody_every_step_gives_the_same_run(tables):
    assert digest(run(**{"run.wake": "all"})) == digest(tables)


def test_every_screen_gives_the_same_run(tables):
    assert digest(run(**{"run.screen": "groups"})) == digest(tables)


def test_value_is_conserved_to_the_unit_in_every_step():
    with Economy("demo", overrides=EVERYBODY | {"run.audit_every_steps": 1, "run.horizon_seconds": 60_000}) as economy:
        economy.run()
        economy.finish()
        for token in range(len(economy.ledger.tokens)):
            assert sum(economy.ledger.balances[token]) == economy.ledger.inflows[token] - economy.ledger.outflows[token]


# ---------------------------------------------------------------------- what emerges
@pytest.mark.parametrize(("scenario", "stated"), [("bank-run", 0.85), ("lender-exit", 0.78)])
def test_every_seed_opens_at_the_stated_utilisation(scenario, stated):
    """Sizes are drawn; were the drawn lenders to supply more than asked for, an event would start from elsewhere."""
    for seed in range(1, 6):
        with Economy(scenario, seed=seed) as economy:
            assert economy.pool.utilisation_ratio(economy.pool.asset("WETH")) == pytest.approx(stated, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 6))
def test_bank_run(seed):
    """The pool is emptied, the top rate is paid, lenders queue; a day after the deposit it is over."""
    with Economy("bank-run", seed=seed, overrides={"run.horizon_seconds": 2 * 86_400}) as economy:
        economy.run()
        metrics = economy.finish()["metrics"]
        reserve = economy.settings.pool.reserves["WETH"]
    utilisation = metrics["utilisation.WETH"]
    assert (utilisation == 1.0).any()
    top = reserve.base_rate_per_year + reserve.slope1_per_year + reserve.slope2_per_year
    assert metrics["borrow_rate.WETH"].max() == pytest.approx(top, abs=1e-12)
    assert metrics["waiting_withdrawals_usd"].max() > 50e6
    assert utilisation[-1] < 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_lender_exit(seed):
    """Single lenders leave; the rate jumps above 10 % and comes back as the others answer."""
    with Economy("lender-exit", seed=seed, overrides={"run.horizon_seconds": 6 * 86_400}) as economy:
        economy.run()
        metrics = economy.finish()["metrics"]
    rate = metrics["borrow_rate.WETH"]
    assert rate[0] < 0.03
    assert rate.max() > 0.10
    assert np.median(rate[-288:]) < 0.10


def utilisations(opening, days):
    """USDC's utilisation through `calm` with 500 borrowers, one row a seed, and the kink."""
    overrides = {
        "populations.scale": 0.05,
        "populations.traders.count": 2,
        "run.step_seconds": 300,
        "run.horizon_seconds": days * 86_400,
        "populations.rest.opening_utilisation": {"USDC": opening, "USDT": opening, "WETH": 0.71},
    }
    found = []
    for seed in range(1, 6):
        with Economy("calm", seed=seed, overrides=overrides) as economy:
            economy.run()
            found.append(economy.finish()["metrics"]["utilisation.USDC"])
            kink = economy.settings.pool.reserves["USDC"].optimal_utilisation
        assert found[-1][0] == pytest.approx(opening, abs=0.01)
    return np.array(found), kink


@pytest.mark.slow
@pytest.mark.parametrize(("opening", "days"), [(0.89, 2), (0.98, 2)])
def test_utilisation_is_near_the_kink_that_nobody_knows(opening, days):
    """As the scenario opens, and 6 points above the kink: within 3 points of it for 80 % of the time."""
    found, kink = utilisations(opening, days)
    shares = (np.abs(found - kink) <= 0.03).mean(axis=1)
    assert (shares >= 0.8).sum() >= 4, shares
    assert shares.mean() >= 0.8


@pytest.mark.slow
def test_from_far_below_it_is_drawn_nearer():
    """Opening 12 points below: nearer on every seed after two days, and less than half as far in their mean.

    The pull is gentle there (docs/model.md 10), so not every seed arrives within 3 points.
    """
    found, kink = utilisations(0.80, 2)
    gaps = np.abs(found[:, -72:] - kink).mean(axis=1)
    assert (gaps < 0.12).all(), gaps
    assert gaps.mean() < 0.06, gaps
