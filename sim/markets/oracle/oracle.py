"""`Oracle`: the prices that the lending pool reads, and the causes inside each of them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

from sim.markets.oracle.faults import FeedFault, ReportBid, Space, is_stale, ratio_of
from sim.markets.oracle.feeds import Feed, MarketView, Moment
from sim.markets.oracle.reports import USD, Reading, Report
from sim.markets.outside.records import Cause


class _Channel:
    """One feed at work: what it sent last, what is on its way, and the report in use."""

    __slots__ = ("asset", "base", "factor", "faults", "feed", "pending", "reading", "report", "sent")

    def __init__(self, asset: int, feed: Feed, base: int | None, faults: Sequence[FeedFault]) -> None:
        self.asset = asset
        self.feed = feed
        self.base = base
        self.faults = tuple(faults)
        self.factor = 1.0
        self.sent: Reading | None = None
        self.reading: Reading | None = None
        self.pending: deque[Reading] = deque()
        self.report: Report | None = None


class Oracle:
    """Feeds in the order of their assets; `prices[asset]` is the price in use, in units of 1e-8 USD.

    Each step every feed may read (`Feed.read`); what it reads at block n takes effect at the first step whose block is
    at least n + `latency_blocks`, together with the causes as they were when it was read: later trades are not in it.
    A step that stands for several blocks reads once, and `latency_blocks` is given in whole steps. With `lag` off every
    feed reports each new value at once (O = R). The opening takes effect at once.

    A report of a delayed feed is a transaction: where `step` is told how much space the block has, a report that does
    not fit at the price it offers (`bid`) waits, and the newest that is due takes its place. `included` counts the
    reports that the last step included. `faults` of a feed, by symbol, are parts of the reports' error.

    Raises `ValueError` for two feeds of one symbol, a base that has no feed, bases in a loop, and bad parameters.
    """

    def __init__(
        self,
        market: MarketView,
        feeds: Sequence[Feed],
        *,
        latency_blocks: int = 1,
        lag: bool = True,
        faults: Mapping[str, Sequence[FeedFault]] | None = None,
        bid: ReportBid | None = None,
    ) -> None:
        if latency_blocks < 0:
            raise ValueError(f"latency_blocks: given {latency_blocks}; allowed: 0 or more")
        self.market = market
        self.feeds = tuple(feeds)
        self.latency_blocks = latency_blocks
        self.lag = lag
        self.bid = bid or ReportBid()
        self.included = 0
        places = _places(self.feeds)
        faulty = faults or {}
        for symbol in faulty:
            if symbol not in places:
                raise ValueError(f"faults: given feed {symbol}; allowed: {', '.join(places)}")
        self._channels = [
            _Channel(
                asset,
                feed,
                None if feed.base_symbol is None else places[feed.base_symbol],
                faulty.get(feed.symbol, ()),
            )
            for asset, feed in enumerate(self.feeds)
        ]
        self._ordered = [self._channels[asset] for asset in _base_first(self._channels)]
        self.prices = [0] * len(self.feeds)
        self._opened_at: int | None = None
        self._mirrors: list[tuple[list[int], dict[int, list[int]]]] = []

    # ------------------------------------------------------------------ time
    def step(self, block: int, timestamp: int, space: Space | None = None) -> list[Report]:
        """Let every feed read at `block`, take reports into use, and return those that took effect, bases first.

        `space(ratio)` is the room in gas at that ratio above the going price of gas; without it there is room for all.
        """
        if self._opened_at is None:
            self._opened_at = timestamp
        now = Moment(block, timestamp, timestamp - self._opened_at)
        self.included = 0
        reports: list[Report] = []
        renewed: set[int] = set()
        for channel in self._ordered:
            fresh = self._read(channel, now)
            if channel.pending:
                fresh = self._include(channel, block, space) or fresh
            if channel.faults:
                factor = ratio_of(channel.faults, "factor", now.seconds)
                fresh = fresh or factor != channel.factor
                channel.factor = factor
            if fresh or channel.base in renewed:
                reports.append(self._take(channel, now))
                renewed.add(channel.asset)
        return reports

    def _read(self, channel: _Channel, now: Moment) -> bool:
        """Let a feed read; True if what it read is in use at once, else it has sent a report (or nothing)."""
        feed = channel.feed
        if channel.faults and channel.sent is not None:
            if is_stale(channel.faults, now.seconds):
                return False
            now = now._replace(venue_ratio=ratio_of(channel.faults, "venue", now.seconds))
        reading = feed.read(self.market, now, channel.sent, self.lag)
        if reading is None:
            return False
        opening = channel.sent is None
        channel.sent = reading
        if self.lag and feed.delayed and not opening:
            channel.pending.append(reading)
            return False
        channel.reading = reading
        return True

    def _include(self, channel: _Channel, block: int, space: Space | None) -> bool:
        """Take the newest report that is due into use, if the block has room for it."""
        pending = channel.pending
        latency = self.latency_blocks
        waited = block - pending[0].read_block - latency
        if waited < 0:
            return False
        if space is not None and (self.included + 1) * self.bid.gas > space(self.bid.ratio(waited)):
            return False
        while pending and pending[0].read_block + latency <= block:
            channel.reading = pending.popleft()
        self.included += 1
        return True

    def _take(self, channel: _Channel, now: Moment) -> Report:
        """Put the channel's reading into use."""
        reading = channel.reading
        assert reading is not None
        base = None if channel.base is None else self._channels[channel.base].report
        price = channel.feed.price(reading, base)
        if channel.factor != 1.0:
            price = max(int(price * channel.factor), 1)
        ln_exogenous, impacts, basis = reading.ln_exogenous, reading.impacts, reading.basis
        read_at, read_block = reading.read_at, reading.read_block
        if base is not None:
            ln_exogenous += base.ln_exogenous
            impacts += base.impacts
            basis += base.basis
            read_at, read_block = base.read_at, base.read_block
        explained = ln_exogenous + basis
        for _, impact in impacts:
            explained -= impact
        error = math.log(price / USD) - explained
        asset = channel.asset
        report = Report(
            asset,
            channel.feed.symbol,
            read_at,
            read_block,
            now.timestamp,
            now.block,
            price,
            ln_exogenous,
            impacts,
            basis,
            error,
        )
        channel.report = report
        self.prices[asset] = price
        for mirror, places in self._mirrors:
            for place in places.get(asset, ()):
                mirror[place] = price
        return report

    # ------------------------------------------------------------------ readers
    def report(self, asset: int) -> Report:
        """The report in use; `LookupError` before the first step."""
        report = self._channels[asset].report
        if report is None:
            raise LookupError(f"feed {self.feeds[asset].symbol} has not reported yet")
        return report

    def causes(self, asset: int) -> dict[Cause, float]:
        """The log of the price in use as a sum of named causes (`Report.parts`)."""
        return self.report(asset).parts()

    def pending(self, asset: int) -> int:
        """Number of reports that were read and have not taken effect."""
        return len(self._channels[asset].pending)

    def prices_usd(self) -> list[float]:
        """The prices in use, USD."""
        return [price / USD for price in self.prices]

    def reserve_prices(self, assets: Sequence[int]) -> list[int]:
        """Prices of some assets in the given order, in a list that the oracle keeps up to date from now on."""
        places: dict[int, list[int]] = {}
        for place, asset in enumerate(assets):
            places.setdefault(asset, []).append(place)
        prices = [self.prices[asset] for asset in assets]
        self._mirrors.append((prices, places))
        return prices


def _places(feeds: Sequence[Feed]) -> dict[str, int]:
    """Place of every feed by symbol, after all checks."""
    places: dict[str, int] = {}
    for place, feed in enumerate(feeds):
        feed.check()
        if feed.symbol in places:
            raise ValueError(f"feed {feed.symbol}: given twice; allowed: one feed for each asset")
        places[feed.symbol] = place
    for feed in feeds:
        if feed.base_symbol is not None and feed.base_symbol not in places:
            raise ValueError(f"base of feed {feed.symbol}: given {feed.base_symbol}; allowed: {', '.join(places)}")
    return places


def _base_first(channels: Sequence[_Channel]) -> list[int]:
    """Assets ordered so that each comes after its base; `ValueError` for a loop."""
    ordered: list[int] = []
    waiting = list(channels)
    while waiting:
        ready = [channel for channel in waiting if channel.base is None or channel.base in ordered]
        if not ready:
            loop = ", ".join(channel.feed.symbol for channel in waiting)
            raise ValueError(f"base: given a loop among {loop}; allowed: bases that end in a market or fixed feed")
        ordered += [channel.asset for channel in ready]
        waiting = [channel for channel in waiting if channel not in ready]
    return ordered
