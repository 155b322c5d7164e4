"""The state of a concentrated pool: slot values, ticks and positions (no behaviour)."""

from __future__ import annotations

from typing import NamedTuple


class PoolState:
    """The pool's own values, written one by one through the journal as `vars(state)[name]`.

    Sqrt price in Q96 (sqrt of token1 per token0 in smallest units), fee growth in Q128 per unit of liquidity
    (modulo 2^256), liquidity in range, protocol fees in smallest units not yet collected, and the protocol's share
    1/n of the fee per input token (0 = none). `unlocked` is false before `initialize` and inside a flash loan.
    """

    def __init__(self, fee_protocol: int) -> None:
        self.sqrt_price_x96 = 0
        self.tick = 0
        self.liquidity = 0
        self.fee_growth_global0_x128 = 0
        self.fee_growth_global1_x128 = 0
        self.protocol_fees0 = 0
        self.protocol_fees1 = 0
        self.fee_protocol0 = fee_protocol
        self.fee_protocol1 = fee_protocol
        self.unlocked = False
        self.next_position = 1


class TickInfo(NamedTuple):
    """One initialised tick: liquidity that refers to it, what crossing it upwards adds, and fee growth beyond it.

    The fee growth outside means something only relative to other values of the same tick.
    """

    liquidity_gross: int
    liquidity_net: int
    fee_growth_outside0_x128: int
    fee_growth_outside1_x128: int


class RangePosition(NamedTuple):
    """All liquidity of one range, as the pool sees it (its owner is the position manager)."""

    liquidity: int
    fee_growth_inside0_last_x128: int
    fee_growth_inside1_last_x128: int
    tokens_owed0: int
    tokens_owed1: int


class Position(NamedTuple):
    """One position id, as the position manager sees it; several ids may share one range."""

    owner: int
    tick_lower: int
    tick_upper: int
    liquidity: int
    fee_growth_inside0_last_x128: int
    fee_growth_inside1_last_x128: int
    tokens_owed0: int
    tokens_owed1: int


NO_TICK = TickInfo(0, 0, 0, 0)
NO_POSITION = RangePosition(0, 0, 0, 0, 0)
