"""Arbitrageurs: what is sent earns what was expected when nothing comes between, and closes the gap it saw."""

from __future__ import annotations

from collections import Counter

import pytest

from sim.economy import Economy

RICH = {
    "populations.arbitrageurs.count": 1,
    "populations.arbitrageurs.capital_usd": {"WETH": 1e9, "USDC": 1e9, "WBTC": 1e9, "wstETH": 1e9},
    "populations.arbitrageurs.min_profit_usd": 0.0,
    "prices.volatility_per_year": {"WETH": 2.0, "WBTC": 1.5},
}
PAIR = {"kind": "constant_product", "fee_pips": 3_000, "ranges": []}


@pytest.mark.parametrize("change", [{}, {"amms.WETH-USDC": PAIR}, {"mechanisms.gas": False}])
def test_a_trade_earns_what_was_expected_and_closes_the_gap(change):
    met = Counter()
    with Economy("demo", overrides=RICH | change) as economy:
        periphery, journal = economy.executor.markets["periphery"], economy.ledger.journal
        (agent,) = economy.populations["arbitrageurs"].agents
        send = agent.act

        def act(view):
            targets = dict(view.gaps())
            transactions = send(view)
            for transaction in transactions:
                (call,) = transaction.calls
                leg = call.arguments[0]
                unit_usd = view.outside_usd[leg.token_in] / economy.ledger.tokens[leg.token_in].unit
                done = periphery.arbitrage(transaction.sender, *call.arguments)
                assert transaction.value_usd == pytest.approx(done.profit * unit_usd - view.gas_usd(call.gas), abs=1e-9)
                amm = economy.amms[leg.venue]
                assert amm.price() == pytest.approx(targets[leg.venue], rel=1e-6)
                journal.undo()
                met[leg.venue, leg.token_in == amm.token0] += 1
            return transactions

        agent.act = act
        for _ in range(120):
            economy.step()
    assert sum(met.values()) > 40
    assert len(met) >= 4


def test_a_gap_within_fee_and_gas_is_left_alone():
    with Economy("demo", overrides=RICH) as economy:
        (agent,) = economy.populations["arbitrageurs"].agents
        for _ in range(10):
            economy.step()
        economy.view.cache.clear()
        economy.view.base_fee_gwei = 1e7
        assert agent.act(economy.view) == []


def test_without_inventory_there_is_no_trade():
    nothing = dict.fromkeys(("WETH", "USDC", "USDT", "WBTC", "wstETH", "sUSDe"), 0.0)
    poor = RICH | {"populations.arbitrageurs.capital_usd": nothing}
    with Economy("demo", overrides=poor) as economy:
        for _ in range(70):
            economy.step()
        assert economy.view.gaps()
        assert "arbitrage" not in economy.finish()["events"]["kind"]
