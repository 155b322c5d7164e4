"""A pool's displacement by cause: it adds up whatever happens, and arbitrage is charged to those who pushed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.displacement import Displacement
from sim.markets.outside import OutsideMarket, OutsideToken

ETH, BTC, USDC = range(3)


class Street:
    """A pool of ETH against USDC, of which only the log price is kept, beside an outside market."""

    def __init__(self, pool_price: float = 1_000.0) -> None:
        self.ledger = Ledger()
        for symbol, decimals in (("ETH", 18), ("BTC", 8), ("USDC", 6)):
            self.ledger.add_token(symbol, decimals)
        tokens = {ETH: OutsideToken(20e6), BTC: OutsideToken(50e6), USDC: OutsideToken(500e6)}
        self.market = OutsideMarket(self.ledger, Clock(), tokens)
        self.account = self.ledger.open_account("everybody")
        for token, amount in ((ETH, 10**24), (BTC, 10**14), (USDC, 10**16)):
            self.ledger.inflow(token, self.account, amount)
        self.exogenous = [1_000.0, 20_000.0, 1.0]
        self.market.begin_step(self.exogenous, 0)
        self.log_pool = math.log(pool_price)
        self.gap = Displacement(self.ledger.journal, self.market, ETH, USDC, self.log_pool)

    def delta(self) -> float:
        return self.log_pool - (self.market.log_price(ETH) - self.market.log_price(USDC))

    def swap(self, cause: str, move: float) -> None:
        self.log_pool += move
        self.gap.swap(cause, move)

    def arbitrage(self, move: float) -> tuple[tuple[Any, float], ...]:
        self.log_pool += move
        return self.gap.arbitrage(move)

    def sell(self, eth: float, *causes: tuple[Any, float]) -> None:
        self.market.swap(self.account, ETH, USDC, int(eth * 10**18), 0, causes)


def test_a_liquidation_in_the_pool_reaches_the_outside_price_through_arbitrage() -> None:
    street = Street()
    street.swap("liquidation", -0.03)
    assert street.gap.components() == pytest.approx({"outside": 0.0, "liquidation": -0.03})
    causes = street.arbitrage(+0.02)
    assert causes == (("liquidation", pytest.approx(1.0)),)
    assert street.gap.components()["liquidation"] == pytest.approx(-0.01)
    street.sell(100, *causes)  # what the arbitrageur bought in the pool, sold outside
    impact = street.market.impact(ETH) - street.market.impact(USDC)
    assert street.gap.components()["liquidation"] == pytest.approx(-0.01 + impact)
    street.market.begin_step(street.exogenous, 10**9)  # the impact fades but for its lasting share
    assert street.gap.components()["liquidation"] == pytest.approx(-0.01 + 0.05 * impact, rel=1e-9)
    assert street.gap.total() == pytest.approx(street.delta(), abs=1e-12)


def test_following_an_outside_move_makes_no_impact() -> None:
    street = Street()
    street.exogenous[ETH] = 900.0
    street.market.begin_step(street.exogenous, 12)
    assert street.gap.total() == pytest.approx(math.log(1_000 / 900))
    causes = street.arbitrage(-0.1)
    assert causes == (("outside", 1.0),)
    street.sell(50, *causes)
    assert street.market.impact(ETH) == 0.0
    assert street.gap.components() == pytest.approx({"outside": math.log(1_000 / 900) - 0.1})


def test_arbitrage_is_charged_pro_rata_to_the_side_it_closes() -> None:
    street = Street()
    for cause, move in (("liquidation", -0.03), ("trading", -0.01), ("whale", 0.02)):
        street.swap(cause, move)
    assert street.gap.shares(+0.02) == (("liquidation", pytest.approx(0.75)), ("trading", pytest.approx(0.25)))
    assert street.gap.shares(-0.01) == (("whale", 1.0),)
    assert street.gap.shares(0.0) == (("outside", 1.0),)
    before = street.gap.components()
    assert street.gap.components() == before  # reading writes nothing
    street.arbitrage(+0.02)
    assert street.gap.components() == pytest.approx(
        {"outside": 0.0, "liquidation": -0.015, "trading": -0.005, "whale": 0.02}, abs=1e-15
    )
    assert street.gap.total() == pytest.approx(0.0, abs=1e-15)


def test_what_goes_beyond_the_gap_is_the_arbitrageurs_own() -> None:
    street = Street()
    street.swap("liquidation", -0.01)
    assert street.arbitrage(0.04) == (("liquidation", pytest.approx(0.25)), ("arbitrage", pytest.approx(0.75)))
    assert street.gap.components() == pytest.approx({"outside": 0, "liquidation": 0, "arbitrage": 0.03}, abs=1e-15)
    assert street.arbitrage(-0.05) == (("arbitrage", pytest.approx(1.0)),)
    assert street.gap.components()["arbitrage"] == pytest.approx(-0.02)
    assert Street().arbitrage(0.01) == (("arbitrage", 1.0),)


def test_a_gap_at_the_start_is_nobodys() -> None:
    street = Street(pool_price=1_010.0)
    assert street.gap.components() == {"outside": pytest.approx(math.log(1.01))}


def test_causes_may_name_the_single_event() -> None:
    street = Street()
    street.gap.swap(("liquidation", 17), -0.02)
    street.gap.swap(("liquidation", 18), -0.02)
    causes = street.gap.arbitrage(0.01)
    assert causes == ((("liquidation", 17), pytest.approx(0.5)), (("liquidation", 18), pytest.approx(0.5)))
    street.sell(1, *causes)
    assert set(street.market.impact_by_cause(ETH)) == {("liquidation", 17), ("liquidation", 18)}
    street.market.switch_impact("liquidation", False)
    assert not street.market.impact_enabled(("liquidation", 19))


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("swap"), st.sampled_from(["liquidation", "trading", "whale"]), st.floats(-0.1, 0.1)),
        st.tuples(st.just("arbitrage"), st.just(""), st.floats(-0.1, 0.1)),
        st.tuples(st.just("sell"), st.sampled_from(["liquidation", "outside", "farming"]), st.floats(0.1, 3_000)),
        st.tuples(st.just("step"), st.just(""), st.floats(-0.2, 0.2)),
        st.tuples(st.just("undone"), st.sampled_from(["liquidation", "perpetual"]), st.floats(-0.1, 0.1)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_components_always_add_up_to_the_displacement(actions: list[tuple[str, str, float]]) -> None:
    street = Street()
    journal = street.ledger.journal
    moment = 0
    for action, cause, size in actions:
        journal.clear()
        if action == "swap":
            street.swap(cause, size)
        elif action == "arbitrage":
            before = street.gap.components()
            shares = dict(street.arbitrage(size))
            assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-12)
            assert all(share >= 0 for share in shares.values())
            # no component is pushed through zero, save the arbitrageur's own
            after = street.gap.components()
            for name, was in before.items():
                if name != "arbitrage":
                    assert was * after[name] >= -1e-15
                    assert abs(after[name]) <= abs(was) + 1e-15
        elif action == "sell":
            street.sell(size, (cause, 1.0))
        elif action == "step":
            moment += 600
            street.exogenous[ETH] *= math.exp(size)
            street.market.begin_step(street.exogenous, moment)
        else:
            before = street.gap.components()
            street.gap.swap(cause, size)
            street.gap.arbitrage(-size / 2)
            street.sell(10, (cause, 1.0))
            journal.undo()
            assert street.gap.components() == before
        components = street.gap.components()
        assert abs(math.fsum(components.values()) - street.delta()) < 1e-9
        assert abs(street.gap.total() - street.delta()) < 1e-9


def test_every_write_can_be_undone() -> None:
    street = Street()
    street.swap("liquidation", -0.03)
    before = dict(street.gap.moves)

    class Cut(list):
        left = 0

        def append(self, entry: Any) -> None:
            if len(self) >= Cut.left:
                raise Revert("cut")
            super().append(entry)

    def act() -> None:
        street.gap.swap("trading", -0.01)
        street.gap.arbitrage(0.02)

    for Cut.left in range(3):
        street.ledger.journal.entries = Cut()
        with pytest.raises(Revert):
            act()
        street.ledger.journal.undo()
        assert street.gap.moves == before
