"""Flash loans: the premium, whom it goes to, and what happens when it cannot be paid back."""

from __future__ import annotations

import pytest
from lending_fixture import USDC, WETH, YEAR, Market, assert_books, snapshot

from sim.ledger import EXCEEDS_BALANCE
from sim.markets.lending import MAX

ETHER, MICRO = 10**18, 10**6


@pytest.fixture
def bench():
    bench = Market(users=3)
    bench.supply(bench.users[0], USDC, 100_000)
    bench.supply(bench.users[1], WETH, 100)
    bench.pool.borrow(bench.users[1], USDC, 20_000 * MICRO)
    bench.ledger.journal.clear()
    bench.clock.timestamp += YEAR
    return bench


def test_the_premium_is_5_bps_rounded_up_and_due_to_the_treasury(bench):
    pool, bob = bench.pool, bench.users[2]
    bench.fund(bob, USDC, 1)
    seen = []
    due = pool.totals_now(USDC).accrued_to_treasury_scaled
    index = pool.normalized_income(USDC)
    amount = 1_234_567_891
    done = pool.flash_loan(bob, USDC, amount, lambda: seen.append(bench.wallet(bob, USDC)))
    assert seen == [MICRO + amount]
    assert done == (USDC, amount, 617_284)  # 617 283.9455
    assert bench.wallet(bob, USDC) == MICRO - 617_284
    assert pool.available_liquidity(USDC) == 80_000 * MICRO + 617_284
    assert pool.totals(USDC).accrued_to_treasury_scaled == due + 617_284 * 10**27 // index
    assert pool.flash_premium(amount) == 617_284
    assert_books(bench)


def test_what_the_borrower_does_in_between_counts(bench):
    """Repaying the reserve's debt with its own cash: the loan is taken out of, and put back into, what then holds."""
    pool, bob = bench.pool, bench.users[2]
    bench.fund(bob, USDC, 30_000)
    debt = pool.total_debt(USDC)
    pool.flash_loan(bob, USDC, 80_000 * MICRO, lambda: pool.repay(bob, USDC, debt, bench.users[1]))
    assert pool.total_debt(USDC) == 0
    assert pool.borrow_rate(USDC) == 0
    assert_books(bench)


def test_all_the_cash_can_be_lent_and_none_withdrawn_meanwhile(bench):
    pool, bob, lender = bench.pool, bench.users[2], bench.users[0]
    bench.fund(bob, USDC, 1_000)
    reasons = []

    def inside() -> None:
        assert pool.available_liquidity(USDC) == 0
        reasons.append(bench.attempt(pool.withdraw, lender, USDC, 1))

    pool.flash_loan(bob, USDC, 80_000 * MICRO, inside)
    assert reasons == ["ARITHMETIC_OVERFLOW_OR_UNDERFLOW"]


def test_refusals(bench):
    pool, bob = bench.pool, bench.users[2]
    before = snapshot(bench)

    def nothing() -> None:
        return None

    attempt = bench.attempt
    assert attempt(pool.flash_loan, bob, USDC, 1_000 * MICRO, nothing) == EXCEEDS_BALANCE
    assert attempt(pool.flash_loan, bob, USDC, 10**15, nothing) == "InvalidAmount"
    assert attempt(pool.flash_loan, bob, USDC, -1, nothing) == "InvalidAmount"
    assert attempt(pool.flash_loan, bob, USDC, 80_000 * MICRO + 1, nothing) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    assert attempt(pool.flash_loan, bob, USDC, 1, lambda: pool.repay(bob, USDC, MAX)) == "NoDebtOfSelectedType"
    assert snapshot(bench) == before
    pool.set_flash_loan_enabled(bob, USDC, False)
    assert attempt(pool.flash_loan, bob, USDC, 1, nothing) == "FlashloanDisabled"
    pool.set_paused(bob, USDC, True)
    assert attempt(pool.flash_loan, bob, USDC, 1, nothing) == "ReservePaused"


def test_a_flash_liquidation_needs_no_capital(bench):
    """Borrow the debt asset, liquidate, sell the collateral, return loan and premium, keep the rest."""
    pool, (lender, borrower, bob) = bench.pool, bench.users
    pool.borrow(borrower, USDC, 75_000 * MICRO)
    bench.price(WETH, 1_100)
    cover = 40_000 * MICRO
    usdc, weth = pool.reserves[USDC].token, pool.reserves[WETH].token

    def inside() -> None:
        done = pool.liquidate(bob, WETH, USDC, borrower, cover)
        bench.ledger.transfer(weth, bob, lender, done.collateral_to_liquidator)
        bench.ledger.inflow(usdc, bob, done.collateral_to_liquidator * 1_095 * MICRO // ETHER)

    reason = bench.attempt(pool.flash_loan, bob, USDC, cover, inside)
    assert reason == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW", "the pool has lent out nearly everything"
    bench.supply(lender, USDC, 100_000)
    assert bench.attempt(pool.flash_loan, bob, USDC, cover, inside) is None
    # 4.5 % of the bonus (5 % less the protocol's tenth) less what the sale below the oracle price and the premium cost.
    assert 1_500 * MICRO < bench.wallet(bob, USDC) < 1_800 * MICRO
    assert_books(bench)
