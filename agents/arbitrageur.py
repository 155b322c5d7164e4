"""Arbitrageurs: they keep the AMMs within fee and gas of the outside market."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Rows
from itertools import permutations
from typing import Any, ClassVar

from agents.base import AgentParameters, EconomicAgent, NonNegative, gas_eth_field
from scenarios.schema.base import REQUIRED, Sequence, Table, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.venues import Leg
from sim.population import Population
from sim.view import View


class ArbitrageurParameters(AgentParameters):
    """Capital and thresholds of an arbitrageur."""

    capital_usd: Table[str, NonNegative] = field(
        REQUIRED,
        "Inventory at the start, by asset, USD at the opening price",
        unit="USD",
        plausible=(1e6, 5e8),
        source="assumption: enough to close usual gaps in one trade",
        refers_to="asset",
    )
    pools: Sequence[str] = field(
        (), "AMMs held to the outside market; all when empty", unit="", source="choice", refers_to="amm"
    )
    between_pools: bool = field(
        False, "Whether pools of the same two tokens are held to each other as well", source="choice"
    )
    min_profit_usd: float = field(
        2.0,
        "Profit after gas below which an arbitrageur does not act",
        unit="USD",
        source="assumption: no record, of the order of gas",
        plausible=(0.0, 100.0),
        ge=0,
        le=1e9,
    )
    gas_eth: float = gas_eth_field(500.0)


class Arbitrageur(EconomicAgent):
    """Trades a pool towards the outside price and reverses the trade outside, in one go.

    The pool is moved until its marginal price after the fee equals the outside price; inventory limits the amount.
    With `between_pools` he also buys on one pool and sells on another of the same tokens, as much as earns most.
    """

    kind: ClassVar[str] = "arbitrageur"
    wake: ClassVar[str] = "step"
    every_block: ClassVar[bool] = True
    Parameters: ClassVar[type[AgentParameters]] = ArbitrageurParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Inventory of every asset named."""
        for symbol, value_usd in population.parameters.capital_usd.items():
            founding.hold(
                population, symbol, [founding.amount(symbol, value_usd * population.size_ratio)] * len(population)
            )

    @classmethod
    def settle(cls, population: Population, world: Any) -> None:
        """Pairs of pools that trade the same two tokens."""
        amms = world.amms
        population.memory["pairs"] = [
            (one, other)
            for one, other in (permutations(amms, 2) if population.parameters.between_pools else ())
            if {amms[one].token0, amms[one].token1} == {amms[other].token0, amms[other].token1}
        ]

    @classmethod
    def due(cls, population: Population, rows: Rows[int], view: View) -> list[int]:
        """Everybody, once some pool is further from the outside price, or from another pool, than its fee."""
        return list(rows) if cls._gaps(population, view) or cls._cheaper(population, view) else []

    @classmethod
    def _gaps(cls, population: Population, view: View) -> list[tuple[str, float]]:
        pools = population.parameters.pools
        gaps = view.gaps()
        return [gap for gap in gaps if gap[0] in pools] if pools else gaps

    @classmethod
    def _cheaper(cls, population: Population, view: View) -> list[tuple[str, str]]:
        """Pairs of pools where token0 of the first costs less, all fees counted, than the second pays for it."""
        found: list[tuple[str, str]] = []
        amms = view.venues.amms
        for one, other in population.memory["pairs"]:
            cheap, dear = amms[one], amms[other]
            price = dear.price() if dear.token0 == cheap.token0 else 1.0 / dear.price()
            if cheap.price() < price * (1.0 - cheap.fee_ratio) * (1.0 - dear.fee_ratio):
                found.append((one, other))
        return found

    def act(self, view: View) -> list[Transaction]:
        """One trade for every pool that is out of line by more than fee and gas."""
        trades: list[Transaction] = []
        for name, target in self._gaps(self.population, view):
            trade = self._trade(view, name, target)
            if trade is not None:
                trades.append(trade)
        for one, other in self._cheaper(self.population, view):
            trade = self._trade_between(view, one, other)
            if trade is not None:
                trades.append(trade)
        return trades

    def _trade_between(self, view: View, one: str, other: str) -> Transaction | None:
        """Buy token0 of the first pool there and sell it on the second."""
        amms = view.venues.amms
        cheap, dear = amms[one], amms[other]
        token_in, token = cheap.token1, cheap.token0
        path = (Leg(one, token_in, token), Leg(other, token, token_in))
        key = ("between", one, other)
        best: tuple[int, int] | None = view.cache.get(key)
        if best is None:
            price = dear.price() if dear.token0 == token else 1.0 / dear.price()
            _, most = cheap.amount_to_price(price)
            best = view.cache[key] = best_amount(lambda x: view.venues.quote(path, x) - x, most)
        amount = min(best[0], view.ledger.balances[token_in][self.account])
        if amount <= 0:
            return None
        profit = best[1] if amount == best[0] else view.venues.quote(path, amount) - amount
        unit_usd = view.outside_usd[token_in] / view.ledger.tokens[token_in].unit
        gas = 2 * view.operations.swap
        value_usd = profit * unit_usd - view.gas_usd(gas)
        if value_usd < self.parameters.min_profit_usd:
            return None
        return Transaction(
            self.account,
            (Call("periphery", "arbitrage_between", (path, amount, 0), gas),),
            "arbitrage",
            private=True,
            subject=cheap.account,
            value_usd=value_usd,
            profit_token=token_in,
            profit_unit_usd=unit_usd,
        )

    def _trade(self, view: View, name: str, target: float) -> Transaction | None:
        amm = view.venues.amms[name]
        token_in, amount = view.closing_trade(name, target)
        amount = min(amount, view.ledger.balances[token_in][self.account])
        if amount <= 0:
            return None
        token_out = amm.token1 if token_in == amm.token0 else amm.token0
        back = view.round_trip(name, token_in, amount)
        unit_usd = view.outside_usd[token_in] / view.ledger.tokens[token_in].unit
        gas_usd = view.gas_usd(view.operations.swap)
        value_usd = (back - amount) * unit_usd - gas_usd
        p = self.parameters
        if value_usd < p.min_profit_usd:
            return None
        return Transaction(
            self.account,
            (Call("periphery", "arbitrage", (Leg(name, token_in, token_out), amount, 0), view.operations.swap),),
            "arbitrage",
            private=True,
            subject=amm.account,
            value_usd=value_usd,
            profit_token=token_in,
            profit_unit_usd=unit_usd,
        )


def best_amount(profit: Callable[[int], int], most: int) -> tuple[int, int]:
    """(amount, profit) where a profit that first rises and then falls is highest, by cutting [0, most] in thirds.

    The profit is flat at its top, so an amount to one part in a million is as good as the exact one.
    """
    low, high = 0, most
    while high - low > max(2, most >> 20):
        third = (high - low) // 3
        left, right = low + third, high - third
        if profit(left) < profit(right):
            low = left
        else:
            high = right
    amount = (low + high) // 2
    return amount, profit(amount) if amount > 0 else 0
