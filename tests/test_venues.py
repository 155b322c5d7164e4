"""Venues: routes, quotes that come true, pools that are restored, and whose displacement a swap is."""

from __future__ import annotations

import math
import random

import pytest

from sim.chain.revert import Revert
from sim.economy import Economy
from sim.markets.venues import OUTSIDE, TOO_LITTLE, Leg

PAIR = {"amms.WETH-USDC": {"kind": "constant_product", "fee_pips": 3_000, "ranges": []}}
WETH, WSTETH, WBTC, USDC, USDT, SUSDE, GAS = range(7)


@pytest.fixture(params=["concentrated", "constant product"])
def market(request):
    overrides = PAIR if request.param == "constant product" else {}
    with Economy("demo", overrides=overrides | {"prices.volatility_per_year": {}}) as economy:
        yield economy


def trader(economy):
    return economy.populations["traders"].first


def test_all_routes_over_one_or_two_pools_in_the_scenarios_order(market):
    found = market.venues.routes(WBTC, USDC)
    assert found == ((Leg("WBTC-WETH", WBTC, WETH), Leg("WETH-USDC", WETH, USDC)),)
    assert market.venues.routes(WETH, USDC) == (
        (Leg("WETH-USDC", WETH, USDC),),
        (Leg("WETH-USDT", WETH, USDT), Leg("USDT-USDC", USDT, USDC)),
    )
    assert market.venues.routes(WSTETH, WBTC) == tuple(
        (Leg(pool, WSTETH, WETH), Leg("WBTC-WETH", WETH, WBTC)) for pool in ("wstETH-WETH", "wstETH-WETH-stable")
    )
    assert market.venues.routes(WETH, WETH) == ()
    assert market.venues.routes(WETH, GAS) == ()
    assert market.venues.best_route(WETH, GAS, 10**18) == ((), 0)


@pytest.mark.parametrize(
    "route",
    [
        (Leg("WETH-USDC", WETH, USDC),),
        (Leg("WBTC-WETH", WBTC, WETH), Leg("WETH-USDC", WETH, USDC)),
        (Leg("WETH-USDC", USDC, WETH), Leg("wstETH-WETH", WETH, WSTETH)),
        (Leg(OUTSIDE, WETH, USDC),),
        (Leg("WETH-USDC", USDC, WETH), Leg(OUTSIDE, WETH, WBTC)),
    ],
)
def test_a_quote_comes_true_to_the_unit_and_is_the_least_that_may_be_asked(market, route):
    sender, ledger, venues = trader(market), market.ledger, market.venues
    token_in, token_out = route[0].token_in, route[-1].token_out
    amount = ledger.balances[token_in][sender] // 7
    quoted = venues.quote(route, amount)
    before = [column[sender] for column in ledger.balances]
    with pytest.raises(Revert) as caught, ledger.journal.atomic():
        venues.swap(sender, route, amount, quoted + 1, "trading")
    assert caught.value.reason == TOO_LITTLE
    assert [column[sender] for column in ledger.balances] == before
    sale = venues.swap(sender, route, amount, quoted, "trading")
    assert (sale.token_in, sale.token_out, sale.amount_in, sale.amount_out) == (token_in, token_out, amount, quoted)
    after = [column[sender] for column in ledger.balances]
    assert after[token_in] == before[token_in] - amount
    assert after[token_out] == before[token_out] + quoted
    ledger.audit()


def test_a_quote_of_nothing_or_too_much_is_nothing(market):
    route = (Leg("WETH-USDC", WETH, USDC),)
    assert market.venues.quote(route, 0) == market.venues.quote(route, -5) == 0
    assert market.venues.quote((), 7) == 7


def test_a_swap_displaces_the_pool_under_its_cause(market):
    venues, amm = market.venues, market.amms["WETH-USDC"]
    moves = venues.displacements["WETH-USDC"].moves
    before = amm.log_price()
    venues.swap(trader(market), (Leg("WETH-USDC", WETH, USDC),), 10**19, 0, "trading")
    first = amm.log_price()
    venues.swap(trader(market), (Leg("WETH-USDC", USDC, WETH),), 10**10, 0, "deleveraging")
    assert first < before
    assert moves["trading"] == pytest.approx(first - before, abs=1e-15)
    assert moves["deleveraging"] == pytest.approx(amm.log_price() - first, abs=1e-15)
    total = math.fsum(venues.displacements["WETH-USDC"].components().values())
    outside = market.outside.prices
    assert total == pytest.approx(amm.log_price() - math.log(outside[WETH] / outside[USDC]), abs=1e-12)


@pytest.mark.parametrize("overrides", [{}, PAIR])
def test_without_impact_a_liquidators_sale_pays_its_cost_and_the_pool_is_as_before(overrides):
    with Economy("demo", overrides=overrides | {"mechanisms.liquidation_impact": False}) as economy:
        draw = random.Random(5)
        sender, ledger = trader(economy), economy.ledger
        for _ in range(300):
            name = draw.choice(["WETH-USDC", "WBTC-WETH", "wstETH-WETH"])
            amm = economy.amms[name]
            pair = (amm.token0, amm.token1) if draw.random() < 0.5 else (amm.token1, amm.token0)
            leg = Leg(name, *pair)
            # From a single unit, whose effect is lost in the rounding of the price, to a fortieth of the wallet.
            most = ledger.balances[leg.token_in][sender] // 40
            amount = min(int(10 ** draw.uniform(0, 21)), most)
            quoted = economy.venues.quote((leg,), amount)
            if not quoted and name == "WETH-USDC":
                continue  # so little that the constant-product pool refuses it
            before = amm.price()
            sale = economy.venues.swap(sender, (leg,), amount, 0, "liquidation")
            assert sale.amount_out == quoted
            assert amm.price() == pytest.approx(before, rel=1e-9)
            assert [column[economy.outside.account] for column in ledger.balances] == [0] * 7
            assert abs(economy.venues.displacements[name].moves["liquidation"]) < 1e-8
        ledger.audit()
