"""How a farmer plans: what his loop is worth, what leaving in part or whole costs, how large a loop he can open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from agents.carry import leverage_at
from agents.elasticity import rates_after
from sim.chain.transaction import Call
from sim.markets.lending.constants import MAX
from sim.markets.redemption import RedemptionQueue
from sim.markets.routes import Route
from sim.view import View

_RAY = 1e-27

#: Parts of a loop at which leaving and entering are tried; the best is taken.
LOOP_PARTS = (1.0, 0.5, 0.25, 0.125, 0.0625)

#: Flash liquidity beyond the debt when all of it is repaid: it grows until the transaction is executed. What is not
#: needed goes straight back.
_FLASH_ROOM = 5_000

#: Share of the wallet and of the wanted debt used when a loop is opened: fees and rounding come out of the rest.
_ENTRY_ROOM = 0.998


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop as its owner sees it: amounts in smallest units, `*_base` in whole tokens of the base, rates per year.

    `discount` is how far the best pool's price is below par; `round_trip_cost` is what getting in and out costs, per
    unit of collateral; `leverage` is the present one, `leverage_wanted` that of the owner's target health factor.
    """

    assets: tuple[int, int]
    tokens: tuple[int, int]
    collateral: int
    debt: int
    wallet: int
    collateral_base: float
    debt_base: float
    equity_base: float
    leverage: float
    leverage_wanted: float
    threshold: float
    staking_per_year: float
    borrow_per_year: float
    discount: float
    round_trip_cost: float
    base_unit: int
    base_usd: float
    queue: RedemptionQueue | None


@dataclass(frozen=True, slots=True)
class Exit:
    """Leaving `part` of a loop by the pools: what is repaid and sold, for how much, and all it costs in the base."""

    part: float
    repay: int
    sold: int
    route: Route
    out: int
    source: str
    cost_base: float


def loop_of(farmer: Any, view: View) -> Loop:
    """The farmer's loop now."""
    pool = view.pool
    account = farmer.account
    assets: tuple[int, int] = farmer.population.memory["assets"]
    staked, base = (pool.reserves[asset] for asset in assets)
    p = farmer.parameters
    threshold = pool.liquidation_threshold_ratio(assets[0], p.emode)
    collateral = pool.atoken_balance(assets[0], account)
    debt = pool.debt_balance(assets[1], account)
    par = view.ratios.par(staked.token, base.token)
    collateral_base = collateral / staked.unit * par
    debt_base = debt / base.unit
    equity = max(collateral_base - debt_base, 1e-9 * collateral_base)
    wanted = leverage_at(float(farmer.population.columns["target"][farmer.row]), threshold)
    discount, fee = market_of(view, staked.token, base.token)
    return Loop(
        assets=assets,
        tokens=(staked.token, base.token),
        collateral=collateral,
        debt=debt,
        wallet=view.ledger.balances[base.token][account],
        collateral_base=collateral_base,
        debt_base=debt_base,
        equity_base=equity,
        leverage=collateral_base / equity if collateral else wanted,
        leverage_wanted=wanted,
        threshold=threshold,
        staking_per_year=staking_yield(view, assets[0]),
        borrow_per_year=pool.borrow_rate(assets[1]) * _RAY,
        discount=max(0.0, discount),
        round_trip_cost=max(0.0, discount) + fee + 2.0 * pool.flash_premium(base.unit) / base.unit,
        base_unit=base.unit,
        base_usd=view.outside_usd[base.token],
        queue=None if p.queue is None else view.queues[p.queue],
    )


def staking_yield(view: View, asset: int) -> float:
    """What a unit of the staked reserve earns as collateral: growth of its ratio, and the pool's supply rate."""
    pool = view.pool
    return float(view.ratios.yield_per_year(pool.reserves[asset].token) + pool.liquidity_rate(asset) * _RAY)


def market_of(view: View, staked: int, base: int) -> tuple[float, float]:
    """(discount, fee) of the pool on which the staked token is dearest: 1 - price / par; (0, 0) without a pool."""
    key = ("discount", staked, base)
    found: tuple[float, float] | None = view.cache.get(key)
    if found is None:
        par = view.ratios.par(staked, base)
        markets = []
        for amm in view.venues.amms.values():
            if (amm.token0, amm.token1) in ((staked, base), (base, staked)):
                price = amm.price() if amm.token0 == staked else 1.0 / amm.price()
                markets.append((1.0 - price / par, amm.fee_ratio))
        found = view.cache[key] = min(markets, default=(0.0, 0.0))
    return found


# ---------------------------------------------------------------------- leaving
def best_exit(
    farmer: Any, view: View, loop: Loop, parts: Sequence[float], gain: Callable[[Exit], float]
) -> Exit | None:
    """The part of the loop whose exit by the pools gains most, None where none gains or none can be done."""
    best: Exit | None = None
    most = 0.0
    for part in parts:
        plan = _exit(view, loop, part)
        if plan is not None and (gained := gain(plan)) > most:
            best, most = plan, gained
    return best


def _exit(view: View, loop: Loop, part: float) -> Exit | None:
    pool = view.pool
    staked, base = loop.assets
    sold = loop.collateral if part >= 1.0 else int(loop.collateral * part)
    repay = loop.debt + loop.debt // _FLASH_ROOM + 1 if part >= 1.0 else int(loop.debt * part) + 1
    if sold <= 0 or sold > pool.available_liquidity(staked):
        return None
    route, out = view.venues.best_route(*loop.tokens, sold)
    if out <= 0:
        return None
    source = view.loops.flash_source(base, repay, route)
    owed = min(repay, loop.debt)
    if source.available < repay or out + loop.wallet < owed + source.fee + (owed // _FLASH_ROOM if part >= 1.0 else 0):
        return None
    operations = view.operations
    gas_usd = view.gas_usd(operations.repay + operations.withdraw + operations.swap, view.tip_gwei)
    fair = loop.collateral_base * (sold / loop.collateral)
    cost = fair - (out - source.fee) / loop.base_unit + gas_usd / loop.base_usd
    return Exit(part, repay, sold, route, out, source.name, cost)


def exit_call(farmer: Any, view: View, loop: Loop, plan: Exit) -> Call:
    """The call that carries out an exit."""
    operations = view.operations
    least = int(plan.out * (1.0 - farmer.parameters.max_slippage_ratio))
    sold = MAX if plan.part >= 1.0 else plan.sold
    return Call(
        "loops",
        "leave",
        (*loop.assets, plan.repay, sold, plan.source, plan.route, least),
        operations.repay + operations.withdraw + operations.swap,
    )


# ---------------------------------------------------------------------- entering
def entry_call(farmer: Any, view: View, loop: Loop, worth: Callable[[float], bool]) -> Call | None:
    """The largest loop, in parts of the wallet, at whose borrow rate afterwards it is still worth it."""
    pool = view.pool
    staked, base = loop.assets
    room = pool.supply_room(staked)
    after = rates_after(pool, base)
    for part in LOOP_PARTS:
        own = int(loop.wallet * part * _ENTRY_ROOM)
        loan = int(own * (loop.leverage_wanted - 1.0) * _ENTRY_ROOM)
        if own <= 0 or loan <= 0 or loan > pool.available_liquidity(base) * _ENTRY_ROOM:
            continue
        tokens = loan / loop.base_unit
        if not worth(after(-tokens, tokens)[0]):
            continue
        way, supplied = _way_in(view, loop, own + loan)
        if supplied <= 0 or (room is not None and supplied > room):
            continue
        source = view.loops.flash_source(base, loan, way, loan + own)
        if source.available < loan:
            continue
        least = int(supplied * (1.0 - farmer.parameters.max_slippage_ratio))
        operations = view.operations
        return Call(
            "loops",
            "enter",
            (*loop.assets, farmer.parameters.emode, own, loan, source.name, way, least),
            operations.supply + operations.swap + operations.withdraw,
        )
    return None


def _way_in(view: View, loop: Loop, amount: int) -> tuple[Route | str, int]:
    """Staking at par or buying on the pools, whichever gives more; what it gives."""
    route, bought = view.venues.best_route(loop.tokens[1], loop.tokens[0], amount)
    if loop.queue is None:
        return route, bought
    staked = loop.queue.staked_for(amount)
    return (route, bought) if bought > staked else (loop.queue.name, staked)
