"""Oracle feeds: deviation, heartbeat, latency, composition, and the causes inside every report."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.markets.oracle
from sim.chain.clock import Clock
from sim.ledger import Ledger
from sim.markets.oracle import Feed, FixedFeed, MarketFeed, Oracle, RatioFeed, Report
from sim.markets.outside import OutsideMarket, OutsideToken

ETH, BTC, USDC = range(3)
E8 = 10**8


class World:
    """An outside market with three tokens and an oracle over it; one block every 12 s."""

    def __init__(self, *feeds: Feed, **arguments: Any) -> None:
        self.ledger = Ledger()
        for symbol, decimals in (("WETH", 18), ("WBTC", 8), ("USDC", 6)):
            self.ledger.add_token(symbol, decimals)
        self.market = OutsideMarket(
            self.ledger, Clock(), {ETH: OutsideToken(80e6), BTC: OutsideToken(200e6), USDC: OutsideToken()}
        )
        self.account = self.ledger.open_account("trader")
        self.ledger.inflow(ETH, self.account, 10**24)
        self.prices = [2_000.0, 100_000.0, 1.0]
        self.oracle = Oracle(self.market, feeds or (MarketFeed("WETH", ETH),), **arguments)
        self.block = -1

    def step(self, eth: float | None = None, blocks: int = 1) -> list[Report]:
        self.block += blocks
        self.prices[ETH] = eth or self.prices[ETH]
        self.market.begin_step(self.prices, 12 * self.block)
        return self.oracle.step(self.block, 12 * self.block)

    def sell(self, eth: int, cause: str) -> None:
        self.market.swap(self.account, ETH, USDC, eth * 10**18, 0, ((cause, 1.0),))


# ---------------------------------------------------------------------- market feeds
def test_the_opening_takes_effect_at_once_and_the_list_is_the_same_object() -> None:
    world = World(MarketFeed("WETH", ETH), MarketFeed("WBTC", BTC), FixedFeed("USDC", 1.0), latency_blocks=3)
    prices = world.oracle.prices
    shared = world.oracle.reserve_prices([2, 0, 2])
    assert [report.feed for report in world.step()] == ["WETH", "WBTC", "USDC"]
    assert prices is world.oracle.prices
    assert prices == [2_000 * E8, 100_000 * E8, E8]
    assert shared == [E8, 2_000 * E8, E8]
    assert world.oracle.prices_usd() == [2_000.0, 100_000.0, 1.0]


def test_a_report_waits_for_the_deviation() -> None:
    world = World(latency_blocks=0)
    world.step()
    assert world.step(2_009.99) == []
    (report,) = world.step(2_010.0)
    assert (report.price, report.read_at, report.effective_at) == (2_010 * E8, 24, 24)
    assert world.step(2_000.0) == []  # 0.4975 % under 2,010
    assert world.step(1_999.95)[0].price == 199_995_000_000


def test_a_report_comes_at_the_latest_after_the_heartbeat() -> None:
    world = World(MarketFeed("WETH", ETH, heartbeat_seconds=3_600), latency_blocks=0)
    world.step()
    blocks = [world.block for _ in range(650) if world.step(2_001.0)]
    assert blocks == [300, 600]
    assert world.oracle.prices == [2_001 * E8]


def test_latency_delays_the_report_and_freezes_what_is_in_it() -> None:
    world = World(latency_blocks=2)
    world.step()
    assert world.step(2_100.0) == []
    assert world.oracle.pending(0) == 1
    assert world.step(2_200.0) == []  # again more than half a per cent from what was sent
    assert world.oracle.prices == [2_000 * E8]
    (first,) = world.step(2_200.0)
    assert (first.price, first.read_block, first.read_at, first.effective_block) == (2_100 * E8, 1, 12, 3)
    assert first.ln_exogenous == math.log(2_100.0)
    (second,) = world.step(2_200.0)
    assert (second.price, second.read_block) == (2_200 * E8, 2)
    assert world.oracle.report(0) == second
    assert world.step(2_200.0) == []


def test_a_step_of_several_blocks_reads_once() -> None:
    world = World(latency_blocks=2)
    world.step()
    assert world.step(2_100.0, blocks=5) == []
    (report,) = world.step(2_150.0, blocks=5)
    assert (report.price, report.read_block, report.effective_block) == (2_100 * E8, 5, 10)


def test_without_lag_the_oracle_is_the_market() -> None:
    world = World(MarketFeed("WETH", ETH), RatioFeed("wstETH", "WETH", 1.2), latency_blocks=5, lag=False)
    for price in (2_000.0, 2_000.00000001, 1_999.123456789, 500.0):
        reports = world.step(price)
        assert [report.feed for report in reports] == ["WETH", "wstETH"]
        assert world.oracle.prices[0] == round(price * E8)
        assert world.oracle.prices[1] == world.oracle.prices[0] * 12 // 10
    assert world.step(500.0) == []


def test_prices_are_rounded_to_eight_decimals_and_never_zero() -> None:
    world = World(MarketFeed("WETH", ETH, deviation_ratio=0.0), latency_blocks=0)
    assert world.step(1_234.567890124)[0].price == 123_456_789_012
    assert world.step(1_234.567890126)[0].price == 123_456_789_013
    assert world.step(1_234.567890127) == []  # not another price
    assert world.step(1e-12)[0].price == 1


# ---------------------------------------------------------------------- composed and fixed feeds
def test_a_ratio_feed_multiplies_the_report_in_use() -> None:
    world = World(RatioFeed("wstETH", "WETH", 1.2), MarketFeed("WETH", ETH), latency_blocks=1)
    assert [report.feed for report in world.step()] == ["WETH", "wstETH"]
    assert world.oracle.prices == [2_400 * E8, 2_000 * E8]
    assert world.step(2_100.0) == []
    reports = world.step(2_100.0)
    assert [report.feed for report in reports] == ["WETH", "wstETH"]
    assert world.oracle.prices == [2_520 * E8, 2_100 * E8]
    assert reports[1].read_at == reports[0].read_at == 12


def test_the_ratio_is_posted_once_a_day_and_rounded_down() -> None:
    world = World(
        MarketFeed("WETH", ETH, heartbeat_seconds=10**9),
        RatioFeed("wstETH", "WETH", 1.2, ratio_growth_per_year=0.0365),
        latency_blocks=4,
    )
    world.step()
    taken = [report for _ in range(14_500) for report in world.step()]
    assert [(report.feed, report.effective_at) for report in taken] == [("wstETH", 86_400), ("wstETH", 172_800)]
    ratio = int(1.2 * math.exp(0.0365 * 172_800 / 31_536_000) * 10**18)
    assert taken[-1].price == 2_000 * E8 * ratio // 10**18
    assert taken[-1].parts()["outside"] == pytest.approx(math.log(2_400.0) + 0.0002, abs=1e-12)


def test_a_chain_of_ratios_and_a_fixed_base() -> None:
    world = World(RatioFeed("c", "b", 3.0), RatioFeed("b", "a", 2.0), FixedFeed("a", 0.5))
    world.step()
    assert world.oracle.prices == [3 * E8, E8, E8 // 2]
    assert world.step() == []
    assert world.oracle.causes(0)["basis"] == pytest.approx(math.log(0.5))
    assert math.fsum(world.oracle.causes(0).values()) == pytest.approx(math.log(3.0), abs=1e-15)


# ---------------------------------------------------------------------- causes
def test_causes_are_those_of_the_time_of_reading() -> None:
    world = World(MarketFeed("WETH", ETH, deviation_ratio=0.001), latency_blocks=1)
    world.step()
    world.sell(10_000, "liquidation")
    world.step()  # reads the sale
    inside = world.market.impact(ETH)
    world.sell(20_000, "trading")  # after the reading: not in the next report
    (report,) = world.step()
    assert dict(report.impacts) == {"liquidation": pytest.approx(inside, abs=1e-16)}
    parts = world.oracle.causes(0)
    assert list(parts) == ["outside", "liquidation", "basis", "error"]
    assert parts["outside"] == math.log(2_000.0)
    assert parts["liquidation"] == -inside
    assert parts["basis"] == 0.0
    assert abs(parts["error"]) < 1e-11
    assert math.fsum(parts.values()) == pytest.approx(math.log(report.price / E8), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.floats(-0.2, 0.2), st.integers(0, 40_000), st.sampled_from(["liquidation", "whale", "trading"])),
        min_size=1,
        max_size=25,
    ),
    latency=st.integers(0, 3),
    lag=st.booleans(),
)
def test_the_log_of_every_price_is_the_sum_of_its_causes(
    moves: list[tuple[float, int, str]], latency: int, lag: bool
) -> None:
    feeds = (MarketFeed("WETH", ETH), RatioFeed("wstETH", "WETH", 1.207, 0.03, 30), FixedFeed("USDC", 0.99993))
    world = World(*feeds, latency_blocks=latency, lag=lag)
    history = []
    eth = 2_000.0
    for move, sold, cause in moves:
        eth *= math.exp(move)
        for report in world.step(eth):
            parts = report.parts()
            assert abs(math.fsum(parts.values()) - math.log(report.price / E8)) < 1e-12
            if report.feed == "WETH":
                assert abs(parts["error"]) < 1e-8
                assert report.read_block == report.effective_block - (latency if lag and report.effective_block else 0)
        history.append((math.log(eth), world.market.impact_by_cause(ETH)))
        for asset, report in ((0, world.oracle.report(0)), (1, world.oracle.report(1))):
            assert report.price == world.oracle.prices[asset]
            log_exogenous, impacts = history[report.read_block]
            assert dict(report.impacts) == impacts
            if asset == 0:
                assert report.ln_exogenous == log_exogenous
        if sold:
            world.sell(sold, cause)


# ---------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        ((MarketFeed("A", ETH), FixedFeed("A", 1.0)), "feed A: given twice"),
        ((RatioFeed("B", "A", 1.0),), "base of feed B: given A; allowed: B"),
        ((RatioFeed("B", "C", 1.0), RatioFeed("C", "B", 1.0), FixedFeed("A", 1.0)), "a loop among B, C"),
        ((RatioFeed("B", "B", 1.0),), "a loop among B"),
        ((FixedFeed("A", 0.0),), "price_usd of A: given 0.0"),
        ((FixedFeed("A", math.nan),), "price_usd of A: given nan"),
        ((MarketFeed("A", ETH, -0.1),), "deviation_ratio of A: given -0.1"),
        ((MarketFeed("A", ETH, 0.1, 0),), "heartbeat_seconds of A: given 0"),
        ((FixedFeed("A", 1.0), RatioFeed("B", "A", 0.0)), "ratio of B: given 0.0"),
        ((FixedFeed("A", 1.0), RatioFeed("B", "A", 1.0, 0.0, 0)), "update_seconds of B: given 0"),
    ],
)
def test_feeds_are_checked(feeds: tuple[Feed, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        World(*feeds)


def test_latency_and_readers_are_checked() -> None:
    with pytest.raises(ValueError, match="latency_blocks: given -1"):
        World(latency_blocks=-1)
    with pytest.raises(LookupError, match="feed WETH has not reported yet"):
        World().oracle.report(0)
    with pytest.raises(TypeError, match="abstract"):
        Feed()  # type: ignore[abstract]
    for name in sim.markets.oracle.__all__:
        assert getattr(sim.markets.oracle, name).__name__ == name
    with pytest.raises(AttributeError, match="Nothing"):
        _ = sim.markets.oracle.Nothing
