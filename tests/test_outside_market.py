"""The outside market: exact prices and impacts, splitting, undo, causes, depth and decay."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.markets.outside
from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import EXCEEDS_BALANCE, Ledger
from sim.markets.outside import Kernel, OutsideMarket, OutsideToken, OutsideTrade

ETH, STETH, BTC, USDC = range(4)
WEI = 10**18
USD = 10**6
LAM = 6e-4
CONSTANT = {"depth_volatility_exponent": 0.0}
LASTING = {"permanent_share": 1.0, "fast_share": 0.0, "slow_share": 0.0}
PRICES = [1_000.0, 1_200.0, 20_000.0, 1.0]


class Desk:
    """A market with four tokens and one rich account."""

    def __init__(
        self, prices: list[float] | None = None, tokens: dict[int, OutsideToken] | None = None, **arguments: Any
    ):
        self.ledger = Ledger()
        for symbol, decimals in (("ETH", 18), ("stETH", 18), ("BTC", 8), ("USDC", 6)):
            self.ledger.add_token(symbol, decimals)
        self.exogenous = list(prices or PRICES)
        chosen = tokens or {
            ETH: OutsideToken(impact_per_unit=LAM, depth_unit="token"),
            STETH: OutsideToken(50e6, base=ETH),
            BTC: OutsideToken(200e6),
            USDC: OutsideToken(),
        }
        self.market = OutsideMarket(self.ledger, Clock(), chosen, **arguments)
        self.account = self.ledger.open_account("trader")
        for token, unit in enumerate((WEI, WEI, 10**8, USD)):
            self.ledger.inflow(token, self.account, 10**9 * unit)
        self.ledger.journal.clear()
        self.market.begin_step(self.exogenous, 0)

    def swap(self, token_in: int, token_out: int, amount: int, *causes: tuple[str, float]) -> OutsideTrade:
        return self.market.swap(self.account, token_in, token_out, amount, 0, causes or (("liquidation", 1.0),))


def state(desk: Desk) -> Any:
    market = desk.market
    causes = {token: market.impact_by_cause(token) for token in market.tokens}
    return ([list(column) for column in desk.ledger.balances], list(market.prices), list(market.impacts), causes)


# ---------------------------------------------------------------------- one trade
def test_a_sale_of_the_hand_example() -> None:
    desk = Desk([950.0, 1_140.0, 20_000.0, 1.0], **LASTING)
    trade = desk.swap(ETH, USDC, 42_442105263157894736)
    assert trade.log_impact_in == pytest.approx(0.025465263, abs=1e-9)
    assert trade.log_impact_out == 0.0
    assert desk.market.prices[ETH] == pytest.approx(926.1134, abs=5e-5)
    x = 6e-4 * 42.442105263157894736
    assert trade.price_usd == pytest.approx(950.0 * (1 - math.exp(-x)) / x, rel=1e-13)
    assert trade.amount_out == int(trade.value_usd * USD)
    assert trade.causes == (("liquidation", 1.0),)


def test_three_liquidations_of_the_hand_example_and_the_final_price() -> None:
    desk = Desk([950.0, 1_140.0, 20_000.0, 1.0], **LASTING)
    seen = []
    for step, eth in enumerate((42.442105263158, 63.944651, 21.206066), start=1):
        seen.append(desk.market.prices[ETH])
        desk.swap(ETH, USDC, int(eth * WEI))
        desk.market.begin_step(desk.exogenous, 12 * step)
    assert seen == pytest.approx([950.0, 926.1134, 891.2544], abs=5e-5)
    assert desk.market.prices[ETH] == pytest.approx(879.9863, abs=5e-5)


def test_depth_is_the_sale_that_moves_the_price_by_two_percent() -> None:
    desk = Desk(tokens={ETH: OutsideToken(80e6), BTC: OutsideToken(500.0, "token"), USDC: OutsideToken()}, **CONSTANT)
    assert desk.market.depth_2pct_usd(ETH) == pytest.approx(80e6)
    assert desk.market.depth_2pct_usd(BTC) == pytest.approx(500 * 20_000.0)
    assert desk.market.depth_2pct_usd(USDC) == math.inf
    assert desk.swap(ETH, USDC, 80_000 * WEI).log_impact_in == pytest.approx(0.02, rel=1e-14)
    assert desk.swap(BTC, USDC, 500 * 10**8).log_impact_in == pytest.approx(0.02, rel=1e-14)


def test_both_prices_move_and_a_purchase_is_a_sale_turned_round() -> None:
    desk = Desk(tokens={ETH: OutsideToken(80e6), BTC: OutsideToken(200e6), USDC: OutsideToken()}, **CONSTANT)
    trade = desk.swap(ETH, BTC, 10_000 * WEI)
    lam_eth, lam_btc = 0.02 / 80e6 * 1_000, 0.02 / 200e6 * 20_000
    value = 1_000.0 * (1 - math.exp(-lam_eth * 10_000)) / lam_eth
    bought = math.log1p(lam_btc * value / 20_000.0) / lam_btc
    assert trade.value_usd == pytest.approx(value, rel=1e-12)
    assert trade.amount_out == pytest.approx(bought * 10**8, abs=1)
    assert trade.log_impact_in == pytest.approx(lam_eth * 10_000, rel=1e-14)
    assert trade.log_impact_out == pytest.approx(-lam_btc * bought, rel=1e-12)
    assert desk.market.prices[BTC] == pytest.approx(20_000.0 * math.exp(lam_btc * bought), rel=1e-15)
    assert desk.market.log_price(BTC) == pytest.approx(math.log(desk.market.prices[BTC]), abs=1e-15)
    # spending value V to push the price by x costs R (e^x - 1) / lam
    assert value == pytest.approx(20_000.0 * math.expm1(lam_btc * bought) / lam_btc, rel=1e-13)


def test_without_impact_amounts_are_exact_and_rounded_down() -> None:
    desk = Desk(tokens={ETH: OutsideToken(), USDC: OutsideToken(), BTC: OutsideToken()})
    assert desk.market.quote(ETH, USDC, WEI) == 1_000 * USD
    assert desk.market.quote(USDC, ETH, 1_000 * USD) == WEI
    assert desk.market.quote(USDC, BTC, 1) == 0  # 1e-6 USD is 0.005 of the smallest unit
    assert desk.market.quote(USDC, BTC, 399) == 1


# ---------------------------------------------------------------------- in one piece or in many
@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.floats(1e-3, 2_000.0), min_size=2, max_size=6),
    pair=st.sampled_from(
        [(ETH, USDC), (USDC, ETH), (ETH, BTC), (STETH, USDC), (USDC, STETH), (STETH, BTC), (STETH, ETH)]
    ),
    kernel=st.sampled_from([LASTING, {}]),
)
def test_pieces_of_one_step_give_what_the_whole_gives(
    pieces: list[float], pair: tuple[int, int], kernel: dict[str, float]
) -> None:
    unit = {ETH: WEI, STETH: WEI, BTC: 10**8, USDC: 1_000 * USD}
    amounts = [int(piece * unit[pair[0]]) for piece in pieces]
    split, whole = Desk(**kernel), Desk(**kernel)
    proceeds = sum(split.swap(*pair, amount).amount_out for amount in amounts)
    once = whole.swap(*pair, sum(amounts))
    assert proceeds == pytest.approx(once.amount_out, rel=1e-12, abs=len(pieces) + 1)
    for token in range(4):
        assert split.market.impact(token) == pytest.approx(whole.market.impact(token), rel=1e-11, abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(size=st.floats(1e-6, 5_000.0), pair=st.sampled_from([(ETH, USDC), (ETH, BTC), (STETH, ETH), (BTC, STETH)]))
def test_there_and_back_gives_no_profit_and_leaves_no_impact(size: float, pair: tuple[int, int]) -> None:
    desk = Desk()
    amount = int(size * (10**8 if pair[0] == BTC else WEI))
    if amount == 0:
        return
    there = desk.market.quote(*pair, amount)
    if there == 0:
        return
    trade = desk.swap(*pair, amount)
    back = desk.market.quote(pair[1], pair[0], trade.amount_out)
    assert back <= amount * (1 + 1e-12)
    if back:
        desk.swap(pair[1], pair[0], trade.amount_out)
        # at most the one unit that rounding kept back: 2e-4 USD, 2e-7 ETH
        assert abs(desk.market.impact(pair[0])) < 1e-9


@settings(max_examples=80, deadline=None)
@given(size=st.floats(1e-9, 2_000.0), pair=st.sampled_from([(ETH, USDC), (ETH, BTC), (USDC, STETH), (STETH, ETH)]))
def test_exact_out_is_never_too_little_and_hardly_too_much(size: float, pair: tuple[int, int]) -> None:
    desk = Desk()
    unit = {ETH: WEI, STETH: WEI, BTC: 10**7, USDC: 100 * USD}[pair[1]]
    wanted = max(int(size * unit * 0.3), 1)
    amount = desk.market.quote_exact_out(*pair, wanted)
    assert amount is not None
    got = desk.market.quote(*pair, amount)
    assert got >= wanted
    assert desk.market.quote(*pair, amount - 2 - (amount >> 44)) <= wanted


def test_a_sale_can_raise_only_so_much() -> None:
    desk = Desk()
    most = 1_000.0 / LAM  # integral of R exp(-lam n) over all n
    assert desk.market.quote(ETH, USDC, 10**8 * WEI) == pytest.approx(most * USD, rel=1e-9)
    assert desk.market.quote_exact_out(ETH, USDC, int(most * USD) + 10) is None
    assert desk.market.quote_exact_out(ETH, USDC, int(most * USD * 0.999)) is not None
    assert desk.market.quote_exact_out(USDC, ETH, 10**9 * WEI) is None
    for short_by in range(0, 2_000, 7):  # near the limit floats cannot tell how much is needed
        wanted = int(most * USD) - short_by
        amount = desk.market.quote_exact_out(ETH, USDC, wanted)
        assert amount is None or desk.market.quote(ETH, USDC, amount) >= wanted


# ---------------------------------------------------------------------- decay
def test_the_kernel_decays_as_stated() -> None:
    desk = Desk()
    desk.swap(ETH, USDC, 100 * WEI)
    for seconds in (0, 12, 120, 3_600, 86_400):
        desk.market.begin_step(desk.exogenous, seconds)
        expected = 0.06 * (0.05 + 0.90 * math.exp(-seconds / 120) + 0.05 * math.exp(-seconds / 43_200))
        assert desk.market.impact(ETH) == pytest.approx(expected, rel=1e-13)
        assert desk.market.prices[ETH] == pytest.approx(1_000 * math.exp(-expected), rel=1e-15)
        assert Kernel().left(seconds) == pytest.approx(expected / 0.06, rel=1e-14)


def test_steps_of_12_and_60_seconds_decay_alike() -> None:
    fine, coarse = Desk(), Desk()
    for desk in (fine, coarse):
        desk.swap(ETH, USDC, 100 * WEI)
    for second in range(12, 3_601, 12):
        fine.market.begin_step(fine.exogenous, second)
    for second in range(60, 3_601, 60):
        coarse.market.begin_step(coarse.exogenous, second)
    assert fine.market.impact(ETH) == pytest.approx(coarse.market.impact(ETH), rel=1e-12)


@pytest.mark.parametrize(
    ("total_usd", "seconds", "step", "percent"),
    [
        (5e6, 60, 1, "0.10"),
        (50e6, 1_800, 6, "0.20"),
        (190e6, 1_800, 6, "0.76"),
        (100e6, 3_600, 6, "0.32"),
        (350e6, 86_400, 12, "0.64"),
        (1e9, 86_400, 12, "1.82"),
    ],
)
def test_steady_sales_give_the_impacts_of_the_model(total_usd: float, seconds: int, step: int, percent: str) -> None:
    desk = Desk([4_000.0, 1.0, 1.0, 1.0], {ETH: OutsideToken(80e6), USDC: OutsideToken()}, **CONSTANT)
    market = desk.market
    each = total_usd * step / seconds
    for moment in range(step, seconds + 1, step):
        # half before and half after the step: the middle of a continuous flow
        desk.swap(ETH, USDC, int(each / 2 / market.prices[ETH] * WEI))
        market.begin_step(desk.exogenous, moment)
        desk.swap(ETH, USDC, int(each / 2 / market.prices[ETH] * WEI))
        desk.ledger.journal.clear()
    assert f"{100 * market.impact(ETH):.2f}" == percent


# ---------------------------------------------------------------------- depth and volatility
def test_depth_follows_realised_volatility_of_the_exogenous_price() -> None:
    desk = Desk(tokens={ETH: OutsideToken(80e6), USDC: OutsideToken(1e9)})
    market = desk.market
    assert market.depth_2pct_usd(ETH) == pytest.approx(80e6)
    move = 1.2 / math.sqrt(31_536_000 / 60)  # twice the reference of .60 a year, every minute
    price = 1_000.0
    for step in range(1, 61):
        price *= math.exp(move if step % 2 else -move)
        market.begin_step([price, 0.0, 0.0, 1.0], 60 * step)
    assert market.volatility_ratio(ETH) == pytest.approx(2.0, rel=1e-9)
    assert market.volatility[ETH].volatility_per_year == pytest.approx(1.2, rel=1e-9)
    assert market.depth_2pct_usd(ETH) == pytest.approx(80e6 * 2**-0.36, rel=1e-9)
    assert market.depth_2pct_usd(USDC) == 1.5e9  # nothing moved: the cap
    market.begin_step([price * 0.5, 0.0, 0.0, 1.0], 3_660)
    assert market.depth_2pct_usd(ETH) == pytest.approx(80e6 * max(market.volatility[ETH].ratio ** -0.36, 0.1))
    market.begin_step([price * 5.0, 0.0, 0.0, 1.0], 3_720)
    market.begin_step([price * 0.001, 0.0, 0.0, 1.0], 3_780)
    assert market.depth_2pct_usd(ETH) == pytest.approx(8e6)  # the floor


def test_the_first_hour_counts_the_time_before_the_run_at_the_reference() -> None:
    desk = Desk(tokens={ETH: OutsideToken(80e6), USDC: OutsideToken(reference_volatility_per_year=0.05)})
    for step in range(1, 76):
        desk.market.begin_step(desk.exogenous, 12 * step)
    assert desk.market.volatility_ratio(ETH) == pytest.approx(math.sqrt(0.75), rel=1e-12)
    for step in range(76, 301):
        desk.market.begin_step(desk.exogenous, 12 * step)
    assert desk.market.volatility_ratio(ETH) == 0.0
    assert desk.market.volatility[USDC].volatility_per_year == 0.0


@given(moves=st.lists(st.floats(-0.3, 0.3), min_size=1, max_size=60), step=st.sampled_from([60, 600, 1_000, 7_200]))
def test_realised_volatility_is_the_sum_over_the_window(moves: list[float], step: int) -> None:
    volatility = sim.markets.outside.RealisedVolatility(0.6)
    level = 0.0
    volatility.update(level, 0)
    for move in moves:
        level += move
        volatility.update(level, step)
    count = max(-(-3_600 // step), 1)
    window = moves[-count:]
    squares = math.fsum(move * move for move in window)
    covered = len(window) * step
    reference = 0.36 / 31_536_000
    if covered < 3_600:
        variance = (squares + reference * (3_600 - covered)) / 3_600
    else:
        variance = squares / covered
    assert volatility.ratio == pytest.approx(math.sqrt(variance / reference), rel=1e-9, abs=1e-6)


def test_blocks_and_minutes_of_one_path_have_the_same_volatility() -> None:
    """A fall in a straight line of log price and a path that turns within the minute, in steps of 12 s and of 60 s."""
    levels = [-0.0004 * block + 0.003 * math.sin(1.7 * block) for block in range(601)]
    blocks, minutes = (sim.markets.outside.RealisedVolatility(0.6) for _ in range(2))
    blocks.update(levels[0], 0)
    minutes.update(levels[0], 0)
    for block in range(1, 601):
        blocks.update(levels[block], 12)
        if block % 5 == 0:
            assert minutes.update(levels[block], 60) == blocks.ratio
    assert blocks.ratio > 1.0


def test_an_impact_changes_no_depth() -> None:
    desk = Desk(tokens={ETH: OutsideToken(1_000.0, "token"), USDC: OutsideToken()})
    other = Desk(tokens={ETH: OutsideToken(1_000.0, "token"), USDC: OutsideToken()})
    desk.swap(ETH, USDC, 500 * WEI)
    for one in (desk, other):
        one.market.begin_step([900.0, 0.0, 0.0, 1.0], 12)
    assert desk.market.lam[ETH] == other.market.lam[ETH]
    assert desk.market.prices[ETH] < other.market.prices[ETH]


# ---------------------------------------------------------------------- causes
def test_impacts_are_kept_by_cause_and_add_up() -> None:
    desk = Desk()
    desk.swap(ETH, USDC, 100 * WEI, ("liquidation", 0.25), ("whale", 0.75))
    desk.swap(USDC, ETH, 50_000 * USD, ("trading", 1.0))
    parts = desk.market.impact_by_cause(ETH)
    assert list(parts) == ["liquidation", "whale", "trading"]
    assert parts["liquidation"] == pytest.approx(0.015, rel=1e-13)
    assert parts["whale"] == pytest.approx(0.045, rel=1e-13)
    assert parts["trading"] < 0
    assert math.fsum(parts.values()) == pytest.approx(desk.market.impact(ETH), abs=1e-16)
    desk.market.begin_step(desk.exogenous, 600)
    assert math.fsum(desk.market.impact_by_cause(ETH).values()) == pytest.approx(desk.market.impact(ETH), abs=1e-16)


def test_what_outside_moves_caused_makes_no_impact_but_pays_the_quote() -> None:
    desk = Desk()
    quoted = desk.market.quote(ETH, USDC, 100 * WEI)
    trade = desk.swap(ETH, USDC, 100 * WEI, ("outside", 0.75), ("liquidation", 0.25))
    assert trade.amount_out == quoted
    assert trade.log_impact_in == pytest.approx(0.015, rel=1e-13)
    assert list(desk.market.impact_by_cause(ETH)) == ["liquidation"]
    pure = Desk()
    assert pure.swap(ETH, USDC, 100 * WEI, ("outside", 1.0)).log_impact_in == 0.0
    assert pure.market.prices == PRICES


def test_with_impact_switched_off_a_cause_pays_the_quote_and_leaves_nothing() -> None:
    desk = Desk(impact_off=("liquidation",))
    assert not desk.market.impact_enabled("liquidation")
    assert desk.market.impact_enabled("whale")
    assert not desk.market.impact_enabled("outside")
    quoted = desk.market.quote(ETH, USDC, 100 * WEI)
    assert desk.swap(ETH, USDC, 100 * WEI).amount_out == quoted
    assert desk.market.impact(ETH) == 0.0
    assert desk.swap(ETH, USDC, 100 * WEI, ("whale", 1.0)).log_impact_in > 0
    desk.market.switch_impact("liquidation", True)
    assert desk.swap(ETH, USDC, 100 * WEI).log_impact_in > 0
    desk.market.switch_impact("liquidation", False)
    assert desk.swap(ETH, USDC, 100 * WEI).log_impact_in == 0


# ---------------------------------------------------------------------- tokens with a base
def test_a_token_holds_to_its_base_and_the_base_cancels_between_the_two() -> None:
    desk = Desk(**CONSTANT)
    market = desk.market
    desk.swap(ETH, USDC, 100 * WEI)
    assert market.prices[STETH] / market.prices[ETH] == pytest.approx(1.2, rel=1e-14)
    assert market.impact_by_cause(STETH) == market.impact_by_cause(ETH)
    before = market.prices[ETH]
    trade = desk.swap(STETH, ETH, 1_000 * WEI, ("farming", 1.0))
    assert market.prices[ETH] == before
    lam = 0.02 / 50e6 * 1_200.0
    assert trade.log_impact_in == pytest.approx(1_000 * lam, rel=1e-12)
    assert trade.log_impact_out == 0.0
    assert trade.amount_out / WEI == pytest.approx(1.2 * (1 - math.exp(-1_000 * lam)) / lam, rel=1e-12)
    parts = market.impact_by_cause(STETH)
    assert parts["farming"] == pytest.approx(1_000 * lam, rel=1e-12)
    assert math.fsum(parts.values()) == pytest.approx(market.impact(STETH), abs=1e-16)


def test_a_token_with_a_base_is_sold_through_the_base() -> None:
    direct, through = Desk(), Desk()
    trade = direct.swap(STETH, USDC, 500 * WEI)
    first = through.swap(STETH, ETH, 500 * WEI)
    second = through.swap(ETH, USDC, first.amount_out)
    assert trade.amount_out == pytest.approx(second.amount_out, abs=1)
    assert direct.market.prices == pytest.approx(through.market.prices, rel=1e-14)
    assert direct.market.impact(ETH) > 0
    desk = Desk()
    bought = desk.swap(USDC, STETH, 100_000 * USD)
    assert desk.market.prices[ETH] > 1_000
    assert desk.market.prices[STETH] / desk.market.prices[ETH] > 1.2
    assert bought.log_impact_out < 0


# ---------------------------------------------------------------------- ledger, journal, refusals
def test_tokens_leave_and_enter_the_ledger() -> None:
    desk = Desk()
    trade = desk.swap(ETH, USDC, 7 * WEI)
    assert desk.ledger.balances[ETH][desk.account] == 10**9 * WEI - 7 * WEI
    assert desk.ledger.balances[USDC][desk.account] == 10**9 * USD + trade.amount_out
    assert desk.ledger.outflows[ETH] == 7 * WEI
    desk.ledger.audit()
    assert desk.ledger.owners[desk.market.account] == "outside"


class Failing(list):
    """A journal that breaks at the n-th write."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self.left = left

    def append(self, entry: Any) -> None:
        if self.left == 0:
            raise Revert("cut")
        self.left -= 1
        super().append(entry)


@pytest.mark.parametrize("pair", [(ETH, USDC), (STETH, BTC)])
def test_a_swap_cut_at_any_write_leaves_no_trace(pair: tuple[int, int]) -> None:
    desk = Desk()
    desk.swap(ETH, BTC, 3 * WEI, ("liquidation", 0.5), ("whale", 0.5))
    desk.market.begin_step(desk.exogenous, 12)
    before = state(desk)
    cuts = 0
    while True:
        desk.ledger.journal.entries = Failing(cuts)
        try:
            desk.swap(*pair, 5 * WEI, ("liquidation", 0.5), ("deleveraging", 0.5))
        except Revert:
            desk.ledger.journal.undo()
            assert state(desk) == before
            cuts += 1
            continue
        break
    assert cuts > 8
    assert state(desk) != before
    desk.ledger.journal.undo()
    assert state(desk) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((ETH, 7, WEI), "TOKEN_NOT_TRADED"),
        ((7, ETH, WEI), "TOKEN_NOT_TRADED"),
        ((ETH, ETH, WEI), "IDENTICAL_ADDRESSES"),
        ((ETH, USDC, 0), "INSUFFICIENT_INPUT_AMOUNT"),
        ((ETH, USDC, -1), "INSUFFICIENT_INPUT_AMOUNT"),
        ((USDC, BTC, 1), "INSUFFICIENT_OUTPUT_AMOUNT"),
        ((ETH, USDC, WEI, 1_000 * USD), "INSUFFICIENT_OUTPUT_AMOUNT"),
        ((ETH, USDC, 2 * 10**9 * WEI), EXCEEDS_BALANCE),
    ],
)
def test_refusals(arguments: tuple[int, ...], reason: str) -> None:
    desk = Desk()
    before = state(desk)
    with pytest.raises(Revert) as caught:
        desk.market.swap(desk.account, *arguments)
    assert caught.value.reason == reason
    assert state(desk) == before


def test_quotes_of_what_would_be_refused_are_nothing() -> None:
    market = Desk().market
    for token_in, token_out, amount in ((ETH, 7, WEI), (7, ETH, WEI), (ETH, ETH, WEI), (ETH, USDC, 0)):
        assert market.quote(token_in, token_out, amount) == 0
        assert market.quote_exact_out(token_in, token_out, amount) is None


def test_shares_of_causes_must_add_to_one() -> None:
    desk = Desk()
    before = state(desk)
    with pytest.raises(ValueError, match=r"shares that add to 0\.9"):
        desk.swap(ETH, USDC, WEI, ("liquidation", 0.9))
    with pytest.raises(ValueError, match=r"a share of -0\.5 for whale"):
        desk.swap(ETH, USDC, WEI, ("liquidation", 1.5), ("whale", -0.5))
    with pytest.raises(ValueError, match=r"given 'liquidations'; allowed: liquidation, deleveraging, .*, outside"):
        desk.swap(ETH, USDC, WEI, ("liquidations", 1.0))
    assert state(desk) == before


def test_bad_prices_and_times_are_refused() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=r"exogenous price of token 0: given nan"):
        desk.market.begin_step([float("nan"), 1.0, 1.0, 1.0], 12)
    with pytest.raises(ValueError, match=r"exogenous price of token 3: given -1\.0"):
        desk.market.begin_step([1.0, 1.0, 1.0, -1.0], 12)
    with pytest.raises(ValueError, match=r"timestamp: given 3; allowed: 12 or later"):
        desk.market.begin_step(desk.exogenous, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"permanent_share": 0.5}, r"given 0\.5, 0\.9, 0\.05; allowed: 0 to 1, adding to 1"),
        ({"permanent_share": -0.1, "fast_share": 1.05}, "adding to 1"),
        ({"fast_seconds": 0.0}, r"fast_seconds, slow_seconds: given 0\.0"),
        ({"depth_floor": 0.0}, "depth_floor, depth_cap: given 0"),
        ({"depth_cap": 0.9}, "depth_floor, depth_cap"),
        ({"depth_volatility_exponent": -1.0}, "depth_volatility_exponent"),
        ({"reference_volatility_per_year": 0.0}, "reference_volatility_per_year"),
        ({"tokens": {ETH: OutsideToken(0.0)}}, "depth_2pct of token 0: given 0.0"),
        ({"tokens": {ETH: OutsideToken(1.0, "eth")}}, "depth_unit of token 0: given 'eth'"),
        ({"tokens": {ETH: OutsideToken(impact_per_unit=-1.0)}}, "impact_per_unit of token 0: given -1.0"),
        ({"tokens": {ETH: OutsideToken(reference_volatility_per_year=0.0)}}, "of token 0: given 0.0"),
        ({"tokens": {STETH: OutsideToken(base=ETH)}}, "base of token 1: given 0; allowed: a token of the outside"),
        ({"tokens": {ETH: OutsideToken(base=STETH), STETH: OutsideToken(base=ETH)}}, "closes a loop"),
    ],
)
def test_parameters_are_checked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Desk(**arguments)


def test_names_of_the_package_are_found_lazily() -> None:
    for name in sim.markets.outside.__all__:
        assert getattr(sim.markets.outside, name) is not None
    with pytest.raises(AttributeError, match="Nothing"):
        _ = sim.markets.outside.Nothing
