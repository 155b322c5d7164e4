"""State of a stable pool and what a change of its liquidity reports back."""

from __future__ import annotations

from typing import NamedTuple


class StableSwapState:
    """The pool's single values, written one by one through the journal as `vars(state)[name]`.

    A ramp runs from `start_milli` to `end_milli` (thousandths of A) between two timestamps; at rest both ends are
    equal. `fee_wad` is an 18-decimal fraction of a swap's input; `total_shares` counts the locked minimum too.
    """

    def __init__(self, amplification_milli: int, fee_wad: int, timestamp: int) -> None:
        self.start_milli = amplification_milli
        self.end_milli = amplification_milli
        self.start_timestamp = timestamp
        self.end_timestamp = timestamp
        self.fee_wad = fee_wad
        self.total_shares = 0


class PoolChange(NamedTuple):
    """Liquidity added to or removed from a stable pool: shares and the amount of every token, in the pool's order."""

    shares: int
    amounts: tuple[int, ...]


class Ramp(NamedTuple):
    """A change of the amplification (thousandths) between two timestamps."""

    start_milli: int
    end_milli: int
    start_timestamp: int
    end_timestamp: int
