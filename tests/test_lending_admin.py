"""Parameter changes while a pool runs: what each setter does, what it refuses, and what freezing leaves behind."""

from __future__ import annotations

import pytest
from lending_fixture import USDC, WBTC, WETH, WSTETH, YEAR, Market, percent, two_slopes

from sim.markets.lending import RAY, WAD

ETHER, MICRO = 10**18, 10**6
ANYBODY = 0


@pytest.fixture
def bench():
    """users[0] lends, users[1] owes 5 000 USDC against 10 WETH."""
    bench = Market(wallets=100)
    for asset, tokens in ((WETH, 1_000), (WBTC, 50), (USDC, 10_000), (WSTETH, 1_000)):
        bench.supply(bench.users[0], asset, tokens)
    bench.supply(bench.users[1], WETH, 10)
    bench.pool.borrow(bench.users[1], USDC, 5_000 * MICRO)
    bench.ledger.journal.clear()
    return bench


def test_setters_of_single_parameters(bench):
    pool, reserve = bench.pool, bench.pool.reserves[WETH]
    cases = [
        (pool.set_supply_cap, "supply_cap_tokens", 5),
        (pool.set_borrow_cap, "borrow_cap_tokens", 6),
        (pool.set_borrowing_enabled, "borrowing_enabled", False),
        (pool.set_flash_loan_enabled, "flash_loan_enabled", False),
        (pool.set_paused, "paused", True),
        (pool.set_liquidation_protocol_fee, "liquidation_protocol_fee_bps", 2_000),
        (pool.set_reserve_factor, "reserve_factor_bps", 3_000),
    ]
    for setter, field, value in cases:
        assert setter(ANYBODY, WETH, value) == (WETH, field, value)
        assert getattr(reserve, field) == value
    assert pool.set_flash_premium(ANYBODY, 9).asset == -1
    assert pool.flash_premium_bps == 9


@pytest.mark.parametrize("value", [-1, 2**36])
def test_caps_beyond_what_the_contract_holds_are_refused(bench, value):
    assert bench.attempt(bench.pool.set_supply_cap, ANYBODY, WETH, value) == "InvalidSupplyCap"
    assert bench.attempt(bench.pool.set_borrow_cap, ANYBODY, WETH, value) == "InvalidBorrowCap"
    assert bench.attempt(bench.pool.set_supply_cap, ANYBODY, WETH, 2**36 - 1) is None


@pytest.mark.parametrize("value", [-1, 10_001])
def test_shares_beyond_100_percent_are_refused(bench, value):
    pool = bench.pool
    assert bench.attempt(pool.set_reserve_factor, ANYBODY, WETH, value) == "InvalidReserveFactor"
    assert bench.attempt(pool.set_liquidation_protocol_fee, ANYBODY, WETH, value) == "InvalidLiquidationProtocolFee"
    assert bench.attempt(pool.set_flash_premium, ANYBODY, value) == "FlashloanPremiumInvalid"


def test_a_new_reserve_factor_counts_from_now(bench):
    """Interest up to the change is shared at the old factor, the liquidity rate is renewed at once."""
    pool = bench.pool
    rate, borrow_rate = pool.liquidity_rate(USDC), pool.borrow_rate(USDC)
    bench.clock.timestamp += YEAR
    expected = pool.totals_now(USDC).accrued_to_treasury_scaled
    pool.set_reserve_factor(ANYBODY, USDC, 5_000)
    assert pool.totals(USDC).accrued_to_treasury_scaled == expected > 0
    assert pool.totals(USDC).last_update_timestamp == bench.clock.timestamp
    assert pool.borrow_rate(USDC) > borrow_rate
    assert pool.liquidity_rate(USDC) < rate
    pool.set_reserve_factor(ANYBODY, USDC, 10_000)
    assert pool.liquidity_rate(USDC) == 0


def test_new_rates_count_from_now(bench):
    """5 000 of 10 000 lent out: half of an optimum of 100 % less, and the old rate up to the change."""
    pool = bench.pool
    bench.clock.timestamp += YEAR
    index = pool.normalized_debt(USDC)
    pool.set_rate_params(ANYBODY, USDC, percent(80), percent(1), percent(4), percent(60))
    totals = pool.totals(USDC)
    assert totals.borrow_index == index
    usage = (pool.total_debt(USDC) * RAY) // (pool.total_debt(USDC) + totals.virtual_balance)
    assert pool.borrow_rate(USDC) == pytest.approx(percent(1) + percent(4) * usage // percent(80), rel=1e-12)
    model = two_slopes(50, 2, 2, 2)
    assert pool.set_rate_model(ANYBODY, USDC, model).value is model
    assert pool.borrow_rate(USDC) > percent(4)


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        ((percent(0.5), 0, percent(4), percent(60)), "InvalidOptimalUsageRatio"),
        ((percent(99.5), 0, percent(4), percent(60)), "InvalidOptimalUsageRatio"),
        ((percent(80), 0, percent(4), percent(3)), "Slope2MustBeGteSlope1"),
        ((percent(80), percent(10), percent(4), percent(990)), "InvalidMaxRate"),
    ],
)
def test_refused_curves(bench, curve, reason):
    assert bench.attempt(bench.pool.set_rate_params, ANYBODY, USDC, *curve) == reason


def test_collateral_parameters(bench):
    pool, alice = bench.pool, bench.users[1]
    pool.set_collateral_params(ANYBODY, WETH, 5_000, 6_000, 11_000)
    assert pool.health_factor(alice) == 24 * WAD // 10  # 20 000 · 60 % / 5 000
    assert pool.account_data(alice).ltv_bps == 5_000
    collateral, _ = pool.factors()
    assert collateral[0, WETH] == pytest.approx(2_000 * 0.6)
    assert collateral[1, WETH] == pytest.approx(2_000 * 0.95), "inside the e-mode its own threshold holds"
    assert bench.attempt(pool.set_collateral_params, ANYBODY, WETH, 6_001, 6_000, 11_000) == "InvalidReserveParams"
    assert bench.attempt(pool.set_collateral_params, ANYBODY, WETH, 6_000, 9_500, 11_000) == "InvalidReserveParams"
    assert bench.attempt(pool.set_collateral_params, ANYBODY, WETH, 0, 0, 0) == "ReserveLiquidityNotZero"


def test_an_unused_asset_may_be_withdrawn_as_collateral():
    bench = Market(users=1)
    bench.pool.set_collateral_params(ANYBODY, WBTC, 0, 0, 0)
    bench.supply(bench.users[0], WBTC, 1)
    assert not bench.pool.is_collateral(WBTC, bench.users[0])


def test_freezing_puts_the_ltv_aside_and_unfreezing_does_not_bring_it_back(bench):
    pool, reserve, alice = bench.pool, bench.pool.reserves[WETH], bench.users[1]
    assert bench.attempt(pool.set_frozen, ANYBODY, WETH, False) == "InvalidFreezeState"
    pool.set_frozen(ANYBODY, WETH, True)
    assert bench.attempt(pool.set_frozen, ANYBODY, WETH, True) == "InvalidFreezeState"
    assert (reserve.ltv_bps, reserve.pending_ltv_bps) == (0, 8_050)
    assert pool.account_data(alice).ltv_bps == 0
    assert pool.account_data(alice).liquidation_threshold_bps == 8_300
    assert bench.attempt(pool.borrow, alice, USDC, 1) == "LtvValidationFailed"
    assert bench.attempt(pool.repay, alice, USDC, 1) is None
    assert pool.emodes[1].ltv_zero == 1 << WETH

    assert bench.attempt(pool.set_ltv_zero, ANYBODY, WETH, False) == "ReserveFrozen"
    assert bench.attempt(pool.set_emode_ltv_zero, ANYBODY, 1, WETH, False) == "ReserveFrozen"
    pool.set_collateral_params(ANYBODY, WETH, 7_000, 7_500, 10_500)
    assert (reserve.ltv_bps, reserve.pending_ltv_bps) == (0, 7_000)

    pool.set_frozen(ANYBODY, WETH, False)
    assert reserve.ltv_bps == 0
    assert bench.attempt(pool.borrow, alice, USDC, 1) == "LtvValidationFailed"
    pool.set_ltv_zero(ANYBODY, WETH, False)
    assert (reserve.ltv_bps, reserve.pending_ltv_bps) == (7_000, 0)
    assert bench.attempt(pool.borrow, alice, USDC, 1) is None
    pool.set_emode_ltv_zero(ANYBODY, 1, WETH, False)
    assert pool.emodes[1].ltv_zero == 0


def test_zero_ltv_by_itself(bench):
    pool = bench.pool
    assert bench.attempt(pool.set_ltv_zero, ANYBODY, WBTC, False) == "InvalidLtvzeroState"
    pool.set_ltv_zero(ANYBODY, WBTC, True)
    assert bench.attempt(pool.set_ltv_zero, ANYBODY, WBTC, True) == "InvalidLtvzeroState"
    bench.supply(bench.users[1], WBTC, 1)
    assert not pool.is_collateral(WBTC, bench.users[1])
    pool.set_collateral_params(ANYBODY, WBTC, 7_000, 7_800, 10_500)
    assert pool.reserves[WBTC].pending_ltv_bps == 0
    pool.set_collateral(bench.users[1], WBTC, True)


def test_emode_parameters(bench):
    pool, bob = bench.pool, bench.users[2]
    pool.set_emode(bob, 1)
    bench.supply(bob, WSTETH, 1)
    assert pool.account_data(bob).ltv_bps == 9_300
    pool.set_emode_params(ANYBODY, 1, 8_800, 9_000, 10_200)
    assert pool.account_data(bob).ltv_bps == 8_800
    assert pool.liquidation_bonus_ratio(WSTETH, 1) == pytest.approx(0.02)
    pool.set_emode_ltv_zero(ANYBODY, 1, WSTETH, True)
    assert pool.account_data(bob).ltv_bps == 0
    attempt = bench.attempt
    assert attempt(pool.set_emode_params, ANYBODY, 1, 0, 9_000, 10_200) == "InvalidEmodeCategoryParams"
    assert attempt(pool.set_emode_params, ANYBODY, 1, 9_100, 9_000, 10_200) == "InvalidEmodeCategoryParams"
    assert attempt(pool.set_emode_params, ANYBODY, 3, 8_800, 9_000, 10_200) == "InconsistentEModeCategory"
    assert attempt(pool.set_emode_ltv_zero, ANYBODY, 1, USDC, True) == "MustBeEmodeCollateral"
    assert attempt(pool.set_emode_ltv_zero, ANYBODY, 2, WETH, True) == "InconsistentEModeCategory"
