"""Interest factors over a stretch of time: linear for suppliers, compounded for borrowers (Aave V3.6 `MathUtils`)."""

from __future__ import annotations

from sim.markets.lending.constants import HALF_RAY, RAY, SECONDS_PER_YEAR


def linear_interest_ray(rate_ray_per_year: int, seconds: int) -> int:
    """Factor by which supply grows: 1 + rate · t, rounded down.

    `rate_ray_per_year` is in ray, `seconds` is the time since the last touch, the result is in ray. Between touches
    supply interest does not compound (all versions of V3).
    """
    return RAY + rate_ray_per_year * seconds // SECONDS_PER_YEAR


def compounded_interest_ray(rate_ray_per_year: int, seconds: int) -> int:
    """Factor by which debt grows: 1 + x + x² / 2 + x³ / 6 with x = rate · t, the exponential series cut off.

    `rate_ray_per_year` is in ray, `seconds` is the time since the last touch, the result is in ray. Evaluated as
    1 + x + x · (x / 2 + x · x / 6), divisions rounded down, ray products half up, as the V3.6 contract does; V3.0 had a
    binomial form that differs in the last digits.
    """
    x = rate_ray_per_year * seconds // SECONDS_PER_YEAR
    inner = x // 2 + (x * (x // 6) + HALF_RAY) // RAY
    return RAY + x + (x * inner + HALF_RAY) // RAY
