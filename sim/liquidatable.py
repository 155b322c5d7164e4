"""Liquidatable accounts: from the screen into the book, and out again when they heal or change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from sim.screening import LiquidationBook, Screen, values_usd
from sim.standing_debts import StandingDebts

WAD = 10**18

#: Blocks after which a position that nobody can liquidate at a profit is offered again: doubled each time, up to 256;
#: up to 16 where liquidating it would earn 1,000 USD before slippage, since such a position is kept in sight.
FIRST_PAUSE_BLOCKS = 4
LONGEST_PAUSE_BLOCKS = 256
LONGEST_PAUSE_IN_SIGHT_BLOCKS = 16
IN_SIGHT_USD = 1_000.0

#: The integers are asked whether an account has healed when the float says so or is below by this at most.
HEALED_MARGIN = 2e-3


class Liquidatable:
    """All accounts with a health factor under 1, ordered by what liquidating them is worth.

    An account enters when the screen hands it over and the integers agree; it leaves when its balances change (the
    screen then looks at it anew) or when a price report has made it healthy. One that no liquidation of pays is set
    aside for some steps, so that standing insolvent positions cost nothing per block.
    """

    def __init__(self, pool: Any, screen: Screen, blocks_per_step: int = 1) -> None:
        self.pool = pool
        self.blocks_per_step = blocks_per_step
        self.book = LiquidationBook()
        self.screen = screen
        self.debts_usd = StandingDebts()
        self.debt_usd = 0.0
        self.prices_seen: list[int] = []
        self._since: dict[int, int] = {}
        self._pauses: dict[int, int] = {}
        self._resting: dict[int, list[int]] = {}

    def arm(self, accounts: range) -> None:
        """Watch these accounts for a health factor under 1."""
        self.screen.arm(accounts, 1.0)

    def look(self, step: int, factors: tuple[np.ndarray, np.ndarray]) -> list[int]:
        """Take in the newly liquidatable at the pool's present `factors`, let go the healed; returns the former."""
        pool = self.pool
        if self.debts_usd and pool.prices != self.prices_seen:
            self._release_healed(factors)
        self.prices_seen = list(pool.prices)
        for account in self._resting.pop(step, ()):
            if account in self.debts_usd and account not in self.book:
                self.book.add(account, self._worth(account)[0], self._since[account])
        newly = self.screen.look(*factors)
        for account in newly:
            worth, debt_usd = self._worth(account)
            self.book.add(account, worth, step)
            self._since[account] = step
            self.debts_usd.add(account, debt_usd)
            self.debt_usd += debt_usd
        return newly

    def touch(self, accounts: Iterable[int]) -> None:
        """Balances of these accounts changed: out of the book, back to the screen."""
        changed = list(accounts)
        for account in changed:
            self._drop(account)
        self.screen.touch(changed)

    def set_aside(self, accounts: Iterable[int], step: int) -> None:
        """No liquidation of these accounts pays now: offer them again after a pause that doubles each time."""
        for account in accounts:
            if account in self.book:
                longest = LONGEST_PAUSE_BLOCKS
                if self._worth(account)[0] >= IN_SIGHT_USD:
                    longest = LONGEST_PAUSE_IN_SIGHT_BLOCKS
                blocks = min(self._pauses.get(account, FIRST_PAUSE_BLOCKS // 2) * 2, longest)
                self._pauses[account] = blocks
                pause = max(1, blocks // self.blocks_per_step)
                self.book.discard(account)
                self._resting.setdefault(step + pause, []).append(account)

    def parameters_changed(self) -> None:
        """The pool's parameters have changed: at the next look see who has healed, and offer everybody again."""
        self.prices_seen = []
        for accounts in self._resting.values():
            for account in accounts:
                if account in self.debts_usd and account not in self.book:
                    self.book.add(account, self._worth(account)[0], self._since[account])
        self._resting.clear()
        self._pauses.clear()

    def __len__(self) -> int:
        return len(self.debts_usd)

    def _drop(self, account: int) -> None:
        debt_usd = self.debts_usd.take_out(account)
        if debt_usd is not None:
            self.book.discard(account)
            self._pauses.pop(account, None)
            del self._since[account]
            self.debt_usd = self.debt_usd - debt_usd if self.debts_usd else 0.0

    def _worth(self, account: int) -> tuple[float, float]:
        """(upper bound of what one liquidation earns before slippage, total debt), USD at the pool's prices."""
        data = self.pool.account_data(account)
        debt_usd = data.total_debt_base * 1e-8
        collateral_usd = data.total_collateral_base * 1e-8
        category = self.pool.emode(account)
        bonus = max(
            (self.pool.liquidation_bonus_ratio(asset, category) for asset in self.pool.collateral_assets(account)),
            default=0.0,
        )
        return min(debt_usd * bonus, collateral_usd * bonus / (1.0 + bonus)), debt_usd

    def _release_healed(self, factors: tuple[np.ndarray, np.ndarray]) -> None:
        """After a price report: accounts that the integers call healthy go back to the screen."""
        accounts = self.debts_usd.accounts()
        weighted, debts = values_usd(self.pool, accounts, *factors)
        self.debts_usd.replace(debts)
        maybe = np.sort(accounts[weighted > (1.0 - HEALED_MARGIN) * debts]).tolist()
        healed = [account for account in maybe if self.pool.health_factor(account) >= WAD]
        for account in healed:
            self._drop(account)
        if healed:
            self.screen.rearm(healed)
        self.debt_usd = self.debts_usd.total_usd()
