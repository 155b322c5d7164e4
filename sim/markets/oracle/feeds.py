"""Kinds of price feed: what each reads, when it reports, and how a price comes of it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from sim.markets.oracle.reports import USD, Reading, Report
from sim.markets.outside.records import Cause
from sim.prices.process import YEAR_SECONDS
from sim.prices.ratio import Ratio

WAD = 10**18


class Moment(NamedTuple):
    """When a feed reads: block, Unix time, seconds since the oracle opened, and how far off the venue it reads is.

    `venue_ratio` is 1 but during a fault: what the feed reads is then the true value times this.
    """

    block: int
    timestamp: int
    seconds: int
    venue_ratio: float = 1.0


class MarketView(Protocol):
    """What a feed reads of the outside market."""

    prices: list[float]
    log_exogenous: list[float]

    def impact_by_cause(self, token: int) -> dict[Cause, float]:
        """Fall of the token's log price by cause."""
        ...


class Feed(ABC):
    """One feed: `read` says whether something new is to be reported, `price` what the pool sees of it.

    What a `delayed` feed reads takes effect only after the oracle's latency.
    """

    symbol: str
    delayed: ClassVar[bool] = False

    @property
    def base_symbol(self) -> str | None:
        """Symbol of the feed whose report this one multiplies, if any."""
        return None

    @abstractmethod
    def read(self, market: MarketView, now: Moment, last: Reading | None, lag: bool) -> Reading | None:
        """A new reading if the feed's rule calls for one after `last`; with `lag` off whenever the value is new."""

    @abstractmethod
    def price(self, reading: Reading, base: Report | None) -> int:
        """The price in units of 1e-8 USD."""

    @abstractmethod
    def check(self) -> None:
        """`ValueError` for parameters that make no sense."""


@dataclass(frozen=True, slots=True)
class MarketFeed(Feed):
    """Follows the outside price of `token`: reports when it differs by `deviation_ratio` or after `heartbeat_seconds`.

    Price = R rounded to 8 decimals. Both rules compare with the last report that was sent, whether or not it has
    taken effect: push feeds answer to their own last answer (Chainlink documentation, decentralised data model).
    """

    symbol: str
    token: int
    deviation_ratio: float = 0.005
    heartbeat_seconds: int = 3_600
    delayed: ClassVar[bool] = True

    def read(self, market: MarketView, now: Moment, last: Reading | None, lag: bool) -> Reading | None:
        """R and its causes now, if deviation or heartbeat ask for a report."""
        price = market.prices[self.token] * USD * now.venue_ratio
        if last is not None:
            away = abs(price - last.value)
            if lag:
                moved = away >= self.deviation_ratio * last.value and away >= 0.5
                if not moved and now.timestamp - last.read_at < self.heartbeat_seconds:
                    return None
            elif _nearest(price) == last.value:
                return None
        impacts = tuple(market.impact_by_cause(self.token).items())
        return Reading(_nearest(price), now.timestamp, now.block, market.log_exogenous[self.token], impacts, 0.0)

    def price(self, reading: Reading, base: Report | None) -> int:
        """The price read."""
        return reading.value

    def check(self) -> None:
        """Deviation from 0 on, heartbeat of at least a second."""
        if not 0.0 <= self.deviation_ratio < math.inf:
            raise ValueError(f"deviation_ratio of {self.symbol}: given {self.deviation_ratio!r}; allowed: 0 or more")
        if self.heartbeat_seconds < 1:
            raise ValueError(f"heartbeat_seconds of {self.symbol}: given {self.heartbeat_seconds}; allowed: 1 or more")


@dataclass(frozen=True, slots=True)
class RatioFeed(Feed):
    """A rate times another feed's report in use: price = floor(base price x ratio), ratio with 18 decimals.

    The ratio grows as `sim.prices.Ratio` from the oracle's opening on and is posted anew every `update_seconds`, as
    liquid-staking tokens do once a day; the multiplication is on chain, so it has no latency of its own (the price
    adapters of Aave V3: ratio provider times base aggregator). With `cap_growth_per_year` g the ratio used is at most
    cap_ratio x (1 + g x years since the opening), as in Aave's correlated-asset adapters (PriceCapAdapterBase, which
    work the cap out at each read; here it is when the ratio is posted); what the cap takes away is the report's error.
    """

    symbol: str
    base: str
    ratio: float
    ratio_growth_per_year: float = 0.0
    update_seconds: int = 86_400
    cap_growth_per_year: float | None = None
    cap_ratio: float | None = None

    @property
    def base_symbol(self) -> str | None:
        """The feed that is multiplied."""
        return self.base

    def read(self, market: MarketView, now: Moment, last: Reading | None, lag: bool) -> Reading | None:
        """The ratio now, if it is time to post it."""
        if last is not None and lag and now.timestamp - last.read_at < self.update_seconds:
            return None
        ratio = Ratio(self.base, self.ratio, self.ratio_growth_per_year).at(now.seconds)
        true = int(ratio * WAD)
        value = true if now.venue_ratio == 1.0 else int(ratio * now.venue_ratio * WAD)
        if self.cap_growth_per_year is not None:
            value = min(value, int(self.highest_ratio(now.seconds) * WAD))
        if last is not None and value == last.value:
            return None
        return Reading(value, now.timestamp, now.block, math.log(true / WAD), (), 0.0)

    def highest_ratio(self, seconds: float) -> float:
        """The cap `seconds` after the opening: cap_ratio x (1 + g x years); infinite without a cap."""
        if self.cap_growth_per_year is None:
            return math.inf
        start = self.ratio if self.cap_ratio is None else self.cap_ratio
        return start * (1.0 + self.cap_growth_per_year * seconds / YEAR_SECONDS)

    def price(self, reading: Reading, base: Report | None) -> int:
        """Base price times ratio, rounded down."""
        assert base is not None
        return max(base.price * reading.value // WAD, 1)

    def check(self) -> None:
        """A ratio above zero, posted at least a second apart."""
        if not 1.0 / WAD <= self.ratio < math.inf:
            raise ValueError(f"ratio of {self.symbol}: given {self.ratio!r}; allowed: a finite number above 0")
        for name, given in (("cap_growth_per_year", self.cap_growth_per_year), ("cap_ratio", self.cap_ratio)):
            if given is not None and not (0.0 <= given < math.inf and (given or name != "cap_ratio")):
                raise ValueError(f"{name} of {self.symbol}: given {given!r}; allowed: a finite number above 0")
        if self.update_seconds < 1:
            raise ValueError(f"update_seconds of {self.symbol}: given {self.update_seconds}; allowed: 1 or more")


@dataclass(frozen=True, slots=True)
class FixedFeed(Feed):
    """Never moves: price = `price_usd` rounded to 8 decimals. Its log is all basis, since it reads no market."""

    symbol: str
    price_usd: float

    def read(self, market: MarketView, now: Moment, last: Reading | None, lag: bool) -> Reading | None:
        """The fixed price, once."""
        if last is not None:
            return None
        return Reading(_nearest(self.price_usd * USD), now.timestamp, now.block, 0.0, (), math.log(self.price_usd))

    def price(self, reading: Reading, base: Report | None) -> int:
        """The fixed price."""
        return reading.value

    def check(self) -> None:
        """A price above zero."""
        if not 0.0 < self.price_usd < math.inf:
            raise ValueError(f"price_usd of {self.symbol}: given {self.price_usd!r}; allowed: a finite number above 0")


def _nearest(price: float) -> int:
    """The nearest price in units of 1e-8 USD, at least one: a pool cannot read a price of zero."""
    return max(math.floor(price + 0.5), 1)
