"""AMM pools."""

from __future__ import annotations

from typing import Literal

from scenarios.schema.base import Section, Sequence, Whole, field, source_field


class LiquidityRange(Section):
    """A part of a concentrated pool's liquidity, in a band around the opening price."""

    width_ratio: float = field(
        ...,
        "The band reaches from price / (1 + width) to price x (1 + width)",
        source="assumption: a few bands stand for many that move (docs/model.md 16)",
        plausible=(0.002, 10.0),
        gt=0,
        le=1e6,
    )
    share: float = field(
        ...,
        "Share of the pool's value in this band; the shares add to 1",
        source="assumption: a few bands stand for many that move (docs/model.md 16)",
        plausible=(0.0, 1.0),
        gt=0,
        le=1,
    )


class Ramp(Section):
    """A stable pool's way to another amplification, in a straight line."""

    to_amplification: Whole = field(..., "A at the end", ge=1, le=5_000)
    from_seconds: Whole = field(0, "When it begins, after the start of the run", unit="s", ge=0)
    to_seconds: Whole = field(
        ..., "When it ends; a day after its beginning at least, and A at most doubles or halves a day", unit="s", ge=1
    )


class Amm(Section):
    """One AMM pool between two assets, opened at the outside price.

    A stable pool trades a `ratio` asset around its redemption ratio, which it reads at every step.
    """

    kind: Literal["constant_product", "concentrated", "stableswap"] = field(
        ..., "Uniswap V2, Uniswap V3 or StableSwap (Balancer V2 stable pool) mathematics"
    )
    token0: str = field(..., "First token", refers_to="asset")
    token1: str = field(..., "Second token; the pool's price is token1 per token0", refers_to="asset")
    fee_pips: Whole = field(
        3_000,
        "Swap fee in millionths (500 is 0.05 %); constant product: a multiple of 100",
        unit="pips",
        ge=0,
        lt=1_000_000,
    )
    tick_spacing: Whole = field(
        60, "Spacing of usable ticks (concentrated)", unit="ticks", source="Uniswap V3: 1, 10, 60, 200", ge=1, le=16_383
    )
    fee_protocol: Whole = field(
        0,
        "Protocol's part of the fee: 1/n for both tokens (concentrated: 0 or 4 to 10; constant product: 0 or 6)",
        ge=0,
        le=10,
    )
    liquidity_usd: float = field(
        ...,
        "Value of both tokens together when the run starts",
        unit="USD",
        source="assumption: no record of the depth of mainnet AMMs was found",
        plausible=(5e6, 2e9),
        gt=0,
    )
    ranges: Sequence[LiquidityRange] = field((), "Bands of a concentrated pool; omitted: the whole price range")
    liquidity_source: str = field("", "Where value and bands come from; `assumption` if no source was found")
    amplification: Whole = field(
        50,
        "A of a stable pool as pools quote it (the paper's A times the number of tokens for two tokens)",
        source="assumption: Balancer's wstETH pool of 2021 to 2023 had 50",
        plausible=(30, 1_000),
        ge=1,
        le=5_000,
    )
    ramp: Ramp | None = field(None, "A change of a stable pool's amplification during the run")
    source: str = source_field()
