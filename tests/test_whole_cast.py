"""Everybody in one economy: each kind acts, waking and screens change nothing, and nothing is lost to the unit."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_undo_economy import Trial
from whole_cast_fixture import EVERYBODY, ORDERINGS, PASSIVE, TYPICAL, digest, economy_of, tables_of
from world_state import difference, state_of

from agents.registry import KINDS

#: Markets that only pass things on: between two transactions they own nothing.
PASSING = ("venues", "periphery", "loops", "arrivals")


@pytest.fixture(scope="module", params=ORDERINGS)
def ordering(request):
    return request.param


@pytest.fixture(scope="module")
def tables(ordering):
    return tables_of(ordering)


def sent(events):
    """Kinds of executed transactions by the population that sent them, and how often."""
    found = defaultdict(Counter)
    for owner, kind, ok in zip(events["owner"], events["kind"], events["ok"], strict=True):
        if ok:
            found[owner][kind] += 1
    return found


# ---------------------------------------------------------------------- everybody is there and acts
def test_every_registered_kind_is_there():
    populations = [table for name, table in EVERYBODY.items() if name.startswith("populations.")]
    assert {population["kind"] for population in populations} == set(KINDS)
    names = {name.partition(".")[2] for name in EVERYBODY if name.startswith("populations.")}
    assert names == set(TYPICAL) | PASSIVE


def test_everybody_does_what_he_is_there_for(tables):
    found = sent(tables["events"])
    missing = {name: kinds - set(found[name]) for name, kinds in TYPICAL.items() if kinds - set(found[name])}
    assert not missing
    assert not set(found) & PASSIVE


def test_whoever_does_not_watch_is_liquidated(tables):
    events, positions = tables["events"], tables["positions"]
    known = {a for a, name in zip(positions["account"], positions["population"], strict=True) if name == "known"}
    rows = zip(events["kind"], events["account"], events["ok"], strict=True)
    assert {account for kind, account, ok in rows if kind == "liquidation" and ok} & known


def test_governance_faults_and_the_freeze_take_effect(tables):
    assert sent(tables["events"])["governance"]["governance"] == len(EVERYBODY["governance"])
    reports = tables["reports"]
    stale = [
        at for feed, at in zip(reports["feed"], reports["effective_at"], strict=True)
        if feed == "WETH" and 7_200 <= at - int(tables["metrics"]["timestamp"][0]) + 60 < 7_500
    ]  # fmt: skip
    assert not stale
    outside, oracle = (tables["metrics"][f"{name}_usd.WBTC"] for name in ("outside", "oracle"))
    apart = abs(oracle / outside - 1.0)
    assert apart[80:84].min() > 0.08
    assert apart[60:78].max() < 0.02


def test_losers_of_a_public_auction_pay_gas_and_private_ones_are_in_no_block(tables, ordering):
    events = tables["events"]
    rows = zip(events["kind"], events["ok"], events["gas_paid_eth"], strict=True)
    paid = [gas for kind, ok, gas in rows if kind == "liquidation" and not ok]
    assert bool(paid) == (ordering == "public")
    assert all(gas > 0.0 for gas in paid)


def test_every_cause_of_an_impact_has_a_column():
    with economy_of() as economy:
        met = set()
        for _ in range(economy.steps_planned):
            economy.step()
            for token in range(len(economy.world.symbols)):
                met |= {cause for cause, impact in economy.outside.impact_by_cause(token).items() if impact}
        assert met <= set(economy.metrics.causes)
        assert met >= {"liquidation", "deleveraging", "whale", "arbitrage"}


# ---------------------------------------------------------------------- the same run
@pytest.mark.parametrize("changes", [{"run.wake": "all"}, {"run.screen": "groups"}], ids=["wake all", "groups"])
def test_waking_and_screens_change_nothing(tables, ordering, changes):
    assert digest(tables_of(ordering, **changes)) == digest(tables)


# ---------------------------------------------------------------------- nothing is lost
#: Mechanisms of `[mechanisms]` that may be off.
SWITCHES = ("liquidation_impact", "oracle_lag", "gas", "interest", "lender_flight", "farmers")


@st.composite
def mixes(draw):
    """Some of the populations, some mechanisms off, either ordering, some of the world's events."""
    changes = {f"mechanisms.{name}": False for name in draw(st.sets(st.sampled_from(SWITCHES), max_size=3))}
    absent = draw(st.sets(st.sampled_from(sorted(set(TYPICAL) - {"rest"} | PASSIVE)), max_size=8))
    changes |= {f"populations.{name}.count": 0 for name in absent}
    if draw(st.booleans()):
        changes["governance"] = []
    changes["run.screen"] = draw(st.sampled_from(["auto", "groups"]))
    changes["run.step_seconds"] = draw(st.sampled_from([120, 300]))
    changes["pool.rules"] = draw(st.sampled_from(["3.6", "3.0", "2"]))
    changes["prices.volatility_per_year"] = {"WETH": draw(st.sampled_from([0.3, 3.0])), "WBTC": 0.6}
    return draw(st.sampled_from(ORDERINGS)), draw(st.integers(1, 5)), changes


@settings(max_examples=6)
@given(mixes())
def test_any_mix_of_kinds_and_mechanisms_runs_conserves_and_wakes_who_must_be_woken(mix):
    ordering, seed, changes = mix
    with economy_of(ordering, seed, **changes) as economy:
        for _ in range(economy.steps_planned):
            economy.step()
            if economy.clock.step % 10 == 0:
                conserved(economy)
        found = economy.finish()
        conserved(economy)
    assert digest(tables_of(ordering, seed, **changes | {"run.wake": "all"})) == digest(found)


def conserved(economy):
    """Every token to the unit; markets that pass things on own nothing; pools own what their books say."""
    ledger = economy.ledger
    for token, balances in enumerate(ledger.balances):
        assert sum(balances) == ledger.inflows[token] - ledger.outflows[token], ledger.tokens[token].symbol
        assert min(balances) >= 0
    for account, owner in enumerate(ledger.owners):
        if owner in PASSING:
            assert not any(balances[account] for balances in ledger.balances), owner
    for amm in economy.amms.values():
        for token, reserve in zip((amm.token0, amm.token1), amm.reserves(), strict=True):
            assert ledger.balances[token][amm.account] >= reserve
    for queue in economy.world.queues.values():
        queue.audit()


def test_every_token_is_conserved_to_the_unit_in_every_step(ordering):
    with economy_of(ordering, **{"run.audit_every_steps": 1}) as economy:
        for _ in range(economy.steps_planned):
            economy.step()
            conserved(economy)
            assert not economy.ledger.journal.entries
        economy.finish()
        assert economy.audits == economy.steps_planned + 1


#: Populations that decide seldom: steps in which one of them is woken are looked at, and every fourth of the others.
RARE = {"rest", "providers"}


def test_agents_decide_without_touching_the_world(ordering):
    with economy_of(ordering, **{"run.wake": "all"}) as economy:
        decide = economy._decisions
        decided = []

        def watched(woken, later=False):
            looked_at = economy.clock.step % 4 == 0 or RARE & set(woken)
            before = state_of(economy) if looked_at else None
            transactions = decide(woken, later)
            if before is not None and transactions:
                decided.extend(transactions)
                assert not difference(before, state_of(economy))
            return transactions

        economy._decisions = watched
        economy.run()
        assert {transaction.kind for transaction in decided} >= set().union(*TYPICAL.values()) - {"liquidity_move"}


def test_every_transaction_stopped_at_any_write_leaves_no_trace():
    with economy_of() as economy:
        trial = Trial(economy)
        expected = sorted(set().union(*TYPICAL.values(), {"governance", "split"}))
        while economy.clock.step < economy.steps_planned and missing(trial, expected):
            economy.step()
        economy.audit()
        assert not missing(trial, expected)


def missing(trial, expected):
    """Those of the expected words that are in no kind tried."""
    words = {word.rstrip(":") for kind in trial.tried for word in kind.split()}
    return [word for word in expected if word not in words]
