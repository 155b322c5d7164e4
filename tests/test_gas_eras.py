"""First-price gas, surges, terms by date, and the tip that finds room in a full block."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from agents.registry import kinds
from scenarios import ScenarioError, load
from scenarios.eras import era_at, usual_gwei
from sim.building_chain import gas_market_of
from sim.chain.gas import GasMarket, GasTerms, Surge

GWEI = 10**9


def market(**arguments) -> GasMarket:
    return GasMarket(**{"block_gas_limit": 10_000_000, "reference_gwei": 10.0, "first_price": True, **arguments})


# ---------------------------------------------------------------------- first price
def test_no_base_fee_is_charged_and_the_block_clears_at_the_reference():
    gas = market()
    assert gas.charged_base_fee_wei == 0
    assert gas.end_step(0, 1.0) == pytest.approx(10 * GWEI, abs=2)
    assert gas.fullness_ratio == 1.0


@pytest.mark.parametrize(("elasticity", "volatility"), [(1.0, 1.0), (1.0, 4.0), (0.5, 4.0), (2.0, 0.25)])
def test_clearing_price_is_the_reference_times_volatility_to_zeta(elasticity, volatility):
    gas = market(demand_elasticity=elasticity)
    assert gas.end_step(0, volatility) == pytest.approx(10 * GWEI * volatility**0.7, rel=1e-9)


def test_taking_a_fifth_of_the_block_raises_the_price_as_demand_is_elastic():
    """(1 - 1/5)^(-1/eps): 1.25 at eps 1, 1.5625 at eps 1/2."""
    assert market().end_step(2_000_000, 1.0) == pytest.approx(12.5 * GWEI, rel=1e-9)
    assert market(demand_elasticity=0.5).end_step(2_000_000, 1.0) == pytest.approx(15.625 * GWEI, rel=1e-9)


def test_room_is_what_those_who_offer_more_leave():
    gas = market(blocks_per_step=3)
    assert gas.capacity_gas(1.0, 10.0) == 0
    assert gas.capacity_gas(1.0, 12.5) == pytest.approx(3 * 2_000_000, abs=3)
    assert gas.capacity_gas(1.0, 5.0) == 0


def test_a_first_price_market_needs_elastic_demand():
    with pytest.raises(ValueError, match="demand_elasticity"):
        market(demand_elasticity=0.0)


# ---------------------------------------------------------------------- surges and full blocks
def test_a_surge_multiplies_demand_while_it_lasts():
    gas = market(surges=[Surge(100, 200, 3.0)])
    prices = []
    for timestamp in (99, 100, 199, 200):
        gas.begin_step(timestamp)
        prices.append(gas.end_step(0, 1.0) / GWEI)
    assert prices == pytest.approx([10.0, 30.0, 30.0, 10.0], rel=1e-6)


def test_the_tip_for_room_outbids_outsiders_and_is_zero_while_they_leave_room():
    gas = GasMarket(block_gas_limit=30_000_000, reference_gwei=10.0, surges=[Surge(0, 100, 5.0)])
    assert gas.space_tip_gwei(1.0) == 0.0
    gas.begin_step(0)
    tip = gas.space_tip_gwei(1.0)  # 5 x 15M x 10 / p = 30M at p = 25: 15 above the base fee
    assert tip == pytest.approx(15.0, rel=1e-9)
    assert gas.capacity_gas(1.0, tip) == pytest.approx(0, abs=1)
    assert gas.capacity_gas(1.0, 2 * tip) == pytest.approx(30_000_000 - 75e6 * 10 / 40, abs=1)


def test_off_means_free_and_unlimited():
    gas = market(enabled=False, surges=[Surge(0, 100, 50.0)])
    gas.begin_step(0)
    assert (gas.base_fee_wei, gas.space_tip_gwei(9.0)) == (0, 0.0)
    assert gas.capacity_gas(9.0, 0.0) > 10**15


# ---------------------------------------------------------------------- by date
@pytest.mark.parametrize(
    ("day", "limit", "first_price", "gwei"),
    [
        ((2020, 3, 12), 10_000_000, True, 11.8),
        ((2021, 5, 19), 15_000_000, True, 87.0),
        ((2024, 8, 2), 30_000_000, False, 7.9),
        ((2025, 3, 1), 36_000_000, False, None),
        ((2025, 10, 10), 45_000_000, False, 1.4),
        ((2026, 1, 10), 60_000_000, False, None),
    ],
)
def test_eras(day, limit, first_price, gwei):
    era = era_at(datetime(*day, tzinfo=UTC))
    assert (era.block_gas_limit, era.first_price) == (limit, first_price)
    if gwei is not None:
        assert usual_gwei(date(*day)) == pytest.approx(gwei, rel=0.03)


def test_terms_change_while_a_run_goes_on():
    gas = market(terms=[GasTerms(500, 30_000_000, False, 20.0), GasTerms(900, 36_000_000, False, 5.0)])
    gas.end_step(0, 1.0)
    before = gas.base_fee_wei
    gas.begin_step(499)
    assert gas.first_price
    gas.begin_step(500)
    assert (gas.first_price, gas.block_gas_limit, gas.target_gas, gas.base_fee_wei) == (
        False,
        30_000_000,
        15_000_000,
        before,
    )
    gas.begin_step(1_000)
    assert (gas.block_gas_limit, gas.reference_wei) == (36_000_000, 5.0 * GWEI)


def test_a_run_by_date_takes_its_terms_from_the_date():
    start = {"run.start": "2021-08-01T00:00:00Z", "run.horizon_seconds": 10 * 86_400, "gas.era": "date"}
    gas = gas_market_of(load("calm", start, kinds=kinds()))
    assert (gas.block_gas_limit, gas.first_price) == (15_000_000, True)
    gas.begin_step(int(datetime(2021, 8, 5, 12, 34, tzinfo=UTC).timestamp()))
    assert (gas.block_gas_limit, gas.first_price) == (30_000_000, False)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"gas.fee_market": "first_price", "gas.demand_elasticity": 0.0}, "gas.demand_elasticity"),
        ({"gas.era": "date", "run.start": "2017-01-01T00:00:00Z"}, "gas.era"),
        ({"gas.surges": [{"at_seconds": 10**6, "for_seconds": 1, "demand_ratio": 2.0}]}, "gas.surges.0.at_seconds"),
    ],
)
def test_bad_terms_are_told(changes, path):
    with pytest.raises(ScenarioError) as caught:
        load("calm", changes, kinds=kinds())
    assert path in [problem.path for problem in caught.value.problems]
