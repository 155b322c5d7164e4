"""Wad, ray and percentage arithmetic, interest factors and the rate curve: literal numbers and what always holds."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.chain.revert import Revert
from sim.markets.lending import percentage, wad_ray
from sim.markets.lending.constants import BORROWING_MASK, COLLATERAL_MASK, MAX, RAY, SECONDS_PER_YEAR, WAD
from sim.markets.lending.health import health_factor_of, is_healthy
from sim.markets.lending.interest import (
    compounded_interest_ray,
    grown_compounded,
    grown_linearly,
    linear_interest_ray,
)
from sim.markets.lending.rates import TwoSlopeRates

amounts = st.integers(0, 10**40)


@pytest.mark.parametrize(
    ("function", "a", "b", "expected"),
    [
        (wad_ray.ray_mul_half_up, 1, RAY // 2, 1),
        (wad_ray.ray_mul_half_up, 1, RAY // 2 - 1, 0),
        (wad_ray.ray_mul_floor, 1, RAY - 1, 0),
        (wad_ray.ray_mul_ceil, 1, 1, 1),
        (wad_ray.ray_mul_ceil, 7, RAY, 7),
        (wad_ray.ray_div_half_up, 1, 2 * RAY, 1),
        (wad_ray.ray_div_half_up, 1, 2 * RAY + 2, 0),
        (wad_ray.ray_div_floor, 5, 2 * RAY, 2),
        (wad_ray.ray_div_ceil, 5, 2 * RAY, 3),
        (wad_ray.wad_mul_half_up, 3 * WAD, WAD // 2, 3 * WAD // 2),
        (wad_ray.wad_div_half_up, 10, 3, 3_333333333333333333),
        (percentage.percent_mul_half_up, 1, 5_000, 1),
        (percentage.percent_mul_half_up, 1, 4_999, 0),
        (percentage.percent_mul_floor, 19_999, 1, 1),
        (percentage.percent_mul_ceil, 1, 1, 1),
        (percentage.percent_div_half_up, 105, 10_500, 100),
        (percentage.percent_div_ceil, 1, 10_500, 1),
    ],
)
def test_worked_numbers(function, a, b, expected):
    assert function(a, b) == expected


def test_conversions_between_wad_and_ray():
    assert wad_ray.ray_to_wad_half_up(1_499_999_999) == 1
    assert wad_ray.ray_to_wad_half_up(1_500_000_000) == 2
    assert wad_ray.wad_to_ray(3) == 3 * 10**9


@pytest.mark.parametrize(
    ("function", "a", "b"),
    [
        (wad_ray.ray_mul_half_up, MAX, 1),
        (wad_ray.ray_mul_floor, MAX, 2),
        (wad_ray.ray_mul_ceil, MAX, 2),
        (wad_ray.ray_div_half_up, 1, 0),
        (wad_ray.ray_div_floor, 1, 0),
        (wad_ray.ray_div_floor, MAX, 1),
        (wad_ray.ray_div_ceil, 1, 0),
        (wad_ray.wad_mul_half_up, MAX, 1),
        (wad_ray.wad_div_half_up, 1, 0),
        (percentage.percent_mul_half_up, MAX, 1),
        (percentage.percent_mul_floor, MAX, 2),
        (percentage.percent_mul_ceil, MAX, 2),
        (percentage.percent_div_half_up, 1, 0),
        (percentage.percent_div_ceil, 1, 0),
    ],
)
def test_what_256_bits_cannot_hold_is_refused(function, a, b):
    with pytest.raises(Revert):
        function(a, b)


def test_a_wad_too_large_for_ray_is_refused():
    with pytest.raises(Revert):
        wad_ray.wad_to_ray(MAX)


@given(amounts, amounts)
def test_directions_of_rounding_enclose_the_exact_product(a, b):
    low, high = wad_ray.ray_mul_floor(a % 10**35, b % 10**35), wad_ray.ray_mul_ceil(a % 10**35, b % 10**35)
    assert low <= wad_ray.ray_mul_half_up(a % 10**35, b % 10**35) <= high <= low + 1


@given(amounts, st.integers(RAY, 10**30))
def test_scaling_never_favours_the_user(amount, index):
    """What a supplier is given back is never more than what was put in; what a borrower owes never less."""
    given_scaled = wad_ray.ray_div_floor(amount, index)
    assert wad_ray.ray_mul_floor(given_scaled, index) <= amount
    owed_scaled = wad_ray.ray_div_ceil(amount, index)
    assert wad_ray.ray_mul_ceil(owed_scaled, index) >= amount


@given(st.integers(1, 10**30), st.integers(RAY, 10**30))
def test_a_whole_debt_clears_all_of_its_scaled_units(scaled, index):
    """Paying the debt as it is shown, rounded up, burns exactly the scaled units it came from."""
    assert wad_ray.ray_div_floor(wad_ray.ray_mul_ceil(scaled, index), index) == scaled


def test_linear_interest_by_hand():
    assert linear_interest_ray(RAY // 10, SECONDS_PER_YEAR) == RAY + RAY // 10
    assert linear_interest_ray(RAY // 10, 12) == RAY + RAY // 10 * 12 // SECONDS_PER_YEAR
    assert linear_interest_ray(0, 10**9) == RAY


def test_compounded_interest_by_hand():
    """At 10 % over a year: 1 + 0.1 + 0.005 + 0.000166666..., the series of exp(0.1) cut off after the cube."""
    expected = RAY + RAY // 10 + RAY // 200 + 10**27 // 6000
    assert abs(compounded_interest_ray(RAY // 10, SECONDS_PER_YEAR) - expected) <= 1
    assert compounded_interest_ray(RAY // 10, 0) == RAY
    assert compounded_interest_ray(0, 10**9) == RAY


@given(st.integers(0, 10 * RAY), st.integers(0, 10 * SECONDS_PER_YEAR))
def test_debt_never_grows_slower_than_supply_at_one_rate(rate, seconds):
    assert compounded_interest_ray(rate, seconds) >= linear_interest_ray(rate, seconds)


@given(st.integers(0, RAY), st.integers(0, SECONDS_PER_YEAR))
def test_the_truncated_series_stays_just_below_the_exponential(rate, seconds):
    x = rate / RAY * seconds / SECONDS_PER_YEAR
    factor = compounded_interest_ray(rate, seconds) / RAY
    assert factor <= math.exp(x) * (1 + 1e-12)
    assert factor >= math.exp(x) - math.exp(x) * x**4 / 24 - 1e-12


@given(st.integers(RAY, 10 * RAY), st.integers(0, RAY), st.integers(0, SECONDS_PER_YEAR))
def test_growing_an_index_is_multiplying_by_its_factor(index, rate, seconds):
    linear, compounded = linear_interest_ray(rate, seconds), compounded_interest_ray(rate, seconds)
    assert grown_linearly(index, rate, seconds) == wad_ray.ray_mul_half_up(linear, index)
    assert grown_compounded(index, rate, seconds) == wad_ray.ray_mul_half_up(compounded, index)


@given(st.integers(0, 10**24), st.integers(0, 10**20))
def test_healthy_means_a_health_factor_of_one(weighted_threshold, debt):
    assert is_healthy(weighted_threshold, debt) == (health_factor_of(weighted_threshold, debt) >= WAD)


@given(st.integers(1, 10**20), st.integers(-3, 3))
def test_healthy_at_the_very_boundary(debt, offset):
    weighted_threshold = max(debt * 10_000 + offset, 0)
    assert is_healthy(weighted_threshold, debt) == (health_factor_of(weighted_threshold, debt) >= WAD)


CURVE = TwoSlopeRates(RAY * 8 // 10, RAY // 100, RAY * 4 // 100, RAY * 60 // 100)


@pytest.mark.parametrize(
    ("debt", "cash", "borrow_percent", "liquidity_percent"),
    [
        (0, 100, 1.0, 0.0),
        (40, 60, 3.0, 1.08),  # half of the optimum: base + slope1 / 2; earns 3 % · 0.4 · 0.9
        (80, 20, 5.0, 3.6),  # at the kink
        (90, 10, 35.0, 28.35),  # half-way up the second slope
        (100, 0, 65.0, 58.5),
    ],
)
def test_rate_curve_by_hand(debt, cash, borrow_percent, liquidity_percent):
    borrow, liquidity = CURVE.rates(debt, cash, 0, 1_000)
    assert borrow == round(borrow_percent * 100) * RAY // 10_000
    assert liquidity == round(liquidity_percent * 10_000) * RAY // 1_000_000


def test_a_deficit_lowers_what_suppliers_earn_and_not_what_borrowers_pay():
    borrow, liquidity = CURVE.rates(40, 60, 100, 0)
    assert borrow == 3 * RAY // 100
    assert liquidity == borrow * 40 // 200


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 10**30), st.integers(0, 10_000))
def test_rates_stay_on_the_curve(debt, cash, deficit, factor_bps):
    borrow, liquidity = CURVE.rates(debt, cash, deficit, factor_bps)
    assert CURVE.base_rate_ray <= borrow <= CURVE.base_rate_ray + CURVE.slope1_ray + CURVE.slope2_ray
    assert 0 <= liquidity <= borrow


def test_flag_masks_cover_every_reserve_once():
    assert BORROWING_MASK & COLLATERAL_MASK == 0
    assert BORROWING_MASK | COLLATERAL_MASK == MAX
