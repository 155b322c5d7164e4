"""Public bids: raises in steps up to a ceiling, replacement under the old nonce, losers who pay."""

from __future__ import annotations

import pytest
from whole_cast_fixture import economy_of

from sim.chain.mempool import Mempool
from sim.chain.transaction import Call, Transaction
from sim.randomness import Randomness

PLENTY = 10**12


def bid(sender, tip=1.0, ceiling=10.0, subject=99, gas=100):
    calls = (Call("periphery", "liquidate", (), gas),)
    return Transaction(
        sender, calls, "liquidation", tip_gwei=tip, tip_ceiling_gwei=ceiling, subject=subject, revert_gas=10
    )


def pool(*bids, **settings):
    mempool = Mempool(Randomness(1), **settings)
    mempool.submit(bids, 1, 5)
    return mempool


def test_the_higher_ceiling_wins_one_step_above_the_lower():
    low, high = bid(1, ceiling=2.0), bid(2, ceiling=50.0)
    mempool = pool(low, high)
    mempool.bid_up()
    assert [t.sender for t in mempool.select(1, 0.0, PLENTY, PLENTY)] == [2, 1]
    assert low.tip_gwei <= 2.0 < low.tip_gwei * 1.125**2
    assert high.tip_gwei <= low.tip_gwei * 1.125 + 1e-9
    for raised in (low, high):  # whole steps
        steps = 0
        tip = 1.0
        while tip < raised.tip_gwei - 1e-9:
            tip *= 1.125
            steps += 1
        assert tip == pytest.approx(raised.tip_gwei)
        assert steps > 0


def test_nobody_raises_alone_or_above_his_ceiling_or_for_another_subject():
    alone, poor, rich = bid(1, subject=5), bid(2, tip=3.0, ceiling=3.0), bid(3, tip=4.0)
    mempool = pool(alone, poor, rich)
    mempool.bid_up()
    assert (alone.tip_gwei, poor.tip_gwei, rich.tip_gwei, mempool.raised) == (1.0, 3.0, 4.0, 0)


def test_rounds_bound_how_far_they_get():
    first, second = bid(1, ceiling=1e9), bid(2, ceiling=1e9)
    pool(first, second, raise_rounds=4).bid_up()
    assert max(first.tip_gwei, second.tip_gwei) == pytest.approx(1.125**4)


def test_a_bid_of_nothing_is_raised_from_one_wei():
    first, second = bid(1, tip=0.0, ceiling=2.0), bid(2, tip=0.0, ceiling=2.0)
    pool(first, second, raise_rounds=1).bid_up()
    assert sorted((first.tip_gwei, second.tip_gwei)) == [0.0, 1e-9]


def test_nobody_pays_for_a_place_where_gas_costs_nothing():
    with economy_of("public", **{"mechanisms.gas": False}) as economy:
        economy.run()
        assert economy.events.total_liquidations > 0
        token = economy.world.gas_token
        assert economy.ledger.balances[token][economy.executor.builder] == economy.ledger.outflows[token] == 0


def test_a_replacement_keeps_the_nonce_and_must_be_dear_enough():
    first = bid(7)
    mempool = pool(first)
    mempool.submit([bid(7, tip=1.1)], 2, 5)
    assert len(mempool) == 1
    dearer = bid(7, tip=1.125)
    mempool.submit([dearer, bid(7, subject=4)], 3, 5)
    assert len(mempool) == 2
    assert (dearer.nonce, dearer.order_key, dearer.expires_step) == (first.nonce, first.order_key, 8)
    chosen = mempool.select(3, 0.0, PLENTY, PLENTY)
    assert sorted(t.nonce for t in chosen) == [0, 1]


def test_room_depends_on_the_tip_that_is_offered():
    cheap, dear = bid(1, tip=1.0, subject=1), bid(2, tip=5.0, subject=2)
    mempool = pool(cheap, dear)
    assert mempool.select(1, 0.0, lambda tip: 100 if tip >= 2.0 else 0, PLENTY) == [dear]
    assert mempool.select(2, 0.0, lambda tip: 100, PLENTY) == [cheap]


def test_an_auction_is_among_those_who_came_in_the_same_block():
    def private(sender, value, block):
        calls = (Call("periphery", "liquidate", (), 100),)
        return Transaction(sender, calls, "liquidation", private=True, subject=9, value_usd=value, ready_block=block)

    mempool = pool(private(1, 50.0, 3), private(2, 20.0, 1), private(3, 30.0, 1), private(4, 90.0, 4))
    (winner,) = mempool.select(1, 0.0, PLENTY, PLENTY)
    assert (winner.sender, winner.bid_usd, mempool.lost) == (3, 20.0, 3)
