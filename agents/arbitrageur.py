"""Arbitrageurs: they keep the AMMs within fee and gas of the outside market."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from agents.base import AgentParameters, EconomicAgent, NonNegative
from scenarios.schema.base import REQUIRED, Table, field
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
    min_profit_usd: float = field(
        2.0,
        "Profit after gas below which an arbitrageur does not act",
        unit="USD",
        source="assumption: no record, of the order of gas",
        plausible=(0.0, 100.0),
        ge=0,
        le=1e9,
    )
    gas_eth: float = field(
        500.0,
        "ETH in the wallet at the start, to pay for gas",
        unit="ETH",
        source="assumption: so much that gas is a cost and not a limit",
        plausible=(1.0, 1000.0),
        ge=0,
        le=1e9,
    )


class Arbitrageur(EconomicAgent):
    """Trades a pool towards the outside price and reverses the trade outside, in one go.

    The pool is moved until its marginal price after the fee equals the outside price; inventory limits the amount.
    """

    kind: ClassVar[str] = "arbitrageur"
    wake: ClassVar[str] = "step"
    Parameters: ClassVar[type[AgentParameters]] = ArbitrageurParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Inventory of every asset named."""
        for symbol, value_usd in population.parameters.capital_usd.items():
            founding.hold(
                population, symbol, [founding.amount(symbol, value_usd * population.size_ratio)] * len(population)
            )

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Everybody, once some pool is further from the outside price than its fee."""
        return list(rows) if view.gaps() else []

    def act(self, view: View) -> list[Transaction]:
        """One trade for every pool that is out of line by more than fee and gas."""
        trades: list[Transaction] = []
        for name, target in view.gaps():
            trade = self._trade(view, name, target)
            if trade is not None:
                trades.append(trade)
        return trades

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
