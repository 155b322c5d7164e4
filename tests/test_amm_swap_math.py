"""Sqrt price, liquidity and swap step mathematics: the contract's own examples, and what must always hold."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import MASK_256, MAX_SQRT_RATIO, MIN_SQRT_RATIO, Q96
from sim.markets.amm.concentrated.liquidity_amounts import (
    amounts_for_liquidity,
    liquidity_for_amount0,
    liquidity_for_amount1,
    liquidity_for_amounts,
)
from sim.markets.amm.concentrated.sqrt_price_math import (
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
    next_sqrt_price_from_input,
    next_sqrt_price_from_output,
)
from sim.markets.amm.concentrated.swap_math import step_exact_in, step_exact_out
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick

ETHER = 10**18


def encoded(reserve1: int, reserve0: int) -> int:
    """Sqrt price in Q96 of a ratio of reserves."""
    return isqrt((reserve1 << 192) // reserve0)


def spread(low: float, high: float) -> st.SearchStrategy[int]:
    """Integers spread evenly over orders of magnitude."""
    return st.tuples(st.floats(low, high), st.integers(0, 1000)).map(lambda pair: int(2 ** pair[0]) + pair[1])


SQRT_PRICES = spread(32.001, 159.9).filter(lambda price: MIN_SQRT_RATIO <= price < MAX_SQRT_RATIO)
LIQUIDITY = spread(0, 127.9)
AMOUNTS = spread(0, 127)
FEES = st.sampled_from([0, 1, 100, 500, 3000, 10_000, 999_999])


# ---------------------------------------------------------------------- worked examples (the contract's own tests)
def test_amounts_between_prices_1_and_1_21() -> None:
    a, b = encoded(1, 1), encoded(121, 100)
    assert amount0_rounding_up(a, b, ETHER) == 90909090909090910
    assert amount0_rounding_down(a, b, ETHER) == 90909090909090909
    assert amount1_rounding_up(a, b, ETHER) == 100000000000000000
    assert amount1_rounding_down(a, b, ETHER) == 99999999999999999
    assert amount0_rounding_up(a, b, 0) == amount1_rounding_up(a, b, 0) == 0
    assert amount0_rounding_up(a, a, ETHER) == amount1_rounding_up(a, a, ETHER) == 0


def test_next_price_from_input() -> None:
    one = encoded(1, 1)
    assert next_sqrt_price_from_input(one, ETHER, ETHER // 10, False) == 87150978765690771352898345369
    assert next_sqrt_price_from_input(one, ETHER, ETHER // 10, True) == 72025602285694852357767227579
    assert next_sqrt_price_from_input(one, 10 * ETHER, 2**100, True) == 624999999995069620
    assert next_sqrt_price_from_input(one, 1, 2**255, True) == 1
    assert next_sqrt_price_from_input(one, ETHER, 0, True) == one
    assert next_sqrt_price_from_input(one, ETHER, 0, False) == one


def test_next_price_from_output() -> None:
    one, price = encoded(1, 1), 20282409603651670423947251286016
    assert next_sqrt_price_from_output(one, ETHER, ETHER // 10, False) == 88031291682515930659493278152
    assert next_sqrt_price_from_output(one, ETHER, ETHER // 10, True) == 71305346262837903834189555302
    assert next_sqrt_price_from_output(price, 1024, 262143, True) == 77371252455336267181195264
    assert next_sqrt_price_from_output(one, ETHER, 0, False) == one


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (next_sqrt_price_from_input, (0, 1, 1, False)),
        (next_sqrt_price_from_input, (1, 0, 1, True)),
        (next_sqrt_price_from_input, ((1 << 160) - 1, 1024, 1024, False)),
        (next_sqrt_price_from_output, (0, 1, 1, False)),
        (next_sqrt_price_from_output, (1, 0, 1, True)),
        (next_sqrt_price_from_output, (20282409603651670423947251286016, 1024, 4, False)),
        (next_sqrt_price_from_output, (20282409603651670423947251286016, 1024, 5, False)),
        (next_sqrt_price_from_output, (20282409603651670423947251286016, 1024, 262144, True)),
        (next_sqrt_price_from_output, (20282409603651670423947251286016, 1024, 262145, True)),
        (next_sqrt_price_from_output, (encoded(1, 1), 1, MASK_256, True)),
        (next_sqrt_price_from_output, ((1 << 160) - 1, 1 << 66, ((1 << 162) - 2) >> 160, False)),
        (amount0_rounding_up, (0, 1, 1)),
        (amount0_rounding_down, (1, 0, 1)),
        (liquidity_for_amount0, (5, 5, 1)),
        (liquidity_for_amount1, (5, 5, 1)),
        (liquidity_for_amount1, (Q96, Q96 + 1, 1 << 127)),
    ],
)
def test_what_the_contract_refuses_without_a_text(function: object, arguments: tuple[int, ...]) -> None:
    with pytest.raises(Revert, match=r"^$"):
        function(*arguments)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("exact_in", "price", "target", "liquidity", "amount", "fee", "expected"),
    [
        # capped at the target, exact input and exact output
        (True, encoded(1, 1), encoded(101, 100), 2 * ETHER, ETHER, 600,
         (encoded(101, 100), 9975124224178055, 9925619580021728, 5988667735148)),
        (False, encoded(1, 1), encoded(101, 100), 2 * ETHER, ETHER, 600,
         (encoded(101, 100), 9975124224178055, 9925619580021728, 5988667735148)),
        # used up before the target
        (True, encoded(1, 1), encoded(1000, 100), 2 * ETHER, ETHER, 600,
         (None, 999400000000000000, 666399946655997866, 600000000000000)),
        (False, encoded(1, 1), encoded(10000, 100), 2 * ETHER, ETHER, 600,
         (None, 2000000000000000000, ETHER, 1200720432259356)),
        # output capped at what was asked
        (False, 417332158212080721273783715441582, 1452870262520218020823638996, 159344665391607089467575320103, 1, 1,
         (417332158212080721273783715441581, 1, 1, 1)),
        # a target of 1 uses part of the input
        (True, 2, 1, 1, 3915081100057732413702495386755767, 1,
         (1, 39614081257132168796771975168, 0, 39614120871253040049813)),
        # the whole input is the fee
        (True, 2413, 79887613182836312, 1985041575832132834610021537970, 10, 1872, (2413, 0, 0, 10)),
        # too little liquidity for the output, both directions
        (False, 20282409603651670423947251286016, 22310650564016837466341976414617, 1024, 4, 3000,
         (22310650564016837466341976414617, 26215, 0, 79)),
        (False, 20282409603651670423947251286016, 18254168643286503381552526157414, 1024, 263000, 3000,
         (18254168643286503381552526157414, 1, 26214, 1)),
    ],
)  # fmt: skip
def test_swap_steps_as_the_contract_makes_them(
    exact_in: bool, price: int, target: int, liquidity: int, amount: int, fee: int, expected: tuple[int | None, ...]
) -> None:
    step = step_exact_in if exact_in else step_exact_out
    result = step(price, target, liquidity, amount, fee)
    assert result[1:] == expected[1:]
    if expected[0] is not None:
        assert result[0] == expected[0]
    else:
        next_price = next_sqrt_price_from_input if exact_in else next_sqrt_price_from_output
        moved = amount * (1_000_000 - fee) // 1_000_000 if exact_in else amount
        assert result[0] == next_price(price, liquidity, moved, price >= target)


def test_liquidity_of_amounts_around_price_1() -> None:
    price, lower, upper = encoded(1, 1), encoded(100, 110), encoded(110, 100)
    assert liquidity_for_amounts(price, lower, upper, 100, 200) == 2148
    assert liquidity_for_amounts(encoded(99, 110), lower, upper, 100, 200) == 1048
    assert liquidity_for_amounts(encoded(111, 100), lower, upper, 100, 200) == 2097
    assert liquidity_for_amounts(price, upper, lower, 100, 200) == 2148
    assert amounts_for_liquidity(price, lower, upper, 2148) == (99, 99)
    assert amounts_for_liquidity(price, upper, lower, 2148) == (99, 99)
    assert amounts_for_liquidity(encoded(99, 110), lower, upper, 1048) == (99, 0)
    assert amounts_for_liquidity(encoded(111, 100), lower, upper, 2097) == (0, 199)


def test_liquidity_of_token0_is_rounded_in_two_steps() -> None:
    """s_a · s_b / 2^96 is rounded down first: at the lowest prices that leaves nothing."""
    assert liquidity_for_amount0(sqrt_ratio_at_tick(-877200), sqrt_ratio_at_tick(-871200), 438611662087267549184) == 0
    assert liquidity_for_amount0(3 << 95, 5 << 95, 7) == 7 * (15 << 94) // (2 << 95)
    assert liquidity_for_amount0((1 << 60) + 1, (1 << 61) + 1, 10**30) == 10**30 * (1 << 25) // (1 << 60)


# ---------------------------------------------------------------------- what must always hold
@given(
    st.integers(1 << 150, MAX_SQRT_RATIO - 1), st.integers(1 << 120, (1 << 128) - 1), st.integers(1 << 106, 1 << 112)
)
def test_where_256_bits_overflow_the_coarser_formula_counts(price: int, liquidity: int, amount: int) -> None:
    scaled = liquidity << 96
    assert scaled + amount * price > MASK_256
    coarse = ceil(Fraction(scaled, scaled // price + amount))
    assert next_sqrt_price_from_input(price, liquidity, amount, True) == coarse
    # One input that the coarse formula stops short of the target, next to it.
    for target in (coarse - 1, coarse, coarse + 1):
        if MIN_SQRT_RATIO <= target < price:
            step = step_exact_in(price, target, liquidity, amount, 0)
            assert step == _step_in_words(True, price, target, liquidity, amount, 0)


def test_the_coarser_formula_is_another_number() -> None:
    price, liquidity, amount = 3 * (1 << 157) + 1, (1 << 127) + 12345, (1 << 98) + 1
    scaled = liquidity << 96
    precise = ceil(Fraction(scaled * price, scaled + amount * price))
    assert scaled + amount * price > MASK_256
    assert next_sqrt_price_from_input(price, liquidity, amount, True) != precise


@given(SQRT_PRICES, SQRT_PRICES, LIQUIDITY)
def test_amounts_are_the_exact_fractions_rounded(a: int, b: int, liquidity: int) -> None:
    low, high = min(a, b), max(a, b)
    exact0 = Fraction(liquidity * Q96 * (high - low), low * high)
    exact1 = Fraction(liquidity * (high - low), Q96)
    assert amount0_rounding_down(a, b, liquidity) == floor(exact0)
    assert amount0_rounding_up(a, b, liquidity) == ceil(exact0)
    assert amount1_rounding_down(a, b, liquidity) == floor(exact1)
    assert amount1_rounding_up(a, b, liquidity) == ceil(exact1)


@given(SQRT_PRICES, LIQUIDITY, AMOUNTS, st.booleans())
def test_the_price_after_an_input_moves_no_further_than_was_paid(
    price: int, liquidity: int, amount: int, zero_for_one: bool
) -> None:
    try:
        after = next_sqrt_price_from_input(price, liquidity, amount, zero_for_one)
    except Revert:
        assert not zero_for_one
        assert price + (amount << 96) // liquidity >= 1 << 160
        return
    if zero_for_one:
        assert after <= price
        assert amount0_rounding_up(after, price, liquidity) <= amount
    else:
        assert after >= price
        assert amount1_rounding_up(price, after, liquidity) <= amount


@given(SQRT_PRICES, LIQUIDITY, AMOUNTS, st.booleans())
def test_the_price_after_an_output_moves_at_least_as_far_as_was_taken(
    price: int, liquidity: int, amount: int, zero_for_one: bool
) -> None:
    try:
        after = next_sqrt_price_from_output(price, liquidity, amount, zero_for_one)
    except Revert:
        virtual = liquidity * price >> 96 if zero_for_one else (liquidity << 96) // price
        # Nearly all there is: the price would leave 160 bits or reach zero.
        assert amount * 2 >= virtual or not zero_for_one
        return
    if zero_for_one:
        assert after <= price
        assert Fraction(liquidity * (price - after), Q96) >= amount
    else:
        assert after >= price
        assert Fraction(liquidity * Q96 * (after - price), price * after) >= amount


def _step_in_words(
    exact_in: bool, price: int, target: int, liquidity: int, remaining: int, fee: int
) -> tuple[int, int, int, int]:
    """A swap step in the order in which the white paper and the contract describe it, without any shortcut."""
    down = price >= target
    cost = amount0_rounding_up if down else amount1_rounding_up
    gain = amount1_rounding_down if down else amount0_rounding_down
    usable = remaining * (1_000_000 - fee) // 1_000_000
    if exact_in:
        reached = usable >= cost(price, target, liquidity)
        after = target if reached else next_sqrt_price_from_input(price, liquidity, usable, down)
    else:
        reached = remaining >= gain(price, target, liquidity)
        after = target if reached else next_sqrt_price_from_output(price, liquidity, remaining, down)
    amount_in, amount_out = cost(price, after, liquidity), gain(price, after, liquidity)
    if not exact_in:
        amount_out = min(amount_out, remaining)
    if exact_in and after != target:
        return after, amount_in, amount_out, remaining - amount_in
    return after, amount_in, amount_out, ceil(Fraction(amount_in * fee, 1_000_000 - fee))


@given(st.booleans(), SQRT_PRICES, SQRT_PRICES, st.one_of(st.just(0), LIQUIDITY), spread(0, 254), FEES)
def test_the_step_equals_its_description(
    exact_in: bool, price: int, target: int, liquidity: int, remaining: int, fee: int
) -> None:
    step = step_exact_in if exact_in else step_exact_out
    assert step(price, target, liquidity, remaining, fee) == _step_in_words(
        exact_in, price, target, liquidity, remaining, fee
    )


@given(st.booleans(), SQRT_PRICES, st.integers(-1000, 1000), LIQUIDITY, spread(0, 100), FEES)
def test_the_step_equals_its_description_next_to_the_target(
    exact_in: bool, price: int, offset: int, liquidity: int, near: int, fee: int
) -> None:
    target = price + offset * (near % max(price >> 12, 1))
    assume(MIN_SQRT_RATIO <= target < MAX_SQRT_RATIO)
    down = price >= target
    if exact_in:
        whole = (amount0_rounding_up if down else amount1_rounding_up)(price, target, liquidity)
        whole = whole * 1_000_000 // (1_000_000 - fee)
    else:
        whole = (amount1_rounding_down if down else amount0_rounding_down)(price, target, liquidity)
    step = step_exact_in if exact_in else step_exact_out
    for remaining in range(max(whole - 2, 0), whole + 3):
        assert step(price, target, liquidity, remaining, fee) == _step_in_words(
            exact_in, price, target, liquidity, remaining, fee
        )


@given(st.booleans(), SQRT_PRICES, SQRT_PRICES, LIQUIDITY, AMOUNTS, FEES)
def test_a_step_never_overshoots_and_never_favours_the_trader(
    exact_in: bool, price: int, target: int, liquidity: int, remaining: int, fee: int
) -> None:
    step = step_exact_in if exact_in else step_exact_out
    after, amount_in, amount_out, fee_amount = step(price, target, liquidity, remaining, fee)
    assert min(price, target) <= after <= max(price, target)
    assert min(amount_in, amount_out, fee_amount) >= 0
    low, high = min(price, after), max(price, after)
    exact0, exact1 = Fraction(liquidity * Q96 * (high - low), low * high), Fraction(liquidity * (high - low), Q96)
    exact_paid, exact_got = (exact0, exact1) if price >= target else (exact1, exact0)
    assert amount_in >= exact_paid
    assert amount_out <= exact_got
    assert fee_amount >= Fraction(amount_in * fee, 1_000_000 - fee)
    if exact_in:
        assert amount_in + fee_amount <= remaining
        assert after == target or amount_in + fee_amount == remaining
    else:
        assert amount_out <= remaining
        assert after == target or amount_out == remaining


@given(SQRT_PRICES, SQRT_PRICES, SQRT_PRICES, AMOUNTS, AMOUNTS)
def test_liquidity_never_costs_more_than_the_amounts_given(
    price: int, a: int, b: int, amount0: int, amount1: int
) -> None:
    assume(a != b)
    try:
        liquidity = liquidity_for_amounts(price, a, b, amount0, amount1)
    except Revert:
        return
    low, high = min(a, b), max(a, b)
    inside = min(max(price, low), high)
    assert amount0_rounding_up(inside, high, liquidity) <= amount0
    assert amount1_rounding_up(low, inside, liquidity) <= amount1
    held = amounts_for_liquidity(price, a, b, liquidity)
    assert held[0] <= amount0
    assert held[1] <= amount1
