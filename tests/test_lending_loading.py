"""Bulk loading: the same state as opening positions one by one, positions no borrow could open, refusals, undo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lending_fixture import DOLLAR, USDC, WBTC, WETH, WSTETH, YEAR, Market, assert_books, assert_mirrors, snapshot

from sim.markets.lending import WAD

ETHER, MICRO = 10**18, 10**6
POOL_STATE = ("totals", "supplies", "debts", "flags", "emodes", "supply_column", "debt_column", "collateral_column")


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(0, 3), st.booleans()), max_size=12))
def test_loading_equals_opening_one_by_one(positions):
    """Rows of (WETH supplied, USDC borrowed, WBTC supplied, in e-mode): as far as a borrow would have been granted."""
    rows = []
    for weth, usdc, wbtc, emode in positions:
        limit = 1_200 * weth + 20_000 * wbtc
        rows.append((weth * ETHER, 0 if emode else min(usdc * 1_000, limit) * MICRO, wbtc * 10**8, int(emode)))
    count = len(rows)

    loaded, opened = Market(users=1), Market(users=1)
    for bench in (loaded, opened):
        bench.supply(bench.users[0], USDC, 10**7)
        bench.ledger.open_accounts(["borrower"] * count)
        bench.clock.timestamp += 60
    accounts = range(loaded.users[0] + 1, loaded.users[0] + 1 + count)

    pool = loaded.pool
    pool.load_emodes(accounts, [row[3] for row in rows])
    pool.load(WETH, accounts, [row[0] for row in rows], [0] * count)
    pool.load(WBTC, accounts, [row[2] for row in rows], [0] * count)
    pool.load(USDC, accounts, [0] * count, [row[1] for row in rows])

    for account, (weth, usdc, wbtc, emode) in zip(accounts, rows, strict=True):
        opened.pool.set_emode(account, emode)
        for asset, amount in ((WETH, weth), (WBTC, wbtc)):
            if amount:
                opened.ledger.inflow(opened.pool.reserves[asset].token, account, amount)
                opened.pool.supply(account, asset, amount)
        if usdc:
            opened.pool.borrow(account, USDC, usdc)

    # An empty load still touches its reserve; bring both to the same last update.
    for asset in (WETH, WBTC, USDC):
        opened.supply(opened.users[0], asset, 1)
        loaded.supply(loaded.users[0], asset, 1)
    mine, theirs = snapshot(loaded), snapshot(opened)
    for part in POOL_STATE:
        assert mine[part] == theirs[part], part
    for asset in (WETH, WBTC, USDC):
        token = pool.reserves[asset].token
        assert loaded.ledger.balance(token, pool.account) == opened.ledger.balance(token, opened.pool.account)
    assert_mirrors(loaded)
    assert_books(loaded)


def test_positions_that_no_borrow_could_open():
    bench = Market(users=3)
    pool, (lender, tight, under) = bench.pool, bench.users
    pool.load(USDC, range(lender, lender + 1), [10**6 * MICRO], [0])
    pool.load(WETH, range(tight, under + 1), [ETHER, ETHER], [0, 0])
    pool.load(USDC, range(tight, under + 1), [0, 0], [1_650 * MICRO, 1_700 * MICRO])
    assert pool.health_factor(tight) == 1_660 * WAD // 1_650
    assert pool.health_factor(under) == 1_660 * WAD // 1_700
    assert bench.ledger.balance(pool.reserves[USDC].token, pool.account) == (10**6 - 3_350) * MICRO
    bench.fund(lender, USDC, 5_000)
    assert bench.attempt(pool.liquidate, lender, WETH, USDC, tight, 10**30) == "HealthFactorNotBelowThreshold"
    assert bench.attempt(pool.liquidate, lender, WETH, USDC, under, 10**30) is None
    assert_books(bench)


def test_a_second_load_adds_and_keeps_flags():
    bench = Market(users=2)
    pool, (first, _) = bench.pool, bench.users
    accounts = range(first, first + 2)
    pool.load(WETH, accounts, [5, 0], [0, 0], collateral=False)
    pool.load(WETH, accounts, [1, 2], [0, 0])
    assert [pool.scaled_supplies[WETH][account] for account in accounts] == [6, 2]
    assert [pool.is_collateral(WETH, account) for account in accounts] == [False, True]
    assert_mirrors(bench)


def test_collateral_needs_an_ltv():
    bench = Market(users=2, WBTC={"ltv_bps": 0})
    pool, (plain, in_emode) = bench.pool, bench.users
    pool.load(WBTC, range(plain, plain + 1), [10**8], [0])
    assert not pool.is_collateral(WBTC, plain)
    pool.set_ltv_zero(plain, WSTETH, True)
    pool.load_emodes(range(plain, plain + 2), [0, 1])
    pool.load(WSTETH, range(plain, plain + 2), [ETHER, ETHER], [0, 0])
    assert [pool.is_collateral(WSTETH, account) for account in (plain, in_emode)] == [False, True]


def test_a_load_can_be_undone():
    bench = Market(users=4)
    pool, first = bench.pool, bench.users[0]
    bench.supply(first, USDC, 1_000)
    bench.ledger.journal.clear()
    before = snapshot(bench)
    accounts = range(first, first + 4)
    pool.load_emodes(accounts, [1, 0, 1, 0])
    pool.load(WETH, accounts, [1, 2, 3, 4], [0, 0, 0, 1])
    pool.load(USDC, accounts, [0, 0, 0, 0], [7, 0, 0, 0])
    assert snapshot(bench) != before
    bench.ledger.journal.undo()
    assert snapshot(bench) == before


def test_refusals_of_loading():
    bench = Market(users=3)
    pool, first = bench.pool, bench.users[0]
    with pytest.raises(ValueError, match="3 accounts and 2 scaled supplies"):
        pool.load(WETH, range(first, first + 3), [1, 2], [0, 0, 0])
    with pytest.raises(ValueError, match="3 accounts and 4 scaled debts"):
        pool.load(WETH, range(first, first + 3), [1, 2, 3], [0, 0, 0, 0])
    with pytest.raises(ValueError, match="steps of 2"):
        pool.load(WETH, range(first, first + 3, 2), [1, 2], [0, 0])
    with pytest.raises(ValueError, match="negative"):
        pool.load(WETH, range(first, first + 1), [-1], [0])
    with pytest.raises(ValueError, match="negative"):
        pool.load(WETH, range(first, first + 1), [0], [-1])
    with pytest.raises(ValueError, match="exceeds supply by 4 units"):
        pool.load(WETH, range(first, first + 1), [1], [5])
    with pytest.raises(ValueError, match="e-mode 9 is not listed"):
        pool.load_emodes(range(first, first + 1), [9])
    with pytest.raises(ValueError, match="1 accounts and 0 categories"):
        pool.load_emodes(range(first, first + 1), [])
    pool.load(WETH, range(first, first + 1), [10 * ETHER], [5 * ETHER])
    bench.clock.timestamp += YEAR
    with pytest.raises(ValueError, match="WETH has earned interest already"):
        pool.load(WETH, range(first, first + 1), [1], [0])
    assert_books(bench)


def test_a_large_population_is_loaded_column_by_column():
    count = 50_000
    bench = Market(users=1)
    pool, lender = bench.pool, bench.users[0]
    accounts = bench.ledger.open_accounts(["borrower"] * count)
    pool.load(USDC, range(lender, lender + 1), [10**9 * MICRO], [0])
    pool.load(WETH, accounts, [ETHER + i for i in range(count)], [0] * count)
    pool.load(USDC, accounts, [0] * count, [1_000 * MICRO + i for i in range(count)])
    assert_mirrors(bench)
    assert_books(bench)
    collateral, debt = pool.factors()
    rows = slice(accounts.start, accounts.stop)
    factors = (pool.collateral_column[WETH, rows] * collateral[0, WETH]) / (pool.debt_column[USDC, rows] * debt[USDC])
    for i in range(0, count, 4_999):
        assert factors[i] == pytest.approx(pool.health_factor(accounts[i]) / WAD, rel=1e-9)
    assert bench.prices[WETH] == 2_000 * DOLLAR
    assert pool.columns.capacity >= accounts.stop
