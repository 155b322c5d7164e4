"""Redeemers: they buy a staked token below par, hand it in for redemption, wait and claim."""

from __future__ import annotations

from collections.abc import Sequence as Rows
from typing import Any, ClassVar

from agents.base import AgentParameters, EconomicAgent, gas_eth_field
from agents.carry import discount_bound
from scenarios.schema.base import REQUIRED, Sequence, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.redemption import RedemptionQueue
from sim.markets.routes import Leg
from sim.population import Population
from sim.view import View

#: Rounds in which the price aimed at and the wait that the purchase itself makes longer are brought together.
_ROUNDS = 3

#: Part of the wallet that is never spent, so that rounding and earlier trades do not make a transaction fail.
_ROOM = 0.999


class RedeemerParameters(AgentParameters):
    """Capital and required return of redemption arbitrageurs (docs/model.md 20)."""

    queue: str = field(REQUIRED, "Redemption queue they use", source="choice", refers_to="queue")
    pools: Sequence[str] = field(
        (), "AMMs watched; omitted: all that trade the staked token for its base", source="choice", refers_to="amm"
    )
    capital_usd: float = field(
        50_000_000.0,
        "Base tokens in the wallet of one redeemer at the start, USD at the opening price",
        unit="USD",
        source="assumption: a fund of middling size; twelve together hold about half of the nine-day "
        "queue of July 2025",
        plausible=(5e6, 3e8),
        ge=0,
        le=1e12,
    )
    required_return_least: float = field(
        0.10,
        "Required return of the most patient redeemer",
        unit="1/year",
        source="discounts of 30 to 60 bp at a wait of 9 days in July 2025 (Blockworks)",
        ge=0,
        le=10,
    )
    required_return_most: float = field(
        0.25,
        "Required return of the least patient one; between them evenly",
        unit="1/year",
        source="discounts of 30 to 60 bp at a wait of 9 days in July 2025 (Blockworks)",
        ge=0,
        le=10,
    )
    min_profit_usd: float = field(
        50.0,
        "Profit after gas below which a redeemer does not act",
        unit="USD",
        source="assumption: a claim days later has to be remembered: more than for a trade that closes at once",
        plausible=(0.0, 1000.0),
        ge=0,
        le=1e9,
    )
    gas_eth: float = gas_eth_field(50.0)


class Redeemer(EconomicAgent):
    """Bounds the discount: while delta > r T_q / 365 d he buys until it is that, T_q counting his own request.

    Above par he stakes and sells, which needs no wait. Both trades are private and pay nothing when somebody was
    faster. Each has his own required return and capital; the most patient buy first, the others when those are spent.
    """

    kind: ClassVar[str] = "redeemer"
    wake: ClassVar[str] = "step"
    Parameters: ClassVar[type[AgentParameters]] = RedeemerParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Required returns, spread evenly; capital once the queue is known."""
        p = population.parameters
        if p.required_return_least > p.required_return_most:
            founding.refuse(
                f"populations.{population.name}.required_return_least",
                f"{p.required_return_least:g}",
                f"at most required_return_most ({p.required_return_most:g})",
                "is above the highest",
            )
        draws = founding.randomness.stratified_array(f"{population.name}.required_return", range(len(population)))
        spread = p.required_return_most - p.required_return_least
        population.columns["required_per_year"] = p.required_return_least + spread * draws

    @classmethod
    def settle(cls, population: Population, world: Any) -> None:
        """Capital in the queue's base token, and the pools that trade the pair."""
        p = population.parameters
        queue: RedemptionQueue = world.queues[p.queue]
        amount = int(
            p.capital_usd
            * population.size_ratio
            / world.outside.prices[queue.base]
            * world.ledger.tokens[queue.base].unit
        )
        for account in population.accounts if amount else ():
            world.ledger.inflow(queue.base, account, amount)
        population.memory["queue"] = queue
        population.memory["pools"] = tuple(
            name
            for name, amm in world.amms.items()
            if {amm.token0, amm.token1} == {queue.token, queue.base} and (not p.pools or name in p.pools)
        )

    # ------------------------------------------------------------------ what everybody sees
    @classmethod
    def discounts(cls, population: Population, view: View) -> list[tuple[str, float]]:
        """(pool, price / par) of every pool watched, worked out once a step."""
        key = ("discounts", population.name)
        found: list[tuple[str, float]] | None = view.cache.get(key)
        if found is None:
            queue: RedemptionQueue = population.memory["queue"]
            par = view.ratios.par(queue.token, queue.base)
            found = []
            for name in population.memory["pools"]:
                amm = view.venues.amms[name]
                price = amm.price() if amm.token0 == queue.token else 1.0 / amm.price()
                found.append((name, price / par))
            view.cache[key] = found
        return found

    @classmethod
    def due(cls, population: Population, rows: Rows[int], view: View) -> list[int]:
        """Rows with something to claim, or for whom some pool is out of bounds."""
        queue: RedemptionQueue = population.memory["queue"]
        amms = view.venues.amms
        wait = queue.wait_seconds()
        required = population.columns["required_per_year"]
        prices = [(ratio, 1.0 - amms[name].fee_ratio) for name, ratio in cls.discounts(population, view)]
        above = any(ratio * kept > 1.0 for ratio, kept in prices)
        lowest = min((ratio / kept for ratio, kept in prices), default=1.0)
        first = population.first
        open_now = queue.is_open()
        return [
            row
            for row in rows
            if above
            or (open_now and lowest < 1.0 - discount_bound(float(required[row]), wait))
            or queue.claimable(first + row)
        ]

    # ------------------------------------------------------------------ deciding
    def act(self, view: View) -> list[Transaction]:
        """Claims first; then one trade for every pool that is out of bounds."""
        if not self.is_due(view):
            return []
        queue: RedemptionQueue = self.population.memory["queue"]
        found: list[Transaction] = []
        ready = queue.claimable(self.account)
        if ready:
            calls = tuple(Call(queue.name, "claim", (request.number,), queue.claim_gas) for request in ready)
            found.append(Transaction(self.account, calls, "redemption_claim", tip_gwei=view.tip_gwei))
        for name, ratio in type(self).discounts(self.population, view):
            kept = 1.0 - view.venues.amms[name].fee_ratio
            if ratio * kept > 1.0:
                trade = self._sell(view, queue, name)
            elif ratio < kept and queue.is_open():
                trade = self._buy(view, queue, name)
            else:
                trade = None
            if trade is not None:
                found.append(trade)
        return found

    def _buy(self, view: View, queue: RedemptionQueue, name: str) -> Transaction | None:
        """Buy up to the price at which redeeming earns the required return."""
        amm = view.venues.amms[name]
        required = float(self.population.columns["required_per_year"][self.row])
        par = view.ratios.par(queue.token, queue.base)
        unit = view.ledger.tokens[queue.base].unit
        most = int(view.ledger.balances[queue.base][self.account] * _ROOM)
        kept = 1.0 - amm.fee_ratio
        amount, bound = 0, 0.0
        for _ in range(_ROUNDS):
            # A buyer pays price / (1 - fee): his own discount is the bound where the pool's is the bound and the fee.
            bound = discount_bound(required, queue.wait_seconds(amount))
            target = par * (1.0 - bound) * kept
            token_in, amount = amm.amount_to_price(target if amm.token0 == queue.token else 1.0 / target)
            if token_in != queue.base:
                return None
            amount = min(amount, most)
        if amount <= 0:
            return None
        tokens = amm.quote_exact_in(queue.base, amount)
        worth = queue.par(tokens)
        gas_usd = view.gas_usd(view.operations.swap + queue.request_gas + queue.claim_gas)
        value_usd = (worth - amount) / unit * view.outside_usd[queue.base] - gas_usd
        if tokens <= 0 or value_usd < self.parameters.min_profit_usd:
            return None
        # Whoever comes later finds less: at the least the average price must earn the required return.
        least = queue.staked_for(int(amount / max(1.0 - bound, 0.5)))
        if tokens < least:
            return None
        return self._trade(
            view, "redeem_discount", (queue.name, Leg(name, queue.base, queue.token), amount, least), value_usd
        )

    def _sell(self, view: View, queue: RedemptionQueue, name: str) -> Transaction | None:
        """Stake at par and sell down to par."""
        amm = view.venues.amms[name]
        par = view.ratios.par(queue.token, queue.base)
        target = par / (1.0 - amm.fee_ratio)
        token_in, tokens = amm.amount_to_price(target if amm.token0 == queue.token else 1.0 / target)
        most = int(view.ledger.balances[queue.base][self.account] * _ROOM)
        base_amount = min(queue.par(tokens), most)
        if token_in != queue.token or base_amount <= 0:
            return None
        profit = amm.quote_exact_in(queue.token, queue.staked_for(base_amount)) - base_amount
        unit = view.ledger.tokens[queue.base].unit
        value_usd = profit / unit * view.outside_usd[queue.base] - view.gas_usd(2 * view.operations.swap)
        if value_usd < self.parameters.min_profit_usd:
            return None
        arguments = (queue.name, Leg(name, queue.token, queue.base), base_amount, profit // 2)
        return self._trade(view, "sell_premium", arguments, value_usd)

    def _trade(self, view: View, operation: str, arguments: tuple[Any, ...], value_usd: float) -> Transaction:
        gas = view.operations.swap + self.population.memory["queue"].request_gas
        return Transaction(
            self.account, (Call("loops", operation, arguments, gas),), "redemption", private=True, value_usd=value_usd
        )
