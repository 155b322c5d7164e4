"""Liquidity providers: they hold a range, follow the price, and leave when fees do not pay for what it costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from agents.base import AgentParameters, EconomicAgent
from scenarios.errors import Problem, ScenarioError, listing
from scenarios.schema.base import REQUIRED, Whole, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.fee_meter import FeeMeter
from sim.markets.provision import Provision
from sim.population import Population
from sim.view import View

#: Part of the wallet that goes into a position; rounding and the pool's move come out of the rest.
_ROOM = 0.999


class LiquidityProviderParameters(AgentParameters):
    """Who provides to a concentrated pool, in which ranges, and what makes them leave (docs/model.md 21)."""

    pool: str = field(REQUIRED, "Concentrated AMM they provide to", source="choice", refers_to="amm")
    value_usd: float = field(
        REQUIRED,
        "Value of all their positions together at the start",
        unit="USD",
        source="assumption: a part of a pool of 10M to 1,000M, no record of who holds it",
        plausible=(1e6, 1e9),
        gt=0,
        le=1e12,
    )
    value_log_sd: float = field(
        1.0,
        "Standard deviation of the logarithm of a provider's value",
        unit="1",
        source="assumption: sizes differ by a factor of e either way; less than borrowers, as dust does "
        "not pay its gas",
        plausible=(0.5, 2.0),
        ge=0,
        le=5,
    )
    width_ratio_median: float = field(
        0.5,
        "Median width of a range: from price / (1 + width) to price x (1 + width)",
        unit="ratio",
        source="assumption: half to twice the price in a month: between full-range holders and those who "
        "move every day",
        plausible=(0.05, 2.0),
        gt=0,
        le=1e6,
    )
    width_log_sd: float = field(
        0.5,
        "Standard deviation of the logarithm of widths",
        unit="1",
        source="assumption: so that narrow and wide ranges (.2 to 1.4 for two thirds of them) stand side by side",
        plausible=(0.2, 1.0),
        ge=0,
        le=5,
    )
    tolerance_log_sd: float = field(
        2.0,
        "Standard deviation of the logarithm of what a provider counts for a dollar of fees (incentives, hedges,"
        " habit); the wider, the less depth follows volatility",
        unit="1",
        source="assumption, calibrated to an exponent of -.36: 1.5, 2, 3 give -.49, -.40, -.24 on five seeds",
        plausible=(1.0, 6.0),
        ge=0,
        le=20,
    )
    tolerance_median: float = field(
        1.0,
        "Its median",
        unit="ratio",
        source="assumption: 1 counts fees at their worth; rewards and hope of flow make providers count them higher",
        plausible=(0.5, 5.0),
        gt=0,
        le=1e6,
    )
    look_seconds: float = field(
        7_200.0,
        "Mean time between two looks of one provider",
        unit="s",
        source="assumption: professionals look every few minutes, others once a day; two hours lie "
        "between in the logarithm",
        plausible=(600.0, 86_400.0),
        gt=0,
        le=1e9,
    )
    gas_seconds: float = field(
        604_800.0,
        "Time over which the gas of a move is spread",
        unit="s",
        source="assumption: a position that is expected to stay a week; a day for the busiest, a month for the idle",
        plausible=(86_400.0, 2_592_000.0),
        gt=0,
        le=1e12,
    )
    return_margin_ratio: float = field(
        0.1,
        "What fees must exceed costs by before a provider who has left comes back",
        unit="ratio",
        source="assumption: enough that nobody leaves and returns at every look",
        plausible=(0.0, 0.5),
        ge=0,
        le=100,
    )
    provide_gas: Whole = field(
        450_000,
        "Gas of opening a position",
        unit="gas",
        source="assumption: order of magnitude of minting a position on mainnet, two approvals not counted",
        plausible=(300_000, 600_000),
        ge=21_000,
    )
    withdraw_gas: Whole = field(
        300_000,
        "Gas of taking one out",
        unit="gas",
        source="assumption: order of magnitude of taking out liquidity and collecting on mainnet",
        plausible=(200_000, 400_000),
        ge=21_000,
    )


class Outlook(NamedTuple):
    """What liquidity of one's own size earns and costs, USD a second: fees, loss-versus-rebalancing, gas of a move."""

    fees: float
    loss: float
    gas: float


class LiquidityProvider(EconomicAgent):
    """Holds one range. At a look, a time drawn ahead, he compares means of the last hour:

        fees · tolerance  <  LVR + gas     → withdraws
        out of his range                   → moves it around the price if that pays, else withdraws
        fees · tolerance  >  (LVR + gas)(1 + margin) → comes back

    with LVR = σ² L √P / 4 while in range (σ²/8 of the value of a full range), fees per unit of liquidity as all of the
    pool earned them, thinned by his own return, and gas spread over `gas_seconds`. Columns keep the account of each:
    `fees_usd` (collected and earned so far, at present prices) and `loss_usd` (LVR while in range) up to his last look.
    """

    kind: ClassVar[str] = "liquidity_provider"
    wake: ClassVar[str] = "never"
    timetables: ClassVar[tuple[str, ...]] = ("liquidity",)
    Parameters: ClassVar[type[AgentParameters]] = LiquidityProviderParameters

    # ------------------------------------------------------------------ founding
    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Sizes, widths and tolerances, one draw a row each."""
        p = population.parameters
        n = len(population)
        mean = p.value_usd / n
        median = mean / math.exp(0.5 * p.value_log_sd**2)
        columns = population.columns
        columns["value_usd"] = np.array(founding.log_normal(population, "value", median, p.value_log_sd, base=2))
        columns["width"] = np.array(founding.log_normal(population, "width", p.width_ratio_median, p.width_log_sd))
        columns["tolerance"] = np.array(
            founding.log_normal(population, "tolerance", p.tolerance_median, p.tolerance_log_sd, base=3)
        )
        for name in ("fees_usd", "loss_usd", "seen_at"):
            columns[name] = np.zeros(n)

    @classmethod
    def settle(cls, population: Population, world: Any) -> None:
        """Everybody opens his range around the opening price."""
        p = population.parameters
        provision: Provision = world.provision
        if p.pool not in provision.amms:
            path = f"populations.{population.name}.pool"
            allowed = listing(provision.amms) if provision.amms else 'an AMM of kind "concentrated"'
            raise ScenarioError([Problem("", path, p.pool, allowed, "is no concentrated pool")])
        amm = provision.amms[p.pool]
        world.meter.watch([p.pool])
        population.memory["provision"] = provision
        population.memory["meter"] = world.meter
        ledger = world.ledger
        unit_usd = world.outside.prices[amm.token1] / ledger.tokens[amm.token1].unit
        price = amm.price()
        for row, account in enumerate(population.accounts):
            width = float(population.columns["width"][row])
            low, high = price / (1.0 + width), price * (1.0 + width)
            plan = amm.plan_provision(int(population.columns["value_usd"][row] / unit_usd), low, high)
            if plan.liquidity <= 0:
                continue
            # One part in a thousand more stays in the wallet, as it does after every later move.
            ledger.inflow(amm.token0, account, int(plan.amount0 / _ROOM) + 1)
            ledger.inflow(amm.token1, account, int(plan.amount1 / _ROOM) + 1)
            provision.provide(account, p.pool, low, high, plan.amount0, plan.amount1, False)
        population.columns["seen_at"][:] = world.clock.timestamp

    # ------------------------------------------------------------------ times
    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """The same for all."""
        return float(population.parameters.look_seconds)

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows whose time of looking has come."""
        look_at = population.columns["liquidity_at"]
        now = view.timestamp
        return [row for row in rows if look_at[row] <= now]

    # ------------------------------------------------------------------ deciding
    def act(self, view: View) -> list[Transaction]:
        """Stay, leave, move or come back."""
        if not self.is_due(view):
            return []
        p, memory = self.parameters, self.population.memory
        provision: Provision = memory["provision"]
        meter: FeeMeter = memory["meter"]
        amm = provision.amms[p.pool]
        price = amm.price()
        width = float(self.population.columns["width"][self.row])
        low, high = price / (1.0 + width), price * (1.0 + width)
        held = provision.position(p.pool, self.account)
        inside = held is not None and held.tick_lower <= amm.state.tick < held.tick_upper
        outlook = self._outlook(view, provision, meter, amm, held, inside, low, high)
        self._account(view, provision, amm, outlook, inside)
        if outlook is None:
            return []
        counted = outlook.fees * float(self.population.columns["tolerance"][self.row])
        cost = outlook.loss + outlook.gas
        if held is None:
            if counted > cost * (1.0 + p.return_margin_ratio):
                return self._send(view, "provide", (p.pool, low, high, *self._wallet(view, amm), True), p.provide_gas)
            return []
        if counted < cost:
            return self._send(view, "withdraw", (p.pool,), p.withdraw_gas)
        if not inside:
            held0, held1, _, _ = provision.amounts(p.pool, self.account)
            wallet0, wallet1 = self._wallet(view, amm)
            arguments = (p.pool, low, high, int(held0 * _ROOM) + wallet0, int(held1 * _ROOM) + wallet1)
            return self._send(view, "move", arguments, p.provide_gas + p.withdraw_gas)
        return []

    def _outlook(
        self,
        view: View,
        provision: Provision,
        meter: FeeMeter,
        amm: Any,
        held: Any,
        inside: bool,
        low: float,
        high: float,
    ) -> Outlook | None:
        """Fees, loss and gas a second of the position he has, or of the one he would have around the price."""
        earned = meter.earnings(self.parameters.pool)
        if earned is None:
            return None
        p = self.parameters
        unit_usd = view.outside_usd[amm.token1] / view.ledger.tokens[amm.token1].unit
        if inside:
            liquidity, thinned = float(held.liquidity), 1.0
            gas = p.withdraw_gas
        else:
            held0, held1, _, _ = provision.amounts(p.pool, self.account)
            wallet0, wallet1 = self._wallet(view, amm)
            root = amm.state.sqrt_price_x96 * 2.0**-96
            value1 = int((held0 + wallet0) * root * root) + held1 + wallet1
            liquidity = float(amm.plan_provision(value1, low, high).liquidity)
            thinned = float(amm.state.liquidity) / (float(amm.state.liquidity) + liquidity) if liquidity else 0.0
            gas = p.provide_gas + (p.withdraw_gas if held is not None else 0)
        return Outlook(
            earned.fees * liquidity * thinned * unit_usd,
            earned.loss * liquidity * unit_usd,
            view.gas_usd(gas, view.tip_gwei) / p.gas_seconds,
        )

    def _account(self, view: View, provision: Provision, amm: Any, outlook: Outlook | None, inside: bool) -> None:
        """Bring the row's fees and losses to the present."""
        columns, row, pool = self.population.columns, self.row, self.parameters.pool
        tokens, prices = view.ledger.tokens, view.outside_usd
        collected0, collected1 = provision.fees[pool].get(self.account, (0, 0))
        _, _, fees0, fees1 = provision.amounts(pool, self.account)
        columns["fees_usd"][row] = (collected0 + fees0) / tokens[amm.token0].unit * prices[amm.token0] + (
            collected1 + fees1
        ) / tokens[amm.token1].unit * prices[amm.token1]
        if inside and outlook is not None:
            columns["loss_usd"][row] += outlook.loss * (view.timestamp - float(columns["seen_at"][row]))
        columns["seen_at"][row] = view.timestamp

    def _wallet(self, view: View, amm: Any) -> tuple[int, int]:
        balances = view.ledger.balances
        return (
            int(balances[amm.token0][self.account] * _ROOM),
            int(balances[amm.token1][self.account] * _ROOM),
        )

    def _send(self, view: View, operation: str, arguments: tuple[Any, ...], gas: int) -> list[Transaction]:
        call = Call("provision", operation, arguments, gas)
        return [Transaction(self.account, (call,), f"liquidity_{operation}", tip_gwei=view.tip_gwei)]
