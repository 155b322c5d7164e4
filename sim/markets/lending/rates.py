"""Interest rate models: what borrowers pay and suppliers earn, from how much of a reserve is lent out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sim.markets.lending.constants import HALF_PERCENTAGE_FACTOR, HALF_RAY, PERCENTAGE_FACTOR, RAY

#: Limits of Aave V3.6 `DefaultReserveInterestRateStrategyV2`.
MIN_OPTIMAL_USAGE_RAY = RAY // 100
MAX_OPTIMAL_USAGE_RAY = RAY * 99 // 100
MAX_RATE_RAY = 10 * RAY


class RateModel(Protocol):
    """One reserve's rate model."""

    def rates(
        self, total_debt: int, available_liquidity: int, deficit: int, reserve_factor_bps: int
    ) -> tuple[int, int]:
        """(borrow rate, liquidity rate), both in ray per year.

        `total_debt`, `available_liquidity` (virtual balance after the operation) and `deficit` are in token units;
        `reserve_factor_bps` is the treasury's share of what borrowers pay.
        """
        ...


@dataclass(frozen=True, slots=True)
class TwoSlopeRates:
    """Borrow rate in two straight pieces with a kink at the optimal usage (Aave V3.6).

    With U = debt / (liquidity + debt) and the optimum U*,

        borrow rate = base + slope1 · U / U*                                 for U <= U*
        borrow rate = base + slope1 + slope2 · (U - U*) / (1 - U*)           for U >  U*
        liquidity rate = borrow rate · debt / (liquidity + debt + deficit) · (1 - reserve factor)

    All four parameters are in ray (rates per year). Ray products and quotients round half up, in this order, as in
    `DefaultReserveInterestRateStrategyV2.calculateInterestRates`. The contract holds the parameters in whole basis
    points; any ray number is accepted here.
    """

    optimal_usage_ray: int
    base_rate_ray: int
    slope1_ray: int
    slope2_ray: int
    _excess: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_excess", RAY - self.optimal_usage_ray)

    def rates(
        self, total_debt: int, available_liquidity: int, deficit: int, reserve_factor_bps: int
    ) -> tuple[int, int]:
        """See `RateModel.rates`."""
        if not total_debt:
            return self.base_rate_ray, 0
        debt_ray = total_debt * RAY
        total = available_liquidity + total_debt
        usage = supply_usage = (debt_ray + total // 2) // total
        if deficit:
            total += deficit
            supply_usage = (debt_ray + total // 2) // total
        optimal = self.optimal_usage_ray
        if usage > optimal:
            room = self._excess
            excess = ((usage - optimal) * RAY + room // 2) // room
            borrow = self.base_rate_ray + self.slope1_ray + (self.slope2_ray * excess + HALF_RAY) // RAY
        else:
            part = (self.slope1_ray * usage + HALF_RAY) // RAY
            borrow = self.base_rate_ray + (part * RAY + optimal // 2) // optimal
        earned = (borrow * supply_usage + HALF_RAY) // RAY
        kept_bps = PERCENTAGE_FACTOR - reserve_factor_bps
        return borrow, (earned * kept_bps + HALF_PERCENTAGE_FACTOR) // PERCENTAGE_FACTOR
