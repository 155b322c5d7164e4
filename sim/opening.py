"""Opening the markets of a scenario: the lending pool with its reserves, and the AMMs with their first liquidity."""

from __future__ import annotations

from typing import Any

from scenarios import Scenario
from scenarios.schema import Reserve, bps
from sim.building_amms import amm_of
from sim.chain.clock import Clock
from sim.ledger import Ledger
from sim.markets.lending import EModeParameters, LendingPool, ReserveParameters, TwoSlopeRates
from sim.markets.oracle import Oracle
from sim.markets.outside import OutsideMarket
from sim.markets.ratios import RedemptionRatios
from sim.refusals import Refusals

#: Names under which transactions find the other markets; no AMM and no redemption queue may have one of them.
TAKEN_NAMES = ("pool", "venues", "periphery", "outside", "arrivals", "loops", "provision")


# ---------------------------------------------------------------------- lending pool
def open_pool(
    scenario: Scenario, ledger: Ledger, clock: Clock, tokens: dict[str, int], oracle: Oracle, refusals: Refusals
) -> LendingPool:
    """The lending pool with its reserves and e-modes, empty, at the oracle's opening prices."""
    settings = scenario.pool
    pool = LendingPool(
        "pool",
        ledger,
        clock,
        prices=oracle.reserve_prices([tokens[symbol] for symbol in settings.reserves]),
        rules=settings.rules,
        flash_premium_bps=settings.flash_premium_bps,
    )
    for symbol, reserve in settings.reserves.items():
        with refusals.at(f"pool.reserves.{symbol}", _terms(reserve), "where the threshold is above 0, a bonus above 0"):
            asset = pool.add_reserve(_reserve(reserve, tokens[symbol], scenario.mechanisms.interest))
            if reserve.frozen:
                pool.set_frozen(pool.treasury, asset, True)
            if reserve.paused:
                pool.set_paused(pool.treasury, asset, True)
    refusals.check()
    for category, emode in settings.emodes.items():
        with refusals.at(f"pool.emodes.{category}", _terms(emode), "ltv and bonus above 0"):
            pool.add_emode(
                EModeParameters(
                    category=category,
                    label=emode.label,
                    ltv_bps=bps(emode.ltv),
                    liquidation_threshold_bps=bps(emode.liquidation_threshold),
                    liquidation_bonus_bps=10_000 + bps(emode.liquidation_bonus),
                    collateral=tuple(pool.asset(symbol) for symbol in emode.collateral),
                    borrowable=tuple(pool.asset(symbol) for symbol in emode.borrowable),
                )
            )
    refusals.check()
    return pool


def _terms(terms: Any) -> str:
    """What a reserve or e-mode counts for, in the scenario's words."""
    names = ("ltv", "liquidation_threshold", "liquidation_bonus")
    return ", ".join(f"{name} = {getattr(terms, name):g}" for name in names)


def _reserve(reserve: Reserve, token: int, interest: bool) -> ReserveParameters:
    on = 1 if interest else 0
    return ReserveParameters(
        token=token,
        rate_model=TwoSlopeRates(
            optimal_usage_ray=_ray(reserve.optimal_utilisation),
            base_rate_ray=on * _ray(reserve.base_rate_per_year),
            slope1_ray=on * _ray(reserve.slope1_per_year),
            slope2_ray=on * _ray(reserve.slope2_per_year),
        ),
        ltv_bps=bps(reserve.ltv),
        liquidation_threshold_bps=bps(reserve.liquidation_threshold),
        liquidation_bonus_bps=10_000 + bps(reserve.liquidation_bonus) if reserve.liquidation_threshold else 0,
        reserve_factor_bps=bps(reserve.reserve_factor),
        liquidation_protocol_fee_bps=bps(reserve.liquidation_protocol_fee),
        supply_cap_tokens=reserve.supply_cap_tokens,
        borrow_cap_tokens=reserve.borrow_cap_tokens,
        borrowing_enabled=reserve.borrowing_enabled,
        flash_loan_enabled=reserve.flash_loan_enabled,
    )


def _ray(ratio: float) -> int:
    return bps(ratio) * 10**23


# ---------------------------------------------------------------------- AMMs
def open_amms(
    scenario: Scenario,
    ledger: Ledger,
    clock: Clock,
    tokens: dict[str, int],
    outside: OutsideMarket,
    ratios: RedemptionRatios,
    refusals: Refusals,
) -> dict[str, Any]:
    """All AMMs by name, in the scenario's order."""
    amms = {}
    for path in [f"{part}.{name}" for part in ("amms", "redemptions") for name in getattr(scenario, part)]:
        name = path.partition(".")[2]
        if name in TAKEN_NAMES:
            refusals.add(path, name, f"any name but {', '.join(TAKEN_NAMES)}", "is the name of another market")
    for name, amm in scenario.amms.items():
        if name in TAKEN_NAMES:
            continue
        with refusals.at(
            f"amms.{name}",
            f"liquidity worth {amm.liquidity_usd:g} USD at {outside.prices[tokens[amm.token0]]:g} USD a {amm.token0}",
            "liquidity of at least one unit, and no more than a tick of the pool can hold",
        ):
            amms[name] = amm_of(name, amm, ledger, clock, tokens, outside, ratios)
    refusals.check()
    return amms
