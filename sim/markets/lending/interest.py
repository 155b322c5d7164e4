"""Growth of an index over a stretch of time: linear for suppliers, compounded for borrowers (Aave V3.6 `MathUtils`)."""

from __future__ import annotations

from sim.markets.lending.constants import HALF_RAY, RAY, SECONDS_PER_YEAR


def grown_linearly(index_ray: int, rate_ray_per_year: int, seconds: int) -> int:
    """Liquidity index after `seconds`: index · (1 + rate · t).

    `rate_ray_per_year` and the result are in ray; rate · t rounds down, the product half up. Between updates supply
    interest does not compound (all versions of V3).
    """
    return ((RAY + rate_ray_per_year * seconds // SECONDS_PER_YEAR) * index_ray + HALF_RAY) // RAY


def grown_compounded(index_ray: int, rate_ray_per_year: int, seconds: int) -> int:
    """Borrow index after `seconds`: index · (1 + x + x² / 2 + x³ / 6) with x = rate · t, the exponential cut off.

    `rate_ray_per_year` and the result are in ray. The factor is evaluated as 1 + x + x · (x / 2 + x · x / 6), divisions
    rounding down, ray products half up, as the V3.6 contract does; V3.0 had a binomial form that differs in the last
    digits.
    """
    x = rate_ray_per_year * seconds // SECONDS_PER_YEAR
    inner = x // 2 + (x * (x // 6) + HALF_RAY) // RAY
    return ((RAY + x + (x * inner + HALF_RAY) // RAY) * index_ray + HALF_RAY) // RAY


def linear_interest_ray(rate_ray_per_year: int, seconds: int) -> int:
    """Factor by which supply grows, in ray: the liquidity index after `seconds` if it stood at 1."""
    return grown_linearly(RAY, rate_ray_per_year, seconds)


def compounded_interest_ray(rate_ray_per_year: int, seconds: int) -> int:
    """Factor by which debt grows, in ray: the borrow index after `seconds` if it stood at 1."""
    return grown_compounded(RAY, rate_ray_per_year, seconds)
