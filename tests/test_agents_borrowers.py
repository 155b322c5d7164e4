"""Loopers, rate-sensitive borrowers, entry and exit, whales: small exact scenarios."""

from __future__ import annotations

import math

import pytest
from lending_agents_fixture import DAY, economy, position, run

from agents.turnover import is_open

ARBITRAGEUR = {"kind": "arbitrageur", "count": 1, "capital_usd": {"WETH": 1e9, "USDC": 1e9}}
LENDER = position(supply={"USDC": 50_000_000.0, "WETH": 10_000.0})


def borrowers(kind, count=1, **changes):
    return {
        "kind": kind,
        "count": count,
        "debt_usd_median": 10_000.0,
        "debt_usd_log_sd": 0.0,
        "health_factor_median_excess": 0.6,
        "health_factor_log_sd": 0.0,
        "collateral": {"WETH": 1.0},
        "debt": {"USDC": 1.0},
    } | changes


def health(made, name, row=0):
    return made.pool.health_factor(made.populations[name].first + row) / 1e18


# ---------------------------------------------------------------------- loopers
def test_a_looper_takes_up_leverage_when_prices_rise():
    people = {"lender": LENDER, "looper": borrowers("looper", lever_seconds=600.0), "arbitrageur": ARBITRAGEUR}
    shock = [{"asset": "WETH", "at_seconds": 3_600, "change_ratio": 0.2}]
    with economy(people, prices__shocks=shock, mechanisms__interest=False) as made:
        assert health(made, "looper") == pytest.approx(1.6, rel=1e-6)
        debt = made.populations["looper"].agents[0].debt_usd
        made.run()
        events = made.finish()["events"]
        assert events["kind"].count("leveraging") == 1
        # W = 1.92 D; borrowing x buys x of collateral: (1.92 D + .8 x) / (D + x) = 1.6, so x = .4 D, less the fee.
        assert made.populations["looper"].agents[0].debt_usd == pytest.approx(1.4 * debt, rel=2e-3)
        assert health(made, "looper") == pytest.approx(1.6, rel=1e-3)


def test_a_looper_does_nothing_below_its_trigger():
    people = {"lender": LENDER, "looper": borrowers("looper", lever_seconds=600.0)}
    shock = [{"asset": "WETH", "at_seconds": 3_600, "change_ratio": 0.09}]
    _, tables = run(people, prices__shocks=shock)
    assert "leveraging" not in tables["events"]["kind"]


def test_a_looper_respects_what_the_pool_allows():
    """A loan-to-value of 75 % at LT 80 % allows no health factor below 1.0667, whatever the target."""
    looper = borrowers("looper", lever_seconds=600.0, health_factor_median_excess=0.03, alarm_least=1.001)
    looper["lever_above_target"] = 0.03
    shock = [{"asset": "WETH", "at_seconds": 3_600, "change_ratio": 0.2}]
    people = {"lender": LENDER, "looper": looper}
    made, tables = run(people, prices__shocks=shock, mechanisms__interest=False)
    levered = [ok for kind, ok in zip(tables["events"]["kind"], tables["events"]["ok"], strict=True) if
               kind == "leveraging"]  # fmt: skip
    assert levered
    assert all(levered)
    assert made.pool.health_factor(made.populations["looper"].first) > 0.80 / 0.75 * 1e18


# ---------------------------------------------------------------------- rate-sensitive
@pytest.mark.parametrize(("reference", "looks"), [(0.0, 3_600.0), (0.2, 3_600.0), (0.2, 14_400.0)])
def test_debt_follows_the_rate_with_its_time_constant(reference, looks):
    """At a flat 10 %: B* = B0 exp(-8 (.10 - reference)), B - B* decays as exp(-t / 12 h), the health factor stays."""
    people = {
        "lender": LENDER,
        "sensitive": borrowers(
            "rate_sensitive", reference_rate_per_year={"USDC": reference}, rate_look_seconds=looks,
            health_factor_median_excess=0.5,
        ),
    }  # fmt: skip
    flat = {"base_rate_per_year": 0.10, "slope1_per_year": 0.0, "slope2_per_year": 0.0}
    with economy(people, **{f"pool__reserves__USDC__{k}": v for k, v in flat.items()}) as made:
        pool, usdc = made.pool, made.pool.asset("USDC")
        made.run()
        sensitive = made.populations["sensitive"]
        seen = float(sensitive.columns["rate_seen_at"][0]) - made.settings.run.start_timestamp
        target = 10_000.0 * math.exp(-8.0 * (0.10 - reference))
        owed = pool.debt_balance(usdc, sensitive.first) / 1e6
        assert seen > DAY / 4
        assert owed - target == pytest.approx((10_000.0 - target) * math.exp(-seen / 43_200.0), abs=0.002 * 10_000.0)
        # The rate 10 % a year lowers the health factor by .03 % a day.
        assert health(made, "sensitive") == pytest.approx(1.5, rel=1e-3)
        agents = made.finish()["agents"]
        row = agents["account"].tolist().index(sensitive.first)
        assert abs(agents["profit_usd"][row]) < 10.0


def test_who_has_spent_the_loan_sells_collateral():
    sensitive = borrowers("rate_sensitive", reference_rate_per_year={"USDC": 0.0}, repays_from="collateral")
    flat = {"base_rate_per_year": 0.10, "slope1_per_year": 0.0, "slope2_per_year": 0.0}
    people = {"lender": LENDER, "sensitive": sensitive}
    made, tables = run(people, **{f"pool__reserves__USDC__{k}": v for k, v in flat.items()})
    assert tables["metrics"]["debt.USDC"][-1] < 9_000.0
    assert made.ledger.inflows == economy_inflows(people, flat)


def economy_inflows(people, flat):
    """What flows in before the first block: nothing is brought in by whoever sells collateral."""
    with economy(people, **{f"pool__reserves__USDC__{k}": v for k, v in flat.items()}) as made:
        return list(made.ledger.inflows)


def test_gas_that_costs_more_than_the_interest_at_stake_is_not_paid():
    people = {"lender": LENDER, "sensitive": borrowers("rate_sensitive", reference_rate_per_year={"USDC": 0.2})}
    _, cheap = run(people)
    _, dear = run(people, mechanisms__gas=True, gas__min_base_fee_gwei=2_000.0)
    assert "rate_entry" in cheap["events"]["kind"]
    assert "rate_entry" not in dear["events"]["kind"]


# ---------------------------------------------------------------------- entry and exit
def living(count=100, slots=200, **changes):
    return {"lender": LENDER, "people": borrowers("manager", count, slots=slots, life_seconds=DAY, **changes)}


def open_rows(made, name="people"):
    population = made.populations[name]
    return [row for row, account in enumerate(population.accounts) if is_open(made.pool, account)]


def test_the_book_lives():
    """Five mean lives: about five hundred have come and gone, and a hundred are there."""
    with economy(living(), run__horizon_seconds=5 * DAY) as made:
        assert open_rows(made) == list(range(100))
        made.run()
        tables = made.finish()
        kinds = tables["events"]["kind"]
        assert kinds.count("arrival") == pytest.approx(500, abs=4 * math.sqrt(500))
        assert kinds.count("exit") == pytest.approx(500, abs=4 * math.sqrt(500))
        assert len(open_rows(made)) == pytest.approx(100, abs=4 * math.sqrt(50))
        assert all(tables["events"]["ok"])
        # Whoever leaves takes everything along, gas aside.
        people = made.populations["people"]
        for row in set(range(200)) - set(open_rows(made)):
            account = people.first + row
            assert made.ledger.balances[made.ledger.token_id("USDC")][account] == 0
        # What was brought and taken is no profit: over five days only interest is lost.
        agents = tables["agents"]
        mine = [k for k, name in enumerate(agents["population"]) if name == "people"]
        assert all(abs(agents["profit_usd"][k]) < 60.0 for k in mine)


def test_newcomers_watch_over_their_own_targets():
    shock = [{"asset": "WETH", "at_seconds": 2 * DAY, "change_ratio": -0.25, "over_seconds": 7_200}]
    people = living(health_factor_log_sd=0.5)
    with economy(people, run__horizon_seconds=3 * DAY, prices__shocks=shock) as made:
        made.run()
        events = made.finish()["events"]
        first = made.populations["people"].first
        defended = {a - first for a, kind in zip(events["sender"], events["kind"], strict=True)
                    if kind in ("top_up", "deleveraging")}  # fmt: skip
        assert any(row >= 100 for row in defended)


def test_one_slot_more_changes_nobody_elses_life():
    lives = []
    for count, slots in ((20, 40), (21, 42)):
        with economy(living(count, slots), run__horizon_seconds=2 * DAY) as made:
            made.run()
            lives.append((made.populations["people"].columns["life_at"].tolist(), open_rows(made)))
    assert lives[0][0] == lives[1][0][:40]
    # Row 20 is open from the start in one of them only; the others come and go alike.
    assert set(lives[0][1]) ^ {row for row in lives[1][1] if row < 40} <= {20}


def test_arrivals_follow_the_price_and_the_rate():
    found = {}
    for name, change, rate in (("flat", 0.0, None), ("boom", 0.3, None), ("dear", 0.0, 0.0)):
        people = living(arrivals_most_ratio=5.0)
        if rate is not None:
            people["people"]["reference_rate_per_year"] = {"USDC": rate}
        shock = [{"asset": "WETH", "at_seconds": 300, "change_ratio": change}]
        flat = {"base_rate_per_year": 0.10, "slope1_per_year": 0.0, "slope2_per_year": 0.0}
        changes = {f"pool__reserves__USDC__{k}": v for k, v in flat.items()}
        _, tables = run(people, run__horizon_seconds=5 * DAY, prices__shocks=shock, **changes)
        found[name] = tables["events"]["kind"].count("arrival")
    assert found["boom"] > 1.1 * found["flat"]
    assert found["dear"] < 0.9 * found["flat"]


def test_without_slots_nobody_comes_or_goes():
    made, tables = run({"lender": LENDER, "people": borrowers("holder", 20)}, run__horizon_seconds=2 * DAY)
    assert not {"arrival", "exit"} & set(tables["events"]["kind"])
    assert "life" not in made.waking.timetables


# ---------------------------------------------------------------------- whales
def whale(action, **changes):
    return {"kind": "whale", "count": 1, "action": action, "at_seconds": 3_600} | changes


def test_a_whale_withdraws_over_a_stated_time():
    people = {"whale": whale("withdraw", asset="USDC", supply_tokens={"USDC": 1_200.0}, over_seconds=3_600)}
    _, tables = run(people, run__horizon_seconds=3 * 3_600, mechanisms__interest=False)
    supply = tables["metrics"]["supply.USDC"].tolist()
    assert supply[10] == 1_200.0
    assert [round(x) for x in supply[11:24]] == [*range(1_100, -1, -100), 0]


def test_a_whale_that_finds_no_liquidity_waits():
    people = {
        "whale": whale("withdraw", asset="USDC", supply_tokens={"USDC": 1_000_000.0}),
        "borrower": position(supply={"WETH": 2_000.0}, debt={"USDC": 600_000.0}),
    }
    _, tables = run(people, run__horizon_seconds=2 * 3_600, mechanisms__interest=False)
    metrics = tables["metrics"]
    assert metrics["waiting_withdrawals_usd"][-1] == pytest.approx(600_000.0)
    assert metrics["utilisation.USDC"][-1] == 1.0


def test_a_whale_sells():
    people = {"whale": whale("sell", asset="WETH", into="USDC", wallet_tokens={"WETH": 1_200.0}, over_seconds=3_600)}
    made, tables = run(people, run__horizon_seconds=3 * 3_600)
    assert tables["events"]["kind"].count("whale") == 12
    assert made.ledger.balances[made.ledger.token_id("WETH")][made.populations["whale"].first] == 0
    assert made.venues.displacements["WETH-USDC"].components()["whale"] < 0.0


def test_a_whale_borrows_everything():
    people = {
        "lender": position(supply={"USDC": 500_000.0}),
        "whale": whale("borrow", asset="USDC", supply_tokens={"WETH": 10_000.0}, collateral=True),
    }
    _, tables = run(people, run__horizon_seconds=2 * 3_600)
    assert tables["metrics"]["utilisation.USDC"][-1] == 1.0


def test_a_whale_deposits_and_borrows_against_it():
    people = {"lender": LENDER, "whale": whale("deposit", asset="WETH", into="USDC", wallet_tokens={"WETH": 100.0})}
    made, tables = run(people, run__horizon_seconds=2 * 3_600)
    assert tables["metrics"]["debt.USDC"][-1] == pytest.approx(0.999 * 75_000.0, rel=1e-4)
    # The loan has left the economy.
    assert made.ledger.balances[made.ledger.token_id("USDC")][made.populations["whale"].first] == 0
