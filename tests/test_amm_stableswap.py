"""StableSwap: worked numbers, exact solutions, an independent calculation, invariants over random lives, undo."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.chain.clock import Clock
from sim.chain.journal import ABSENT
from sim.chain.revert import Revert
from sim.ledger import EXCEEDS_BALANCE, Ledger
from sim.markets.amm.stableswap import curve, share_math
from sim.markets.amm.stableswap.amplification import ramped
from sim.markets.amm.stableswap.constants import MAX_RESERVE
from sim.markets.amm.stableswap.fixed_point import ONE, complement, div_down, div_up, mul_down, mul_up
from sim.markets.amm.stableswap.invariant import balance_rounding_up, invariant
from sim.markets.amm.stableswap.pool import StableSwapPool
from sim.markets.amm.stableswap.swap_math import in_given_out, out_given_in

DAY = 86_400
RATE = 1_234_567_890_123_456_789


class Market:
    """A ledger with stable tokens of 18, 6, 18, 8 and 2 decimals, two rich accounts and a poor one."""

    DECIMALS = (18, 6, 18, 8, 2)

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.clock = Clock(1_700_000_000)
        self.tokens = [self.ledger.add_token(f"T{i}", decimals) for i, decimals in enumerate(self.DECIMALS)]
        self.provider, self.trader, self.poor = self.ledger.open_accounts(["provider", "trader", "poor"])
        for token in self.tokens:
            for account in (self.provider, self.trader):
                self.ledger.inflow(token, account, 10**33)

    def pool(
        self,
        whole: tuple[float, ...] = (1e6, 1e6),
        amplification: int = 100,
        fee_pips: int = 400,
        rates: list[int] | None = None,
    ) -> StableSwapPool:
        """A pool of the first tokens, as many as amounts (in whole tokens) are given for the first deposit."""
        tokens = self.tokens[: len(whole)]
        pool = StableSwapPool("stable", self.ledger, self.clock, tokens, amplification, fee_pips, rates)
        if whole[0]:
            amounts = [int(x * 10 ** self.DECIMALS[token]) for token, x in zip(tokens, whole, strict=True)]
            pool.add(self.provider, amounts)
        self.ledger.journal.clear()
        return pool


def picture(pool: StableSwapPool) -> Any:
    """Everything exact that an operation could have changed, and the float that mirrors the fee."""
    ledger = pool.ledger
    parts = (vars(pool.state), pool.balances, pool.rates, pool.shares, pool.fee_ratio, ledger.balances, ledger.inflows)
    return copy.deepcopy(parts)


def refusal(operation: Callable[..., Any], *arguments: Any, **options: Any) -> str | None:
    """The reason an operation is refused for; a refusal leaves nothing behind."""
    pool = operation.__self__  # type: ignore[attr-defined]
    before = picture(pool)
    try:
        with pool.journal.atomic():
            operation(*arguments, **options)
    except Revert as revert:
        assert picture(pool) == before
        return revert.reason
    return None


def exact_invariant(amp_milli: int, balances: list[int]) -> int:
    """floor(D) by bisection on the polynomial, in whole numbers without any rounding."""
    count, total, weight = len(balances), sum(balances), amp_milli * len(balances)
    product = math.prod(balances) * count**count
    low, high = 0, total
    while low < high:
        d = (low + high + 1) // 2
        if (weight * total + 1000 * d - weight * d) * product >= 1000 * d ** (count + 1):
            low = d
        else:
            high = d - 1
    return low


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
        # Newton in one unknown: the balance of token j that keeps D.
        y = exact[j]
        for _ in range(200):
            rest = [b for k, b in enumerate(exact) if k != j]
            total, product = sum(rest, y), math.prod(rest, start=y * Decimal(len(exact)) ** len(exact))
            q = d ** (len(exact) + 1) / product
            y += (a * total + d - a * d - q) / -(a + q / y)
        error = Decimal(balances[j]) - y - out_given_in(amplification * 1000, balances, i, j, amount)
        assert 0 <= error <= 100


@settings(max_examples=60)
@given(st.integers(1000, 5_000_000), st.lists(st.integers(10**12, 10**26), min_size=2, max_size=5))
def test_the_float_curve_is_the_exact_one(amp_milli: int, balances: list[int]) -> None:
    a = amp_milli * len(balances) / 1000
    floats = [float(balance) for balance in balances]
    d = curve.invariant(a, floats)
    assert d == pytest.approx(exact_invariant(amp_milli, balances), rel=1e-13)
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


# ---------------------------------------------------------------------- swaps, quotes and the invariant
AMOUNTS = st.floats(0.0, 25.0).map(lambda exponent: int(10**exponent))
POOLS = st.fixed_dictionaries(
    {
        "whole": st.lists(st.floats(2.0, 8.0).map(lambda e: float(int(10**e))), min_size=2, max_size=5).map(tuple),
        "amplification": st.sampled_from([1, 10, 50, 200, 5000]),
        "fee_pips": st.sampled_from([0, 0, 1, 400, 100_000]),
        "rates": st.sampled_from([None, "rates"]),
    }
)
MOVES = st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(1, 4), AMOUNTS), min_size=1, max_size=8)


def opened(market: Market, options: dict[str, Any]) -> StableSwapPool:
    whole = options["whole"]
    rates = [RATE, ONE, ONE + 1, 987_654_321_098_765_432, 3 * ONE][: len(whole)] if options["rates"] else None
    try:
        return market.pool(whole, options["amplification"], options["fee_pips"], rates)
    except Revert:
        assume(False)
        raise


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
        before, held, d = picture(pool), pool.reserves(), exact_invariant(amp_milli, pool.scaled())
        if exact_in:
            out = pool.quote_exact_in(token_in, amount, token_out)
            assert picture(pool) == before
            if not out:
                reason = refusal(pool.swap_exact_in, market.trader, token_in, amount, 0, token_out)
                if reason is None:
                    # Less than one unit of a token with few decimals: taken, and nothing paid for it.
                    assert pool.reserves()[pool.index_of(token_out)] == held[pool.index_of(token_out)]
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
        assert swap.fee_amount >= swap.amount_in * options["fee_pips"] // 10**6
        assert exact_invariant(amp_milli, pool.scaled()) >= d
        after = pool.reserves()
        assert after[pool.index_of(token_in)] - held[pool.index_of(token_in)] == swap.amount_in
        assert held[pool.index_of(token_out)] - after[pool.index_of(token_out)] == swap.amount_out
        assert all(
            market.ledger.balances[token][pool.account] == r for token, r in zip(pool.tokens, after, strict=True)
        )
        market.ledger.audit()


def test_rounding_cannot_be_milked_from_a_nearly_empty_pool() -> None:
    # A few units are left of a token at a rate above one: asked for in pieces, they must cost what they are worth.
    market = Market()
    pool = market.pool((1e6, 0, 1e6)[::2], 100, 0, [ONE, RATE])
    pool.balances[:] = [50, 50]
    for token in pool.tokens:
        market.ledger.balances[token][pool.account] = 50
    d = exact_invariant(100_000, pool.scaled())
    for _ in range(40):
        for token_in, token_out in (pool.tokens, pool.tokens[::-1]):
            if pool.quote_exact_out(token_out, 8, token_in) is not None:
                pool.swap_exact_out(market.trader, token_in, 8, None, token_out)
                now = exact_invariant(100_000, pool.scaled())
                assert now >= d
                d = now


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
    token_in, amount = market.pool((1e6, 1e6)).amount_to_price(1e-60)
    assert (token_in, amount) == (pool.token0, 0)
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


# ---------------------------------------------------------------------- liquidity
@settings(max_examples=60)
@given(
    POOLS,
    st.lists(
        st.tuples(st.sampled_from(["add", "for", "remove", "one", "exact"]), st.integers(0, 4), st.integers(1, 9999)),
        min_size=1,
        max_size=6,
    ),
)
def test_joining_and_leaving_never_dilutes_who_stays(options: dict[str, Any], actions: list[Any]) -> None:
    market = Market()
    pool = opened(market, options)
    amp_milli = pool.amplification_milli()
    for kind, first, parts in actions:
        token, shares = pool.tokens[first % len(pool.tokens)], pool.shares[market.provider] * parts // 10_000
        some = [b * (parts * (k + first + 1) % 10_000) // 10_000 for k, b in enumerate(pool.balances)]
        worth, total = exact_invariant(amp_milli, pool.scaled()), pool.state.total_shares
        try:
            with pool.journal.atomic():
                if kind == "add":
                    pool.add(market.provider, some)
                elif kind == "for":
                    pool.add_for_shares(market.provider, token, shares)
                elif kind == "remove":
                    pool.remove(market.provider, shares)
                elif kind == "one":
                    pool.remove_one(market.provider, shares, token)
                else:
                    pool.remove_exact(market.provider, some)
        except Revert:
            continue
        # The share of a change is counted in 10^-18ths: that much a join may cost those who stay, and no more.
        grown = exact_invariant(amp_milli, pool.scaled()) * total
        assert grown * (10**15 + 1) >= worth * pool.state.total_shares * 10**15
        assert sum(pool.shares.values()) + 10**6 == pool.state.total_shares
        market.ledger.audit()
    pool.remove(market.provider, pool.shares[market.provider])
    assert pool.shares[market.provider] == 0
    assert min(pool.reserves()) > 0


def test_a_proportional_exit_gives_everything_back_but_rounding() -> None:
    market = Market()
    pool = market.pool((1e6, 2e6, 3e6), 200)
    held = pool.reserves()
    half = pool.remove(market.provider, pool.state.total_shares // 2)
    assert all(0 <= b // 2 - a <= b // 10**17 + 1 for a, b in zip(half.amounts, held, strict=True))
    assert pool.share_worth() == pytest.approx(1.0, rel=1e-12)


def test_one_token_costs_and_gives_less_than_in_proportion() -> None:
    market = Market()
    pool = market.pool((1e6, 1e6), 100, 400)
    before = picture(pool)
    bought = pool.add_for_shares(market.trader, pool.token0, 10**22)
    assert bought.amounts[1] == 0
    assert 10**22 < bought.amounts[0] < 10**22 * 1001 // 1000
    sold = pool.remove_one(market.trader, 10**22, pool.token0)
    assert sold.amounts[0] < bought.amounts[0]
    pool.journal.undo()
    assert picture(pool) == before


def test_the_vectors_functions_agree_with_the_pool() -> None:
    market = Market()
    pool = market.pool((1e6, 8e5, 9e5), 200, 400)
    amounts = [10**21, 10**10, 0]
    expected = share_math.shares_out_given_tokens_in(
        200_000, pool.scaled(), [10**21, 10**22, 0], pool.state.total_shares, 4 * 10**14
    )
    assert pool.shares_for(amounts) == expected
    assert pool.add(market.trader, amounts) == (expected, tuple(amounts))
    assert pool.shares[market.trader] == expected


@pytest.mark.parametrize("price", [None, 0.6, 1.1, 1.234567890123456789, 1.5])
def test_a_pool_opens_at_a_price_with_a_given_value(price: float | None) -> None:
    market = Market()
    pool = StableSwapPool("new", market.ledger, market.clock, market.tokens[:2], 50, 400, [RATE, ONE])
    plan = pool.plan_provision(10**15, price=price)
    done = pool.provide(market.provider, None, None, 10**15, price)
    assert (plan.liquidity, plan.amount0, plan.amount1) == (done.shares, *done.amounts)
    assert pool.price() == pytest.approx(price or RATE / ONE, rel=1e-11)
    assert plan.amount0 / 1e18 * pool.price() + plan.amount1 / 1e6 == pytest.approx(1e9, rel=1e-9)
    more = pool.provide(market.trader, None, None, 10**13)
    assert pool.price() == pytest.approx(price or RATE / ONE, rel=1e-9)
    assert more.amounts[0] / 1e18 * pool.price() + more.amounts[1] / 1e6 == pytest.approx(1e7, rel=1e-6)


def test_a_pool_of_three_is_planned_by_amounts() -> None:
    market = Market()
    pool = StableSwapPool("3", market.ledger, market.clock, market.tokens[:3], 50, 400)
    assert pool.plan_amounts(3 * 10**12) == (10**24, 10**12, 10**24)
    pool.provide(market.provider, None, None, 3 * 10**12)
    assert pool.price() == 1.0
    assert pool.quote_exact_in(pool.tokens[2], 10**18, pool.token0) > 0
    with pytest.raises(ValueError, match="plan_amounts"):
        pool.plan_provision(10)
    for ask in (pool.quote_exact_in, pool.quote_exact_out):
        with pytest.raises(ValueError, match="name the one"):
            ask(pool.tokens[2], 10)
    for bad in (lambda: pool.plan_provision(1, 0.5), lambda: pool.provide(market.provider, None, 2.0, 1)):
        with pytest.raises(ValueError, match="no price ranges"):
            bad()
    with pytest.raises(ValueError, match="positive, finite"):
        StableSwapPool("4", market.ledger, market.clock, market.tokens[:2], 50, 4).plan_amounts(1, -1.0)


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
    assert quotes[0] == quotes[1] < quotes[2] < quotes[3]
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
        ("BAL#103", pool.add, (trader, [1, 2, 3])),
        ("BAL#208", pool.add, (trader, [10**18, 10**6], 10**20)),
        ("BAL#506", pool.add_for_shares, (trader, 0, 10**18, 10**17)),
        ("BAL#417", pool.remove, (trader, 1)),
        ("BAL#505", pool.remove, (market.provider, 10**18, [10**18, 0])),
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
    assert refusal(empty.remove, trader, 0) == "BAL#206"
    assert refusal(empty.add, trader, [10**5, 0]) == "BAL#204"
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
        lambda: pool.add(market.trader, [1, -1]),
        lambda: pool.remove(market.trader, -1),
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
    pool.add(market.provider, [10**20, 10**20])
    for index, balance in enumerate((357916031058111037440, 731779282711003648)):
        pool.balances[index] = market.ledger.balances[pool.tokens[index]][pool.account] = balance
    assert refusal(pool.swap_exact_in, market.trader, 0, 10**18) == "BAL#322"
    assert (pool.quote_exact_in(0, 10**18), pool.quote_exact_out(0, 10**17)) == (0, None)
    assert 0.0 < pool.price() < 0.01
    assert pool.depth().token0_down > 0.0
    pool.remove(market.provider, 10**19)
    assert pool.quote_exact_in(0, 10**18) > 0


# ---------------------------------------------------------------------- undo
class Stopped(Exception):
    """The journal was told to stop here."""


class StoppingList(list[Any]):
    """A journal that breaks down at its n-th write."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.writes = writes

    def append(self, entry: Any) -> None:
        if len(self) == self.writes:
            raise Stopped
        super().append(entry)


OPERATIONS: dict[str, Callable[[Market, StableSwapPool], Any]] = {
    "sell": lambda m, p: p.swap_exact_in(m.trader, 0, 10**20, 0, 2),
    "buy": lambda m, p: p.swap_exact_out(m.trader, 1, 10**20, None, 2),
    "swap to a price": lambda m, p: p.swap_to_price(m.trader, 0.9),
    "add": lambda m, p: p.add(m.trader, [10**20, 0, 10**21]),
    "provide": lambda m, p: p.provide(m.trader, None, None, 10**10),
    "add for shares": lambda m, p: p.add_for_shares(m.trader, 1, 10**20),
    "remove": lambda m, p: p.remove(m.provider, 10**20),
    "remove one": lambda m, p: p.remove_one(m.provider, 10**20, 1),
    "remove exact": lambda m, p: p.remove_exact(m.provider, [10**20, 10**9, 0]),
    "transfer shares": lambda m, p: p.transfer_shares(m.provider, m.trader, 5),
    "start ramp": lambda m, p: p.start_ramp(m.trader, 150, m.clock.timestamp + DAY),
    "stop ramp": lambda m, p: (p.start_ramp(m.trader, 150, m.clock.timestamp + DAY), p.stop_ramp(m.trader)),
    "set fee": lambda m, p: p.set_fee(m.trader, 3000),
    "set rate": lambda m, p: p.set_rate(m.trader, 1, RATE),
    "first deposit": lambda m, p: None,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_stopped_at_any_write_leaves_no_trace(name: str) -> None:
    market = Market()
    pool = market.pool((0.0, 0.0) if name == "first deposit" else (1e6, 9e5, 8e5))

    def operate() -> Any:
        if name == "first deposit":
            return pool.add(market.provider, [10**24, 10**12])
        return OPERATIONS[name](market, pool)

    before, journal = picture(pool), market.ledger.journal
    result = operate()
    writes = len(journal.entries)
    assert writes > 0
    journal.undo()
    assert picture(pool) == before
    for stop in range(writes):
        journal.entries = StoppingList(stop)
        with pytest.raises(Stopped), journal.atomic():
            operate()
        assert picture(pool) == before
    journal.entries = []
    assert operate() == result
    assert len(journal.entries) == writes
    assert all(old is ABSENT or container is not None for container, _, old in journal.entries)


def test_a_quote_after_an_undone_swap_is_the_quote_before_it() -> None:
    market = Market()
    pool = market.pool()
    quote = pool.quote_exact_in(0, 10**20)
    mark = pool.journal.mark()
    pool.swap_exact_in(market.trader, 0, 10**23)
    assert pool.quote_exact_in(0, 10**20) < quote
    pool.journal.undo(mark)
    assert pool.quote_exact_in(0, 10**20) == quote
