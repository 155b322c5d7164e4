"""The base fee against EIP-1559, its equilibrium, and the room that outside demand leaves."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chain.gas import UNLIMITED_GAS, GasMarket

GWEI = 10**9


def market(**arguments: Any) -> GasMarket:
    return GasMarket(**{"block_gas_limit": 30_000_000, "reference_gwei": 10.0, **arguments})


def quiet(**arguments: Any) -> GasMarket:
    """A market that outsiders leave alone: as good as no demand at these fees."""
    return market(reference_gwei=1e-9, **arguments)


# ---------------------------------------------------------------------- EIP-1559, to the wei
@pytest.mark.parametrize(
    ("base_fee_wei", "gas_used", "following"),
    [
        # a full block, an empty one, and one at its target
        (1_000_000_000, 30_000_000, 1_125_000_000),
        (1_000_000_000, 0, 875_000_000),
        (1_000_000_000, 15_000_000, 1_000_000_000),
        # a tenth under and a tenth over the target: an eightieth down and up
        (1_000_000_000, 13_500_000, 987_500_000),
        (1_000_000_000, 16_500_000, 1_012_500_000),
        # the least rise is one wei; a fall rounds down to nothing
        (7, 15_000_001, 8),
        (7, 0, 7),
        (0, 30_000_000, 1),
        (8, 0, 7),
    ],
)
def test_one_block_of_eip_1559(base_fee_wei: int, gas_used: int, following: int) -> None:
    gas = quiet(demand_elasticity=3.0, base_fee_gwei=base_fee_wei / GWEI)
    assert gas.base_fee_wei == base_fee_wei
    if base_fee_wei >= 1_000:
        assert gas.outside_gas(1.0, base_fee_wei) == 0
        assert gas.end_step(gas_used, 1.0) == following
        assert gas.fullness_ratio == gas_used / 30_000_000
    else:
        assert gas._next(base_fee_wei, gas_used) == following


def test_the_base_fee_never_goes_under_its_lowest() -> None:
    gas = quiet(base_fee_gwei=1.0, min_base_fee_gwei=0.9)
    assert [gas.end_step(0, 1.0) for _ in range(3)] == [900_000_000] * 3
    assert quiet(base_fee_gwei=0.1, min_base_fee_gwei=0.9).base_fee_gwei == 0.9


# ---------------------------------------------------------------------- outside demand
def test_outside_demand_at_a_price() -> None:
    gas = market(demand_elasticity=0.5, volatility_exponent=0.7)
    assert gas.base_fee_wei == 10 * GWEI
    assert gas.outside_gas(1.0, 10 * GWEI) == pytest.approx(15_000_000, abs=1)
    assert gas.outside_gas(1.0, 40 * GWEI) == pytest.approx(7_500_000, abs=1)
    assert gas.outside_gas(16.0, 40 * GWEI) == pytest.approx(7_500_000 * 16**0.35, abs=1)
    assert gas.outside_gas(1.0, 2 * GWEI) == 30_000_000
    assert gas.outside_gas(1.0, 0) == 30_000_000
    assert gas.outside_gas(0.0, 10 * GWEI) == 0


@pytest.mark.parametrize("ratio", [0.25, 1.0, 3.0, 8.0])
@pytest.mark.parametrize("elasticity", [0.3, 1.0, 2.0])
def test_the_base_fee_settles_where_volatility_puts_it(ratio: float, elasticity: float) -> None:
    gas = market(demand_elasticity=elasticity)
    for _ in range(600):
        gas.end_step(0, ratio)
    assert gas.base_fee_wei == pytest.approx(10 * GWEI * ratio**0.7, rel=1e-5)
    assert gas.fullness_ratio == pytest.approx(0.5, rel=1e-5)
    assert gas.capacity_gas(ratio) == pytest.approx(15_000_000, rel=1e-5)


def test_without_elasticity_or_exponent_demand_does_not_move() -> None:
    rigid = market(demand_elasticity=0.0)
    assert rigid.outside_gas(9.0, 500 * GWEI) == 15_000_000
    indifferent = market(volatility_exponent=0.0)
    assert indifferent.outside_gas(9.0, 10 * GWEI) == pytest.approx(15_000_000, abs=1)
    assert indifferent.outside_gas(0.0, 10 * GWEI) == pytest.approx(15_000_000, abs=1)


def test_a_crash_fills_the_blocks_until_the_base_fee_has_risen() -> None:
    gas = market()
    fees, rooms = [], []
    for _ in range(40):
        rooms.append(gas.capacity_gas(10.0))
        fees.append(gas.base_fee_wei)
        gas.end_step(0, 10.0)
    full = [number for number, room in enumerate(rooms) if room == 0]
    assert full == list(range(len(full)))
    assert len(full) == 8  # 1.125^8 = 2.57 passes 10^.7 / 2 = 2.51: from there on some of the block is free
    assert fees[3] == pytest.approx(10 * GWEI * 1.125**3, rel=1e-8)
    assert all(later >= earlier for earlier, later in pairwise(rooms))


def test_a_tip_outbids_outsiders() -> None:
    gas = market()
    assert gas.capacity_gas(1.0) == pytest.approx(15_000_000, abs=2)
    assert gas.capacity_gas(1.0, tip_gwei=10.0) == pytest.approx(22_500_000, abs=2)
    assert gas.capacity_gas(10.0) == 0
    assert gas.capacity_gas(10.0, tip_gwei=90.0) == pytest.approx(30e6 - 15e6 * 10**0.7 / 10, abs=2)


def test_our_own_gas_raises_the_base_fee() -> None:
    gas = market()
    assert gas.end_step(15_000_000, 1.0) == 11_250_000_000
    assert gas.fullness_ratio == 1.0
    gas = market()
    gas.end_step(90_000_000, 1.0)  # no more than a block holds counts
    assert gas.base_fee_wei == 11_250_000_000


# ---------------------------------------------------------------------- several blocks a step
@settings(max_examples=60, deadline=None)
@given(
    ratios=st.lists(st.floats(0.1, 12.0), min_size=1, max_size=8),
    own=st.integers(0, 20_000_000),
    blocks=st.sampled_from([5, 25]),
    opening=st.floats(0.01, 300.0),
)
def test_a_step_of_several_blocks_equals_single_blocks(
    ratios: list[float], own: int, blocks: int, opening: float
) -> None:
    fine = market(base_fee_gwei=opening)
    coarse = market(base_fee_gwei=opening, blocks_per_step=blocks)
    for ratio in ratios:
        room = 0
        probe = market(base_fee_gwei=fine.base_fee_gwei)
        fullness = []
        for _ in range(blocks):
            room += probe.capacity_gas(ratio)
            probe.end_step(0, ratio)
            fine.end_step(own, ratio)
            fullness.append(fine.fullness_ratio)
        assert coarse.capacity_gas(ratio) == room
        assert coarse.end_step(own * blocks, ratio) == fine.base_fee_wei
        assert coarse.fullness_ratio == pytest.approx(sum(fullness) / blocks, rel=1e-12)


def test_a_rest_that_does_not_divide_goes_to_the_first_blocks() -> None:
    coarse, fine = market(blocks_per_step=3), market()
    coarse.end_step(8_000_000, 1.0)
    for own in (2_666_667, 2_666_667, 2_666_666):
        fine.end_step(own, 1.0)
    assert coarse.base_fee_wei == fine.base_fee_wei


def test_hour_long_steps_are_cheap_once_nothing_changes() -> None:
    gas = market(blocks_per_step=300)
    gas.end_step(0, 2.0)
    assert gas.base_fee_wei == pytest.approx(10 * GWEI * 2**0.7, rel=1e-6)
    assert gas.capacity_gas(2.0) == pytest.approx(300 * 15_000_000, rel=1e-5)


# ---------------------------------------------------------------------- off, and refusals
def test_switched_off_gas_is_free_and_unlimited() -> None:
    gas = market(enabled=False, blocks_per_step=5)
    assert (gas.base_fee_wei, gas.base_fee_gwei) == (0, 0.0)
    assert gas.capacity_gas(10.0) == UNLIMITED_GAS
    assert gas.end_step(75_000_000, 10.0) == 0
    assert gas.fullness_ratio == 0.5
    assert gas.base_fee_wei == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("block_gas_limit", 1),
        ("reference_gwei", 0.0),
        ("base_fee_gwei", -1.0),
        ("base_fee_gwei", float("nan")),
        ("demand_elasticity", -0.1),
        ("volatility_exponent", -0.1),
        ("min_base_fee_gwei", float("inf")),
        ("blocks_per_step", 0),
    ],
)
def test_parameters_are_checked(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: given {value!r}; allowed"):
        market(**{name: value})
