"""Reports that wait for block space, faults of feeds and growth caps, with their part in the report's error."""

from __future__ import annotations

import math

import pytest
from test_oracle_feeds import E8, ETH, World

from agents.registry import kinds
from scenarios import ScenarioError, load
from sim.markets.oracle import FeedFault, FixedFeed, MarketFeed, RatioFeed, ReportBid

YEAR = 31_536_000


def spaced(world, eth, space):
    """One step of a block with the given room for reports, as a function of the ratio they offer."""
    world.block += 1
    world.prices[ETH] = eth
    world.market.begin_step(world.prices, 12 * world.block)
    return world.oracle.step(world.block, 12 * world.block, space)


# ---------------------------------------------------------------------- block space
def test_a_report_without_room_waits_and_the_newest_takes_its_place():
    world = World(MarketFeed("WETH", ETH))
    world.step(2_000.0)
    assert spaced(world, 1_900.0, lambda ratio: 0) == []
    assert spaced(world, 1_800.0, lambda ratio: 0) == []
    assert world.oracle.prices == [2_000 * E8]
    assert world.oracle.pending(0) == 2
    (report,) = spaced(world, 1_800.0, lambda ratio: 250_000)
    assert (report.price, report.read_block, report.effective_block) == (1_800 * E8, 2, 3)
    assert (world.oracle.included, world.oracle.pending(0)) == (1, 0)


def test_a_waiting_report_offers_more_until_it_is_included():
    world = World(MarketFeed("WETH", ETH), bid=ReportBid(250_000, 0.1, 0.125, 10.0))
    world.step(2_000.0)
    offered = []

    def room_above_twelve_percent(ratio):
        offered.append(ratio)
        return 250_000 if ratio >= 0.12 else 0

    taken = [spaced(world, 1_900.0, room_above_twelve_percent) for _ in range(4)]
    assert [len(reports) for reports in taken] == [0, 0, 0, 1]
    assert offered == pytest.approx([0.1, 0.1125, 0.1265625])


def test_the_offer_stops_at_its_ceiling():
    bid = ReportBid(tip_ratio=0.1, raise_ratio=0.125, ceiling_ratio=0.5)
    assert bid.ratio(0) == 0.1
    assert bid.ratio(100) == bid.ratio(10**9) == 0.5


def test_two_reports_need_twice_the_room():
    world = World(MarketFeed("WETH", ETH), MarketFeed("WBTC", 1))
    world.step()
    world.prices[1] *= 0.9
    spaced(world, 1_900.0, lambda ratio: 400_000)
    assert [report.feed for report in spaced(world, 1_900.0, lambda ratio: 400_000)] == ["WETH"]
    assert [report.feed for report in spaced(world, 1_900.0, lambda ratio: 400_000)] == ["WBTC"]


# ---------------------------------------------------------------------- faults
def test_a_factor_holds_from_its_first_to_its_last_moment_and_is_error():
    world = World(
        MarketFeed("WETH", ETH),
        RatioFeed("stETH", "WETH", 1.1),
        faults={"WETH": [FeedFault("factor", 24, 48, 0.97)]},
    )
    prices = []
    for _ in range(6):
        world.step(2_000.0)
        prices.append(world.oracle.prices_usd())
    assert [price[0] for price in prices] == [2_000.0, 2_000.0, 1_940.0, 1_940.0, 2_000.0, 2_000.0]
    assert [price[1] for price in prices] == [2_200.0, 2_200.0, 2_134.0, 2_134.0, 2_200.0, 2_200.0]


def test_the_error_of_a_report_is_the_log_of_the_fault():
    world = World(MarketFeed("WETH", ETH), faults={"WETH": [FeedFault("factor", 12, 10**6, 0.97)]})
    world.step(2_000.0)
    (report,) = world.step(2_000.0)
    assert report.error == pytest.approx(math.log(0.97), abs=1e-12)
    assert math.fsum(report.parts().values()) == pytest.approx(math.log(1_940.0), abs=1e-12)


def test_a_venue_spike_is_reported_by_the_ordinary_rule():
    """Within the deviation it never shows; beyond, it comes with the latency and goes with it."""
    small = World(MarketFeed("WETH", ETH), faults={"WETH": [FeedFault("venue", 12, 48, 1.004)]})
    large = World(MarketFeed("WETH", ETH), faults={"WETH": [FeedFault("venue", 12, 48, 1.10)]})
    seen = []
    for _ in range(7):
        small.step(2_000.0)
        large.step(2_000.0)
        assert small.oracle.prices_usd() == [2_000.0]
        seen.append(large.oracle.prices_usd()[0])
    assert seen == [2_000.0, 2_000.0, 2_200.0, 2_200.0, 2_200.0, 2_000.0, 2_000.0]


def test_a_stale_feed_says_nothing():
    world = World(MarketFeed("WETH", ETH), faults={"WETH": [FeedFault("stale", 12, 60)]}, latency_blocks=0)
    world.step(2_000.0)
    assert [len(world.step(1_000.0)) for _ in range(5)] == [0, 0, 0, 0, 1]


def test_faults_of_a_feed_that_does_not_exist_are_refused():
    with pytest.raises(ValueError, match="WBTC"):
        World(MarketFeed("WETH", ETH), faults={"WBTC": [FeedFault("stale", 0, 1)]})


# ---------------------------------------------------------------------- growth cap
def test_the_cap_grows_linearly_and_what_it_takes_is_error():
    feed = RatioFeed("stETH", "USD", 1.2, 1.0, update_seconds=12, cap_growth_per_year=0.1, cap_ratio=1.1)
    assert feed.highest_ratio(YEAR) == pytest.approx(1.21)
    world = World(FixedFeed("USD", 2_000.0), feed)
    world.step()
    assert world.oracle.prices_usd()[1] == pytest.approx(2_200.0)
    assert world.oracle.report(1).error == pytest.approx(math.log(1.1 / 1.2), abs=1e-9)
    assert math.fsum(world.oracle.causes(1).values()) == pytest.approx(math.log(2_200.0), abs=1e-9)


def test_a_cap_above_the_ratio_changes_nothing():
    capped = RatioFeed("stETH", "USD", 1.2, 0.03, cap_growth_per_year=0.09)
    free = RatioFeed("stETH", "USD", 1.2, 0.03)
    one, other = World(FixedFeed("USD", 2_000.0), capped), World(FixedFeed("USD", 2_000.0), free)
    for _ in range(3):
        one.step(blocks=7_200)
        other.step(blocks=7_200)
        assert one.oracle.prices == other.oracle.prices


# ---------------------------------------------------------------------- in a scenario
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"oracle.feeds.WETH.cap_growth_per_year": 0.1}, "oracle.feeds.WETH.cap_growth_per_year"),
        ({"oracle.feeds.WETH.cap_ratio": 1.2}, "oracle.feeds.WETH.cap_ratio"),
        (
            {"oracle.feeds.WETH.faults": [{"kind": "factor", "at_seconds": 0, "for_seconds": 5}]},
            "oracle.feeds.WETH.faults.0.factor",
        ),
        (
            {"oracle.feeds.WETH.faults": [{"kind": "stale", "at_seconds": 10**9, "for_seconds": 5}]},
            "oracle.feeds.WETH.faults.0.at_seconds",
        ),
    ],
)
def test_bad_faults_are_told(changes, path):
    with pytest.raises(ScenarioError) as caught:
        load("calm", changes, kinds=kinds())
    assert path in [problem.path for problem in caught.value.problems]
