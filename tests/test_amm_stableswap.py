"""StableSwap pool: quotes and swaps, the invariant, prices, depth, amplification, refusals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stableswap_fixture import AMOUNTS, DAY, POOLS, RATE, Market, exact_invariant, opened, picture, refusal

from sim.ledger import EXCEEDS_BALANCE
from sim.markets import amm
from sim.markets.amm.adapter import Amm
from sim.markets.amm.stableswap.amplification import ramped
from sim.markets.amm.stableswap.constants import MAX_RESERVE
from sim.markets.amm.stableswap.fixed_point import ONE, mul_down
from sim.markets.amm.stableswap.pool import StableSwapPool
from sim.markets.amm.stableswap.swap_math import out_given_in

MOVES = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 4), AMOUNTS), min_size=1, max_size=8)


# ---------------------------------------------------------------------- swaps, quotes and the invariant
@settings(max_examples=120)
@given(POOLS, MOVES)
def test_quotes_equal_swaps_and_the_invariant_never_falls(options: dict[str, Any], moves: list[Any]) -> None:
    market = Market()
    pool = opened(market, options)
    count = len(pool.tokens)
    amp_milli = pool.amplification_milli()
    for exact_in, first, offset, amount in moves:
        i = first % count
        token_in, token_out = pool.tokens[i], pool.tokens[(i + 1 + (offset - 1) % (count - 1)) % count]
        before, held, d = picture(pool), tuple(pool.balances), exact_invariant(amp_milli, pool.scaled())
        if exact_in:
            out = pool.quote_exact_in(token_in, amount, token_out)
            assert picture(pool) == before
            if not out:
                reason = refusal(pool.swap_exact_in, market.trader, token_in, amount, 0, token_out)
                if reason is None:
                    # Less than one unit of a token with few decimals: taken, and nothing paid for it.
                    assert pool.balances[pool.index_of(token_out)] == held[pool.index_of(token_out)]
                continue
            swap = pool.swap_exact_in(market.trader, token_in, amount, out, token_out)
            assert (swap.amount_in, swap.amount_out) == (amount, out)
        else:
            cost = pool.quote_exact_out(token_out, amount, token_in)
            assert picture(pool) == before
            if cost is None or cost > 10**32:
                if cost is None:
                    assert refusal(pool.swap_exact_out, market.trader, token_in, amount, None, token_out) is not None
                continue
            swap = pool.swap_exact_out(market.trader, token_in, amount, cost, token_out)
            assert (swap.amount_in, swap.amount_out) == (cost, amount)
            # What the fee leaves covers the cost before fee.
            assert mul_down(cost, ONE - options["fee_pips"] * 10**12) >= cost - swap.fee_amount
        assert swap.fee_amount >= swap.amount_in * options["fee_pips"] // 10**6
        assert exact_invariant(amp_milli, pool.scaled()) >= d
        after = tuple(pool.balances)
        assert after[pool.index_of(token_in)] - held[pool.index_of(token_in)] == swap.amount_in
        assert held[pool.index_of(token_out)] - after[pool.index_of(token_out)] == swap.amount_out
        assert all(
            market.ledger.balances[token][pool.account] == r for token, r in zip(pool.tokens, after, strict=True)
        )
        market.ledger.audit()


def test_rounding_cannot_be_milked_from_a_nearly_empty_pool() -> None:
    # Rounding the amount asked for down, as the contract does, would let the invariant fall by 45447 here.
    market = Market()
    pool = StableSwapPool("tiny", market.ledger, market.clock, [0, 2], 200, 0, [ONE, 19 * ONE // 10])
    pool.balances[:] = [67_035_307, 833]
    for token, balance in zip(pool.tokens, pool.balances, strict=True):
        market.ledger.balances[token][pool.account] = balance
    assert exact_invariant(200_000, pool.scaled()) == 19_992_469
    pool.swap_exact_out(market.trader, 0, 762)
    assert exact_invariant(200_000, pool.scaled()) == 19_992_469 + 844


# ---------------------------------------------------------------------- prices
@settings(max_examples=60)
@given(
    st.lists(st.floats(0.2, 1.0), min_size=2, max_size=4),
    st.sampled_from([1, 50, 5000]),
    st.booleans(),
    st.data(),
)
def test_the_price_is_the_slope_of_the_swap(
    shares: list[float], amplification: int, rated: bool, data: st.DataObject
) -> None:
    market = Market()
    rates = [RATE, ONE, 2 * ONE, ONE][: len(shares)] if rated else None
    pool = market.pool(tuple(1e9 * share for share in shares), amplification, 0, rates)
    i, j = data.draw(st.permutations(range(len(shares))))[:2]
    base, quote = pool.tokens[i], pool.tokens[j]
    step = 10 ** Market.DECIMALS[base] * 1000
    worth = pool.quote_exact_in(base, step, quote) + (pool.quote_exact_out(base, step, quote) or 0)
    whole = worth / 10 ** Market.DECIMALS[quote] / 2000
    # Central difference over a millionth of the pool; the smallest unit of a token is up to 1e-9 of the step.
    assert pool.price(base, quote) == pytest.approx(whole, rel=2e-9)
    assert pool.price(quote, base) == pytest.approx(1.0 / pool.price(base, quote), rel=1e-14)
    assert pool.log_price(base, quote) == math.log(pool.price(base, quote))


def test_with_redemption_rates_the_pool_trades_around_their_ratio() -> None:
    market = Market()
    rates = [12 * ONE // 10, ONE]
    pool = market.pool((1e6, 1.2e6), 50, 0, rates)
    assert pool.price() == pytest.approx(1.2, rel=1e-15)
    assert pool.quote_exact_in(pool.token0, 10**18) == pytest.approx(1.2e6, rel=1e-5)
    rates[0] = 13 * ONE // 10  # whoever owns the list lets the rate grow
    assert pool.price() == pytest.approx(1.3, rel=0.01)
    pool.set_rate(market.trader, pool.token0, 12 * ONE // 10)
    assert pool.price() == pytest.approx(1.2, rel=1e-15)
    assert rates[0] == 12 * ONE // 10


@settings(max_examples=80)
@given(
    st.floats(0.3, 3.0), st.sampled_from([1, 50, 1000]), st.sampled_from([0, 100, 3000, 50_000]), st.floats(0.3, 1.0)
)
def test_the_amount_to_a_price_moves_the_pool_there(
    target: float, amplification: int, fee_pips: int, share: float
) -> None:
    market = Market()
    pool = market.pool((1e8, 1e8 * share), amplification, fee_pips, [RATE, ONE])
    before, target = picture(pool), target * RATE / ONE
    token_in, amount = pool.amount_to_price(target)
    assert picture(pool) == before
    if amount:
        assert token_in == (pool.token0 if target < pool.price() else pool.token1)
        swap = pool.swap_to_price(market.trader, target, None, token_in)
        assert swap.amount_in == amount
    # A unit of the token with 6 decimals is 1e-14 of the pool; at A = 1000 near the cliff it moves the price most.
    assert pool.price() == pytest.approx(target, rel=1e-9)
    assert refusal(pool.swap_to_price, market.trader, pool.price()) == "BAL#510"


def test_prices_far_away_are_reached_up_to_what_a_vault_can_hold() -> None:
    market = Market()
    pool = market.pool((1e6, 1e6))
    token_in, amount = pool.amount_to_price(1e-9)
    pool.swap_exact_in(market.trader, token_in, amount)
    assert pool.price() == pytest.approx(1e-9, rel=1e-3)
    pool = market.pool((1e6, 1e6))
    assert pool.amount_to_price(1e-60) == (pool.token0, MAX_RESERVE - pool.reserves()[0])
    for price in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="positive, finite"):
            pool.amount_to_price(price)


def test_a_target_that_was_passed_meanwhile_is_refused_and_little_money_stops_on_the_way() -> None:
    market = Market()
    pool = market.pool()
    token_in, amount = pool.amount_to_price(0.97)
    assert refusal(pool.swap_to_price, market.trader, 0.97, None, pool.token1) == "BAL#510"
    assert pool.swap_to_price(market.trader, 0.97, amount // 2, token_in).amount_in == amount // 2
    assert 0.97 < pool.price() < 1.0


def test_arbitrage_pays_up_to_the_target_and_not_beyond() -> None:
    market = Market()
    pool = market.pool((1e6, 1e6), 100, 400)
    assert pool.arbitrage_target(1.0003) is None
    for outside in (0.99, 1.01):
        pool = market.pool((1e6, 1e6), 100, 400)
        target = pool.arbitrage_target(outside)
        assert target is not None
        token_in, amount = pool.amount_to_price(target)

        def profit(amount: int, pool: Any = pool, token_in: int = token_in, outside: float = outside) -> float:
            received = pool.quote_exact_in(token_in, amount)
            if token_in == pool.token0:
                return received / 1e6 - amount / 1e18 * outside
            return received / 1e18 - amount / 1e6 / outside

        assert profit(amount) > 0.0
        # The fee that stays in the pool moves the price a little too: the optimum is flat there.
        assert profit(amount) >= max(profit(amount * 9 // 10), profit(amount * 11 // 10))


@pytest.mark.parametrize("ratio", [0.02, 0.3])
def test_the_depth_is_what_moves_the_price(ratio: float) -> None:
    market = Market()
    for sell in (True, False):
        pool = market.pool((1e8, 7e7), 50, 0, [RATE, ONE])
        price = pool.price()
        depth = pool.depth(ratio)
        if sell:
            pool.swap_exact_in(market.trader, pool.token0, int(depth.token0_down * 1e18))
            assert pool.price() == pytest.approx(price * (1.0 - ratio), rel=1e-8)
        else:
            pool.swap_exact_in(market.trader, pool.token1, int(depth.token1_up * 1e6))
            assert pool.price() == pytest.approx(price * (1.0 + ratio), rel=1e-8)
    assert pool.depth_2pct() == pool.depth(0.02)
    assert market.pool((0, 0)).depth() == (0.0, 0.0)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        pool.depth(1.0)


# ---------------------------------------------------------------------- amplification
def test_a_ramp_is_a_line() -> None:
    assert [ramped(100, 200, 10, 20, now) for now in (0, 10, 13, 19, 20, 99)] == [100, 100, 130, 190, 200, 200]
    assert [ramped(200, 100, 10, 20, now) for now in (0, 10, 13, 19, 20, 99)] == [200, 200, 170, 110, 100, 100]
    assert (ramped(0, 10, 0, 3, 1), ramped(10, 0, 0, 3, 1)) == (3, 7)


def test_a_ramp_changes_what_a_swap_gives_and_can_be_stopped() -> None:
    market = Market()
    pool = market.pool((1e6, 4e5), 100, 400)
    start = market.clock.timestamp
    quotes = [pool.quote_exact_in(0, 10**22)]
    assert pool.start_ramp(market.trader, 200, start + DAY) == (100_000, 200_000, start, start + DAY)
    for seconds in (0, DAY // 2, DAY):
        market.clock.timestamp = start + seconds
        assert pool.amplification() == 100 + 100 * seconds / DAY
        quotes.append(pool.quote_exact_in(0, 10**22))
        after_fee = 10**22 - 4 * 10**18
        assert quotes[-1] == out_given_in(pool.amplification_milli(), pool.scaled(), 0, 1, after_fee) // 10**12
    assert pool.start_ramp(market.trader, 150, start + 3 * DAY).start_milli == 200_000
    market.clock.timestamp = start + 2 * DAY
    assert pool.amplification() == 175.0
    pool.journal.undo()
    assert quotes[0] == quotes[1] < quotes[2] < quotes[3]
    market.clock.timestamp = start
    pool.start_ramp(market.trader, 200, start + DAY)
    market.clock.timestamp = start + DAY // 4
    assert pool.stop_ramp(market.trader).end_milli == 125_000
    market.clock.timestamp += 10 * DAY
    assert pool.amplification() == 125.0
    assert refusal(pool.stop_ramp, market.trader) == "BAL#320"
    later = market.clock.timestamp + 5 * DAY
    pool.start_ramp(market.trader, 65, later + 2 * DAY, later)
    market.clock.timestamp = later + DAY
    assert pool.amplification() == 95.0


def test_ramps_keep_the_contracts_bounds() -> None:
    market = Market()
    pool = market.pool(amplification=100)
    now = market.clock.timestamp
    for end, timestamp, reason in (
        (0, now + DAY, "BAL#300"),
        (5001, now + 99 * DAY, "BAL#301"),
        (150, now - 1, "BAL#001"),
        (150, now + DAY - 1, "BAL#317"),
        (201, now + DAY, "BAL#319"),
        (49, now + DAY, "BAL#319"),
        (401, now + 2 * DAY, "BAL#319"),
    ):
        assert refusal(pool.start_ramp, market.trader, end, timestamp) == reason
    assert refusal(pool.stop_ramp, market.trader) == "BAL#320"
    pool.start_ramp(market.trader, 50, now + DAY)
    assert refusal(pool.start_ramp, market.trader, 60, now + 9 * DAY) == "BAL#318"


# ---------------------------------------------------------------------- refusals
def test_operations_are_refused_with_the_contracts_reasons() -> None:
    market = Market()
    pool = market.pool((1e6, 1e6))
    trader, usd = market.trader, pool.token1
    out = pool.quote_exact_in(0, 10**18)
    cost = pool.quote_exact_out(usd, 10**6)
    assert cost is not None
    cases: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
        ("BAL#507", pool.swap_exact_in, (trader, 0, 10**18, out + 1)),
        ("BAL#507", pool.swap_exact_out, (trader, 0, 10**6, cost - 1)),
        ("BAL#510", pool.swap_exact_in, (trader, 0, 0)),
        ("BAL#001", pool.swap_exact_in, (trader, 0, 1)),
        ("BAL#509", pool.swap_exact_in, (trader, 0, 10**18, 0, 0)),
        ("BAL#001", pool.swap_exact_out, (trader, 0, 10**13)),
        ("BAL#004", pool.swap_exact_out, (trader, 0, 10**12)),
        ("BAL#526", pool.swap_exact_in, (trader, 0, MAX_RESERVE)),
        (EXCEEDS_BALANCE, pool.swap_exact_in, (market.poor, 0, 10**18)),
        ("BAL#103", pool.add_liquidity, (trader, [1, 2, 3])),
        ("BAL#208", pool.add_liquidity, (trader, [10**18, 10**6], 10**20)),
        ("BAL#506", pool.add_for_shares, (trader, 0, 10**18, 10**17)),
        ("BAL#417", pool.remove_liquidity, (trader, 1)),
        ("BAL#505", pool.remove_liquidity, (market.provider, 10**18, [10**18, 0])),
        ("BAL#505", pool.remove_one, (market.provider, 10**18, 0, 10**18)),
        ("BAL#207", pool.remove_exact, (market.provider, [10**18, 0], 10**17)),
        ("BAL#001", pool.remove_exact, (market.provider, [10**25, 0])),
        ("BAL#416", pool.transfer_shares, (trader, market.provider, 1)),
        ("BAL#203", pool.set_fee, (trader, 0)),
        ("BAL#202", pool.set_fee, (trader, 100_001)),
        ("BAL#329", pool.set_rate, (trader, 0, 1 << 128)),
    ]
    for reason, operation, arguments in cases:
        assert refusal(operation, *arguments) == reason
    empty = market.pool((0, 0))
    assert refusal(empty.remove_liquidity, trader, 0) == "BAL#206"
    assert refusal(empty.add_liquidity, trader, [10**5, 0]) == "BAL#204"
    assert refusal(empty.swap_exact_in, trader, 0, 5) == "BAL#004"
    assert (empty.quote_exact_in(0, 5), empty.quote_exact_out(0, 5)) == (0, None)
    assert (pool.quote_exact_in(0, 0), pool.quote_exact_in(0, -1), pool.quote_exact_out(0, 0)) == (0, 0, None)
    assert pool.quote_exact_out(0, 10**40) is None
    for reader in (empty.price, empty.share_worth):
        with pytest.raises(ValueError, match="is empty"):
            reader()


def test_misuse_is_an_error_that_says_what_is_allowed() -> None:
    market = Market()
    pool = market.pool()
    for call in (
        lambda: pool.swap_exact_in(market.trader, 0, -1),
        lambda: pool.add_liquidity(market.trader, [1, -1]),
        lambda: pool.remove_liquidity(market.trader, -1),
        lambda: pool.transfer_shares(market.trader, market.provider, -1),
    ):
        with pytest.raises(ValueError, match="negative amount -1"):
            call()
    with pytest.raises(ValueError, match="trades tokens 0, 1, not 3"):
        pool.quote_exact_in(3, 1)
    with pytest.raises(ValueError, match="must be positive"):
        pool.set_rate(market.trader, 0, 0)
    wide = market.ledger.add_token("W", 20)
    for tokens, amplification, fee, rates, message in (
        ([0], 100, 400, None, "1 tokens; allowed: 2 to 5"),
        ([0, 1, 0], 100, 400, None, "named twice"),
        ([0, 1], 0, 400, None, "amplification 0; allowed: 1 to 5000"),
        ([0, 1], 100, 100_001, None, "fee_pips 100001; allowed: 0 to 100000"),
        ([0, 1], 100, 400, [ONE], "1 rates for 2 tokens"),
        ([0, 1], 100, 400, [ONE, 0], "positive 18-decimal numbers"),
        ([0, wide], 100, 400, None, "tokens of 0 to 18"),
    ):
        with pytest.raises(ValueError, match=message):
            StableSwapPool("bad", market.ledger, market.clock, tokens, amplification, fee, rates)


def test_a_pool_whose_invariant_does_not_settle_refuses_swaps_but_lets_liquidity_go() -> None:
    market = Market()
    pool = StableSwapPool("lopsided", market.ledger, market.clock, [0, 2], 10, 400)
    pool.add_liquidity(market.provider, [10**20, 10**20])
    for index, balance in enumerate((357916031058111037440, 731779282711003648)):
        pool.balances[index] = market.ledger.balances[pool.tokens[index]][pool.account] = balance
    assert refusal(pool.swap_exact_in, market.trader, 0, 10**18) == "BAL#322"
    assert (pool.quote_exact_in(0, 10**18), pool.quote_exact_out(0, 10**17)) == (0, None)
    assert 0.0 < pool.price() < 0.01
    assert pool.depth().token0_down > 0.0
    pool.remove_liquidity(market.provider, 2 * 10**19)
    assert pool.quote_exact_in(0, 10**18) > 0


def test_the_three_kinds_of_pool_are_found_by_name() -> None:
    assert amm.StableSwapPool is StableSwapPool
    uniform: Amm = Market().pool((3.0, 2.0))
    assert uniform.reserves() == (3 * 10**18, 2 * 10**6)
    assert [getattr(amm, name).__name__ for name in amm.__all__] == amm.__all__
    with pytest.raises(AttributeError, match="no attribute 'WeightedPool'"):
        _ = amm.WeightedPool
