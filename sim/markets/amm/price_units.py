"""Prices in whole tokens and in the pools' integers.

A *price* is token1 per token0 in whole tokens. The *raw* price counts smallest units,
raw = price · 10^decimals1 / 10^decimals0, and a concentrated pool keeps sqrt(raw) · 2^96 as an integer.
"""

from __future__ import annotations

from math import isfinite, isqrt


def raw_ratio(price: float, decimals0: int, decimals1: int) -> tuple[int, int]:
    """Exact raw price (numerator, denominator) of a price in whole tokens; `ValueError` unless 0 < price < inf."""
    if not (isfinite(price) and price > 0.0):
        raise ValueError(f"price {price!r} must be a positive, finite number (token1 per token0)")
    numerator, denominator = price.as_integer_ratio()
    return numerator * 10**decimals1, denominator * 10**decimals0


def sqrt_price_x96(price: float, decimals0: int, decimals1: int) -> int:
    """floor(sqrt(raw price) · 2^96), exactly, of a price in whole tokens (token1 per token0)."""
    numerator, denominator = raw_ratio(price, decimals0, decimals1)
    return isqrt((numerator << 192) // denominator)
