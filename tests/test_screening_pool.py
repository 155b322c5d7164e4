"""The screens on a real lending pool: what they hand over is what the pool's own health factors say."""

from __future__ import annotations

import numpy as np
import pytest

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.lending import MAX, RAY, EModeParameters, LendingPool, ReserveParameters, TwoSlopeRates
from sim.screening import GroupScreen, PlainScreen, health_factors

WAD = 10**18
USD = 10**8
ASSETS = [("WETH", 18, 3500.0, 8050, 8300), ("wstETH", 18, 4200.0, 7850, 8100), ("WBTC", 8, 1e5, 7300, 7800)]
ASSETS += [("USDC", 6, 1.0, 7500, 7800), ("CENT", 2, 1.0, 7500, 7800)]
OWNERS = 60


def open_pool(random: np.random.Generator) -> tuple[LendingPool, range]:
    """Five reserves, one of them with two decimals, an e-mode, and borrowers from a few cents to a million USD."""
    ledger, clock = Ledger(), Clock(1_700_000_000)
    pool = LendingPool("pool", ledger, clock, prices=[round(price * USD) for _, _, price, _, _ in ASSETS])
    for symbol, decimals, _, ltv_bps, threshold_bps in ASSETS:
        rates = TwoSlopeRates(RAY * 9 // 10, 0, RAY * 5 // 100, RAY * 6 // 10)
        pool.add_reserve(ReserveParameters(ledger.add_token(symbol, decimals), rates, ltv_bps, threshold_bps, 10_500))
    pool.add_emode(EModeParameters(1, 9300, 9500, 10_100, (0, 1), (0, 1), "ETH"))
    lender = ledger.open_account("lender")
    owners = ledger.open_accounts(["owner"] * OWNERS)
    emodes = (random.random(OWNERS) < 0.3).astype(int)
    pool.load_emodes(owners, emodes.tolist())
    sizes = 10.0 ** random.uniform(-2.0, 6.0, OWNERS)
    health = 1.0 + np.abs(random.normal(0.0, 0.05, OWNERS))
    for asset, (_, decimals, price, _, threshold_bps) in enumerate(ASSETS):
        pool.load(asset, range(lender, lender + 1), [round(1e9 / price) * 10**decimals], [0])
        shares = random.random(OWNERS) * (random.random(OWNERS) < 0.4)
        unit = 10.0**decimals / price
        supplies = shares * sizes * health / (threshold_bps / 1e4) * unit
        debts = random.random(OWNERS) * (random.random(OWNERS) < 0.3) * sizes * unit
        pool.load(asset, owners, [int(amount) for amount in supplies], [int(amount) for amount in debts])
        for owner in owners:
            ledger.inflow(asset, owner, round(1e7 / price) * 10**decimals)
    return pool, owners


def act(pool: LendingPool, random: np.random.Generator, owners: range) -> None:
    """One operation of one owner; a refused one leaves no trace but its report."""
    owner, other = (int(owners[i]) for i in random.integers(0, OWNERS, 2))
    asset, second = (int(i) for i in random.integers(0, len(ASSETS), 2))
    amount = max(pool.atoken_balance(asset, owner) * int(random.integers(1, 60)) // 100, 1)
    calls = [
        lambda: pool.supply(owner, asset, amount),
        lambda: pool.withdraw(owner, asset, amount),
        lambda: pool.borrow(owner, second, max(amount // 1000, 1)),
        lambda: pool.repay(owner, second, MAX if random.random() < 0.3 else amount),
        lambda: pool.set_collateral(owner, asset, bool(random.random() < 0.5)),
        lambda: pool.set_emode(owner, int(random.random() < 0.5)),
        lambda: pool.transfer_atoken(owner, asset, other, amount),
        lambda: pool.liquidate(other, asset, second, owner, MAX),
        lambda: pool.liquidate(other, second, asset, owner, MAX, receive_atoken=True),
    ]
    try:
        with pool.journal.atomic():
            calls[int(random.integers(0, len(calls)))]()
    except Revert:
        pass


@pytest.mark.parametrize("seed", range(4))
def test_screens_agree_with_the_pools_integers(seed: int) -> None:
    random = np.random.Generator(np.random.Philox(seed))
    pool, owners = open_pool(random)
    screens = [kind(pool, lambda account: pool.health_factor(account) < WAD) for kind in (PlainScreen, GroupScreen)]
    screens[1].buffer_size = 8  # type: ignore[attr-defined]
    for screen in screens:
        screen.arm(owners)
    waiting = dict.fromkeys(owners, True)
    pool.drain_touched()
    handed = done = 0
    for _ in range(150):
        pool.clock.timestamp += 12 if random.random() < 0.9 else 86_400
        for asset in range(len(ASSETS)):
            move = float(np.exp(random.normal(-0.0005, random.choice([1e-5, 3e-3, 3e-2], p=[0.4, 0.5, 0.1]))))
            pool.prices[asset] = min(round(pool.prices[asset] * move), round(ASSETS[asset][2] * USD))
        factors = pool.factors()
        expected = [owner for owner in owners if waiting[owner] and pool.health_factor(owner) < WAD]
        assert [screen.look(*factors) for screen in screens] == [expected, expected]
        handed += len(expected)
        waiting.update(dict.fromkeys(expected, False))
        for _ in range(int(random.integers(0, 8))):
            act(pool, random, owners)
        pool.journal.clear()
        touched = pool.drain_touched()
        done += len(touched)
        waiting.update((account, True) for account in touched if account in waiting)
        for screen in screens:
            screen.touch(touched)
    assert handed > 50
    assert done > 150
    held = [owner for owner in owners if pool.account_data(owner).total_debt_base > 1000 * USD]
    exact = [pool.health_factor(owner) / WAD for owner in held]
    assert health_factors(pool, np.array(held), *pool.factors()).tolist() == pytest.approx(exact, rel=1e-4)


NO_DEBT = 2**255
UNITS = [10.0**-decimals for _, decimals, _, _, _ in ASSETS]


def over(pool: LendingPool, account: int) -> bool:
    return WAD < pool.health_factor(account) < NO_DEBT


def under(pool: LendingPool, account: int) -> bool:
    return pool.health_factor(account) < WAD


def first_wrong_look(side: str, seed: int, units: list[float]) -> int | None:
    """The first look at which the grouped screen with rounding by units and a fine margin differs from the integers.

    Prices rise and fall tenfold, so a slack in USD that fitted once would not fit always.
    """
    random = np.random.Generator(np.random.Philox(seed))
    pool, owners = open_pool(random)
    crossed = under if side == "below" else over
    screen = GroupScreen(pool, lambda account: crossed(pool, account), side=side, margin=1e-6, units=units)
    screen.buffer_size, screen.middle_size = 8, 20
    screen.arm(owners)
    pool.drain_touched()
    waiting = dict.fromkeys(owners, True)
    for look in range(150):
        pool.clock.timestamp += 12
        for asset in range(len(ASSETS)):
            move = float(np.exp(random.normal(0.0, random.choice([1e-5, 3e-3, 2e-1], p=[0.4, 0.4, 0.2]))))
            pool.prices[asset] = max(round(pool.prices[asset] * move), USD // 10)
        expected = [owner for owner in owners if waiting[owner] and crossed(pool, owner)]
        if screen.look(*pool.factors()) != expected:
            return look
        waiting.update(dict.fromkeys(expected, False))
        for _ in range(int(random.integers(0, 8))):
            act(pool, random, owners)
        back = random.choice(owners, 5).tolist()
        pool.journal.clear()
        touched = [account for account in pool.drain_touched() if account in waiting]
        waiting.update(dict.fromkeys((*touched, *back), True))
        screen.touch(touched)
        screen.rearm(back)
    return None


@pytest.mark.parametrize("side", ["below", "above"])
@pytest.mark.parametrize("seed", range(4))
def test_rounding_by_units_agrees_with_the_pools_integers(side: str, seed: int) -> None:
    assert first_wrong_look(side, seed, UNITS) is None


def test_without_its_units_a_fine_margin_misses_accounts() -> None:
    """Below only: the pool rounds health factors down, so above the float sees them crossed too early."""
    assert any(first_wrong_look("below", seed, [0.0] * len(ASSETS)) is not None for seed in range(4))
