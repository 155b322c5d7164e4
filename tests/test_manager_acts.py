"""Owners who act: what they send goes through when nothing comes between, and brings them nearer to their target."""

from __future__ import annotations

from collections import Counter
from statistics import median

import pytest

from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.view import View

WAD = 10**18
NOBODY_LIQUIDATES = {
    "populations.liquidators.count": 1,
    "populations.liquidators.latency_blocks_median": 1e6,
}
CASES = {
    "as it is": {},
    "nothing spare": {"populations.managers.spare_share_ratio": 0.0},
    "everything lent out": {
        "populations.rest.opening_utilisation": {"USDC": 1.0, "USDT": 1.0, "WETH": 1.0},
        "mechanisms.lender_flight": False,  # nobody brings new cash
    },
    "a deeper fall": {"prices.shocks.0.change_ratio": -0.5},
    "a shallow pool": {"amms.WBTC-WETH.liquidity_usd": 1e6},
}


def sent(economy):
    """What every alarmed owner would send now, were it his time to look."""
    economy.view.cache.clear()
    for name in ("managers", "loopers"):
        population = economy.populations[name]
        look_at = population.columns["look_at"]
        kept = look_at.copy()
        look_at[:] = 0.0
        transactions = [(agent, transaction) for agent in population.agents for transaction in agent.act(economy.view)]
        look_at[:] = kept
        yield from transactions


@pytest.mark.parametrize("case", CASES)
def test_what_an_owner_sends_goes_through_and_helps(case):
    met, reached = Counter(), []
    with Economy("demo", overrides=NOBODY_LIQUIDATES | CASES[case]) as economy:
        pool, journal, markets = economy.pool, economy.ledger.journal, economy.executor.markets
        for step in range(1, 121):
            economy.step()
            if step % 10:
                continue
            for agent, transaction in sent(economy):
                before = pool.health_factor(agent.account)
                for call in transaction.calls:
                    getattr(markets[call.market], call.operation)(transaction.sender, *call.arguments)
                after = pool.health_factor(agent.account)
                assert after > before
                assert after >= WAD or transaction.kind == "top_up"
                if transaction.kind == "deleveraging":
                    target = agent.population.columns["target"][agent.row]
                    reached.append((after - before) / (int(target * WAD) - before))
                journal.undo()
                met[transaction.kind] += 1
    assert met["top_up"] > 0 or case == "nothing spare"
    if case == "everything lent out":
        assert not met["deleveraging"], "without cash there is no flash loan"
    else:
        assert met["deleveraging"] > 20
        assert 0.9 < median(reached) < 1.1


def test_an_owner_without_alarm_sends_nothing():
    with Economy("demo", overrides=NOBODY_LIQUIDATES) as economy:
        economy.step()
        for population in (economy.populations["managers"], economy.populations["loopers"]):
            population.columns["alarm"][:] = 1.0
            population.columns["look_at"][:] = 0.0
            assert not [agent for agent in population.agents if agent.act(economy.view)]


def test_an_owner_for_whom_gas_costs_more_than_the_penalty_sends_nothing():
    with Economy("demo", overrides=NOBODY_LIQUIDATES) as economy:
        for _ in range(90):
            economy.step()
        assert list(sent(economy))
        economy.view.base_fee_gwei = 1e6
        assert not list(sent(economy))


@pytest.mark.parametrize("case", ["as it is", "a deeper fall", "a shallow pool"])
def test_what_the_spot_price_rules_out_no_quote_would_have_let_through(case, monkeypatch):
    """Owners and liquidators decide the same with a spot price so high that it rules out nothing."""

    def run():
        with Economy("demo", overrides=CASES[case]) as economy:
            asked = []
            quote = economy.venues.quote
            economy.venues.quote = lambda *arguments: asked.append(1) or quote(*arguments)
            economy.run()
            return content_hash(economy.finish()), len(asked)

    short, few = run()
    monkeypatch.setattr(View, "spot_price", lambda self, *_: 1e40)
    whole, many = run()
    assert short == whole
    assert few <= many
    assert few < many or case == "as it is"
