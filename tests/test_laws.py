"""What must hold in any run, whatever its parameters: laws of the model, not expectations of how markets behave."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import scenarios
from agents.registry import kinds
from sim.economy import Economy
from sim.randomness import Randomness

#: Liquidators who see everything at once, want nothing for it, and never run out of money.
INSTANT = {
    "latency_blocks_median": 0.0,
    "latency_log_sd": 0.0,
    "min_profit_usd": 0.0,
    "cost_share_median": 0.0,
    "cost_share_log_sd": 0.0,
    "cost_opportunity_log_sd": 0.0,
    "pairs_share": 1.0,
    "bundles_per_step": 1_000,
    "plans_per_step": 1_000,
    "capital_usd": {"USDC": 1e12},
}


def book(positions: int, seed: int, *, thresholds: tuple[float, float] = (0.80, 0.75), bonus: float = 0.05) -> dict:
    """A market of unlimited depth without interest and gas: positions in WETH and WBTC whose owners never act.

    Sizes and debts depend on the seed alone, not on the thresholds: debts are 50 to 80 % of the collateral.
    """
    stream = Randomness(seed).stream("laws.book")
    populations: dict[str, Any] = {name: {"count": 0} for name in "ABC"}
    for number in range(positions):
        weth_usd, wbtc_usd = np.exp(stream.normal(10.0, 1.5, 2)) * (stream.random(2) < 0.7)
        weth_usd += 1_000.0 * (weth_usd + wbtc_usd == 0.0)
        debt_usd = (weth_usd + wbtc_usd) * stream.uniform(0.5, 0.8)
        supply = {"WETH": weth_usd / 1_000.0, "WBTC": wbtc_usd / 50_000.0}
        supply = {symbol: round(tokens, 6) for symbol, tokens in supply.items() if tokens > 1e-5}
        populations[f"p{number}"] = {
            "kind": "position",
            "count": 1,
            "supply_tokens": supply,
            "debt_tokens": {"USDC": round(debt_usd, 2)},
        }
    populations["lender"] = {"kind": "position", "count": 1, "supply_tokens": {"USDC": 1e10}}
    populations["liquidator"] = {"kind": "liquidator", "count": 1, "funding": "capital", "sale": "outside", **INSTANT}
    reserve = {"ltv": 0.4, "liquidation_bonus": bonus, "source": "constructed"}
    return {
        "extends": "cascade-by-hand",
        "name": "laws",
        "assets": {
            "WETH": {"impact_per_unit": 0.0},
            "WBTC": {"decimals": 8, "price_usd": 50_000.0, "price_source": "constructed", "source": "constructed"},
        },
        "oracle": {"feeds": {"WBTC": {"kind": "market", "deviation_ratio": 0.0}}},
        "pool": {
            "reserves": {
                "WETH": {**reserve, "liquidation_threshold": thresholds[0]},
                "WBTC": {**reserve, "liquidation_threshold": thresholds[1]},
            }
        },
        "populations": populations,
    }


def slide(change: float, seconds: int) -> dict[str, Any]:
    """Both prices fall evenly by `change`, and WETH recovers half as slowly."""
    shocks = [
        {"asset": "WETH", "at_seconds": 12, "change_ratio": change, "over_seconds": seconds},
        {"asset": "WBTC", "at_seconds": 12 + seconds // 2, "change_ratio": change, "over_seconds": seconds},
        {"asset": "WETH", "at_seconds": 24 + seconds, "change_ratio": -change / 2, "over_seconds": seconds},
    ]
    return {"run": {"horizon_seconds": 2 * seconds + 60, "step_seconds": 12}, "prices": {"shocks": shocks}}


def swings(volatility: float, steps: int) -> dict[str, Any]:
    """Both prices move at random, by about a per cent a step, and fall by 15 % at once in the middle."""
    fall = {"at_seconds": steps * 150, "change_ratio": -0.15, "over_seconds": 0}
    shocks = [{"asset": symbol, **fall} for symbol in ("WETH", "WBTC")]
    prices = {"process": "gbm", "volatility_per_year": {"WETH": volatility, "WBTC": volatility}, "shocks": shocks}
    return {"run": {"horizon_seconds": steps * 300, "step_seconds": 300}, "prices": prices}


def ran(data: dict[str, Any], seed: int = 1) -> Economy:
    """The economy after its last step, audited."""
    economy = Economy(scenarios.load(data, kinds=kinds()), seed=seed)
    economy.run()
    economy.finish()
    return economy


def liquidated(economy: Economy) -> set[int]:
    """Accounts liquidated at least once."""
    table = economy.recorder.tables()["events"]
    rows = zip(table["kind"], table["ok"], table["account"], strict=True)
    return {account for kind, ok, account in rows if kind == "liquidation" and ok}


# ---------------------------------------------------------------------- conservation
@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("demo", {"run.horizon_seconds": 7_200}),
        ("cascade-by-hand", {}),
        ("bank-run", {"run.step_seconds": 300, "populations.scale": 0.02, "run.horizon_seconds": 7_200}),
    ],
)
def test_no_token_is_made_or_lost(name, overrides):
    """Balances of every token, summed over all accounts, less what has flowed in and out: 0, in the smallest unit."""
    with Economy(name, seed=3, overrides=overrides) as economy:
        economy.run()
        economy.audit()
        ledger = economy.ledger
        residuals = [
            sum(column) - inflow + outflow
            for column, inflow, outflow in zip(ledger.balances, ledger.inflows, ledger.outflows, strict=True)
        ]
        assert residuals == [0] * len(ledger.tokens)
        assert len(economy.recorder.events) > 0
        assert any(ledger.inflows)


# ---------------------------------------------------------------------- nothing happens where nothing moves
def test_without_volatility_interest_and_traders_nobody_is_liquidated():
    still = {
        "prices.process": "constant",
        "prices.shocks": [],
        "mechanisms.interest": False,
        "mechanisms.liquidation_impact": False,
        "populations.traders.count": 0,
        "run.horizon_seconds": 7_200,
    }
    with Economy("demo", seed=5, overrides=still) as economy:
        economy.run()
        economy.finish()
        assert liquidated(economy) == set()
        assert not any(economy.recorder.metrics()["liquidatable_usd"])
        assert economy.bad_debt_usd() == 0.0


def test_the_same_market_with_a_fall_does_liquidate():
    """The law above is about stillness, not about a market in which nothing could happen."""
    with Economy("demo", seed=5, overrides={"run.horizon_seconds": 7_200}) as economy:
        economy.run()
        economy.finish()
        assert liquidated(economy)


# ---------------------------------------------------------------------- a continuous path leaves no deficit
@pytest.mark.parametrize(
    ("thresholds", "bonus", "seed"),
    [((0.80, 0.75), 0.05, 1), ((0.90, 0.85), 0.10, 2), ((0.60, 0.93), 0.07, 3)],
)
def test_a_continuous_path_with_instant_liquidators_leaves_no_deficit(thresholds, bonus, seed):
    assert max(thresholds) * (1.0 + bonus) < 1.0
    economy = ran(book(40, seed, thresholds=thresholds, bonus=bonus) | slide(-0.4, 9_600))
    with economy:
        path = np.array(economy.world.exogenous)
        assert np.abs(path[1:] / path[:-1] - 1.0).max() <= 1e-3
        assert len(liquidated(economy)) >= 30
        assert economy.pool.deficit(economy.pool.asset("USDC")) == 0
        assert economy.bad_debt_usd() == 0.0


def test_the_same_fall_in_one_step_does_leave_a_deficit():
    economy = ran(book(40, 1) | slide(-0.4, 12))
    with economy:
        assert economy.deficit_usd() > 1e4


# ---------------------------------------------------------------------- the set of liquidated accounts
@pytest.mark.parametrize("seed", range(4))
def test_accounts_liquidated_are_never_fewer_at_a_lower_threshold(seed):
    found = []
    for threshold in (0.90, 0.86, 0.82, 0.78):
        data = book(40, seed, thresholds=(threshold, threshold - 0.05)) | swings(3.0, 120)
        with ran(data, seed) as economy:
            found.append(liquidated(economy))
    for higher, lower in itertools.pairwise(found):
        assert higher <= lower
    assert 0 < len(found[1]) < len(found[-1])


# ---------------------------------------------------------------------- one more changes nobody else
def test_one_borrower_more_changes_no_other_agents_draws_nor_the_prices():
    """Motives, sizes and times of everybody else are the same numbers, and so is the path of outside prices."""
    found = []
    for borrowers in (45, 46):
        few = {"populations.holders.count": borrowers, "run.horizon_seconds": 3_600}
        with Economy("demo", seed=3, overrides=few) as economy:
            drawn = {
                (name, column): values.copy()
                for name, population in economy.populations.items()
                for column, values in population.columns.items()
                if not column.startswith("anchor.")  # supplies of the last lenders: what debts ask for, no draw
            }
            keys = {name: population.key for name, population in economy.populations.items()}
            economy.run()
            found.append((drawn, keys, np.array(economy.world.exogenous)))
    (first, keys, prices), (second, other_keys, other_prices) = found
    assert keys == other_keys  # what every later draw is made of, beside purpose and time
    assert prices.tobytes() == other_prices.tobytes()
    assert len(first) > 40
    for place, values in first.items():
        assert values.tobytes() == second[place][: len(values)].tobytes(), place
