"""Rules of a constant-product pool x · y = k on bare numbers (Uniswap V2 core 1.0.1, periphery 1.1.0-beta.0).

A fee of f leaves kept / scale = 1 − f of the input to trade with; 0.3 % is 997 / 1000 as in the contracts, other fees
are reduced likewise. Amounts and reserves are in smallest units. Sums and products beyond 256 bits revert as the
contracts' checked arithmetic does.
"""

from __future__ import annotations

from math import gcd, isqrt
from typing import Final

from sim.chain.revert import Revert
from sim.markets.amm.reasons import INVALID_OPCODE

MINIMUM_LIQUIDITY: Final = 1000
MAX_UINT256: Final = (1 << 256) - 1

INSUFFICIENT_INPUT: Final = "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT"
INSUFFICIENT_OUTPUT: Final = "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT"
INSUFFICIENT_AMOUNT: Final = "UniswapV2Library: INSUFFICIENT_AMOUNT"
INSUFFICIENT_LIQUIDITY: Final = "UniswapV2Library: INSUFFICIENT_LIQUIDITY"
ADD_OVERFLOW: Final = "ds-math-add-overflow"
SUB_UNDERFLOW: Final = "ds-math-sub-underflow"
MUL_OVERFLOW: Final = "ds-math-mul-overflow"


def fee_fraction(fee_bps: int) -> tuple[int, int]:
    """(kept, scale) in lowest terms with kept / scale = 1 − fee; 30 bps give (997, 1000)."""
    if not 0 <= fee_bps < 10_000:
        raise ValueError(f"fee_bps {fee_bps} is outside 0 to 9999")
    divisor = gcd(10_000, fee_bps)
    return (10_000 - fee_bps) // divisor, 10_000 // divisor


def output_of(amount_in: int, reserve_in: int, reserve_out: int, kept: int, scale: int) -> int:
    """Output for an exact input, rounded down: in·kept·y / (x·scale + in·kept)."""
    if amount_in <= 0:
        raise Revert(INSUFFICIENT_INPUT)
    if reserve_in <= 0 or reserve_out <= 0:
        raise Revert(INSUFFICIENT_LIQUIDITY)
    effective = amount_in * kept
    numerator = effective * reserve_out
    if numerator > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    denominator = reserve_in * scale + effective
    if denominator > MAX_UINT256:
        raise Revert(ADD_OVERFLOW)
    return numerator // denominator


def input_for(amount_out: int, reserve_in: int, reserve_out: int, kept: int, scale: int) -> int:
    """Input for an exact output, rounded down and one unit added: x·out·scale / ((y − out)·kept) + 1.

    Asking for the whole reserve divides by zero (the EVM halts), for more underflows.
    """
    if amount_out <= 0:
        raise Revert(INSUFFICIENT_OUTPUT)
    if reserve_in <= 0 or reserve_out <= 0:
        raise Revert(INSUFFICIENT_LIQUIDITY)
    numerator = reserve_in * amount_out * scale
    if numerator > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    left = reserve_out - amount_out
    if left <= 0:
        raise Revert(SUB_UNDERFLOW if left else INVALID_OPCODE)
    return numerator // (left * kept) + 1


def matching_amount(amount: int, reserve: int, other_reserve: int) -> int:
    """The other token's amount in proportion to the reserves, rounded down."""
    if amount <= 0:
        raise Revert(INSUFFICIENT_AMOUNT)
    if reserve <= 0 or other_reserve <= 0:
        raise Revert(INSUFFICIENT_LIQUIDITY)
    if amount * other_reserve > MAX_UINT256:
        raise Revert(MUL_OVERFLOW)
    return amount * other_reserve // reserve


def protocol_shares(reserve0: int, reserve1: int, k_last: int, total_shares: int) -> int:
    """LP shares worth one sixth of the growth of sqrt(k) since `k_last`, rounded down.

    shares = total · (√k − √k_last) / (5·√k + √k_last), with whole square roots rounded down.
    """
    root, root_last = isqrt(reserve0 * reserve1), isqrt(k_last)
    if root <= root_last:
        return 0
    return total_shares * (root - root_last) // (5 * root + root_last)


def amount_to_ratio(
    reserve_in: int, reserve_out: int, ratio_numerator: int, ratio_denominator: int, kept: int, scale: int
) -> int:
    """The largest input after which reserve_in / reserve_out is not above the ratio, 0 if it is already.

    With K = x·y·ratio the reserves after an input d satisfy (x + d)·(x + d·kept/scale) = K: the positive root of
    kept·d² + (scale + kept)·x·d + scale·(x² − K) = 0, rounded down.
    """
    product = reserve_in * reserve_out * ratio_numerator // ratio_denominator
    if product <= reserve_in * reserve_in:
        return 0
    linear = (scale + kept) * reserve_in
    discriminant = linear * linear + 4 * kept * scale * (product - reserve_in * reserve_in)
    return (isqrt(discriminant) - linear) // (2 * kept)
