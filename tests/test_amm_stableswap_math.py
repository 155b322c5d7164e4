"""StableSwap arithmetic: worked numbers, exact solutions, an independent calculation, refusals."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stableswap_fixture import exact_invariant

from sim.chain.revert import Revert
from sim.markets.amm.stableswap import curve
from sim.markets.amm.stableswap.fixed_point import ONE, complement, div_down, div_up, mul_down, mul_up
from sim.markets.amm.stableswap.invariant import balance_rounding_up, invariant
from sim.markets.amm.stableswap.swap_math import in_given_out, out_given_in


# ---------------------------------------------------------------------- worked numbers and exact solutions
def test_fixed_point_rounds_as_its_names_say() -> None:
    assert (mul_down(10**18 + 1, 10**18 + 1), mul_up(10**18 + 1, 10**18 + 1)) == (10**18 + 2, 10**18 + 3)
    assert (div_down(1, 3 * ONE), div_up(1, 3 * ONE), div_down(1, 3), div_up(1, 3)) == (0, 1, ONE // 3, ONE // 3 + 1)
    assert (mul_up(0, 5), div_up(0, 5), complement(ONE // 4), complement(2 * ONE)) == (0, 0, 3 * ONE // 4, 0)
    for function, arguments, reason in (
        (mul_down, (1 << 128, 1 << 128), "BAL#003"),
        (mul_up, (1 << 128, 1 << 128), "BAL#003"),
        (div_down, (1, 0), "BAL#004"),
        (div_up, (1 << 200, 1), "BAL#005"),
    ):
        with pytest.raises(Revert, match=reason):
            function(*arguments)


def test_the_first_recorded_pool_by_its_literal_numbers() -> None:
    balances = [1452755884401149192699904, 4300699907371842928640]
    assert invariant(5_000_000, balances, False) == 1445125057443867472724640
    assert out_given_in(5_000_000, balances, 1, 0, 27304105967301758976) == 102640414812875244734
    assert in_given_out(5_000_000, balances, 1, 0, 1344025464021417247899648) == 1332468521984782547633208
    assert balances == [1452755884401149192699904, 4300699907371842928640]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("amplification", [1, 85, 5000])
def test_in_balance_the_invariant_is_the_sum_and_the_price_one(count: int, amplification: int) -> None:
    balances = [10**24] * count
    assert invariant(amplification * 1000, balances, False) == count * 10**24
    assert invariant(amplification * 1000, balances, True) == count * 10**24
    floats = [1e24] * count
    assert curve.invariant(amplification * count, floats) == count * 1e24
    assert curve.relative_price(amplification * count, floats, 0, count - 1, count * 1e24) == 1.0


@given(st.integers(1, 10**6), st.integers(2, 5), st.booleans())
def test_a_large_amplification_is_a_constant_sum(share_millionths: int, count: int, same: bool) -> None:
    # From balance, moving up to half a token's balance: q/y is at most 4^n·D/(n·D/2), so 1 − price ≤ 2·4^n / (A·n).
    balances, amp_milli = [10**24] * count, 10**15
    amount = 10**24 * share_millionths // (2 * 10**6)
    out = out_given_in(amp_milli, balances, 0, count - 1, amount)
    assert amount - 2 - amount * 2 * 4**count * 1000 // (amp_milli * count) <= out <= amount
    assert in_given_out(amp_milli, balances, 0, count - 1, out) >= out


@given(st.floats(0.02, 50.0), st.floats(0.001, 10.0))
def test_a_small_amplification_is_a_constant_product(ratio: float, traded: float) -> None:
    # On the curve 4·x·y·(1 + a·(s − 1)) = D² with s = (x + y)/D: x·y differs from a constant by a·(s − 1) at most.
    amp_milli = 1
    a = 2 * amp_milli / 1000
    x, y = 10**24, int(ratio * 10**24)
    amount = int(traded * 10**24)
    out = out_given_in(amp_milli, [x, y], 0, 1, amount)
    kept = x * y / (x + amount)
    d = invariant(amp_milli, [x, y], False)
    bound = a * (max(x + y, x + amount + y - out) / d - 1.0)
    assert 0.0 <= bound < 0.05
    assert abs((y - out) / kept - 1.0) <= bound * 1.001 + 1e-12


# ---------------------------------------------------------------------- an independent calculation
def _decimal_invariant(a: Decimal, balances: list[Decimal]) -> Decimal:
    count, total, d = len(balances), sum(balances, Decimal(0)), sum(balances, Decimal(0))
    product = math.prod(balances, start=Decimal(count) ** count)
    for _ in range(200):
        value = a * total + d - a * d - d ** (count + 1) / product
        slope = 1 - a - (count + 1) * d**count / product
        d -= value / slope
    return d


@settings(max_examples=60)
@given(
    st.integers(1, 5000),
    st.lists(st.integers(10**21, 10**22), min_size=2, max_size=5),
    st.integers(10**15, 2 * 10**21),
    st.data(),
)
def test_swaps_agree_with_the_curve_in_eighty_digits(
    amplification: int, balances: list[int], amount: int, data: st.DataObject
) -> None:
    i, j = data.draw(st.permutations(range(len(balances))))[:2]
    with localcontext() as context:
        context.prec = 80
        a = Decimal(amplification * len(balances))
        exact = [Decimal(balance) for balance in balances]
        d = _decimal_invariant(a, exact)
        assert abs(d - invariant(amplification * 1000, balances, True)) <= 40
        assert abs(d - invariant(amplification * 1000, balances, False)) <= 40
        exact[i] += amount
        # Newton for the balance of token j that keeps D, from far below: the equation is concave in it.
        y = exact[j] / 10**6
        for _ in range(200):
            rest = [b for k, b in enumerate(exact) if k != j]
            total, product = sum(rest, y), math.prod(rest, start=y * Decimal(len(exact)) ** len(exact))
            q = d ** (len(exact) + 1) / product
            y += (a * total + d - a * d - q) / -(a + q / y)
        error = Decimal(balances[j]) - y - out_given_in(amplification * 1000, balances, i, j, amount)
        # The contract takes D/a in thousands of units and D²/(1000·a·p) in whole numbers: both in the pool's favour.
        p = q * (d / q) ** 2 * (exact[j] / y)
        slope = (2 * y + sum(rest) + d / a - d) / y
        assert 0 <= error <= 100 + 1000 / slope + y * 1000 * a * p / d**2


@settings(max_examples=60)
@given(st.integers(1000, 5_000_000), st.lists(st.integers(10**12, 10**26), min_size=2, max_size=5))
def test_the_float_curve_is_the_exact_one(amp_milli: int, balances: list[int]) -> None:
    a = amp_milli * len(balances) / 1000
    floats = [float(balance) for balance in balances]
    d = curve.invariant(a, floats)
    assert d == pytest.approx(exact_invariant(amp_milli, balances), rel=1e-13, abs=1.0)
    for index, balance in enumerate(floats):
        # The root loses as many digits as the balance is smaller than the invariant.
        assert curve.balance_at(a, floats, index, d) == pytest.approx(balance, rel=1e-12, abs=1e-14 * d)


def test_beyond_256_bits_and_without_balances_the_arithmetic_refuses() -> None:
    assert invariant(10**5, [0, 0], True) == 0
    for balances, reason in (
        ([1 << 255, 1 << 255], "BAL#000"),
        ([1 << 130, 1 << 130], "BAL#003"),
        ([357916031058111037440, 731779282711003648], "BAL#322"),
    ):
        with pytest.raises(Revert, match=reason):
            invariant(10_000, balances, True)
    for balances, d, reason in (
        ([10**18, 10**18], 0, "BAL#004"),
        ([0, 10**18], 10**18, "BAL#004"),
        ([1 << 200, 1 << 200], 10**18, "BAL#003"),
        ([10**60, 1], 1 << 130, "BAL#003"),
    ):
        with pytest.raises(Revert, match=reason):
            balance_rounding_up(10_000, balances, d, 1)
