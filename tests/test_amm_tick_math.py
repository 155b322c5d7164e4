"""Ticks and sqrt prices: worked numbers of the contract's own tests, an independent decimal value, and the inverse."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import MAX_SQRT_RATIO, MAX_TICK, MIN_SQRT_RATIO, MIN_TICK
from sim.markets.amm.concentrated.tick_bitmap import next_initialized_tick, position_of
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio

TICKS = st.integers(MIN_TICK, MAX_TICK)
SQRT_PRICES = st.one_of(
    st.integers(MIN_SQRT_RATIO, MAX_SQRT_RATIO - 1),
    st.floats(32.1, 159.9).map(lambda log2: int(2**log2)),
)


@pytest.mark.parametrize(
    ("tick", "sqrt_price"),
    [
        (MIN_TICK, MIN_SQRT_RATIO),
        (MIN_TICK + 1, 4295343490),
        (0, 1 << 96),
        (50, 79426470787362580746886972461),
        (100, 79625275426524748796330556128),
        (250, 80224679980005306637834519095),
        (500, 81233731461783161732293370115),
        (1000, 83290069058676223003182343270),
        (5000, 101729702841318637793976746270),
        (50000, 965075977353221155028623082916),
        (150000, 143194173941309278083010301478497),
        (500000, 5697689776495288729098254600827762987878),
        (738203, 847134979253254120489401328389043031315994541),
        (MAX_TICK - 1, 1461373636630004318706518188784493106690254656249),
        (MAX_TICK, MAX_SQRT_RATIO),
    ],
)
def test_sqrt_price_of_a_tick_as_the_contract_gives_it(tick: int, sqrt_price: int) -> None:
    assert sqrt_ratio_at_tick(tick) == sqrt_price


@pytest.mark.parametrize("tick", [MIN_TICK - 1, MAX_TICK + 1])
def test_a_tick_out_of_range_reverts(tick: int) -> None:
    with pytest.raises(Revert, match=r"^T$"):
        sqrt_ratio_at_tick(tick)


@pytest.mark.parametrize("sqrt_price", [0, MIN_SQRT_RATIO - 1, MAX_SQRT_RATIO, 1 << 170])
def test_a_sqrt_price_out_of_range_reverts(sqrt_price: int) -> None:
    with pytest.raises(Revert, match=r"^R$"):
        tick_at_sqrt_ratio(sqrt_price)


@given(TICKS)
def test_sqrt_price_is_close_to_the_power_of_1_0001(tick: int) -> None:
    with localcontext() as context:
        context.prec = 80
        exact = Decimal("1.0001").sqrt() ** tick * Decimal(2) ** 96
        assert abs(sqrt_ratio_at_tick(tick) - exact) <= exact * Decimal(2) ** -60 + 1


@given(TICKS.filter(lambda tick: tick < MAX_TICK))
def test_the_inverse_at_and_beside_every_boundary(tick: int) -> None:
    boundary, following = sqrt_ratio_at_tick(tick), sqrt_ratio_at_tick(tick + 1)
    assert boundary < following
    assert tick_at_sqrt_ratio(boundary) == tick
    assert tick_at_sqrt_ratio(following - 1) == tick
    if tick > MIN_TICK:
        assert tick_at_sqrt_ratio(boundary - 1) == tick - 1


def test_the_inverse_on_a_comb_over_all_ticks() -> None:
    for tick in range(MIN_TICK + 1, MAX_TICK, 97):
        boundary = sqrt_ratio_at_tick(tick)
        assert tick_at_sqrt_ratio(boundary) == tick
        assert tick_at_sqrt_ratio(boundary - 1) == tick - 1


@given(SQRT_PRICES)
@example(MIN_SQRT_RATIO)
@example(MAX_SQRT_RATIO - 1)
def test_the_tick_of_a_price_equals_a_search_by_bisection(sqrt_price: int) -> None:
    low, high = MIN_TICK, MAX_TICK
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sqrt_ratio_at_tick(middle) <= sqrt_price else (low, middle)
    assert tick_at_sqrt_ratio(sqrt_price) == low


# ---------------------------------------------------------------------- bitmap
SPACINGS = st.sampled_from([1, 10, 60, 200])


@given(st.sets(st.integers(-1500, 1500), max_size=12), st.integers(-400_000, 400_000), SPACINGS, st.booleans())
def test_next_initialised_tick_equals_a_search_tick_by_tick(
    usable: set[int], tick: int, spacing: int, downwards: bool
) -> None:
    words: dict[int, int] = {}
    for index in usable:
        word, bit = position_of(index * spacing, spacing)
        words[word] = words.get(word, 0) | 1 << bit
    tick = max(min(tick, 1600 * spacing), -1600 * spacing)
    index = tick // spacing
    if not downwards:
        index += 1
    word = index >> 8
    while index not in usable and (index & 255) != (0 if downwards else 255):
        index += -1 if downwards else 1
    assert index >> 8 == word
    assert next_initialized_tick(words, tick, spacing, downwards) == (index * spacing, index in usable)
