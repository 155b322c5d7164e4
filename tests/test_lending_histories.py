"""Random histories of operations, refused ones included: what must hold after every step."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from lending_fixture import RESERVES, Market, assert_books, assert_mirrors, snapshot

from sim.chain.revert import Revert
from sim.markets.lending import MAX, WAD, AccountData

ASSETS = range(len(RESERVES))
USERS = 5
HISTORIES = 60
LENGTH = 80

OPERATIONS = (
    *("supply", "borrow", "liquidate", "withdraw", "repay", "price", "borrow", "liquidate", "liquidate"),
    *("repay_with_atokens", "set_collateral", "set_emode", "transfer", "flash", "treasury", "admin", "donate"),
)

#: (operation, user, other user, asset, other asset, size, seconds since the last step)
Step = tuple[str, int, int, int, int, float, int]


def history(seed: int, length: int) -> Iterator[Step]:
    """A random history; a size of -1 stands for "max", -2 for one smallest unit, else it is a share of a balance."""
    draw = random.Random(seed)
    for _ in range(length):
        size = draw.choice([draw.uniform(0.01, 1.2)] * 5 + [0.0, 1.0, -1.0, -2.0])
        users, assets = (draw.randrange(USERS), draw.randrange(USERS)), (draw.choice(ASSETS), draw.choice(ASSETS))
        yield draw.choice(OPERATIONS), *users, *assets, size, draw.choice([0, 0, 12, 3_600, 10 * 86_400])


class History:
    """A market of borrowers near their limits, under a random history."""

    def __init__(self, rules: str) -> None:
        self.bench = Market(users=USERS, wallets=20_000, rules=rules)
        self.pool = self.bench.pool
        for user in self.bench.users:
            for asset in ASSETS:
                self.pool.supply(user, asset, self.bench.units(asset, (2, 0.1, 5_000, 2)[asset]))
        for i, user in enumerate(self.bench.users):
            for asset in range(1, 4):
                if i > 1:
                    self.pool.set_collateral(user, (i + asset) % 4, False)
            for asset in ((i + 1) % 4, (i + 2) % 4):
                self._borrow_share(user, asset, 0.4 + i / 8)
        self.bench.ledger.journal.clear()

    def _borrow_share(self, user: int, asset: int, share: float) -> None:
        free = self.pool.account_data(user).available_borrows_base
        wanted = int(free * share) * self.pool.reserves[asset].unit // self.bench.prices[asset]
        self.pool.borrow(user, asset, min(wanted, self.pool.available_liquidity(asset) // 2))

    def aim(self, step: Step) -> Step:
        """Let a liquidation mostly meet the weakest account in assets it uses, a repayment a debt that exists."""
        name, i, j, asset, other, size, seconds = step
        pool, users = self.pool, self.bench.users
        if name == "liquidate" and j > 0:
            j = min(range(USERS), key=lambda k: (pool.health_factor(users[k]), k))
            collaterals, debts = pool._used[pool.flags[users[j]]]
            i = (j + 1) % USERS if i == j > 1 else i
            asset = collaterals[asset % len(collaterals)] if collaterals else asset
            other = debts[other % len(debts)] if debts else other
        if name in ("repay", "repay_with_atokens") and i > 0:
            debts = pool._used[pool.flags[users[i]]][1]
            asset, j = (debts[asset % len(debts)] if debts else asset), i
        return name, i, j, asset, other, size, seconds

    def operation(self, step: Step) -> Any:
        """Run one step, or raise its refusal."""
        name, i, j, asset, other, size, _ = step
        bench, pool = self.bench, self.pool
        user, victim = bench.users[i], bench.users[j]

        def amount(balance: int) -> int:
            return MAX if size == -1.0 else 1 if size == -2.0 else int(balance * size)

        if name == "supply":
            return pool.supply(user, asset, amount(bench.wallet(user, asset) // 4), victim)
        if name == "withdraw":
            return pool.withdraw(user, asset, amount(pool.atoken_balance(asset, user)), victim)
        if name == "borrow":
            free = pool.account_data(user).available_borrows_base
            return pool.borrow(user, asset, amount(free * pool.reserves[asset].unit // bench.prices[asset]))
        if name == "repay":
            return pool.repay(user, asset, amount(pool.debt_balance(asset, victim)), victim)
        if name == "repay_with_atokens":
            return pool.repay_with_atokens(user, asset, amount(pool.debt_balance(asset, user)))
        if name == "set_collateral":
            return pool.set_collateral(user, asset, size > 0.5)
        if name == "set_emode":
            return pool.set_emode(user, int(size > 0.5))
        if name == "transfer":
            return pool.transfer_atoken(user, asset, victim, amount(pool.atoken_balance(asset, user)))
        if name == "liquidate":
            cover = amount(pool.debt_balance(other, victim))
            return pool.liquidate(user, asset, other, victim, cover, i % 2 == 0)
        if name == "flash":
            loan = int(pool.available_liquidity(asset) * min(abs(size), 1.0))
            inside = bench.wallet(user, asset) // 8
            return pool.flash_loan(user, asset, loan, lambda: pool.supply(user, asset, inside)), inside
        if name == "treasury":
            return pool.mint_to_treasury(user, [asset, other])
        if name == "price":
            return self._price(asset, size)
        if name == "donate":
            return bench.ledger.transfer(pool.reserves[asset].token, user, pool.account, bench.units(asset, 1))
        return self._admin(asset, size)

    def _price(self, asset: int, size: float) -> None:
        factor = 0.3 + abs(size)
        price = max(int(self.bench.prices[asset] * factor), 1)
        self.bench.ledger.journal.put(self.bench.prices, asset, price)

    def _admin(self, asset: int, size: float) -> Any:
        pool = self.pool
        if size < 0.1:
            return pool.set_frozen(0, asset, not pool.reserves[asset].frozen)
        if size < 0.6:
            return pool.set_reserve_factor(0, asset, int(size * 10_000))
        if size < 1.0:
            return pool.set_supply_cap(0, asset, int(size * 40_000))
        return pool.set_paused(0, asset, not pool.reserves[asset].paused)

    def check(self, step: Step, before: dict[str, Any], done: Any) -> None:
        """Invariants after a step that went through."""
        name, i, j, asset, other, _, _ = step
        bench, pool = self.bench, self.pool
        if name in ("borrow", "withdraw"):
            user = bench.users[i]
            healthy = pool.health_factor(user) >= WAD
            # A withdrawal of what is no collateral is let through without a look at health.
            assert healthy or (name == "withdraw" and not before["flags"][user] >> (2 * asset + 1) & 1)
        if name == "liquidate":
            collaterals, debts = pool._used[pool.flags[bench.users[j]]]
            if pool.rules.books_deficit:
                assert collaterals or not debts, "bad debt may not stay unbooked"
            else:
                assert pool.deficit(other) == 0
        for reserve in ASSETS:
            old, new = before["totals"][reserve], pool.totals(reserve)
            assert new.liquidity_index >= old[0]
            assert new.borrow_index >= old[1]
            assert new.virtual_balance - old[7] == cash_moved(name, reserve, done)

    def looks_alike(self) -> None:
        """Health factors from the float columns agree with the integers wherever more than dust is at stake.

        What remains is rounding to one unit: of WBTC that is up to a cent, of a debt of 10 USD a thousandth.
        """
        pool = self.pool
        collateral, debt = pool.factors()
        for user in self.bench.users:
            data: AccountData = pool.account_data(user)
            if min(data.total_debt_base, data.total_collateral_base) < 10 * 10**8:
                continue
            held = (pool.collateral_column[:, user] * collateral[pool.emode_column[user]]).sum()
            owed = (pool.debt_column[:, user] * debt).sum()
            assert held / owed == pytest.approx(data.health_factor / WAD, rel=1e-3)


def cash_moved(name: str, reserve: int, done: Any) -> int:
    """By how much a reserve's virtual balance must have changed, from the result of the operation alone."""
    if name == "liquidate":
        paid = done.debt_repaid if reserve == done.debt_asset else 0
        leaves = reserve == done.collateral_asset and not done.receive_atoken
        return paid - (done.collateral_to_liquidator if leaves else 0)
    if name == "flash":
        loan, supplied = done
        return loan.premium + supplied if reserve == loan.asset else 0
    if name in ("supply", "repay", "withdraw", "borrow") and reserve == done.asset:
        return done.amount if name in ("supply", "repay") else -done.amount
    return 0


@pytest.mark.parametrize("rules", ["3.6", "3.0", "2"])
def test_invariants_hold_after_every_step(rules):
    met: Counter[str] = Counter()
    for seed in range(HISTORIES):
        run = History(rules)
        bench = run.bench
        journal = bench.ledger.journal
        for drawn in history(seed, LENGTH):
            bench.clock.timestamp += drawn[-1]
            step = run.aim(drawn)
            before = snapshot(bench)
            try:
                with journal.atomic():
                    done = run.operation(step)
            except Revert as refusal:
                assert snapshot(bench) == before, "a refused operation leaves no trace"
                met[refusal.reason] += 1
                continue
            finally:
                journal.clear()
            met[step[0]] += 1
            if step[0] == "liquidate":
                met["deficit"] += len(done.deficits)
                met["received aTokens"] += done.receive_atoken
            run.check(step, before, done)
            assert_mirrors(bench)
            assert_books(bench)
        run.looks_alike()
    # The histories are worth something only if they meet what they are to test.
    assert all(met[operation] >= 20 for operation in OPERATIONS), met
    assert met["received aTokens"] >= 10
    assert (met["deficit"] >= 10) == (rules == "3.6"), met
    assert sum(count for name, count in met.items() if name not in OPERATIONS) >= 500
