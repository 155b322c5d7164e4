"""Every refusal of the lending pool's operations, with its reason and at its boundary."""

from __future__ import annotations

import pytest
from lending_fixture import USDC, WBTC, WETH, WSTETH, YEAR, Market

from sim.ledger import EXCEEDS_BALANCE
from sim.markets.lending import MAX, WAD

ETHER = 10**18


@pytest.fixture
def bench():
    """users[0] lends everything; users[1] has supplied 10 WETH and owes nothing."""
    bench = Market(wallets=100)
    for asset, tokens in ((WETH, 1_000), (WBTC, 50), (USDC, 1_000_000), (WSTETH, 1_000)):
        bench.supply(bench.users[0], asset, tokens)
    bench.supply(bench.users[1], WETH, 10)
    bench.ledger.journal.clear()
    return bench


def test_refusals_of_supply(bench):
    pool, bob = bench.pool, bench.users[2]
    assert bench.attempt(pool.supply, bob, USDC, 0) == "InvalidAmount"
    assert bench.attempt(pool.supply, bob, USDC, -5) == "InvalidAmount"
    assert bench.attempt(pool.supply, bob, USDC, 101 * 10**6) == EXCEEDS_BALANCE
    assert bench.attempt(pool.supply, bob, USDC, 1, pool.account) == "SupplyToAToken"
    pool.set_supply_cap(bob, USDC, 1_000_010)
    assert bench.attempt(pool.supply, bob, USDC, 10 * 10**6 + 1) == "SupplyCapExceeded"
    assert bench.attempt(pool.supply, bob, USDC, 10 * 10**6) is None
    pool.set_frozen(bob, USDC, True)
    assert bench.attempt(pool.supply, bob, USDC, 1) == "ReserveFrozen"
    pool.set_paused(bob, USDC, True)
    assert bench.attempt(pool.supply, bob, USDC, 1) == "ReservePaused"


def test_refusals_of_withdraw(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    assert bench.attempt(pool.withdraw, alice, WETH, 0) == "InvalidAmount"
    assert bench.attempt(pool.withdraw, bob, WETH, MAX) == "InvalidAmount"
    assert bench.attempt(pool.withdraw, alice, WETH, 10 * ETHER + 1) == "NotEnoughAvailableUserBalance"
    assert bench.attempt(pool.withdraw, alice, WETH, 1, pool.account) == "WithdrawToAToken"
    pool.borrow(alice, USDC, 16_000 * 10**6)
    assert bench.attempt(pool.withdraw, alice, WETH, ETHER) == "HealthFactorLowerThanLiquidationThreshold"
    bench.supply(bench.users[3], USDC, 20_000_000)
    bench.supply(bob, WETH, 1)
    pool.borrow(bench.users[3], WETH, 1_010 * ETHER)
    assert bench.attempt(pool.withdraw, bob, WETH, MAX) is None
    assert bench.attempt(pool.withdraw, bench.users[0], WETH, ETHER) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    pool.set_paused(bob, WETH, True)
    assert bench.attempt(pool.withdraw, bench.users[0], WETH, ETHER) == "ReservePaused"


def test_zero_ltv_collateral_has_to_leave_first(bench):
    pool, alice = bench.pool, bench.users[1]
    bench.supply(alice, WBTC, 1)
    pool.borrow(alice, USDC, 100 * 10**6)
    pool.set_collateral_params(alice, WBTC, 0, 7_800, 10_500)
    assert pool.account_data(alice).has_zero_ltv_collateral
    assert bench.attempt(pool.withdraw, alice, WETH, ETHER) == "LtvValidationFailed"
    assert bench.attempt(pool.set_collateral, alice, WETH, False) == "LtvValidationFailed"
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bench.users[2], 1) == "LtvValidationFailed"
    assert bench.attempt(pool.withdraw, alice, WBTC, MAX) is None
    assert bench.attempt(pool.withdraw, alice, WETH, ETHER) is None


def test_refusals_of_borrow(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    assert bench.attempt(pool.borrow, alice, USDC, 0) == "InvalidAmount"
    assert bench.attempt(pool.borrow, alice, USDC, 1_000_000 * 10**6 + 1) == "InvalidAmount"
    assert bench.attempt(pool.borrow, bob, USDC, 1) == "LtvValidationFailed"
    assert bench.attempt(pool.borrow, alice, USDC, 16_100 * 10**6 + 1) == "CollateralCannotCoverNewBorrow"
    assert bench.attempt(pool.borrow, alice, USDC, 16_600 * 10**6 + 1) == "HealthFactorLowerThanLiquidationThreshold"
    assert bench.attempt(pool.borrow, alice, USDC, 16_100 * 10**6) is None
    pool.repay(alice, USDC, 10 * 10**6)
    pool.set_borrow_cap(alice, USDC, 16_091)
    assert bench.attempt(pool.borrow, alice, USDC, 10**6 + 1) == "BorrowCapExceeded"
    assert bench.attempt(pool.borrow, alice, USDC, 10**6) is None
    bench.supply(bob, WETH, 2_000)
    pool.set_borrow_cap(alice, USDC, 0)
    remaining = pool.available_liquidity(USDC)
    assert bench.attempt(pool.borrow, bob, USDC, remaining + 1) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    pool.set_borrowing_enabled(alice, USDC, False)
    assert bench.attempt(pool.borrow, bob, USDC, 1) == "BorrowingNotEnabled"
    pool.set_frozen(alice, USDC, True)
    assert bench.attempt(pool.borrow, bob, USDC, 1) == "ReserveFrozen"
    pool.set_paused(alice, USDC, True)
    assert bench.attempt(pool.borrow, bob, USDC, 1) == "ReservePaused"


def test_refusals_of_repay(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    pool.borrow(alice, USDC, 100 * 10**6)
    assert bench.attempt(pool.repay, alice, USDC, 0) == "InvalidAmount"
    assert bench.attempt(pool.repay, bob, USDC, MAX, alice) == "NoExplicitAmountToRepayOnBehalf"
    assert bench.attempt(pool.repay, bob, USDC, 5) == "NoDebtOfSelectedType"
    assert bench.attempt(pool.repay_with_atokens, bob, USDC, 5) == "NoDebtOfSelectedType"
    assert bench.attempt(pool.repay_with_atokens, alice, USDC, MAX) == "InvalidBurnAmount"
    assert bench.attempt(pool.repay_with_atokens, alice, USDC, 5) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    bench.ledger.transfer(pool.reserves[USDC].token, alice, bob, bench.wallet(alice, USDC) - 10**6)
    assert bench.attempt(pool.repay, alice, USDC, MAX) == EXCEEDS_BALANCE
    assert bench.attempt(pool.repay, alice, USDC, 10**6) is None
    bench.clock.timestamp += 30 * YEAR
    assert bench.attempt(pool.supply, bob, USDC, 1) == "InvalidAmount", "rounds to no scaled unit"
    assert bench.attempt(pool.repay, bob, USDC, 1, alice) == "InvalidBurnAmount"
    pool.set_paused(alice, USDC, True)
    assert bench.attempt(pool.repay, alice, USDC, 1) == "ReservePaused"


def test_repaying_with_collateral_must_end_healthy(bench):
    """1 000 USDC at 80 % against 0.3 WETH and 100 USDC, which the collateral itself repays."""
    pool, bob = bench.pool, bench.users[2]
    bench.supply(bob, USDC, 1_000)
    pool.borrow(bob, WETH, 3 * ETHER // 10)
    pool.borrow(bob, USDC, 100 * 10**6)
    bench.price(WETH, 2_600)  # 800 / 880 before, 720 / 780 after: better, and still refused
    assert bench.attempt(pool.repay_with_atokens, bob, USDC, MAX) == "HealthFactorLowerThanLiquidationThreshold"
    bench.price(WETH, 2_390)  # 800 / 817 before, 720 / 717 after
    assert pool.health_factor(bob) < WAD
    assert bench.attempt(pool.repay_with_atokens, bob, USDC, MAX) is None
    assert pool.health_factor(bob) == 720 * WAD // 717


def test_refusals_of_the_collateral_flag(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    assert bench.attempt(pool.set_collateral, bob, WETH, True) == "UnderlyingBalanceZero"
    assert bench.attempt(pool.set_collateral, bob, WETH, False) is None
    pool.borrow(alice, USDC, 100 * 10**6)
    assert bench.attempt(pool.set_collateral, alice, WETH, False) == "HealthFactorLowerThanLiquidationThreshold"
    pool.set_collateral_params(alice, WBTC, 0, 7_800, 10_500)
    bench.supply(bob, WBTC, 1)
    assert not pool.is_collateral(WBTC, bob)
    assert bench.attempt(pool.set_collateral, bob, WBTC, True) == "UserInIsolationModeOrLtvZero"
    pool.set_paused(alice, WBTC, True)
    assert bench.attempt(pool.set_collateral, bob, WBTC, False) == "ReservePaused"


def test_refusals_of_transfer(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bob, 10 * ETHER + 1) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bob, -1) == "ARITHMETIC_OVERFLOW_OR_UNDERFLOW"
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bob, 0) is None
    pool.borrow(alice, USDC, 16_000 * 10**6)
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bob, ETHER) == "HealthFactorLowerThanLiquidationThreshold"
    pool.set_paused(alice, WETH, True)
    assert bench.attempt(pool.transfer_atoken, alice, WETH, bob, 1) == "ReservePaused"


def test_refusals_of_emode(bench):
    pool, alice, bob = bench.pool, bench.users[1], bench.users[2]
    assert bench.attempt(pool.set_emode, alice, 7) == "InconsistentEModeCategory"
    pool.borrow(alice, USDC, 10**6)
    assert bench.attempt(pool.set_emode, alice, 1) == "InvalidDebtInEmode"
    bench.supply(bob, WBTC, 1)
    pool.set_collateral_params(alice, WBTC, 0, 7_800, 10_500)
    assert bench.attempt(pool.set_emode, bob, 1) == "InvalidCollateralInEmode"
    pool.set_emode(bench.users[3], 1)
    bench.supply(bench.users[3], WETH, 1)
    pool.borrow(bench.users[3], WSTETH, 1)
    pool.set_borrowing_enabled(alice, WSTETH, False)
    assert bench.attempt(pool.set_emode, bench.users[3], 0) == "InvalidDebtInEmode"
