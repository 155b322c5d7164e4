"""The clock shared by all markets of one economy."""

from __future__ import annotations


class Clock:
    """Time of the block being built. Markets hold a reference and read `timestamp`; only the economy writes it.

    `block` counts from 0; `step` counts simulation steps (a step may stand for several blocks);
    `timestamp` is in whole seconds, as `block.timestamp` is.
    """

    __slots__ = ("block", "step", "timestamp")

    def __init__(self, timestamp: int = 0) -> None:
        self.timestamp = timestamp
        self.block = 0
        self.step = 0
