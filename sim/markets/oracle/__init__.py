"""The oracle: feeds that report outside prices late and in steps, and the causes inside each report."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.markets.oracle.faults import FeedFault, ReportBid
    from sim.markets.oracle.feeds import Feed, FixedFeed, MarketFeed, Moment, RatioFeed
    from sim.markets.oracle.oracle import Oracle
    from sim.markets.oracle.reports import Reading, Report

_HOMES = {
    "Feed": "feeds",
    "FeedFault": "faults",
    "FixedFeed": "feeds",
    "MarketFeed": "feeds",
    "Moment": "feeds",
    "Oracle": "oracle",
    "RatioFeed": "feeds",
    "Reading": "reports",
    "Report": "reports",
    "ReportBid": "faults",
}

__all__ = [
    "Feed",
    "FeedFault",
    "FixedFeed",
    "MarketFeed",
    "Moment",
    "Oracle",
    "RatioFeed",
    "Reading",
    "Report",
    "ReportBid",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.markets.oracle' has no attribute {name!r}")
    return getattr(import_module(f"sim.markets.oracle.{_HOMES[name]}"), name)
