"""Whales: one account, one stated thing at a stated time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np

from agents.base import AgentParameters, EconomicAgent, NonNegative
from scenarios.schema.base import Table, Whole, empty_table, field
from sim.chain.transaction import Call, Transaction
from sim.founding import Founding
from sim.markets.venues import OUTSIDE, Leg
from sim.population import Population
from sim.view import View

_CHOICE = "the scenario"

#: Room left under LTV and liquidity when everything is borrowed, because others come first in the block.
_ROOM = 0.999

#: A withdrawal that lacks less than this share is served.
_SERVED = 1e-9


class WhaleParameters(AgentParameters):
    """Who the whale is, and what he does when. Amounts are whole tokens; `populations.scale` does not change them."""

    action: Literal["withdraw", "sell", "borrow", "deposit"] = field(
        ...,
        "`withdraw`: take the supply of `asset` out; `sell`: sell `asset` for `into`; `borrow`: borrow `asset` against"
        " the supply held; `deposit`: supply `asset` as collateral and borrow `into` against it",
        source=_CHOICE,
    )
    asset: str = field(..., "Asset that the action is about", source=_CHOICE, refers_to="asset")
    into: str = field("", "Asset received (`sell`) or borrowed (`deposit`)", source=_CHOICE)
    amount_tokens: float = field(0.0, "How much; 0: all there is", unit="tokens", source=_CHOICE, ge=0, le=1e15)
    at_seconds: float = field(0.0, "When, after the start of the run", unit="s", source=_CHOICE, ge=0, le=1e10)
    over_seconds: float = field(
        0.0, "Time over which it is done, evenly (0: at once)", unit="s", source=_CHOICE, ge=0, le=1e10
    )
    venue: Literal["amm", "outside"] = field("amm", "Where it is sold: best route over the AMMs, or outside",
                                             source="choice")  # fmt: skip
    supply_tokens: Table[str, NonNegative] = field(
        None, "Supply at the opening, by asset", unit="tokens", source=_CHOICE, refers_to="reserve",
        factory=empty_table,
    )  # fmt: skip
    wallet_tokens: Table[str, NonNegative] = field(
        None, "Tokens in the wallet at the opening, by asset", unit="tokens", source=_CHOICE, refers_to="asset",
        factory=empty_table,
    )  # fmt: skip
    emode: Whole = field(0, "E-mode category, 0 for none", unit="id", source=_CHOICE, refers_to="emode", ge=0, le=255)
    collateral: bool = field(
        False, "Whether the opening supply counts as collateral (`borrow` needs it)", source=_CHOICE
    )


class Whale(EconomicAgent):
    """Does one thing, as much of it as the moment allows, step by step until it is done.

    What is due at time t after the stated one is `amount min(1, t / over)`; what has been done is read off balances, so
    a refused transaction is tried again. Withdrawals beyond the liquidity wait, as a lender's do.
    """

    kind: ClassVar[str] = "whale"
    wake: ClassVar[str] = "step"
    queues: ClassVar[bool] = True
    Parameters: ClassVar[type[AgentParameters]] = WhaleParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Hand over supply and wallet."""
        p = population.parameters
        n = len(population)
        cls._check(population, founding)
        for symbol, tokens in p.supply_tokens.items():
            amounts = [round(tokens * founding.assets[symbol].unit)] * n
            founding.supply(population, symbol, amounts, collateral=p.collateral)
        for symbol, tokens in p.wallet_tokens.items():
            founding.hold(population, symbol, [round(tokens * founding.assets[symbol].unit)] * n)
        if p.emode:
            founding.enter_emode(population, p.emode)

    @classmethod
    def _check(cls, population: Population, founding: Founding) -> None:
        """What is withdrawn, borrowed or deposited is a reserve; what is received is another asset."""
        p = population.parameters
        path = f"populations.{population.name}"
        reserves = [symbol for symbol, facts in founding.assets.items() if facts.reserve is not None]
        if p.action != "sell" and p.asset not in reserves:
            founding.refuse(f"{path}.asset", p.asset, ", ".join(reserves), "is no reserve of the pool")
        if p.action not in ("sell", "deposit"):
            return
        others = [s for s in (reserves if p.action == "deposit" else founding.assets) if s != p.asset]
        if p.into not in others:
            message = f"is what {p.action!r} needs: an asset other than {p.asset}"
            founding.refuse(f"{path}.into", p.into or "nothing", ", ".join(others), message)

    @classmethod
    def opened(cls, population: Population, pool: Any, now: int) -> None:
        """When the hour strikes, and what the whale starts from."""
        p = population.parameters
        ledger = pool.ledger
        n = len(population)
        token = ledger.token_id(p.asset)
        population.memory["token"] = token
        population.memory["begins"] = now + p.at_seconds
        population.memory["assets"] = {}
        population.columns["done"] = np.zeros(n, dtype=bool)
        start = [ledger.balances[token][account] for account in population.accounts]
        if p.action == "withdraw":
            asset = pool.asset(p.asset)
            population.memory["assets"] = {p.asset: asset}
            population.columns[f"goal.{p.asset}"] = np.full(n, np.inf)
            start = [pool.atoken_balance(asset, account) for account in population.accounts]
        elif p.action == "borrow":
            start = [0] * n
        population.memory["start"] = start

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows that have not done it yet, from the stated time on."""
        if view.timestamp < population.memory["begins"]:
            return []
        done = population.columns["done"]
        return [row for row in rows if not done[row]]

    def act(self, view: View) -> list[Transaction]:
        """The part of it that is due now."""
        if not self.is_due(view):
            return []
        calls: tuple[Call, ...] = getattr(self, f"_{self.parameters.action}")(view)
        return [Transaction(self.account, calls, "whale", tip_gwei=view.tip_gwei)] if calls else []

    # ------------------------------------------------------------------ how much
    def _due_amount(self, view: View) -> int:
        """Smallest units that should have been done by now, counted from the opening balance."""
        p = self.parameters
        start = int(self.population.memory["start"][self.row])
        whole = int(p.amount_tokens * view.ledger.tokens[self.population.memory["token"]].unit) or start
        if p.action != "borrow":
            whole = min(whole, start)
        elapsed = view.timestamp - self.population.memory["begins"]
        if elapsed >= p.over_seconds:
            return whole
        # The first part is due in the step in which the hour strikes.
        return int(whole * min(1.0, (elapsed + view.step_seconds) / p.over_seconds))

    def _finish(self) -> tuple[Call, ...]:
        self.population.columns["done"][self.row] = True
        return ()

    # ------------------------------------------------------------------ actions
    def _withdraw(self, view: View) -> tuple[Call, ...]:
        p = self.parameters
        if not self.model.settings.mechanisms.lender_flight:
            return self._finish()
        asset = view.pool.asset(p.asset)
        held = view.pool.atoken_balance(asset, self.account)
        start = int(self.population.memory["start"][self.row])
        whole = int(p.amount_tokens * view.pool.reserves[asset].unit) or start
        leave = max(0, start - self._due_amount(view))
        goal = self.population.columns[f"goal.{p.asset}"]
        less = held - leave
        if less <= start * _SERVED:
            goal[self.row] = np.inf
            return self._finish() if leave <= max(0, start - whole) else ()
        goal[self.row] = leave / view.pool.reserves[asset].unit
        self.population.memory.setdefault("waiting", {})[p.asset] = None
        if view.pool.available_liquidity(asset) <= 0:
            return ()
        return (Call("periphery", "withdraw_available", (asset, less), view.operations.withdraw),)

    def _sell(self, view: View) -> tuple[Call, ...]:
        p = self.parameters
        token_in = self.population.memory["token"]
        token_out = view.ledger.token_id(p.into)
        start = int(self.population.memory["start"][self.row])
        sold = start - view.ledger.balances[token_in][self.account]
        amount = self._due_amount(view) - sold
        if amount <= 0:
            over = view.timestamp >= self.population.memory["begins"] + p.over_seconds
            return self._finish() if over else ()
        route: Any = (Leg(OUTSIDE, token_in, token_out),)
        if p.venue == "amm":
            route, _ = view.venues.best_route(token_in, token_out, amount)
        if not route:
            return self._finish()
        return (Call("venues", "swap", (route, amount, 0, "whale"), view.operations.swap),)

    def _borrow(self, view: View) -> tuple[Call, ...]:
        pool = view.pool
        asset = pool.asset(self.parameters.asset)
        unit = pool.reserves[asset].unit
        free_usd = pool.account_data(self.account).available_borrows_base * 1e-8
        most = int(min(_ROOM * free_usd / view.oracle_usd(asset) * unit, pool.available_liquidity(asset)))
        if self.parameters.amount_tokens > 0.0:
            most = min(most, self._due_amount(view) - pool.debt_balance(asset, self.account))
        if most <= unit // 1000:
            over = view.timestamp >= self.population.memory["begins"] + self.parameters.over_seconds
            return self._finish() if over else ()
        return (Call("pool", "borrow", (asset, most), view.operations.borrow),)

    def _deposit(self, view: View) -> tuple[Call, ...]:
        """Supply what is due, and borrow as much as LTV and liquidity allow; the loan leaves the economy."""
        p = self.parameters
        pool = view.pool
        asset, debt = pool.asset(p.asset), pool.asset(p.into)
        reserve, debt_reserve = pool.reserves[asset], pool.reserves[debt]
        start = int(self.population.memory["start"][self.row])
        supplied = start - view.ledger.balances[reserve.token][self.account]
        amount = self._due_amount(view) - supplied
        if amount <= 0:
            over = view.timestamp >= self.population.memory["begins"] + p.over_seconds
            return self._finish() if over else ()
        ltv = pool.terms(asset, pool.emode(self.account))[0] / 10_000
        free_usd = pool.account_data(self.account).available_borrows_base * 1e-8
        free_usd += amount / reserve.unit * view.oracle_usd(asset) * ltv
        liquid = pool.available_liquidity(debt)
        borrowed = min(int(_ROOM * free_usd / view.oracle_usd(debt) * debt_reserve.unit), liquid)
        calls = [Call("pool", "supply", (asset, amount), view.operations.supply)]
        if borrowed > 0:
            calls.append(Call("pool", "borrow", (debt, borrowed), view.operations.borrow))
            calls.append(Call("arrivals", "take_out", (debt_reserve.token, borrowed), 0))
        return tuple(calls)
