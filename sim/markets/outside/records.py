"""Parameters of the outside market, and what a trade on it was."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple

#: Who made a price move: a kind such as "liquidation", or a tuple that begins with the kind, ("liquidation", 17).
Cause = Hashable

#: Causes with their shares of a trade; the shares of one trade add to 1.
Causes = tuple[tuple[Cause, float], ...]

#: Kinds of cause that this economy knows; every impact is booked under one of them.
KINDS = (
    "liquidation",
    "deleveraging",
    "leveraging",
    "farming",
    "liquidity",
    "perpetual",
    "trading",
    "arbitrage",
    "whale",
)

#: The cause of what happens outside this economy. A share of a trade under it makes no impact: it is in the price.
OUTSIDE_CAUSE = "outside"


class OutsideToken(NamedTuple):
    """How one token trades outside.

    `depth_2pct` is D2, the amount that moves the price by 2 %, in USD or in tokens (`depth_unit`); infinite for a token
    that trades leave unmoved. `impact_per_unit` sets lam directly, per USD or token, and then volatility does not
    change it. A token with a `base` trades against that token: its price holds to the base's price, D2 is the depth of
    the pair, and what is sold for anything else is sold for the base first and the base sold on.
    """

    depth_2pct: float = math.inf
    depth_unit: str = "usd"
    impact_per_unit: float | None = None
    base: int | None = None
    reference_volatility_per_year: float | None = None


class Kernel(NamedTuple):
    """What is left of an impact after s seconds: G(s) = phi + w1 exp(-s/tau1) + w2 exp(-s/tau2), phi + w1 + w2 = 1."""

    permanent_share: float = 0.05
    fast_share: float = 0.90
    slow_share: float = 0.05
    fast_seconds: float = 120.0
    slow_seconds: float = 43_200.0

    def left(self, seconds: float) -> float:
        """G(seconds)."""
        fast = self.fast_share * math.exp(-seconds / self.fast_seconds)
        return self.permanent_share + fast + self.slow_share * math.exp(-seconds / self.slow_seconds)


class OutsideTrade(NamedTuple):
    """A sale of one token for another on the outside market.

    Amounts in smallest units; `value_usd` changed hands, `price_usd` is the average received per whole token sold.
    `log_impact_in` is by how much the impact of the token sold rose (its log price fell by as much), `log_impact_out`
    by how much that of the token bought did (negative: its price rose); both without what made no impact.
    """

    token_in: int
    token_out: int
    amount_in: int
    amount_out: int
    value_usd: float
    price_usd: float
    log_impact_in: float
    log_impact_out: float
    causes: Causes


def kind_of(cause: Cause) -> Cause:
    """The kind of a cause: itself, or the first entry of a tuple."""
    return cause[0] if isinstance(cause, tuple) else cause


def check_kernel(kernel: Kernel) -> None:
    """`ValueError` unless the shares add to 1 and the time constants are above zero."""
    shares = (kernel.permanent_share, kernel.fast_share, kernel.slow_share)
    if not all(0.0 <= share <= 1.0 for share in shares) or abs(math.fsum(shares) - 1.0) > 1e-9:
        given = ", ".join(map(repr, shares))
        raise ValueError(f"permanent_share, fast_share, slow_share: given {given}; allowed: 0 to 1, adding to 1")
    if not (kernel.fast_seconds > 0.0 and kernel.slow_seconds > 0.0):
        given = f"{kernel.fast_seconds!r}, {kernel.slow_seconds!r}"
        raise ValueError(f"fast_seconds, slow_seconds: given {given}; allowed: above 0")


def check_token(token: int, parameters: OutsideToken) -> None:
    """`ValueError` for a depth or impact that makes no sense."""
    if not parameters.depth_2pct > 0.0:
        raise ValueError(f"depth_2pct of token {token}: given {parameters.depth_2pct!r}; allowed: above 0")
    if parameters.depth_unit not in ("usd", "token"):
        raise ValueError(f"depth_unit of token {token}: given {parameters.depth_unit!r}; allowed: usd or token")
    impact = parameters.impact_per_unit
    if impact is not None and not 0.0 <= impact < math.inf:
        raise ValueError(f"impact_per_unit of token {token}: given {impact!r}; allowed: 0 or more")
    reference = parameters.reference_volatility_per_year
    if reference is not None and not 0.0 < reference < math.inf:
        raise ValueError(f"reference_volatility_per_year of token {token}: given {reference!r}; allowed: above 0")
