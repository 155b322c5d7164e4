"""Random lives of both pools: what must hold after every operation, and that everybody can be paid at the end."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from amm_fixture import USDC, WETH, Market, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chain.revert import Revert
from sim.markets.amm.concentrated.constants import Q96
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.concentrated.tick_bitmap import position_of
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio
from sim.markets.amm.constant_product import ConstantProductPool

AMOUNTS = st.floats(0.0, 23.0).map(lambda exponent: int(10**exponent))
SMALL = st.integers(0, 5)
TICKS = st.one_of(st.integers(-40, 40), st.sampled_from([-3000, -900, -300, 300, 900, 3000]))

SWAPS = st.one_of(
    st.tuples(st.just("sell"), st.booleans(), AMOUNTS),
    st.tuples(st.just("buy"), st.booleans(), AMOUNTS),
    st.tuples(st.just("to price"), st.floats(0.5, 2.0)),
)
CONCENTRATED_ACTIONS = st.one_of(
    SWAPS,
    SWAPS,
    st.tuples(st.just("to tick"), st.integers(-60, 60)),
    st.tuples(st.just("mint"), TICKS, TICKS, AMOUNTS, AMOUNTS),
    st.tuples(st.just("increase"), SMALL, AMOUNTS, AMOUNTS),
    st.tuples(st.just("decrease"), SMALL, st.sampled_from([1, 2, 3, 10])),
    st.tuples(st.just("collect"), SMALL, AMOUNTS),
    st.tuples(st.just("flash"), AMOUNTS, AMOUNTS),
    st.tuples(st.just("protocol"), st.sampled_from([0, 4, 7, 10])),
    st.tuples(st.just("collect protocol")),
)
PAIR_ACTIONS = st.one_of(
    SWAPS,
    SWAPS,
    st.tuples(st.just("add"), AMOUNTS, AMOUNTS),
    st.tuples(st.just("remove"), st.sampled_from([1, 2, 3, 10])),
    st.tuples(st.just("donate"), st.booleans(), AMOUNTS),
    st.tuples(st.just("wait"), st.integers(0, 100_000)),
)


def swap(pool: Any, market: Market, action: tuple[Any, ...]) -> bool:
    """Do one of the swaps; true if the action was one."""
    kind = action[0]
    if kind == "sell":
        pool.swap_exact_in(market.trader, WETH if action[1] else USDC, action[2])
    elif kind == "buy":
        pool.swap_exact_out(market.trader, USDC if action[1] else WETH, action[2])
    elif kind == "to price":
        pool.swap_to_price(market.trader, min(max(pool.price() * action[1], 1e-3), 1e9))
    else:
        return False
    return True


# ---------------------------------------------------------------------- concentrated liquidity
def act(pool: ConcentratedPool, market: Market, action: tuple[Any, ...]) -> None:
    """Do one action of a concentrated pool's life."""
    kind = action[0]
    ids = sorted(pool.positions)
    if swap(pool, market, action):
        return
    if kind == "mint":
        spacing = pool.tick_spacing
        here = pool.state.tick // spacing
        lower, upper = sorted((here + action[1], here + action[2]))
        pool.mint(market.other, lower * spacing, upper * spacing, action[3], action[4])
    elif kind == "to tick":
        # Exactly to a usable tick, where a range begins or ends if there is one.
        tick = (pool.state.tick // pool.tick_spacing + action[1]) * pool.tick_spacing
        limit = sqrt_ratio_at_tick(max(min(tick, 800_000), -800_000))
        token = WETH if limit < pool.state.sqrt_price_x96 else USDC
        pool.swap_exact_in(market.trader, token, 10**29, 0, limit)
    elif kind == "increase":
        pool.increase(market.other, ids[action[1] % len(ids)], action[2], action[3])
    elif kind == "decrease":
        position = ids[action[1] % len(ids)]
        held = pool.positions[position]
        pool.decrease(held.owner, position, held.liquidity // action[2])
    elif kind == "collect":
        position = ids[action[1] % len(ids)]
        pool.collect(pool.positions[position].owner, position, action[2], action[2])
    elif kind == "flash":
        cost0, cost1 = (-(-amount * pool.fee_pips // 1_000_000) for amount in action[1:])

        def pay_back() -> None:
            market.ledger.transfer(WETH, market.trader, pool.account, action[1] + cost0)
            market.ledger.transfer(USDC, market.trader, pool.account, action[2] + cost1)

        pool.flash(market.trader, action[1], action[2], pay_back)
    elif kind == "protocol":
        pool.set_fee_protocol(market.trader, action[1], action[1])
    elif kind == "collect protocol":
        pool.collect_protocol(market.provider)


def surplus(pool: ConcentratedPool) -> tuple[Fraction, Fraction]:
    """What the pool holds beyond the exact worth of the liquidity of all ranges."""
    price = pool.state.sqrt_price_x96
    balance0, balance1 = pool.reserves()
    owned0, owned1 = Fraction(balance0), Fraction(balance1)
    for (tick_lower, tick_upper), held in pool.ranges.items():
        lower, upper = sqrt_ratio_at_tick(tick_lower), sqrt_ratio_at_tick(tick_upper)
        inside = min(max(price, lower), upper)
        owned0 -= Fraction(held.liquidity * Q96 * (upper - inside), upper * inside)
        owned1 -= Fraction(held.liquidity * (inside - lower), Q96)
    return owned0, owned1


def check_structure(pool: ConcentratedPool) -> None:
    """Ticks, words, ranges and ids tell the same story, and the tick is the price's."""
    state = pool.state
    gross: dict[int, int] = {}
    net: dict[int, int] = {}
    in_range = 0
    for (lower, upper), held in pool.ranges.items():
        assert held.liquidity >= 0
        gross[lower] = gross.get(lower, 0) + held.liquidity
        gross[upper] = gross.get(upper, 0) + held.liquidity
        net[lower] = net.get(lower, 0) + held.liquidity
        net[upper] = net.get(upper, 0) - held.liquidity
        if lower <= state.tick < upper:
            in_range += held.liquidity
        of_ids = sum(p.liquidity for p in pool.positions.values() if (p.tick_lower, p.tick_upper) == (lower, upper))
        assert of_ids == held.liquidity
    assert state.liquidity == in_range
    assert {tick: value for tick, value in gross.items() if value} == {
        tick: info.liquidity_gross for tick, info in pool.ticks.items()
    }
    assert all(info.liquidity_net == net[tick] for tick, info in pool.ticks.items())
    words: dict[int, int] = {}
    for tick in pool.ticks:
        word, bit = position_of(tick, pool.tick_spacing)
        words[word] = words.get(word, 0) | 1 << bit
    assert {word: bits for word, bits in pool.tick_words.items() if bits} == words
    tick = tick_at_sqrt_ratio(state.sqrt_price_x96)
    # A swap that ends exactly on a tick coming down has crossed it: the stored tick is then one below.
    assert state.tick == tick or (state.tick == tick - 1 and sqrt_ratio_at_tick(tick) == state.sqrt_price_x96)


@settings(max_examples=100)
@given(
    st.lists(CONCENTRATED_ACTIONS, min_size=1, max_size=18),
    st.sampled_from([0, 100, 3000]),
    st.sampled_from([0, 5]),
    st.sampled_from([1, 60]),
)
def test_the_life_of_a_concentrated_pool(
    actions: list[tuple[Any, ...]], fee_pips: int, fee_protocol: int, tick_spacing: int
) -> None:
    market = Market()
    pool = market.concentrated(
        ranges=((None, None), (1500.0, 2500.0)),
        fee_pips=fee_pips,
        tick_spacing=tick_spacing,
        fee_protocol=fee_protocol,
        value1=10**11,
    )
    roundings = 10
    for action in actions:
        before, extra, tick = snapshot(pool), surplus(pool), pool.state.tick
        try:
            with market.ledger.journal.atomic():
                act(pool, market, action)
        except Revert:
            assert snapshot(pool) == before
            continue
        roundings += 10
        if action[0] in ("sell", "buy", "to price", "to tick", "flash"):
            after = surplus(pool)
            # Nothing that belongs to liquidity ever leaves through a swap or a loan.
            assert after[0] >= extra[0]
            assert after[1] >= extra[1]
        check_structure(pool)
        market.ledger.audit()
        roundings += len(pool.ticks) + abs(pool.state.tick - tick) // (256 * tick_spacing)
    state = pool.state
    for position in sorted(pool.positions):
        owner, liquidity = pool.positions[position].owner, pool.positions[position].liquidity
        if liquidity:
            pool.decrease(owner, position, liquidity)
        if pool.positions[position].tokens_owed0 or pool.positions[position].tokens_owed1:
            pool.collect(owner, position)
        pool.burn(owner, position)
    left0, left1 = pool.reserves()
    # Everybody was paid, the protocol's part is still there, and nobody was shortened by more than rounding.
    assert 0 <= left0 - state.protocol_fees0 <= roundings * 4
    assert 0 <= left1 - state.protocol_fees1 <= roundings * 4
    assert state.liquidity == 0
    assert pool.ticks == {}
    market.ledger.audit()


@settings(max_examples=40)
@given(st.lists(SWAPS, min_size=1, max_size=10))
def test_fees_paid_by_traders_are_what_liquidity_and_protocol_get(swaps: list[tuple[Any, ...]]) -> None:
    market = Market()
    pool = market.concentrated(ranges=((None, None),), fee_protocol=6, value1=10**12)
    fees = {WETH: 0, USDC: 0}
    steps = 0
    for action in swaps:
        try:
            with market.ledger.journal.atomic():
                if action[0] == "to price":
                    done = pool.swap_to_price(market.trader, min(max(pool.price() * action[1], 1.0), 1e7))
                elif action[0] == "sell":
                    done = pool.swap_exact_in(market.trader, WETH if action[1] else USDC, action[2])
                else:
                    done = pool.swap_exact_out(market.trader, WETH if action[1] else USDC, action[2])
        except Revert:
            continue
        fees[done.token_in] += done.fee_amount
        steps += 1
    before = pool.worth(1)
    principal = pool._burn_range(-887220, 887220, 0) and pool.ranges[-887220, 887220]
    earned = (principal.tokens_owed0, principal.tokens_owed1)
    protocol = (pool.state.protocol_fees0, pool.state.protocol_fees1)
    for token in (WETH, USDC):
        assert 0 <= fees[token] - earned[token] - protocol[token] <= steps + 1
    assert pool.worth(1) == before


# ---------------------------------------------------------------------- constant product
@settings(max_examples=60)
@given(st.lists(PAIR_ACTIONS, min_size=1, max_size=20), st.booleans(), st.sampled_from([0, 30, 100]))
def test_the_life_of_a_constant_product_pool(actions: list[tuple[Any, ...]], protocol_fee_on: bool, fee: int) -> None:
    market = Market()
    pool = market.constant_product(protocol_fee_on=protocol_fee_on, fee_bps=fee, value1=10**12)
    state = pool.state
    for action in actions:
        before = snapshot(pool)
        k, total, times = state.reserve0 * state.reserve1, state.total_shares, state.block_timestamp_last
        cumulative = state.price0_cumulative_last, state.price1_cumulative_last
        try:
            with market.ledger.journal.atomic():
                _act_pair(pool, market, action)
        except Revert:
            assert snapshot(pool) == before
            continue
        now = state.reserve0 * state.reserve1
        if action[0] in ("sell", "buy", "to price"):
            assert now >= k
            assert state.total_shares == total
        if not protocol_fee_on:
            # √k per share never falls: neither adding nor removing takes from those who stay.
            assert now * total * total >= k * state.total_shares * state.total_shares
        assert pool.reserves() == (state.reserve0, state.reserve1)
        assert sum(pool.shares.values()) + 1000 == state.total_shares
        assert state.block_timestamp_last >= times
        assert state.price0_cumulative_last >= cumulative[0]
        assert state.price1_cumulative_last >= cumulative[1]
        market.ledger.audit()
    for account, held in sorted(pool.shares.items()):
        if held > 1000:
            pool.remove_liquidity(account, held)
    assert state.reserve0 > 0
    assert state.reserve1 > 0
    market.ledger.audit()


def _act_pair(pool: ConstantProductPool, market: Market, action: tuple[Any, ...]) -> None:
    kind = action[0]
    if swap(pool, market, action):
        return
    if kind == "add":
        pool.add_liquidity(market.other, action[1], action[2])
    elif kind == "remove":
        pool.remove_liquidity(market.provider, pool.shares[market.provider] // action[1])
    elif kind == "donate":
        market.ledger.transfer(WETH if action[1] else USDC, market.trader, pool.account, action[2])
        pool.sync(market.trader)
    elif kind == "wait":
        market.clock.timestamp += action[1]
        pool.sync(market.trader)
