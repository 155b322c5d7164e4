"""What an operation of an AMM reports back: small immutable records, amounts in the tokens' smallest units."""

from __future__ import annotations

from typing import NamedTuple


class Swap(NamedTuple):
    """A swap as it happened.

    `amount_in` includes `fee_amount` (in the input token, protocol's part included); `ticks_crossed` counts
    initialised ticks (always 0 for a constant-product pool).
    """

    token_in: int
    token_out: int
    amount_in: int
    amount_out: int
    fee_amount: int
    ticks_crossed: int


class SharesChange(NamedTuple):
    """Liquidity added to or removed from a constant-product pool: LP shares and the two amounts that moved."""

    shares: int
    amount0: int
    amount1: int


class LiquidityChange(NamedTuple):
    """Liquidity added to or removed from one position of a concentrated pool.

    After a decrease the amounts are owed to the position, not yet paid: `collect` pays them.
    """

    position: int
    liquidity: int
    amount0: int
    amount1: int


class Collected(NamedTuple):
    """Amounts paid out to the owner of a position (principal and fees), or of protocol fees."""

    position: int
    amount0: int
    amount1: int


class Flash(NamedTuple):
    """A flash loan that was paid back: what was lent and what was paid on top."""

    amount0: int
    amount1: int
    paid0: int
    paid1: int


class Provision(NamedTuple):
    """What a deposit of a given value needs at the current price.

    For a constant-product pool `liquidity` counts LP shares and both ticks are 0.
    """

    tick_lower: int
    tick_upper: int
    liquidity: int
    amount0: int
    amount1: int


class Depth(NamedTuple):
    """Whole tokens that move the marginal price by a given ratio, fees not counted.

    `token0_down`: token0 sold into the pool until price falls by the ratio; `token1_up`: token1 paid until it rises.
    """

    token0_down: float
    token1_up: float
