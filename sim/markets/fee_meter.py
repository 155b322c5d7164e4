"""What liquidity in a concentrated pool has earned and lost of late: fees and loss-versus-rebalancing, per unit."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_MASK_256 = (1 << 256) - 1
_Q128 = 2.0**-128
_Q96 = 2.0**-96


class Earnings(NamedTuple):
    """Per unit of liquidity in range and second: fees and loss-versus-rebalancing, smallest units of token1.

    `variance_per_second` is that of ln(outside price of token0 in token1).
    """

    fees: float
    loss: float
    variance_per_second: float


class FeeMeter:
    """Means over the last `window_seconds` (an hour: docs/model.md 21), read from the pools' fee growth, once a step.

    Fees: the growth of the pool's fee counters. Loss: a liquidity L in range has L √P of token1, and as much worth of
    token0, to rebalance; its loss-versus-rebalancing is σ² L √P / 4 a unit of time (Milionis et al. 2022,
    arXiv 2208.06046), which for a full range, worth 2 L √P, is σ²/8 of its value. σ² is realised, from outside prices.
    """

    def __init__(self, amms: Mapping[str, Any], outside: Any, window_seconds: int = 3_600) -> None:
        self.outside = outside
        self.window_seconds = window_seconds
        self.amms: dict[str, Any] = {}
        self._all = amms
        self._seen: dict[str, deque[tuple[int, int, int, float, float]]] = {}

    def watch(self, names: Iterable[str]) -> None:
        """Take up these pools."""
        for name in names:
            if name not in self.amms:
                self.amms[name] = self._all[name]
                self._seen[name] = deque()

    def follow(self, timestamp: int) -> None:
        """Take in the present counters and outside prices."""
        log_price = self.outside.log_price
        for name, amm in self.amms.items():
            seen = self._seen[name]
            state = amm.state
            ratio = log_price(amm.token0) - log_price(amm.token1)
            square = (ratio - seen[-1][3]) ** 2 if seen else 0.0
            seen.append((timestamp, state.fee_growth_global0_x128, state.fee_growth_global1_x128, ratio, square))
            while len(seen) > 2 and seen[1][0] <= timestamp - self.window_seconds:
                seen.popleft()

    def earnings(self, name: str) -> Earnings | None:
        """Means over the window, or over what there is of it; None before the first step is over."""
        seen = self._seen[name]
        if len(seen) < 2:
            return None
        first, last = seen[0], seen[-1]
        seconds = float(last[0] - first[0])
        amm = self.amms[name]
        root = amm.state.sqrt_price_x96 * _Q96
        growth0 = ((last[1] - first[1]) & _MASK_256) * _Q128
        growth1 = ((last[2] - first[2]) & _MASK_256) * _Q128
        squares = 0.0
        for entry in list(seen)[1:]:
            squares += entry[4]
        variance = squares / seconds
        return Earnings((growth0 * root * root + growth1) / seconds, 0.25 * variance * root, variance)


def value_loss_rate(variance_per_second: float) -> float:
    """σ²/8: loss-versus-rebalancing of a full range, as a share of its value, a second."""
    return variance_per_second / 8.0
