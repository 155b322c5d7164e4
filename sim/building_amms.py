"""Building the places of exchange: AMM pools with their passive liquidity, redemption ratios and queues."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scenarios import Scenario
from scenarios.schema import Amm
from sim.chain.clock import Clock
from sim.ledger import Ledger
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.constant_product import ConstantProductPool
from sim.markets.amm.stableswap.pool import StableSwapPool
from sim.markets.outside import OutsideMarket
from sim.markets.ratios import RedemptionRatios, Staked
from sim.markets.redemption import RedemptionQueue
from sim.prices import Ratio
from sim.randomness import Randomness


def ratios_of(scenario: Scenario, clock: Clock, tokens: Mapping[str, int]) -> RedemptionRatios:
    """The redemption ratio of every `ratio` asset."""
    return RedemptionRatios(
        clock,
        [
            Staked(
                tokens[symbol],
                tokens[asset.base],
                Ratio(asset.base, float(asset.ratio or 1.0), asset.ratio_growth_per_year),
            )
            for symbol, asset in scenario.assets.items()
            if asset.kind == "ratio" and asset.base is not None
        ],
    )


def queues_of(
    scenario: Scenario,
    ledger: Ledger,
    clock: Clock,
    randomness: Randomness,
    ratios: RedemptionRatios,
    tokens: Mapping[str, int],
) -> dict[str, RedemptionQueue]:
    """The scenario's redemption queues by name."""
    queues: dict[str, RedemptionQueue] = {}
    for name, settings in scenario.redemptions.items():
        token = tokens[settings.asset]
        unit = ledger.tokens[ratios.staked[token].base].unit
        queues[name] = RedemptionQueue(
            name,
            ledger,
            clock,
            randomness,
            ratios,
            token,
            churn_per_day=max(1, int(settings.churn_tokens_per_day * unit)),
            opening_backlog=int(settings.opening_backlog_tokens * unit),
            delay_days_least=settings.delay_days_least,
            delay_days_most=settings.delay_days_most,
            opens_at=settings.open_timestamp,
            request_gas=settings.request_gas,
            claim_gas=settings.claim_gas,
        )
    return queues


def amm_of(
    name: str,
    settings: Amm,
    ledger: Ledger,
    clock: Clock,
    tokens: Mapping[str, int],
    outside: OutsideMarket,
    ratios: RedemptionRatios,
) -> Any:
    """A pool opened at the outside price, its liquidity held by one passive account."""
    token0, token1 = tokens[settings.token0], tokens[settings.token1]
    price = outside.prices[token0] / outside.prices[token1]
    owner = ledger.open_account(f"{name} liquidity")
    value1 = int(settings.liquidity_usd / outside.prices[token1] * ledger.tokens[token1].unit)
    if settings.kind == "constant_product":
        return _constant_product(name, settings, ledger, clock, (token0, token1), owner, value1, price)
    if settings.kind == "stableswap":
        return _stable(name, settings, ledger, clock, (token0, token1), owner, value1, price, ratios)
    amm = ConcentratedPool(
        name, ledger, clock, token0, token1, settings.fee_pips, settings.tick_spacing, settings.fee_protocol
    )
    amm.initialize_at(price)
    bands = [(band.width_ratio, band.share) for band in settings.ranges] or [(math.inf, 1.0)]
    for width, share in bands:
        low = None if math.isinf(width) else price / (1.0 + width)
        high = None if math.isinf(width) else price * (1.0 + width)
        value = int(value1 * share)
        plan = amm.plan_provision(value, low, high)
        ledger.inflow(token0, owner, plan.amount0)
        ledger.inflow(token1, owner, plan.amount1)
        amm.provide(owner, low, high, value)
    return amm


def _constant_product(
    name: str,
    settings: Amm,
    ledger: Ledger,
    clock: Clock,
    pair: tuple[int, int],
    owner: int,
    value1: int,
    price: float,
) -> ConstantProductPool:
    token0, token1 = pair
    amm = ConstantProductPool(
        name,
        ledger,
        clock,
        token0,
        token1,
        fee_bps=settings.fee_pips // 100,
        protocol_fee_on=bool(settings.fee_protocol),
    )
    half1 = value1 // 2
    half0 = int(half1 / ledger.tokens[token1].unit / price * ledger.tokens[token0].unit)
    ledger.inflow(token0, owner, half0)
    ledger.inflow(token1, owner, half1)
    amm.add_liquidity(owner, half0, half1)
    return amm


def _stable(
    name: str,
    settings: Amm,
    ledger: Ledger,
    clock: Clock,
    pair: tuple[int, int],
    owner: int,
    value1: int,
    price: float,
    ratios: RedemptionRatios,
) -> StableSwapPool:
    """A stable pool at the redemption ratios of its tokens, 1 for those that have none."""
    amm = StableSwapPool(name, ledger, clock, pair, settings.amplification, settings.fee_pips, ratios.rates(pair))
    amounts = amm.plan_amounts(value1, price)
    for token, amount in zip(pair, amounts, strict=True):
        ledger.inflow(token, owner, amount)
    amm.add_liquidity(owner, amounts)
    if settings.ramp is not None:
        start = clock.timestamp
        ramp = settings.ramp
        amm.start_ramp(owner, ramp.to_amplification, start + ramp.to_seconds, start + ramp.from_seconds)
    return amm
