"""Liquidity providers: loss-versus-rebalancing and fees against their exact values, positions moved without a loss."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.economy import Economy
from sim.ledger import Ledger
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.displacement import Displacement
from sim.markets.fee_meter import FeeMeter, value_loss_rate
from sim.markets.provision import HAS_POSITION, NO_POSITION, Provision
from sim.markets.venues import Venues

UNIT = 10**18
YEAR = 31_536_000.0


class Outside:
    """Log prices that a test sets."""

    def __init__(self, tokens):
        self.logs = [0.0] * tokens
        self.log_exogenous = [0.0] * tokens

    def log_price(self, token):
        return self.logs[token]

    def impact_by_cause(self, token):
        return {}


class Market:
    def __init__(self, fee_pips=3_000):
        self.ledger = Ledger()
        self.clock = Clock(1_700_000_000)
        self.tokens = [self.ledger.add_token(f"T{k}", 18) for k in range(2)]
        self.accounts = self.ledger.open_accounts(["one", "two", "trader"])
        for token in self.tokens:
            for account in self.accounts:
                self.ledger.inflow(token, account, 10**27)
        self.amm = ConcentratedPool("P", self.ledger, self.clock, 0, 1, fee_pips, 60)
        self.amm.initialize_at(1.0)
        self.outside = Outside(2)
        displacement = Displacement(self.ledger.journal, self.outside, 0, 1, 0.0)
        self.venues = Venues(self.ledger, {"P": self.amm}, self.outside, {"P": displacement})
        self.provision = Provision(self.ledger, self.venues, {"P": self.amm})
        self.meter = FeeMeter({"P": self.amm}, self.outside)
        self.meter.watch(["P"])


def test_loss_of_a_full_range_is_an_eighth_of_the_variance():
    """A price that moves by ±sigma √dt each minute has realised variance sigma² exactly."""
    market = Market()
    market.amm.provide(market.accounts[0], None, None, 2_000 * UNIT)
    sigma = 0.8
    move = sigma * math.sqrt(60.0 / YEAR)
    for minute in range(61):
        market.outside.logs[0] = move * (minute % 2)
        market.meter.follow(60 * minute)
    earned = market.meter.earnings("P")
    assert earned.variance_per_second * YEAR == pytest.approx(sigma**2, rel=1e-12)
    liquidity = market.amm.state.liquidity
    worth0, worth1 = market.amm.principal(1)
    value = worth0 + worth1
    assert earned.loss * liquidity / value == pytest.approx(value_loss_rate(earned.variance_per_second), rel=1e-6)
    assert earned.loss * liquidity / value * YEAR == pytest.approx(sigma**2 / 8, rel=1e-6)


def test_loss_of_a_range_is_that_of_its_liquidity_on_less_value():
    market = Market()
    market.amm.provide(market.accounts[0], 1 / 1.21, 1.21, 2_000 * UNIT)
    for minute in range(61):
        market.outside.logs[0] = 1e-3 * (minute % 2)
        market.meter.follow(60 * minute)
    earned = market.meter.earnings("P")
    worth0, worth1 = market.amm.principal(1)
    ratio = earned.loss * market.amm.state.liquidity / (worth0 + worth1)
    # V = 2 L (1 - 1/√1.21) at the middle of the range: 1 / (1 - 1/1.1) = 11 times the full range's.
    assert ratio / value_loss_rate(earned.variance_per_second) == pytest.approx(11.0, rel=2e-2)


def test_measured_fees_are_those_collected():
    market = Market()
    one, two, trader = market.accounts
    for account in (one, two):
        market.provision.provide(account, "P", 0.5, 2.0, 1_000 * UNIT, 1_000 * UNIT, False)
    market.meter.follow(0)
    for _ in range(5):
        market.amm.swap_exact_in(trader, 0, 10 * UNIT)
        market.amm.swap_exact_in(trader, 1, 10 * UNIT)
    market.meter.follow(600)
    earned = market.meter.earnings("P")
    position = market.provision.position("P", one)
    taken = market.provision.withdraw(one, "P")
    price = market.amm.price()
    assert earned.fees * 600 * position.liquidity == pytest.approx(taken.fees0 * price + taken.fees1, rel=1e-9)
    # Half of .3 % of a hundred tokens.
    assert taken.fees0 * price + taken.fees1 == pytest.approx(0.15 * UNIT, rel=1e-2)
    assert market.provision.fees["P"][one] == (taken.fees0, taken.fees1)


def test_the_window_slides():
    market = Market()
    market.amm.provide(market.accounts[0], None, None, 2_000 * UNIT)
    for minute in range(200):
        market.outside.logs[0] = 0.01 * (minute % 2) if minute < 100 else 0.0
        market.meter.follow(60 * minute)
    assert market.meter.earnings("P").variance_per_second == 0.0
    assert market.meter.earnings("P").fees == 0.0


def test_provide_move_withdraw_by_the_unit():
    market = Market()
    one, two, trader = market.accounts
    provision, ledger = market.provision, market.ledger
    provision.provide(two, "P", 0.2, 5.0, 10_000 * UNIT, 10_000 * UNIT, False)
    with pytest.raises(Revert, match=NO_POSITION):
        provision.withdraw(one, "P")
    opened = provision.provide(one, "P", 0.9, 1.1, 100 * UNIT, 100 * UNIT, False)
    with pytest.raises(Revert, match=HAS_POSITION):
        provision.provide(one, "P", 0.9, 1.1, UNIT, UNIT, False)
    market.amm.swap_to_price(trader, 1.3)
    held0, held1, fees0, fees1 = provision.amounts("P", one)
    assert held0 == 0 < held1
    wallet0, wallet1 = (ledger.balances[token][one] for token in (0, 1))
    moved = provision.move(one, "P", 1.3 / 1.1, 1.3 * 1.1, held0, held1)
    assert moved.position != opened.position
    # Half of it was sold, for its fee and its impact; what the moved price leaves over of one token is in the wallet.
    now0, now1, _, _ = provision.amounts("P", one)
    left0, left1 = (ledger.balances[token][one] for token in (0, 1))
    price = market.amm.price()
    worth = (now0 + left0 - wallet0 - fees0) * price + (now1 + left1 - wallet1 - fees1)
    assert worth == pytest.approx(held1, rel=5e-3)
    assert now0 * price + now1 > 0.85 * held1
    provision.withdraw(one, "P")
    provision.withdraw(two, "P")
    assert provision.held["P"] == {}
    ledger.audit()
    # Nothing but rounding and protocol dust stays in the pool.
    assert all(balance < 100 for balance in market.amm.reserves())


@pytest.mark.parametrize("at", [1, 5, 9, 14, 20, 27, 35])
def test_a_refused_move_leaves_no_trace(at):
    market = Market()
    one, two, trader = market.accounts
    market.provision.provide(two, "P", 0.2, 5.0, 10_000 * UNIT, 10_000 * UNIT, False)
    market.provision.provide(one, "P", 0.9, 1.1, 100 * UNIT, 100 * UNIT, False)
    market.amm.swap_to_price(trader, 1.3)
    market.ledger.journal.clear()
    held = dict(market.provision.held["P"])
    fees = dict(market.provision.fees["P"])
    positions = dict(market.amm.positions)
    balances = [list(column) for column in market.ledger.balances]

    class Failing(list):
        def append(self, entry):
            if len(self) + 1 == at:
                raise Revert("at this write")
            super().append(entry)

    market.ledger.journal.entries = Failing()
    with pytest.raises(Revert):
        market.provision.move(one, "P", 1.2, 1.4, UNIT, 100 * UNIT)
    market.ledger.journal.undo()
    assert market.provision.held["P"] == held
    assert market.provision.fees["P"] == fees
    assert market.amm.positions == positions
    assert market.ledger.balances == balances


def depth_usd(volatility, seed):
    overrides = {
        "populations.scale": 0.02,
        "run.step_seconds": 120,
        "run.horizon_seconds": 129_600,
        "prices.process": "gbm",
        "prices.volatility_per_year": {"WETH": volatility},
        "amms.WETH-USDC.liquidity_usd": 20e6,
        "populations.providers": {
            "kind": "liquidity_provider",
            "count": 100,
            "scaled": False,
            "pool": "WETH-USDC",
            "value_usd": 100e6,
            "look_seconds": 3_600.0,
        },
        "populations.traders.trades_per_day": 100.0,
        "populations.traders.scaled": False,
        "populations.traders.pools": ["WETH-USDC"],
        "populations.traders.size_usd_median": 16_000.0,
    }
    with Economy("aave-v3-ethereum", seed=seed, overrides=overrides) as economy:
        economy.run()
        metrics = economy.finish()["metrics"]
        columns = economy.populations["providers"].columns
        fees, loss = float(columns["fees_usd"].sum()), float(columns["loss_usd"].sum())
    depth = np.array(metrics["amm_depth_usd.WETH-USDC"])
    return float(depth[len(depth) // 3 :].mean()), fees, loss


def test_depth_falls_with_volatility():
    """The tolerances are calibrated to depth ~ volatility^-.36; this guards the calibration, roughly."""
    exponents = []
    for seed in (1, 2, 3, 4, 5):
        calm, fees, calm_loss = depth_usd(0.3, seed)
        rough, _, rough_loss = depth_usd(1.2, seed)
        exponents.append(math.log(rough / calm) / math.log(4.0))
        assert fees > calm_loss > 0.0
        assert rough_loss > calm_loss
    assert sum(exponent < 0.0 for exponent in exponents) >= 4, exponents
    assert -0.6 < float(np.mean(exponents)) < -0.2, exponents
