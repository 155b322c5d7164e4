"""Undo: every operation, refused at any of its writes, leaves state, parameters and float columns as they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lending_fixture import START, USDC, WBTC, WETH, WSTETH, Market, assert_books, assert_mirrors, snapshot, two_slopes

from sim.markets.lending import MAX

LENDER, ALICE, BOB, CAROL, DAVE = range(5)
HOUR = 3600

Operation = Callable[[Market], Any]


class Stop(Exception):
    """Raised in place of the n-th write."""


class StoppingEntries(list[Any]):
    """A journal that fails at its n-th entry."""

    def __init__(self, before_stop: int) -> None:
        super().__init__()
        self.before_stop = before_stop

    def append(self, entry: Any) -> None:
        if len(self) >= self.before_stop:
            raise Stop
        super().append(entry)


def market() -> Market:
    """Positions of every kind, in every reserve, with interest accrued over more than a year."""
    bench = Market(wallets=20_000)
    pool, users = bench.pool, bench.users
    for asset, tokens in ((WETH, 500), (WBTC, 20), (USDC, 2_000_000), (WSTETH, 300)):
        bench.supply(users[LENDER], asset, tokens)
    bench.supply(users[ALICE], WETH, 10)
    bench.supply(users[ALICE], WBTC, 0.2)
    pool.borrow(users[ALICE], USDC, bench.units(USDC, 12_000))
    pool.borrow(users[ALICE], WSTETH, bench.units(WSTETH, 1))
    bench.supply(users[BOB], WSTETH, 20)
    pool.set_emode(users[BOB], 1)
    pool.borrow(users[BOB], WETH, bench.units(WETH, 15))
    bench.supply(users[CAROL], WETH, 2)
    bench.supply(users[CAROL], USDC, 5_000)
    pool.borrow(users[CAROL], WETH, bench.units(WETH, 2.5))
    pool.borrow(users[CAROL], USDC, bench.units(USDC, 400))
    bench.clock.timestamp = START + 10_000 * HOUR
    for asset in (WETH, WBTC, USDC, WSTETH):
        bench.supply(users[LENDER], asset, 1)
    bench.clock.timestamp += HOUR
    bench.ledger.journal.clear()
    return bench


def unhealthy(bench: Market, collateral_usd: float = 1_500) -> None:
    """Let the ETH price fall so far that Alice may be liquidated."""
    bench.price(WETH, collateral_usd)
    bench.price(WBTC, 8_000)


def worthless(bench: Market) -> None:
    """Alice's last collateral is worth a fraction of what she owes in two reserves."""
    bench.pool.set_collateral(bench.users[ALICE], WBTC, False)
    bench.price(WETH, 100)


def same_asset(bench: Market) -> None:
    """Carol owes WETH and USDC against WETH and USDC; the dearer WETH puts her under water."""
    bench.price(WETH, 6_000)


def flash(bench: Market) -> Any:
    pool, lender, dave = bench.pool, bench.users[LENDER], bench.users[DAVE]

    def inside() -> None:
        pool.supply(dave, WETH, bench.units(WETH, 5))
        pool.borrow(dave, WETH, bench.units(WETH, 1))
        pool.withdraw(lender, WETH, bench.units(WETH, 1))

    return pool.flash_loan(dave, WETH, bench.units(WETH, 10), inside)


def call(name: str, user: int, *arguments: Any) -> Operation:
    def run(bench: Market) -> Any:
        who = bench.users[user]
        return getattr(bench.pool, name)(who, *(a(bench) if callable(a) else a for a in arguments))

    return run


def user(index: int) -> Callable[[Market], int]:
    return lambda bench: bench.users[index]


def amount(asset: int, tokens: float) -> Callable[[Market], int]:
    return lambda bench: bench.units(asset, tokens)


OPERATIONS: dict[str, tuple[Operation, Callable[[Market], None] | None]] = {
    "supply": (call("supply", ALICE, WETH, amount(WETH, 1)), None),
    "supply, first": (call("supply", DAVE, USDC, amount(USDC, 10)), None),
    "supply for another": (call("supply", DAVE, USDC, amount(USDC, 10), user(BOB)), None),
    "withdraw": (call("withdraw", LENDER, USDC, amount(USDC, 10)), None),
    "withdraw all": (call("withdraw", ALICE, WBTC, MAX), None),
    "withdraw to another": (call("withdraw", LENDER, USDC, amount(USDC, 10), user(BOB)), None),
    "borrow": (call("borrow", ALICE, USDC, amount(USDC, 100)), None),
    "borrow, first": (call("borrow", LENDER, USDC, amount(USDC, 100)), None),
    "repay": (call("repay", ALICE, USDC, amount(USDC, 100)), None),
    "repay all": (call("repay", ALICE, WSTETH, MAX), None),
    "repay for another": (call("repay", DAVE, USDC, amount(USDC, 100), user(ALICE)), None),
    "repay with aTokens": (call("repay_with_atokens", CAROL, USDC, amount(USDC, 100)), None),
    "repay all with aTokens": (call("repay_with_atokens", CAROL, USDC, MAX), None),
    "collateral off": (call("set_collateral", ALICE, WBTC, False), None),
    "collateral on": (
        call("set_collateral", LENDER, USDC, True),
        lambda bench: bench.pool.set_collateral(bench.users[LENDER], USDC, False),
    ),
    "enter e-mode": (call("set_emode", LENDER, 1), None),
    "leave e-mode": (call("set_emode", BOB, 0), lambda bench: bench.price(WSTETH, 9_000)),
    "transfer": (call("transfer_atoken", LENDER, USDC, user(DAVE), amount(USDC, 5)), None),
    "transfer all": (
        call("transfer_atoken", ALICE, WBTC, user(BOB), lambda b: b.pool.atoken_balance(WBTC, b.users[ALICE])),
        None,
    ),
    "liquidate": (call("liquidate", DAVE, WETH, USDC, user(ALICE), amount(USDC, 500)), unhealthy),
    "liquidate for aTokens": (call("liquidate", DAVE, WETH, USDC, user(ALICE), MAX, True), unhealthy),
    "liquidate all collateral": (call("liquidate", DAVE, WETH, USDC, user(ALICE), MAX), worthless),
    "liquidate one asset": (call("liquidate", DAVE, WETH, WETH, user(CAROL), amount(WETH, 0.2)), same_asset),
    "liquidate one asset for aTokens": (
        call("liquidate", DAVE, WETH, WETH, user(CAROL), amount(WETH, 0.2), True),
        same_asset,
    ),
    "flash loan": (flash, None),
    "mint to treasury": (call("mint_to_treasury", DAVE, [WETH, WBTC, USDC, WSTETH]), None),
    "supply cap": (call("set_supply_cap", DAVE, WETH, 7), None),
    "borrow cap": (call("set_borrow_cap", DAVE, WETH, 7), None),
    "borrowing enabled": (call("set_borrowing_enabled", DAVE, WETH, False), None),
    "flash loans enabled": (call("set_flash_loan_enabled", DAVE, WETH, False), None),
    "paused": (call("set_paused", DAVE, WETH, True), None),
    "frozen": (call("set_frozen", DAVE, WETH, True), None),
    "LTV zero": (call("set_ltv_zero", DAVE, WETH, True), None),
    "LTV back": (
        call("set_ltv_zero", DAVE, WETH, False),
        lambda bench: bench.pool.set_ltv_zero(bench.users[DAVE], WETH, True),
    ),
    "e-mode LTV zero": (call("set_emode_ltv_zero", DAVE, 1, WETH, True), None),
    "e-mode parameters": (call("set_emode_params", DAVE, 1, 9_000, 9_200, 10_200), None),
    "protocol fee": (call("set_liquidation_protocol_fee", DAVE, WETH, 2_000), None),
    "flash premium": (call("set_flash_premium", DAVE, 9), None),
    "reserve factor": (call("set_reserve_factor", DAVE, USDC, 2_500), None),
    "rate parameters": (call("set_rate_params", DAVE, USDC, 8 * 10**26, 0, 10**25, 10**26), None),
    "rate model": (call("set_rate_model", DAVE, USDC, two_slopes(50, 1, 2, 3)), None),
    "collateral parameters, frozen": (
        call("set_collateral_params", DAVE, WETH, 7_000, 7_500, 10_700),
        lambda bench: bench.pool.set_frozen(bench.users[DAVE], WETH, True),
    ),
    "collateral parameters, LTV zero": (
        call("set_collateral_params", DAVE, WETH, 7_000, 7_500, 10_700),
        lambda bench: bench.pool.set_ltv_zero(bench.users[DAVE], WETH, True),
    ),
    "collateral parameters": (call("set_collateral_params", DAVE, WETH, 7_000, 7_500, 10_700), None),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_undone_from_every_write(name):
    operation, prepare = OPERATIONS[name]
    bench = market()
    if prepare:
        prepare(bench)
    journal = bench.ledger.journal
    journal.clear()
    before = snapshot(bench)

    operation(bench)
    writes = len(journal.entries)
    after = snapshot(bench)
    assert writes > 0
    assert after != before
    assert_mirrors(bench)
    assert_books(bench)
    journal.undo()
    assert snapshot(bench) == before

    for n in range(writes):
        journal.entries = StoppingEntries(n)
        with pytest.raises(Stop):
            operation(bench)
        journal.undo()
        assert snapshot(bench) == before, f"write {n + 1} of {writes}"

    journal.entries = []
    operation(bench)
    assert snapshot(bench) == after, "nothing remembered from the undone attempts may change the result"


def test_a_transaction_is_undone_over_several_operations():
    bench = market()
    before = snapshot(bench)
    pool, alice = bench.pool, bench.users[ALICE]

    def transaction() -> None:
        pool.supply(alice, WETH, bench.units(WETH, 3))
        pool.borrow(alice, USDC, bench.units(USDC, 1_000))
        pool.repay(alice, WSTETH, MAX)
        pool.withdraw(alice, WETH, bench.units(WETH, 100))

    assert bench.attempt(transaction) == "NotEnoughAvailableUserBalance"
    assert snapshot(bench) == before


def test_what_is_remembered_survives_going_back_in_time():
    """A what-if: run ahead, undo, set the clock back, take another way. Indexes are those of the way taken."""
    bench, plain = market(), market()
    pool, alice, lender = bench.pool, bench.users[ALICE], bench.users[LENDER]
    mark = bench.ledger.journal.mark()
    now = bench.clock.timestamp
    bench.clock.timestamp = now + 1
    pool.borrow(lender, USDC, bench.units(USDC, 1_000_000))
    bench.clock.timestamp = now + HOUR
    ahead = pool.normalized_debt(USDC)
    bench.ledger.journal.undo(mark)
    bench.clock.timestamp = now

    for market_ in (bench, plain):
        market_.clock.timestamp = now + 1
        market_.pool.repay(alice, USDC, market_.units(USDC, 5))
        market_.clock.timestamp = now + HOUR
    assert pool.normalized_debt(USDC) == plain.pool.normalized_debt(USDC) != ahead
    assert snapshot(bench) == snapshot(plain)


def test_accounts_and_reserves_may_be_added_while_a_journal_is_open():
    """Growing replaces the float columns; entries written before still undo into the new ones."""
    bench = market()
    pool, alice = bench.pool, bench.users[ALICE]
    before = snapshot(bench)
    capacity = pool.columns.capacity
    pool.supply(alice, WETH, bench.units(WETH, 3))
    pool.set_emode(bench.users[LENDER], 1)
    more = bench.ledger.open_accounts(["newcomer"] * (2 * capacity))
    assert pool.columns.capacity > capacity
    bench.ledger.journal.undo()
    assert_mirrors(bench)
    after = snapshot(bench)
    accounts = len(before["flags"])
    assert after["totals"] == before["totals"]
    assert [column[:accounts] for column in after["supplies"]] == before["supplies"]
    assert [column[:capacity] for column in after["supply_column"]] == before["supply_column"]
    assert after["emode_column"][:capacity] == before["emode_column"]
    assert [pool.flags[account] for account in more] == [0] * len(more)
