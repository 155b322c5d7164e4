"""Wad (18 decimals) and ray (27 decimals) arithmetic, the direction of rounding in the name.

Follows Aave V3.6 `WadRayMath` (whose half-up functions are those of V3.0). All arguments are non-negative integers;
whatever the contract cannot hold in 256 bits, and a division by zero, reverts without a reason.

The pool's hot paths write `a * b // RAY` and `(a * b + CEIL_RAY) // RAY` in place: a call costs as much as the
arithmetic. These functions are the definition, serve everywhere else, and are what recorded rows are replayed through.
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.lending.constants import HALF_RAY, HALF_WAD, MAX, RAY, WAD, WAD_RAY_RATIO
from sim.markets.lending.reasons import EMPTY


def mul_div_ceil(a: int, b: int, divisor: int) -> int:
    """a · b / divisor, rounded up."""
    if divisor == 0 or a * b > MAX:
        raise Revert(EMPTY)
    return -(-a * b // divisor)


def ray_mul_half_up(a: int, b: int) -> int:
    """a · b / 1 ray, rounded to the nearest, halves up."""
    product = a * b + HALF_RAY
    if product > MAX:
        raise Revert(EMPTY)
    return product // RAY


def ray_mul_floor(a: int, b: int) -> int:
    """a · b / 1 ray, rounded down."""
    product = a * b
    if product > MAX:
        raise Revert(EMPTY)
    return product // RAY


def ray_mul_ceil(a: int, b: int) -> int:
    """a · b / 1 ray, rounded up."""
    return mul_div_ceil(a, b, RAY)


def ray_div_half_up(a: int, b: int) -> int:
    """a · 1 ray / b, rounded to the nearest, halves up."""
    if b == 0 or a * RAY + b // 2 > MAX:
        raise Revert(EMPTY)
    return (a * RAY + b // 2) // b


def ray_div_floor(a: int, b: int) -> int:
    """a · 1 ray / b, rounded down."""
    if b == 0 or a * RAY > MAX:
        raise Revert(EMPTY)
    return a * RAY // b


def ray_div_ceil(a: int, b: int) -> int:
    """a · 1 ray / b, rounded up."""
    return mul_div_ceil(a, RAY, b)


def wad_mul_half_up(a: int, b: int) -> int:
    """a · b / 1 wad, rounded to the nearest, halves up."""
    product = a * b + HALF_WAD
    if product > MAX:
        raise Revert(EMPTY)
    return product // WAD


def wad_div_half_up(a: int, b: int) -> int:
    """a · 1 wad / b, rounded to the nearest, halves up."""
    if b == 0 or a * WAD + b // 2 > MAX:
        raise Revert(EMPTY)
    return (a * WAD + b // 2) // b


def ray_to_wad_half_up(a: int) -> int:
    """A ray number with 18 decimals, rounded to the nearest, halves up."""
    return (a + WAD_RAY_RATIO // 2) // WAD_RAY_RATIO


def wad_to_ray(a: int) -> int:
    """A wad number with 27 decimals, exact."""
    if a * WAD_RAY_RATIO > MAX:
        raise Revert(EMPTY)
    return a * WAD_RAY_RATIO
