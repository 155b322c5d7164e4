"""What can go wrong with a feed, and how a report pays for its place in a block."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

#: Room in gas for transactions that offer this ratio above the going price of gas.
Space = Callable[[float], int]


class FeedFault(NamedTuple):
    """A fault from `start_seconds` to `end_seconds` after the oracle's opening.

    "factor": the price in use is `factor` times what it should be, from the first moment (a misconfigured adapter);
    "venue": the feed reads a market whose price is off by `factor`, and reports it by its ordinary rule;
    "stale": the feed reads nothing and sends no report.
    """

    kind: Literal["factor", "venue", "stale"]
    start_seconds: int
    end_seconds: int
    factor: float = 1.0


def ratio_of(faults: Sequence[FeedFault], kind: str, seconds: int) -> float:
    """Product of the factors of all faults of a kind that hold at `seconds`; 1 without any."""
    ratio = 1.0
    for fault in faults:
        if fault.kind == kind and fault.start_seconds <= seconds < fault.end_seconds:
            ratio *= fault.factor
    return ratio


def is_stale(faults: Sequence[FeedFault], seconds: int) -> bool:
    """Whether a feed with these faults is silent at `seconds`."""
    return any(f.kind == "stale" and f.start_seconds <= seconds < f.end_seconds for f in faults)


class ReportBid(NamedTuple):
    """How a report competes for block space: `gas` units, at the going price times 1 + ratio.

    The ratio begins at `tip_ratio` and grows by `raise_ratio` with every block the report waits, up to `ceiling_ratio`.
    """

    gas: int = 250_000
    tip_ratio: float = 0.1
    raise_ratio: float = 0.125
    ceiling_ratio: float = 10.0

    def ratio(self, waited_blocks: int) -> float:
        """min(ceiling, tip x (1 + raise)^blocks)."""
        if not self.tip_ratio:
            return 0.0
        blocks = min(waited_blocks, 1_000)
        steps = math.log(max(self.ceiling_ratio / self.tip_ratio, 1.0))
        if blocks * math.log1p(self.raise_ratio) >= steps:
            return max(self.ceiling_ratio, self.tip_ratio)
        return self.tip_ratio * (1.0 + self.raise_ratio) ** blocks
