"""Entry and exit of borrowers: slots that open, live and close, so that a long run keeps a living book.

A population has `slots` accounts, of which `count` are open at the start. Every row has appointments at a constant
rate, drawn ahead and keyed by (population, row, number). What an appointment means is decided by a keyed draw: an open
position ends with hazard 1 / life; an empty slot opens with hazard

    count / (slots - count) / life * f,      f = exp(a * return over 7 days - eta (r_b - r_ref)),

so that with f = 1 the book keeps its size and, with `count` rows open, arrivals come at the rate count / life. The
times depend on no state (thinning: the appointments' rate is the largest that can be needed, decisions reject the
rest).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple

from agents.base import AgentParameters, NonNegative
from scenarios.schema.base import Table, Whole, empty_table, field
from sim.chain.transaction import Call, Transaction
from sim.markets.lending.constants import MAX
from sim.population import Population
from sim.view import View

WAD = 10**18

#: Room left under what the pool's liquidity or LTV allow, because others come first in the block.
_ROOM = 0.99

#: Brought beyond a debt that is repaid, for the interest until execution; what is left is taken out again.
_INTEREST_MARGIN = 1.001


class TurnoverParameters(AgentParameters):
    """Who comes and who goes."""

    slots: Whole = field(
        0,
        "Accounts of the population, those included that arrivals may take (twice the count leaves enough room);"
        " 0: nobody comes or goes",
        unit="accounts",
        source="choice",
        ge=0,
        le=20_000_000,
    )
    life_seconds: float = field(
        2_678_400.0,
        "Mean life of a position; arrivals keep pace at count / life",
        unit="s",
        source="mean life of 31 days of the loans liquidated on Aave v2",
        gt=0,
        le=1e12,
    )
    arrival_return_exponent: float = field(
        1.823,
        "Arrivals multiply by exp(this x 7-day return of the collateral); 1.823 is +20 % for +10 %",
        unit="1",
        source="assumption: leverage follows prices up; +20 % for +10 %, no effect to +65 %",
        plausible=(0.0, 5.0),
        ge=0,
        le=100,
    )
    arrival_return_seconds: float = field(
        604_800.0,
        "Time over which newcomers look back on the price",
        unit="s",
        source="assumption: a week is what charts and news look back on; a day to a month",
        plausible=(86_400.0, 2_592_000.0),
        gt=0,
        le=1e9,
    )
    rate_elasticity: float = field(
        8.0,
        "eta_B: arrivals, and rate-sensitive debt, go with exp(-eta_B (borrow rate - reference)); 8 is 8 % per point",
        unit="year",
        source="assumption: no published elasticity found, a factor of 3 either way",
        plausible=(2.6, 24.0),
        ge=0,
        le=1000,
    )
    reference_rate_per_year: Table[str, NonNegative] = field(
        None,
        "Borrow rate at which debt and arrivals are as at the opening, by debt asset; left out: the opening rate",
        unit="1/year",
        source="the opening is taken for an equilibrium where nothing is stated",
        refers_to="reserve",
        factory=empty_table,
    )
    arrivals_most_ratio: float = field(
        3.0,
        "Most that a boom multiplies arrivals by",
        unit="ratio",
        source="assumption: so that an exponential of a boom stays a number of people: three times the usual",
        plausible=(1.5, 10.0),
        ge=1,
        le=100,
    )
    gas_most_ratio: float = field(
        0.01,
        "Most that gas may cost to open, enlarge or close a position, as a share of the debt moved",
        unit="ratio",
        source="assumption: a hundredth of the sum moved is two months of interest at 6 %",
        plausible=(0.001, 0.05),
        gt=0,
        le=1,
    )


class Newcomer(NamedTuple):
    """The position that somebody wants to open."""

    debt_usd: float
    health_factor: float
    collateral: str
    debt: str


def turns_over(population: Population) -> bool:
    """Whether the population has slots for newcomers."""
    return len(population) > population.present > 0


def appointment_seconds(population: Population) -> float:
    """Mean time between two appointments of a row: as short as the larger of both hazards can ask for."""
    p = population.parameters
    return float(p.life_seconds) / max(1.0, _vacancy(population) * p.arrivals_most_ratio)


def _vacancy(population: Population) -> float:
    return population.present / (len(population) - population.present)


def appointment(agent: Any, view: View) -> list[Transaction]:
    """What an appointment of a row brings: an exit, an arrival, or mostly nothing."""
    population = agent.population
    p = population.parameters
    row = agent.row
    number = int(population.columns["life_number"][row])
    name = population.name
    draw = view.randomness.uniform(f"{name}.life", row, number)
    pace = appointment_seconds(population) / p.life_seconds
    if is_open(view.pool, agent.account):
        return leave(agent, view) if draw < pace else []
    newcomer = _draw(population, row, number, view)
    demand = _demand(population, newcomer, view)
    if draw < pace * _vacancy(population) * min(demand, p.arrivals_most_ratio):
        return arrive(agent, view, newcomer)
    return []


def is_open(pool: Any, account: int) -> bool:
    """Whether an account has debt, or supply that is left from a position."""
    return any(supply[account] for supply in pool.scaled_supplies) or any(debt[account] for debt in pool.scaled_debts)


def _demand(population: Population, newcomer: Newcomer, view: View) -> float:
    p = population.parameters
    pool = view.pool
    asset = pool.asset(newcomer.debt)
    token = pool.reserves[pool.asset(newcomer.collateral)].token
    grown = view.past_return_ratio(token, p.arrival_return_seconds)
    dearer = pool.borrow_rate(asset) * 1e-27 - population.memory["reference"][asset]
    return math.exp(min(50.0, p.arrival_return_exponent * grown - p.rate_elasticity * dearer))


def _draw(population: Population, row: int, number: int, view: View) -> Newcomer:
    """A newcomer's wishes, keyed by (population, row, appointment)."""
    p = population.parameters
    name = population.name
    random = view.randomness
    size = p.debt_usd_median * math.exp(p.debt_usd_log_sd * random.normal(f"{name}.arrival.debt", row, number))
    excess = p.health_factor_median_excess * math.exp(
        p.health_factor_log_sd * random.normal(f"{name}.arrival.health_factor", row, number)
    )
    collateral = _choose(p.collateral, random.uniform(f"{name}.arrival.collateral", row, number))
    debt = _choose(p.debt, random.uniform(f"{name}.arrival.asset", row, number))
    # No borrow can open a position above its LTV, so the health factor is at least LT / LTV.
    ltv_bps, threshold_bps, _ = view.pool.terms(view.pool.asset(collateral), p.emode)
    least = threshold_bps / ltv_bps / _ROOM if ltv_bps else math.inf
    health = max(1.0 + max(excess, p.health_factor_least_excess), least)
    return Newcomer(min(size, p.debt_usd_largest) * population.size_ratio, health, collateral, debt)


def _choose(weights: Mapping[str, float], uniform: float) -> str:
    names = list(weights)
    edges: list[float] = []
    level = 0.0
    for name in names:
        level += weights[name]
        edges.append(level)
    return names[min(bisect_left(edges, uniform * level), len(names) - 1)]


def arrive(agent: Any, view: View, newcomer: Newcomer) -> list[Transaction]:
    """Bring collateral, supply it, borrow, take the loan away; nothing where the pool has no room or gas is dear."""
    pool, p = view.pool, agent.parameters
    collateral, debt = pool.asset(newcomer.collateral), pool.asset(newcomer.debt)
    threshold = pool.liquidation_threshold_ratio(collateral, p.emode)
    if math.isinf(newcomer.health_factor) or not threshold:
        return []
    collateral_reserve, debt_reserve = pool.reserves[collateral], pool.reserves[debt]
    borrowed = int(newcomer.debt_usd / view.oracle_usd(debt) * debt_reserve.unit)
    value_usd = newcomer.debt_usd * newcomer.health_factor / threshold
    supplied = math.ceil(value_usd / view.oracle_usd(collateral) * collateral_reserve.unit)
    spare = int(supplied * p.spare_share_ratio)
    room = pool.supply_room(collateral)
    operations = view.operations
    gas_usd = view.gas_usd(operations.supply + operations.borrow, view.tip_gwei)
    if (
        borrowed <= 0
        or borrowed > _ROOM * pool.available_liquidity(debt)
        or (room is not None and supplied > room)
        or gas_usd > p.gas_most_ratio * newcomer.debt_usd
    ):
        return []
    agent.settle_in(newcomer.health_factor)
    calls = [
        Call("arrivals", "refuel", (int(p.gas_eth * WAD),), 0),
        Call("arrivals", "bring", (collateral_reserve.token, supplied + spare), 0),
    ]
    if p.emode != pool.emode(agent.account):
        calls.append(Call("pool", "set_emode", (p.emode,), operations.supply))
    calls += [
        Call("pool", "supply", (collateral, supplied), operations.supply),
        Call("pool", "borrow", (debt, borrowed), operations.borrow),
        Call("arrivals", "take_out", (debt_reserve.token, borrowed), 0),
    ]
    return [Transaction(agent.account, tuple(calls), "arrival", tip_gwei=view.tip_gwei)]


def leave(agent: Any, view: View) -> list[Transaction]:
    """Bring what is owed, repay it, withdraw everything and take it away; all or nothing."""
    pool, account = view.pool, agent.account
    operations = view.operations
    owed = [a for a, debts in enumerate(pool.scaled_debts) if debts[account]]
    held = [a for a, supplies in enumerate(pool.scaled_supplies) if supplies[account]]
    calls: list[Call] = []
    for asset in owed:
        amount = int(pool.debt_balance(asset, account) * _INTEREST_MARGIN) + 1
        calls.append(Call("arrivals", "bring", (pool.reserves[asset].token, amount), 0))
        calls.append(Call("pool", "repay", (asset, MAX), operations.repay))
    for asset in held:
        if pool.atoken_balance(asset, account) > pool.available_liquidity(asset):
            return []
        calls.append(Call("pool", "withdraw", (asset, MAX), operations.withdraw))
    data = pool.account_data(account)
    gas_usd = view.gas_usd(sum(call.gas for call in calls), view.tip_gwei)
    if gas_usd > agent.parameters.gas_most_ratio * max(data.total_debt_base, data.total_collateral_base) * 1e-8:
        return []
    for asset in dict.fromkeys((*owed, *held)):
        calls.append(Call("arrivals", "take_rest_out", (pool.reserves[asset].token,), 0))
    return [Transaction(account, tuple(calls), "exit", tip_gwei=view.tip_gwei)]
