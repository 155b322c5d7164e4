"""The economy as a whole: same seed same tables, waking, conservation, memory, Mesa's own door."""

from __future__ import annotations

import gc
import inspect
import weakref

import mesa
import numpy as np
import pytest

from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.results.tables import to_arrow

SMALL = {"populations.scale": 0.03, "run.step_seconds": 60, "run.horizon_seconds": 30_000}


def run(scenario="demo", seed=1, **overrides):
    with Economy(scenario, seed=seed, overrides=overrides) as economy:
        economy.run()
        return economy.finish()


def digest(tables):
    return content_hash({name: to_arrow(name, table) for name, table in tables.items()})


def test_same_scenario_and_seed_give_the_same_tables():
    assert digest(run()) == digest(run())


def test_another_seed_gives_other_tables():
    assert digest(run(seed=1)) != digest(run(seed=2))


@pytest.mark.parametrize("scenario", ["demo", "march-2020"])
def test_exogenous_prices_do_not_depend_on_who_is_there(scenario):
    base = dict(SMALL) if scenario == "march-2020" else {}
    changed = [
        {"populations.holders.count": 61 if scenario == "demo" else 2_801},
        {"pool.reserves.WETH.ltv": 0.70},
        {"amms.WETH-USDC.liquidity_usd": 5e6},
    ]
    expected = run(scenario, **base)["metrics"]
    for change in changed:
        metrics = run(scenario, **base, **change)["metrics"]
        for name in expected:
            if name.startswith("exogenous_usd."):
                assert metrics[name].tolist() == expected[name].tolist(), (change, name)


def test_one_borrower_more_changes_nobody_elses_position():
    with Economy("demo", overrides={"populations.holders.count": 50}) as economy:
        before = [list(column) for column in economy.pool.scaled_debts]
        first = economy.populations["holders"].first
    with Economy("demo", overrides={"populations.holders.count": 51}) as economy:
        after = [list(column) for column in economy.pool.scaled_debts]
        assert economy.populations["holders"].first == first
        managers = economy.populations["managers"].first
    for reserve, column in enumerate(before):
        assert after[reserve][: first + 50] == column[: first + 50]
        assert after[reserve][managers:] == column[first + 50 :]


def test_one_borrower_more_changes_nobody_elses_draws():
    def draws(count):
        with Economy("demo", overrides={"populations.holders.count": count}) as economy:
            found = {}
            for name, population in economy.populations.items():
                rows = range(min(len(population), 50))
                found[name] = [economy.ledger.identity(population.first + row) for row in rows]
                for column in ("look_at", "alarm", "cost_share"):
                    if column in population.columns:
                        found[name, column] = population.columns[column][: len(rows)].tolist()
            return found

    assert draws(50) == draws(51)


def test_waking_everybody_every_block_gives_the_same_run():
    """300 accounts of every kind, 500 blocks with a crash in them."""
    overrides = {
        "populations.holders.count": 120,
        "populations.managers.count": 100,
        "populations.loopers.count": 40,
        "run.step_seconds": 12,
        "run.horizon_seconds": 6_000,
        "prices.shocks": [
            {"asset": "WETH", "at_seconds": 600, "change_ratio": -0.35, "over_seconds": 2_400},
            {"asset": "WBTC", "at_seconds": 900, "change_ratio": -0.25, "over_seconds": 1_200},
        ],
    }
    due = run(**overrides)
    everybody = run(**overrides, **{"run.wake": "all"})
    kinds = {kind for kind, ok in zip(due["events"]["kind"], due["events"]["ok"], strict=True) if ok}
    assert {"liquidation", "arbitrage", "trading", "deleveraging"} <= kinds
    assert digest(due) == digest(everybody)


@pytest.mark.parametrize("screen", ["groups", "plain"])
def test_every_screen_gives_the_same_run(screen):
    assert digest(run(**{"run.screen": screen})) == digest(run())


def test_value_is_conserved_to_the_unit_in_every_step():
    with Economy("demo", overrides={"run.audit_every_steps": 1}) as economy:
        economy.run()
        liquidations = economy.finish()["events"]["kind"].count("liquidation")
        assert liquidations > 5
        for token in range(len(economy.ledger.tokens)):
            assert sum(economy.ledger.balances[token]) == economy.ledger.inflows[token] - economy.ledger.outflows[token]


def test_a_unit_created_anywhere_is_noticed():
    with Economy("demo") as economy:
        economy.step()
        economy.ledger.balances[0][5] += 1
        with pytest.raises(AssertionError, match="WETH"):
            economy.audit()
        economy.ledger.balances[0][5] -= 1
        economy.audit()
        economy.pool.scaled_debts[0][economy.populations["loopers"].first] += 1
        with pytest.raises(AssertionError, match="WETH"):
            economy.audit()


def test_close_frees_the_economy():
    economy = Economy("demo")
    economy.step()
    gone = weakref.ref(economy)
    agent = weakref.ref(economy.populations["holders"].agents[0])
    economy.close()
    del economy
    gc.collect()
    assert gone() is None
    assert agent() is None


def test_agents_are_mesa_agents():
    with Economy("demo") as economy:
        by_type = {kind.__name__: len(agents) for kind, agents in economy.agents_by_type.items()}
        assert by_type == {
            "Holder": 45,
            "Manager": 65,
            "ElasticLender": 20,
            "Liquidator": 4,
            "Arbitrageur": 2,
            "Trader": 14,
        }
        poor = economy.agents.select(lambda agent: getattr(agent, "health_factor", 9.0) < 1.1)
        assert all(isinstance(agent, mesa.Agent) for agent in poor)
        total = sum(agent.debt_usd for agent in economy.agents if hasattr(agent, "debt_usd"))
        column = sum(
            economy.pool.debt_balance(asset, account)
            / economy.pool.reserves[asset].unit
            * economy.pool.prices[asset]
            * 1e-8
            for asset in range(len(economy.pool.reserves))
            for account in range(len(economy.ledger.owners))
        )
        assert total == pytest.approx(column, rel=1e-9)


def test_mesa_batch_run():
    # Mesa 3.5 hands seeds on itself, 3.3 takes them as a parameter of the model.
    hands_on = "rng" in inspect.signature(mesa.batch_run).parameters
    seeds = {"rng": [1, 2], "parameters": {"scenario": "demo"}} if hands_on else {}
    results = mesa.batch_run(
        Economy,
        max_steps=10_000,
        number_processes=1,
        display_progress=False,
        **(seeds or {"parameters": {"scenario": "demo", "seed": [1, 2]}}),
    )
    assert [row["seed"] for row in results] == [1, 2]
    for row in results:
        with Economy("demo", seed=row["seed"]) as economy:
            economy.run()
            assert row["liquidated_usd"] == economy.events.total_liquidated_usd > 0.0
            assert row["liquidations"] == economy.events.total_liquidations


def test_metrics_have_no_holes():
    metrics = run()["metrics"]
    assert len(metrics["step"]) == 240
    for name, values in metrics.items():
        assert np.isfinite(values).all(), name
