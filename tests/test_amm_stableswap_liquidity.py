"""StableSwap pool: joining and leaving, opening at a price, and undo at every single write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stableswap_fixture import DAY, POOLS, RATE, Market, exact_invariant, opened, picture

from sim.chain.journal import ABSENT
from sim.chain.revert import Revert
from sim.markets.amm.stableswap import share_math
from sim.markets.amm.stableswap.fixed_point import ONE
from sim.markets.amm.stableswap.pool import StableSwapPool


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
                    pool.add_liquidity(market.provider, some)
                elif kind == "for":
                    pool.add_for_shares(market.provider, token, shares)
                elif kind == "remove":
                    pool.remove_liquidity(market.provider, shares)
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
    pool.remove_liquidity(market.provider, pool.shares[market.provider])
    assert pool.shares[market.provider] == 0
    assert min(pool.balances) > 0


def test_a_proportional_exit_gives_everything_back_but_rounding() -> None:
    market = Market()
    pool = market.pool((1e6, 2e6, 3e6), 200)
    held = tuple(pool.balances)
    half = pool.remove_liquidity(market.provider, pool.state.total_shares // 2)
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
    assert pool.add_liquidity(market.trader, amounts) == (expected, tuple(amounts))
    assert pool.shares[market.trader] == expected


def test_what_is_asked_for_is_scaled_up() -> None:
    market = Market()
    pool = StableSwapPool("tiny", market.ledger, market.clock, [0, 2], 200, 400, [19 * ONE // 10, ONE])
    pool.add_liquidity(market.provider, [10**7, 10**7])
    total = pool.state.total_shares
    dear, cheap = (
        share_math.shares_in_given_tokens_out(200_000, pool.scaled(), [k, 0], total, 4 * 10**14) for k in (2, 1)
    )
    assert dear > cheap
    assert pool.remove_exact(market.provider, [1, 0]).shares == dear


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
    assert pool.plan_amounts(3 * 10**12) == pytest.approx((10**24, 10**12, 10**24), rel=1e-15)
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
    "add": lambda m, p: p.add_liquidity(m.trader, [10**20, 0, 10**21]),
    "provide": lambda m, p: p.provide(m.trader, None, None, 10**10),
    "add for shares": lambda m, p: p.add_for_shares(m.trader, 1, 10**20),
    "remove": lambda m, p: p.remove_liquidity(m.provider, 10**20),
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
            return pool.add_liquidity(market.provider, [10**24, 10**12])
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
