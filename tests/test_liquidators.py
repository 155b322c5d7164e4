"""Liquidators differ in speed, uptime, pairs, capital and ceilings; what follows from it in private and in public."""

from __future__ import annotations

import numpy as np
import pytest
from test_economy import digest, run

from sim.economy import Economy

L = "populations.liquidators."


def repaid(tables, economy):
    """Debt repaid by each liquidator, USD."""
    population = economy.populations["liquidators"]
    by = np.zeros(len(population))
    events = tables["events"]
    for k, kind in enumerate(events["kind"]):
        if kind == "liquidation" and events["ok"][k]:
            by[events["sender"][k] - population.first] += events["debt_repaid_usd"][k]
    return by


def played(**overrides):
    with Economy("demo", overrides={L + "count": 20, **overrides}) as economy:
        economy.run()
        tables = economy.finish()
        return economy, tables, repaid(tables, economy)


def test_silent_ones_do_nothing():
    economy, _, by = played(**{L + "silent_share": 1.0})
    assert by.sum() == 0.0
    assert economy.liquidatable.debt_usd > 0.0


def test_half_of_them_silent_leaves_the_work_to_the_others():
    economy, _, by = played(**{L + "silent_share": 0.5})
    silent = economy.populations["liquidators"].columns["silent"]
    assert 0 < silent.sum() < 20
    assert by[silent].sum() == 0.0 < by.sum()


def test_nobody_at_work_means_nothing_is_liquidated():
    assert played(**{L + "uptime_ratio": 0.0})[2].sum() == 0.0


def test_nobody_serves_a_pair_means_nothing_is_liquidated():
    assert played(**{L + "pairs_share": 0.0})[2].sum() == 0.0


def test_pairs_served_are_few_and_kept():
    economy, tables, _ = played(**{L + "pairs_share": 0.4})
    events, pairs = tables["events"], {}
    for k, kind in enumerate(events["kind"]):
        if kind == "liquidation" and events["ok"][k]:
            pair = (events["collateral_asset"][k], events["debt_asset"][k])
            pairs.setdefault(events["sender"][k], set()).add(pair)
    assert pairs
    for sender, used in pairs.items():
        for collateral, debt in used:
            assets = [economy.pool.asset(symbol) for symbol in (collateral, debt)]
            pair = assets[0] << 16 | assets[1]
            draw = economy.randomness.uniform("pair served", economy.ledger.identity(sender), pair)
            assert draw < 0.4


def test_slow_ones_let_positions_stand():
    quick = played(**{L + "latency_blocks_median": 0.0})[1]["metrics"]["liquidatable_usd"].sum()
    slow = played(**{L + "latency_blocks_median": 60.0})[1]["metrics"]["liquidatable_usd"].sum()
    assert slow > 3.0 * quick


def test_own_capital_is_pareto_and_bounds_what_is_repaid():
    settings = {
        L + "funding": "capital",
        L + "sale": "outside",
        L + "capital_usd": {"USDC": 1_000.0, "WETH": 1_000.0},
        L + "capital_pareto_alpha": 1.0,
        L + "capital_largest_ratio": 100.0,
        L + "scaled": False,
    }
    with Economy("demo", overrides={L + "count": 20, **settings}) as economy:
        token = economy.pool.reserves[economy.pool.asset("USDC")].token
        accounts = economy.populations["liquidators"].accounts
        opening = np.array([economy.ledger.balances[token][account] for account in accounts]) / 1e6
        economy.run()
        events = economy.finish()["events"]
    assert opening.min() >= 999.0
    assert opening.max() <= 100_100.0
    assert np.sort(opening)[-5:].sum() > 0.4 * opening.sum()
    first = {}
    for k, kind in enumerate(events["kind"]):
        if kind == "liquidation" and events["ok"][k] and events["debt_asset"][k] == "USDC":
            first.setdefault(events["sender"][k] - accounts.start, events["debt_repaid"][k])
    assert first
    assert all(amount <= opening[row] for row, amount in first.items())
    assert any(amount > 0.9 * opening[row] for row, amount in first.items())


# ---------------------------------------------------------------------- ordering
PUBLIC = {"gas.ordering": "public", "gas.fee_market": "first_price", "gas.reference_gwei": 20.0}


def test_in_the_open_losers_pay_for_reverted_transactions():
    economy, tables, by = played(**PUBLIC)
    events = tables["events"]
    lost = [k for k, kind in enumerate(events["kind"]) if kind == "liquidation" and not events["ok"][k]]
    assert by.sum() > 0.0
    assert lost
    assert all(events["gas_used"][k] == 100_000 and events["gas_paid_eth"][k] > 0.0 for k in lost)
    assert economy.mempool.raised > 0
    assert economy.ledger.outflows[economy.world.gas_token] == 0  # nothing is burnt


def test_in_private_losers_pay_nothing():
    _, tables, by = played()
    events = tables["events"]
    assert by.sum() > 0.0
    assert all(
        events["ok"][k] or not events["gas_used"][k] for k, kind in enumerate(events["kind"]) if kind == "liquidation"
    )


def test_a_ceiling_under_the_going_price_keeps_everybody_out():
    assert played(**PUBLIC, **{L + "price_ceiling_gwei": 1.0, L + "price_ceiling_log_sd": 0.0})[2].sum() == 0.0


@pytest.mark.parametrize(
    "settings",
    [
        {**PUBLIC, L + "uptime_ratio": 0.8, L + "pairs_share": 0.7, L + "silent_share": 0.2},
        {"gas.ordering": "public", "gas.surges": [{"at_seconds": 3_600, "for_seconds": 3_600, "demand_ratio": 10.0}]},
        {
            "oracle.feeds.WETH.faults": [
                {"kind": "venue", "at_seconds": 1_200, "for_seconds": 300, "factor": 0.8},
                {"kind": "stale", "at_seconds": 5_000, "for_seconds": 600},
            ],
            "oracle.feeds.wstETH.cap_growth_per_year": 0.0,
        },
    ],
)
def test_waking_everybody_gives_the_same_run(settings):
    overrides = {L + "count": 8, **settings}
    assert digest(run(**overrides)) == digest(run(**overrides, **{"run.wake": "all"}))
