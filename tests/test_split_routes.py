"""Sales over several pools: divided to the best marginal price, exact to the unit."""

from __future__ import annotations

import math
import random

import pytest

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.economy import Economy
from sim.ledger import Ledger
from sim.markets.amm.constant_product import ConstantProductPool
from sim.markets.displacement import Displacement
from sim.markets.routes import PARTS, Leg, SplitRoute, disjoint, shares_of, split
from sim.markets.venues import TOO_LITTLE, Venues

UNIT = 10**18


class NoOutside:
    """An outside market on which nothing happens."""

    def __init__(self, tokens):
        self.log_exogenous = [0.0] * tokens

    def impact_by_cause(self, token):
        return {}


def market(*pools, fee_bps=0):
    """Venues over constant-product pools, each given as (token0, token1, whole tokens of each)."""
    ledger = Ledger()
    clock = Clock(1_700_000_000)
    tokens = [ledger.add_token(f"T{k}", 18) for k in range(3)]
    provider, seller = ledger.open_accounts(["provider", "seller"])
    for token in tokens:
        for account in (provider, seller):
            ledger.inflow(token, account, 10**30)
    amms = {}
    for k, (token0, token1, size) in enumerate(pools):
        pool = ConstantProductPool(f"P{k}", ledger, clock, token0, token1, fee_bps=fee_bps)
        pool.add_liquidity(provider, size * UNIT, size * UNIT)
        amms[pool.name] = pool
    outside = NoOutside(3)
    displacements = {
        name: Displacement(ledger.journal, outside, amm.token0, amm.token1, amm.log_price())
        for name, amm in amms.items()
    }
    return Venues(ledger, amms, outside, displacements), seller


def test_pools_of_one_to_three_take_one_to_three_and_give_what_one_pool_of_four_gives():
    venues, seller = market((0, 1, 1_000), (0, 1, 3_000))
    route, amount = venues.best_route(0, 1, 400 * UNIT)
    assert isinstance(route, SplitRoute)
    assert route.routes == ((Leg("P1", 0, 1),), (Leg("P0", 0, 1),))
    assert route.weights == (PARTS * 3 // 4, PARTS // 4)
    # x y = k over both at once: 4000 - 4000^2 / 4400.
    assert amount / UNIT == pytest.approx(4_000 - 4_000**2 / 4_400, rel=1e-12)
    sale = venues.swap(seller, route, 400 * UNIT, amount, "trading")
    assert sale.amount_out == amount == venues.ledger.balances[1][seller] - 10**30
    assert sale.amount_in == 400 * UNIT == 10**30 - venues.ledger.balances[0][seller]
    assert sale.venue == "P1+P0"
    # Marginal prices are equal afterwards.
    assert venues.amms["P0"].price() == pytest.approx(venues.amms["P1"].price(), rel=1e-12)


def test_marginal_prices_are_equal_over_three_unlike_routes():
    venues, seller = market((0, 1, 500), (0, 1, 1_700), (0, 2, 4_000), (2, 1, 4_000), fee_bps=30)
    route, amount = venues.best_route(0, 1, 900 * UNIT)
    assert len(route.routes) == 3
    assert sum(route.amounts(900 * UNIT)) == 900 * UNIT
    venues.swap(seller, route, 900 * UNIT, amount, "trading")
    amms = venues.amms
    kept = 0.997
    marginal = [
        amms["P0"].price() * kept,
        amms["P1"].price() * kept,
        amms["P2"].price() * amms["P3"].price() * kept**2,
    ]
    assert max(marginal) / min(marginal) < 1.002
    assert all(venues.quote((leg,), 900 * UNIT) < amount for leg in (Leg("P0", 0, 1), Leg("P1", 0, 1)))


def test_a_small_sale_stays_on_the_cheaper_pool():
    venues, _ = market((0, 1, 1_000), (0, 1, 1_000), fee_bps=30)
    venues.amms["P1"].swap_exact_in(venues.ledger.owners.index("provider"), 0, 100 * UNIT)
    route, amount = venues.best_route(0, 1, UNIT // 1_000)
    assert route == (Leg("P0", 0, 1),)
    assert amount == venues.quote(route, UNIT // 1_000)


def test_no_division_is_better_than_the_one_found():
    venues, _ = market((0, 1, 731), (0, 1, 2_113), fee_bps=30)
    whole = 317 * UNIT + 1
    _, amount = venues.best_route(0, 1, whole)
    legs = [(Leg("P0", 0, 1),), (Leg("P1", 0, 1),)]
    best = max(
        venues.quote(legs[0], whole * k // 2_000) + venues.quote(legs[1], whole - whole * k // 2_000)
        for k in range(1, 2_000)
    )
    assert amount >= best * (1 - 1e-9)


def test_parts_add_up_and_too_little_reverts_as_a_whole():
    assert shares_of(100, (2, 1)) == (67, 33)
    for amount in (1, 2, 7, 10**18 + 1, 10**30 - 1):
        assert sum(shares_of(amount, (9_001, 7_000, 383))) == amount
    venues, seller = market((0, 1, 1_000), (0, 1, 1_000))
    route, amount = venues.best_route(0, 1, 100 * UNIT)
    before = [list(column) for column in venues.ledger.balances]
    with pytest.raises(Revert, match=TOO_LITTLE), venues.ledger.journal.atomic():
        venues.swap(seller, route, 100 * UNIT, amount + 1, "trading")
    assert venues.ledger.balances == before


def test_routes_over_one_pool_are_not_taken_side_by_side():
    one, two = (Leg("P0", 0, 1),), (Leg("P0", 0, 1), Leg("P1", 1, 2))
    other = (Leg("P2", 0, 2),)
    assert disjoint([two, one, other]) == [two, other]


def test_split_equalises_marginals_of_smooth_functions():
    """Outputs a_k sqrt(x): the best shares are as a_k^2."""
    gains = {"a": 1.0, "b": 2.0, "c": 3.0}
    routes = [(Leg(name, 0, 1),) for name in gains]
    route, _ = split(lambda r, x: int(gains[r[0].venue] * math.sqrt(x) * 1e6), routes, 10**16)
    found = {r[0].venue: w / PARTS for r, w in zip(route.routes, route.weights, strict=True)}
    assert found["c"] == pytest.approx(9 / 14, abs=2e-3)
    assert found["b"] == pytest.approx(4 / 14, abs=2e-3)
    assert found["a"] == pytest.approx(1 / 14, abs=2e-3)


def halving(quote, routes, amount_in):
    """An independent search: start on the first, move half, a quarter, ... from one to another while that pays."""
    weights = [PARTS] + [0] * (len(routes) - 1)

    def total(shares):
        return sum(quote(r, amount_in * w // PARTS) for r, w in zip(routes, shares, strict=True) if w)

    best, step = total(weights), PARTS // 2
    while step:
        tried = []
        for source in range(len(routes)):
            for target in range(len(routes)):
                if source != target and weights[source] >= step:
                    moved = list(weights)
                    moved[source] -= step
                    moved[target] += step
                    tried.append((total(moved), moved))
        most, moved = max(tried, default=(0, []))
        if most > best:
            best, weights = most, moved
        else:
            step //= 2
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_best_route_gives_as_much_as_an_independent_search_with_few_quotes(seed):
    draw = random.Random(seed)
    sizes = [int(10 ** draw.uniform(1, 5)) for _ in range(4)]
    venues, _ = market((0, 1, sizes[0]), (0, 1, sizes[1]), (0, 2, sizes[2]), (2, 1, sizes[3]), fee_bps=30)
    provider = venues.ledger.owners.index("provider")
    for amm, size in zip(venues.amms.values(), sizes, strict=True):
        amm.swap_exact_in(provider, amm.token0, int(draw.uniform(0.0, 0.03) * size * UNIT) + 1)
    amount = int(10 ** draw.uniform(-3, 3) * UNIT)
    routes = venues.routes(0, 1)
    exact = venues.quote
    asked = []
    venues.quote = lambda route, x: asked.append(route) or exact(route, x)
    route, most = venues.best_route(0, 1, amount)
    assert len(asked) <= 5 * len(routes)
    assert most == exact(route, amount)
    assert all(exact(single, amount) <= most for single in routes)
    ranked = sorted(routes, key=lambda single: -exact(single, amount))
    assert most >= halving(exact, disjoint(ranked), amount) * (1.0 - 1e-5)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"amms.WETH-USDC": {"kind": "constant_product", "fee_pips": 3_000, "ranges": []}},
        {"amms.wstETH-WETH": {"kind": "stableswap", "amplification": 100, "fee_pips": 100, "ranges": []}},
    ],
)
def test_no_amount_gives_more_than_its_spot_price_promises(overrides):
    """What lets `best_route` leave routes out without asking them."""
    draw = random.Random(7)
    with Economy("demo", overrides=overrides) as economy:
        venues = economy.venues
        provider = economy.populations["traders"].first
        for _ in range(300):
            amm = venues.amms[draw.choice(list(venues.amms))]
            pair = (amm.token0, amm.token1) if draw.random() < 0.5 else (amm.token1, amm.token0)
            route = (Leg(amm.name, *pair),)
            spot = venues.spot_prices([route])[0]
            for exponent in (3, 6, 9, 12, 15, 18, 20):
                amount = int(draw.uniform(1.0, 9.0) * 10**exponent)
                assert venues.quote(route, amount) <= spot * amount
            held = venues.ledger.balances[pair[0]][provider]
            if held > 10**6:
                amm.swap_exact_in(provider, pair[0], held // 50)
                venues.ledger.journal.clear()


def test_where_the_fit_does_not_hold_the_division_is_searched():
    """Two kinked outputs: full price up to a limit and a hundredth of it beyond."""
    limits = {"a": 6 * 10**8, "b": 3 * 10**8}
    routes = [(Leg(name, 0, 1),) for name in limits]

    def quote(route, x):
        limit = limits[route[0].venue]
        return min(x, limit) + max(x - limit, 0) // 100

    _, amount = split(quote, routes, 9 * 10**8)
    assert amount >= 0.995 * 9 * 10**8
