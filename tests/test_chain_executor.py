"""The executor: one transaction, all or nothing; who pays for gas, and what the receipt says."""

from __future__ import annotations

import pytest

from sim.chain.clock import Clock
from sim.chain.executor import NO_FUNDS_FOR_GAS, Executor
from sim.chain.revert import Revert
from sim.chain.transaction import Call, Transaction
from sim.ledger import EXCEEDS_BALANCE, Ledger

ETH, USDC = 0, 1
ANN, BOB, BUILDER = 0, 1, 2
GWEI = 10**9
BASE_FEE = 7 * GWEI


class Till:
    """A market that moves USDC, remembers how often it was called, and refuses on demand."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.calls = 0

    def pay(self, sender, receiver, amount):
        self.calls += 1
        self.ledger.transfer(USDC, sender, receiver, amount)
        return amount

    def refuse(self, sender, reason):
        self.calls += 1
        raise Revert(reason)

    def break_down(self, sender):
        raise ZeroDivisionError


class Bench:
    def __init__(self, eth=10**18, usdc=1_000):
        self.ledger = Ledger()
        self.ledger.add_token("ETH", 18)
        self.ledger.add_token("USDC", 6)
        self.ledger.open_accounts(["Ann", "Bob", "builder"])
        self.ledger.inflow(ETH, ANN, eth)
        self.ledger.inflow(USDC, ANN, usdc)
        self.clock = Clock(1_700_000_000)
        self.clock.step, self.clock.block = 3, 15
        self.till = Till(self.ledger)
        self.executor = Executor(self.ledger, self.clock, {"till": self.till}, gas_token=ETH, builder=BUILDER)

    def execute(self, *calls, base_fee=BASE_FEE, **options):
        transaction = Transaction(ANN, calls, "payment", **options)
        receipt = self.executor.execute(transaction, base_fee)
        assert receipt.transaction is transaction
        assert not self.ledger.journal.entries, "what was executed is final"
        self.ledger.audit()
        return receipt

    def usdc(self):
        return list(self.ledger.balances[USDC])

    def eth(self):
        return list(self.ledger.balances[ETH])


def pay(amount, gas=50_000):
    return Call("till", "pay", (BOB, amount), gas)


def refuse(reason="NO", gas=70_000):
    return Call("till", "refuse", (reason,), gas)


def test_base_fee_is_burnt_and_the_tip_goes_to_the_builder():
    bench = Bench()
    receipt = bench.execute(pay(30), pay(5, gas=21_000), tip_gwei=2.5)
    assert bench.usdc() == [965, 35, 0]
    assert receipt.ok
    assert (receipt.reason, receipt.results, receipt.gas_used) == ("", [30, 5], 71_000)
    assert receipt.fee_wei == 71_000 * 9_500_000_000 == 674_500_000_000_000
    assert bench.eth() == [10**18 - receipt.fee_wei, 0, 71_000 * 2_500_000_000]
    assert bench.ledger.outflows[ETH] == 71_000 * BASE_FEE
    assert (receipt.step, receipt.block, receipt.timestamp) == (3, 15, 1_700_000_000)


def test_a_reverted_public_transaction_pays_for_what_it_got_through():
    bench = Bench()
    receipt = bench.execute(pay(30), refuse("Panic"), pay(5), tip_gwei=1.0)
    assert bench.usdc() == [1_000, 0, 0]
    assert (receipt.ok, receipt.reason, receipt.results) == (False, "Panic", [])
    assert receipt.gas_used == 120_000
    assert bench.eth() == [10**18 - 120_000 * 8 * GWEI, 0, 120_000 * GWEI]
    assert bench.till.calls == 2


def test_a_reverted_private_transaction_is_left_out_and_pays_nothing():
    bench = Bench()
    receipt = bench.execute(pay(30), refuse("Panic"), private=True)
    assert bench.usdc() == [1_000, 0, 0]
    assert (receipt.ok, receipt.reason, receipt.gas_used, receipt.fee_wei) == (False, "Panic", 0, 0)
    assert bench.eth() == [10**18, 0, 0]


def test_the_ledgers_own_refusal_becomes_a_receipt():
    receipt = Bench().execute(pay(1_001))
    assert (receipt.ok, receipt.reason) == (False, EXCEEDS_BALANCE)


@pytest.mark.parametrize("private", [False, True])
def test_who_cannot_pay_for_all_the_gas_is_not_included(private):
    needed = 100_000 * BASE_FEE
    poor = Bench(eth=needed - 1)
    receipt = poor.execute(pay(30), pay(5), private=private)
    assert (receipt.ok, receipt.reason, receipt.gas_used, receipt.fee_wei) == (False, NO_FUNDS_FOR_GAS, 0, 0)
    assert (poor.eth(), poor.usdc(), poor.till.calls) == ([needed - 1, 0, 0], [1_000, 0, 0], 0)
    assert Bench(eth=needed).execute(pay(30), pay(5), private=private).ok


def test_without_a_gas_price_nobody_needs_eth():
    bench = Bench(eth=0)
    assert bench.execute(pay(30), base_fee=0).fee_wei == 0
    assert bench.usdc() == [970, 30, 0]


def bid(usd, **options):
    return {"private": True, "bid_usd": usd, "profit_token": USDC, "profit_unit_usd": 0.25} | options


def test_the_bid_goes_to_the_builder_in_the_token_of_the_profit():
    bench = Bench()
    assert bench.execute(pay(30), **bid(25.2)).ok
    assert bench.usdc() == [870, 30, 100]


def test_a_bid_that_cannot_be_paid_undoes_the_transaction():
    bench = Bench()
    receipt = bench.execute(pay(980), **bid(25.0))
    assert (receipt.ok, receipt.reason, receipt.gas_used) == (False, EXCEEDS_BALANCE, 0)
    assert bench.usdc() == [1_000, 0, 0]
    public = bench.execute(pay(980), **bid(25.0, private=False))
    assert (public.ok, public.gas_used) == (False, 50_000)
    assert bench.usdc() == [1_000, 0, 0]


def test_every_receipt_has_its_own_number():
    bench = Bench()
    numbers = [
        receipt.event_id
        for receipt in (
            bench.execute(pay(1)),
            bench.execute(refuse()),
            bench.execute(refuse(), private=True),
            Bench.execute(bench, pay(1, gas=10**12)),
            bench.execute(pay(1)),
        )
    ]
    assert numbers == [0, 1, 2, 3, 4]


def test_a_transaction_without_calls_costs_nothing():
    bench = Bench()
    receipt = bench.execute()
    assert (receipt.ok, receipt.fee_wei, receipt.results) == (True, 0, [])


def test_a_defect_is_not_taken_for_a_refusal():
    with pytest.raises(ZeroDivisionError):
        Bench().execute(Call("till", "break_down", (), 1))


def test_what_earlier_transactions_wrote_survives_a_later_revert():
    bench = Bench()
    bench.execute(pay(30))
    bench.execute(pay(40), refuse())
    assert bench.usdc() == [970, 30, 0]
