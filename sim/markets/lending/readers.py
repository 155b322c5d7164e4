"""What can be read off a pool: exact balances and totals now, and float factors for screening."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.markets.lending.constants import PERCENTAGE_FACTOR, RAY, USD
from sim.markets.lending.records import (
    BORROW_RATE,
    CASH,
    DEFICIT,
    LIQUIDITY_RATE,
    SCALED_DEBT,
    SCALED_SUPPLY,
    ReserveTotals,
)
from sim.markets.lending.state import PoolState
from sim.markets.lending.wad_ray import ray_mul_ceil


class Readers(PoolState):
    """Readers of the lending pool. Nothing here writes."""

    # ------------------------------------------------------------------ one reserve
    def totals(self, asset: int) -> ReserveTotals:
        """Totals as stored: indexes and treasury share of the last update."""
        return ReserveTotals(*self._totals[asset])

    def totals_now(self, asset: int) -> ReserveTotals:
        """Totals accrued to now, as the next operation on the reserve will find them."""
        return ReserveTotals(*self._current(asset, self.clock.timestamp))

    def normalized_income(self, asset: int) -> int:
        """Liquidity index accrued to now, in ray."""
        return self._income(asset, self.clock.timestamp)

    def normalized_debt(self, asset: int) -> int:
        """Borrow index accrued to now, in ray.

        As the contract's view does, this compounds the base rate of a reserve nobody has borrowed, though the next
        update will not move the index of such a reserve.
        """
        return self._debt_index(asset, self.clock.timestamp)

    def total_supply(self, asset: int) -> int:
        """All aTokens in token units, accrued to now; what is due to the treasury but not minted is left out."""
        return self._totals[asset][SCALED_SUPPLY] * self._income(asset, self.clock.timestamp) // RAY

    def total_debt(self, asset: int) -> int:
        """All debt in token units, accrued to now."""
        return ray_mul_ceil(self._totals[asset][SCALED_DEBT], self._debt_index(asset, self.clock.timestamp))

    def available_liquidity(self, asset: int) -> int:
        """Cash that can be borrowed or withdrawn, in token units: the virtual balance, donations left out."""
        return self._totals[asset][CASH]

    def deficit(self, asset: int) -> int:
        """Bad debt written off, in token units."""
        return self._totals[asset][DEFICIT]

    def liquidity_rate(self, asset: int) -> int:
        """What suppliers earn, ray per year, as stored."""
        return self._totals[asset][LIQUIDITY_RATE]

    def borrow_rate(self, asset: int) -> int:
        """What borrowers pay, ray per year, as stored."""
        return self._totals[asset][BORROW_RATE]

    def utilisation_ratio(self, asset: int) -> float:
        """Debt / (debt + available liquidity) now, 0 to 1."""
        debt = self.total_debt(asset)
        return debt / (debt + self._totals[asset][CASH]) if debt else 0.0

    # ------------------------------------------------------------------ one account
    def atoken_balance(self, asset: int, account: int) -> int:
        """An account's supply in token units, accrued to now."""
        return self.scaled_supplies[asset][account] * self._income(asset, self.clock.timestamp) // RAY

    def debt_balance(self, asset: int, account: int) -> int:
        """An account's debt in token units, accrued to now."""
        return ray_mul_ceil(self.scaled_debts[asset][account], self._debt_index(asset, self.clock.timestamp))

    def is_collateral(self, asset: int, account: int) -> bool:
        """Whether the account's supply is flagged as collateral."""
        return bool(self.flags[account] >> (2 * asset + 1) & 1)

    def is_borrowing(self, asset: int, account: int) -> bool:
        """Whether the account is flagged as having debt in the reserve."""
        return bool(self.flags[account] >> (2 * asset) & 1)

    # ------------------------------------------------------------------ screening
    def factors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(collateral factors [e-mode category, reserve], debt factors [reserve]), in USD per scaled whole token, now.

        Collateral: price · liquidity index · liquidation threshold; debt: price · borrow index. With the columns,

            HF ≈ Σ_r collateral_column[r, a] · collateral_factors[emode_column[a], r]
                 / Σ_r debt_column[r, a] · debt_factors[r]

        for looking only: the integers decide. Rows of categories that are not listed are zero.
        """
        now = self.clock.timestamp
        reserves = len(self.reserves)
        income_usd = np.zeros(reserves)
        debt_usd = np.zeros(reserves)
        for asset in range(reserves):
            price_usd = self.prices[asset] / USD
            income_usd[asset] = price_usd * (self._income(asset, now) / RAY)
            debt_usd[asset] = price_usd * (self._debt_index(asset, now) / RAY)
        factors = np.zeros((max(self._risk) + 1, reserves))
        for category, risk in self._risk.items():
            for asset, (_, threshold_bps, _) in enumerate(risk):
                factors[category, asset] = income_usd[asset] * (threshold_bps / PERCENTAGE_FACTOR)
        return factors, debt_usd
