"""The mempool: a total order, block space, waiting and expiry, and the auction for private transactions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.mempool import Mempool
from sim.chain.transaction import Call, Transaction
from sim.randomness import Randomness

PLENTY = 10**12


def public(sender, tip=1.0, gas=100, **options):
    return Transaction(sender, (Call("pool", "repay", (), gas),), "top_up", tip_gwei=tip, **options)


def private(sender, value, subject=-1, gas=100):
    calls = (Call("periphery", "liquidate", (), gas),)
    return Transaction(sender, calls, "liquidation", private=True, subject=subject, value_usd=value)


def pool(*transactions, step=1, expiry=5):
    mempool = Mempool(Randomness(1))
    mempool.submit(transactions, step, expiry)
    return mempool


def senders(chosen):
    return [transaction.sender for transaction in chosen]


def select(mempool, step=1, base_fee=1.0, capacity=PLENTY, whole=PLENTY):
    return mempool.select(step, base_fee, capacity, whole)


def test_each_sender_counts_his_own_transactions():
    first, second, other = public(7), public(7), public(8)
    mempool = pool(first, other)
    mempool.submit([second], 2, 3)
    assert [t.nonce for t in (first, second, other)] == [0, 1, 0]
    assert second.order_key == Randomness(1).bits("order", 7, 1)
    assert (second.submitted_step, second.expires_step) == (2, 5)
    assert len(mempool) == 3


def test_higher_tips_first_ties_by_a_hash_that_nobody_chooses():
    transactions = [public(sender, tip=tip) for sender, tip in ((1, 1.0), (2, 3.0), (3, 1.0), (4, 3.0), (5, 2.0))]
    keys = {sender: Randomness(1).bits("order", sender, 0) for sender in range(1, 6)}
    expected = [*sorted((2, 4), key=keys.get), 5, *sorted((1, 3), key=keys.get)]
    for order in itertools.permutations(transactions):
        assert senders(select(pool(*order))) == expected


def test_private_ones_come_first_the_most_valuable_in_front():
    mempool = pool(public(1, tip=100.0), private(2, 5.0), private(3, 9.0), public(4, tip=200.0))
    assert senders(select(mempool)) == [3, 2, 4, 1]
    assert len(mempool) == 0


# ---------------------------------------------------------------------- block space
def test_what_does_not_fit_waits_and_a_smaller_one_takes_its_place():
    mempool = pool(public(1, tip=3.0, gas=60), public(2, tip=2.0, gas=50), public(3, tip=1.0, gas=40))
    assert senders(select(mempool, capacity=100)) == [1, 3]
    assert senders(select(mempool, step=2, capacity=100)) == [2]


def test_a_transaction_that_just_fits_is_included():
    assert senders(select(pool(public(1, gas=100)), capacity=100)) == [1]
    assert senders(select(pool(public(1, gas=101)), capacity=100)) == []


def test_waiting_ends_after_the_last_step_that_was_allowed():
    mempool = pool(public(1), step=1, expiry=2)
    assert [senders(select(mempool, step=step, capacity=0)) for step in (1, 2)] == [[], []]
    assert (len(mempool), mempool.expired) == (1, 0)
    select(mempool, step=3, capacity=0)
    assert (len(mempool), mempool.expired) == (0, 1)
    select(mempool, step=4)
    assert mempool.expired == 0


def test_in_its_last_step_a_transaction_is_still_included():
    mempool = pool(public(1), step=1, expiry=2)
    select(mempool, step=1, capacity=0)
    assert senders(select(mempool, step=3)) == [1]


def test_a_ceiling_below_the_base_fee_waits_until_the_fee_has_fallen():
    mempool = pool(public(1, max_fee_gwei=10.0))
    assert senders(select(mempool, step=1, base_fee=10.1)) == []
    assert senders(select(mempool, step=2, base_fee=10.0)) == [1]


def test_private_ones_outbid_outsiders_and_public_ones_share_what_is_left():
    """A block of 1,000, of which outsiders who pay more want 600: winners use 300, so 100 is left for the public."""
    bids = [private(1, 5.0, gas=300)]
    assert senders(select(pool(*bids, public(2, gas=100)), capacity=400, whole=1_000)) == [1, 2]
    assert senders(select(pool(*bids, public(2, gas=101)), capacity=400, whole=1_000)) == [1]
    assert senders(select(pool(private(1, 5.0, gas=900), public(2, gas=1)), capacity=400, whole=1_000)) == [1]


def test_a_private_one_without_room_is_gone():
    mempool = pool(private(1, 5.0, gas=70), private(2, 9.0, gas=50), private(3, 1.0, gas=30))
    assert senders(select(mempool, capacity=100, whole=100)) == [2, 3]
    assert len(mempool) == 0


# ---------------------------------------------------------------------- auction
def test_the_most_valuable_bid_wins_and_pays_what_the_second_would():
    mempool = pool(private(1, 50.0, subject=9), private(2, 80.0, subject=9), private(3, 30.0, subject=9))
    (winner,) = select(mempool)
    assert (winner.sender, winner.bid_usd, mempool.lost) == (2, 50.0, 2)
    select(mempool)
    assert mempool.lost == 0


def test_alone_nobody_pays():
    chosen = select(pool(private(1, 50.0, subject=9), private(2, 80.0, subject=8), private(3, 1.0), private(4, 2.0)))
    assert {t.sender: t.bid_usd for t in chosen} == {1: 0.0, 2: 0.0, 3: 0.0, 4: 0.0}


def test_nobody_is_paid_for_winning():
    (winner,) = select(pool(private(1, 5.0, subject=9), private(2, -80.0, subject=9)))
    assert (winner.sender, winner.bid_usd) == (1, 0.0)


def test_equal_bids_are_decided_by_the_hash():
    keys = {sender: Randomness(1).bits("order", sender, 0) for sender in (1, 2, 3)}
    bids = [private(sender, 50.0, subject=9) for sender in (1, 2, 3)]
    for order in itertools.permutations(bids):
        (winner,) = select(pool(*order))
        assert (winner.sender, winner.bid_usd) == (min(keys, key=keys.get), 50.0)


@pytest.mark.parametrize("capacity", [0, 250, PLENTY])
@given(data=st.data())
def test_the_selection_does_not_depend_on_who_was_asked_first(capacity, data):
    made = st.tuples(st.booleans(), st.sampled_from([1.0, 2.0, 3.0]), st.sampled_from([-1, 8, 9]), st.integers(50, 150))
    drawn = data.draw(st.lists(made, max_size=8))
    order = data.draw(st.permutations(range(len(drawn))))

    def transactions():
        return [
            private(sender, value, subject, gas) if hidden else public(sender, value, gas)
            for sender, (hidden, value, subject, gas) in enumerate(drawn)
        ]

    plain, shuffled = pool(*transactions()), pool(*(transactions()[k] for k in order))
    assert [(t.sender, t.bid_usd) for t in select(plain, capacity=capacity, whole=capacity)] == [
        (t.sender, t.bid_usd) for t in select(shuffled, capacity=capacity, whole=capacity)
    ]
    assert (plain.lost, plain.expired, len(plain)) == (shuffled.lost, shuffled.expired, len(shuffled))
