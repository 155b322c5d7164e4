"""How a liquidator plans: which pair, how much, and what is left after bonus, fee, slippage and premium.

A plan depends on the position and the markets, not on who makes it, so all liquidators of a step share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.markets.venues import OUTSIDE, Leg, Route
from sim.view import View

#: pool.liquidate's own word for "repay everything that may be repaid".
MAX = 2**256 - 1

#: Shares of the largest amount at which a plan is tried when the full amount is more than the market takes.
_FRACTIONS = tuple(0.5**halvings for halvings in range(1, 13))


#: Units by which what leaves a position may differ from what was worked out, because balances are stored scaled.
ROUNDING_UNITS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """One liquidation call and what it earns; amounts in smallest units, profit in the debt token before gas."""

    borrower: int
    collateral_asset: int
    debt_asset: int
    debt_to_cover: int
    route: Route
    profit: int
    profit_usd: float
    debt_usd: float


def best_plan(view: View, borrower: int, flash: bool, outside: bool) -> Plan | None:
    """The pair and amount with the largest profit, or None where none is positive."""
    plans = all_plans(view, borrower, flash, outside)
    return plans[0] if plans else None


def all_plans(view: View, borrower: int, flash: bool, outside: bool) -> tuple[Plan, ...]:
    """For every pair that earns something the amount that earns most, the best pair first.

    profit(x) = sale(x (1 + b (1 - f_p)) O_d / O_c) - x - premium(x), with x up to what the close factor allows.
    """
    key = ("plan", borrower, flash, outside)
    cache = view.cache
    found: tuple[Plan, ...] | None = cache.get(key)
    if found is None:
        pool = view.pool
        plans = [
            _plan(view, borrower, collateral_asset, debt_asset, flash, outside)
            for collateral_asset in pool.collateral_assets(borrower)
            for debt_asset in pool.debt_assets(borrower)
        ]
        earning = [plan for plan in plans if plan is not None]
        earning.sort(key=lambda plan: -plan.profit_usd)
        found = cache[key] = tuple(earning)
    return found


def resized(view: View, plan: Plan, cover: int, flash: bool) -> Plan | None:
    """The same liquidation with less debt repaid, or None where the pool refuses that or nothing is earned."""
    preview = view.pool.liquidation_preview(plan.borrower, plan.collateral_asset, plan.debt_asset, cover)
    if preview is None or preview.debt_repaid <= 0:
        return None
    seized = preview.collateral_to_liquidator
    proceeds = view.venues.quote(plan.route, seized) if plan.route else seized
    profit = proceeds - _cost(view.pool, preview.debt_repaid, flash)
    return _finish(view, preview, preview.debt_repaid, plan.route, profit)


def _plan(view: View, borrower: int, collateral_asset: int, debt_asset: int, flash: bool, outside: bool) -> Plan | None:
    pool = view.pool
    full = pool.liquidation_preview(borrower, collateral_asset, debt_asset, MAX)
    if full is None:
        full = _within_cash(pool, borrower, collateral_asset, debt_asset)
    if full is None or full.debt_repaid <= 0:
        return None
    token_in = pool.reserves[collateral_asset].token
    token_out = pool.reserves[debt_asset].token
    seized = full.collateral_to_liquidator
    if token_in == token_out:
        route: Route = ()
        proceeds = seized
    elif outside:
        route = (Leg(OUTSIDE, token_in, token_out),)
        proceeds = view.venues.quote(route, seized)
    elif view.spot_price(token_in, token_out) * seized <= _cost(pool, full.debt_repaid, flash):
        return None  # even the first unit sold does not pay for the debt it repays, so no amount does
    else:
        route, proceeds = view.venues.best_route(token_in, token_out, seized)
    if proceeds <= 0:
        return None
    cost = _cost(pool, full.debt_repaid, flash)
    if flash:
        cover = min(full.debt_repaid, pool.available_liquidity(debt_asset))
    else:
        cover = full.debt_repaid
    profit = proceeds - cost
    if cover == full.debt_repaid and route:
        # Marginal test: if the last two per cent of the sale earn their cost, the full amount is best.
        less = view.venues.quote(route, seized - seized // 50)
        if proceeds - less >= cost - _cost(pool, full.debt_repaid - full.debt_repaid // 50, flash):
            return _finish(view, full, cover, route, profit)
    elif cover == full.debt_repaid and not route:
        return _finish(view, full, cover, route, profit)
    return _partial(view, full, route, flash, cover, profit)


def _within_cash(pool: Any, borrower: int, collateral_asset: int, debt_asset: int) -> Any:
    """Where the pool has less of the collateral than it would pay out: what it has, less a thousandth for who is first.

    None where a liquidation is refused for another reason.
    """
    whole = pool.liquidation_preview(borrower, collateral_asset, debt_asset, MAX, True)
    liquid = pool.available_liquidity(collateral_asset)
    if whole is None or whole.collateral_to_liquidator <= liquid:
        return None
    amount = whole.debt_repaid * (liquid - liquid // 1000) // whole.collateral_to_liquidator
    return pool.liquidation_preview(borrower, collateral_asset, debt_asset, amount)


def _partial(view: View, full: Any, route: Route, flash: bool, most: int, full_profit: int) -> Plan | None:
    """Less than the full amount: halve it while that earns more, then make sure the pool accepts the amount."""
    pool = view.pool
    best_cover, best_profit = (most, full_profit) if most == full.debt_repaid else (0, 0)
    for fraction in _FRACTIONS:
        cover = min(int(full.debt_repaid * fraction), most)
        if cover <= 0:
            break
        seized = full.collateral_to_liquidator * cover // full.debt_repaid
        profit = view.venues.quote(route, seized) - _cost(pool, cover, flash)
        if profit > best_profit:
            best_cover, best_profit = cover, profit
        elif best_profit > 0:
            break
    if best_profit <= 0:
        return None
    if best_cover != full.debt_repaid:
        preview = pool.liquidation_preview(full.borrower, full.collateral_asset, full.debt_asset, best_cover)
        if preview is None:
            # The dust rule forbids this remainder; take all or nothing.
            best_cover, best_profit = (most, full_profit) if most == full.debt_repaid else (0, 0)
        else:
            best_cover = preview.debt_repaid
            best_profit = view.venues.quote(route, preview.collateral_to_liquidator) - _cost(pool, best_cover, flash)
    return _finish(view, full, best_cover, route, best_profit)


def _whole(pool: Any, full: Any) -> int:
    """The least amount to cover with which the pool does what `full` says.

    Where the collateral is the limit, the debt it pays for is rounded, and to offer exactly that much may leave a unit
    of collateral behind: the dust rule then refuses it. What is offered too much is not taken. Where collateral is
    left, the debt was the limit, and the very same amount does the very same.
    """
    repaid = int(full.debt_repaid)
    taken = full.collateral_to_liquidator + full.protocol_fee
    if taken < pool.atoken_balance(full.collateral_asset, full.borrower) - ROUNDING_UNITS:
        return repaid
    for amount in (repaid, repaid + 2, repaid + 2 + repaid // 1_000_000, repaid + 2 + repaid // 1_000):
        if pool.liquidation_preview(full.borrower, full.collateral_asset, full.debt_asset, amount) == full:
            return amount
    return repaid


def _cost(pool: Any, cover: int, flash: bool) -> int:
    return cover + (pool.flash_premium(cover) if flash else 0)


def _finish(view: View, full: Any, cover: int, route: Route, profit: int) -> Plan | None:
    if profit <= 0 or cover <= 0:
        return None
    token = view.pool.reserves[full.debt_asset].token
    unit_usd = view.outside_usd[token] / view.ledger.tokens[token].unit
    debt_usd = cover * unit_usd
    if cover == full.debt_repaid:
        cover = _whole(view.pool, full)
    return Plan(
        full.borrower, full.collateral_asset, full.debt_asset, cover, route, profit, profit * unit_usd, debt_usd
    )
