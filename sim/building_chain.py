"""Building the oracle and the gas market of a scenario."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scenarios import Scenario
from scenarios.eras import ERAS, era_at, usual_gwei
from sim.chain.clock import Clock
from sim.chain.gas import GasMarket, GasTerms, Surge
from sim.markets.oracle import Feed, FeedFault, FixedFeed, MarketFeed, Oracle, RatioFeed, ReportBid
from sim.markets.outside import OutsideMarket

#: Days between two renewals of the reference price in a run whose terms follow the date.
RENEWAL_DAYS = 7


def oracle_of(scenario: Scenario, outside: OutsideMarket, clock: Clock, symbols: tuple[str, ...]) -> Oracle:
    """One feed per asset, in the order of the assets; the opening reports are in use at once."""
    feeds: list[Feed] = []
    faults: dict[str, list[FeedFault]] = {}
    for token, symbol in enumerate(symbols):
        settings = scenario.oracle.feeds[symbol]
        asset = scenario.assets[symbol]
        if settings.kind == "fixed":
            feeds.append(FixedFeed(symbol, float(settings.price_usd or 0.0)))
        elif settings.kind == "ratio":
            own = settings.ratio is None
            ratio = float((asset.ratio if own else settings.ratio) or 0.0)
            feeds.append(
                RatioFeed(
                    symbol,
                    str(settings.base or asset.base),
                    ratio,
                    asset.ratio_growth_per_year if own else 0.0,
                    cap_growth_per_year=settings.cap_growth_per_year,
                    cap_ratio=settings.cap_ratio,
                )
            )
        else:
            feeds.append(MarketFeed(symbol, token, settings.deviation_ratio, settings.heartbeat_seconds))
        if settings.faults:
            faults[symbol] = [
                FeedFault(fault.kind, fault.at_seconds, fault.at_seconds + fault.for_seconds, fault.factor)
                for fault in settings.faults
            ]
    posting = scenario.oracle
    # A step reads once, at its end. The nearest whole number of steps keeps reports as old as in single blocks: one
    # block of five counted as a whole step would make every report four blocks older.
    per_step = scenario.run.blocks_per_step
    latency_steps = (2 * posting.latency_blocks + per_step) // (2 * per_step)
    oracle = Oracle(
        outside,
        feeds,
        latency_blocks=latency_steps * per_step,
        lag=scenario.mechanisms.oracle_lag,
        faults=faults,
        bid=ReportBid(
            posting.report_gas, posting.report_tip_ratio, posting.report_raise_ratio, posting.report_ceiling_ratio
        ),
    )
    oracle.step(clock.block, clock.timestamp)
    return oracle


def gas_market_of(scenario: Scenario) -> GasMarket:
    """The gas market as the scenario states it, or as it was on the run's dates."""
    settings = scenario.gas
    start = scenario.run.start_timestamp
    terms = _terms(scenario) if settings.era == "date" else []
    first = terms[0] if terms else None
    return GasMarket(
        block_gas_limit=first.block_gas_limit if first else settings.block_gas_limit,
        base_fee_gwei=first.reference_gwei if first else settings.base_fee_gwei,
        reference_gwei=first.reference_gwei if first else settings.reference_gwei,
        demand_elasticity=settings.demand_elasticity,
        volatility_exponent=settings.volatility_exponent,
        min_base_fee_gwei=settings.min_base_fee_gwei,
        blocks_per_step=scenario.run.blocks_per_step,
        enabled=scenario.mechanisms.gas,
        first_price=first.first_price if first else settings.fee_market == "first_price",
        surges=[
            Surge(start + surge.at_seconds, start + surge.at_seconds + surge.for_seconds, surge.demand_ratio)
            for surge in settings.surges
        ],
        terms=terms[1:],
    )


def _terms(scenario: Scenario) -> list[GasTerms]:
    """Terms at the start of the run, renewed every week and wherever an era begins."""
    run = scenario.run
    start = datetime.fromtimestamp(run.start_timestamp, UTC)
    end = start + timedelta(seconds=run.horizon_seconds)
    moments = {start, *(era.since for era in ERAS if start < era.since < end)}
    moment = start + timedelta(days=RENEWAL_DAYS)
    while moment < end:
        moments.add(moment)
        moment += timedelta(days=RENEWAL_DAYS)
    found: list[GasTerms] = []
    for moment in sorted(moments):
        try:
            gwei = usual_gwei(moment.date())
        except LookupError:  # beyond the table: what was known last
            gwei = found[-1].reference_gwei
        era = era_at(moment)
        found.append(GasTerms(int(moment.timestamp()), era.block_gas_limit, era.first_price, gwei))
    return found
