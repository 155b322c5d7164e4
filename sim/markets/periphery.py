"""Periphery: the composite operations that liquidators, borrowers and arbitrageurs run in one transaction.

They play the part of the helper contracts such actors deploy: no state of their own, no right that the sender does
not have, everything through the pool, the AMMs and the outside market.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.lending.constants import MAX
from sim.markets.venues import Leg, Route, Venues

#: Refusals of this module's own.
UNPROFITABLE = "UNPROFITABLE"
NOTHING_TO_REPAY = "NOTHING_TO_REPAY"
NO_LIQUIDITY = "NO_LIQUIDITY"


class LiquidationDone(NamedTuple):
    """A liquidation and the sale of what it seized; amounts in smallest units, profit in the debt token.

    `deficits` are the bad debts written off with it, (reserve, amount) each.
    """

    borrower: int
    collateral_asset: int
    debt_asset: int
    debt_repaid: int
    collateral_seized: int
    protocol_fee: int
    proceeds: int
    flash_premium: int
    profit: int
    health_factor_before: int
    deficits: tuple[tuple[int, int], ...]


class Deleveraged(NamedTuple):
    """Debt repaid by selling collateral; amounts in smallest units."""

    collateral_asset: int
    debt_asset: int
    collateral_sold: int
    debt_repaid: int
    flash_premium: int


class Levered(NamedTuple):
    """Collateral bought with new debt; amounts in smallest units."""

    collateral_asset: int
    debt_asset: int
    debt_borrowed: int
    collateral_bought: int


class ArbitrageDone(NamedTuple):
    """A trade that closed (part of) a gap between a pool and the outside market; profit in units of `token_in`."""

    venue: str
    token_in: int
    token_out: int
    amount_in: int
    amount_out: int
    profit: int


class Periphery:
    """Composite operations over one lending pool and the venues."""

    def __init__(self, ledger: Ledger, pool: Any, venues: Venues) -> None:
        self.name = "periphery"
        self.ledger = ledger
        self.pool = pool
        self.venues = venues

    # ------------------------------------------------------------------ liquidation
    def liquidate(
        self,
        sender: int,
        borrower: int,
        collateral_asset: int,
        debt_asset: int,
        debt_to_cover: int,
        route: Route,
        min_profit: int,
        flash: bool,
    ) -> LiquidationDone:
        """Repay debt, seize collateral, sell it along `route`; with `flash`, on money lent by the pool for the call.

        Reverts with `UNPROFITABLE` if the sender ends with less than `min_profit` more of the debt token.
        """
        pool = self.pool
        token = pool.reserves[debt_asset].token
        balances = self.ledger.balances[token]
        before = balances[sender]
        done: list[tuple[Any, int]] = []

        def act() -> None:
            seized = pool.liquidate(sender, collateral_asset, debt_asset, borrower, debt_to_cover)
            proceeds = seized.collateral_to_liquidator
            if route:
                proceeds = self.venues.swap(sender, route, proceeds, 0, "liquidation").amount_out
            done.append((seized, proceeds))

        premium = 0
        if flash:
            premium = pool.flash_loan(sender, debt_asset, debt_to_cover, act).premium
        else:
            act()
        seized, proceeds = done[0]
        profit = balances[sender] - before
        if profit < min_profit:
            raise Revert(UNPROFITABLE)
        return LiquidationDone(
            borrower,
            collateral_asset,
            debt_asset,
            seized.debt_repaid,
            seized.collateral_to_liquidator,
            seized.protocol_fee,
            proceeds,
            premium,
            profit,
            seized.health_factor,
            seized.deficits,
        )

    # ------------------------------------------------------------------ lenders
    def withdraw_available(self, sender: int, asset: int, amount: int) -> Any:
        """Withdraw up to `amount`: what the sender has and the pool can pay when this is executed.

        Reverts with `NO_LIQUIDITY` where that is nothing.
        """
        pool = self.pool
        held = pool.atoken_balance(asset, sender)
        most = min(amount, pool.available_liquidity(asset), held)
        if most <= 0:
            raise Revert(NO_LIQUIDITY)
        return pool.withdraw(sender, asset, MAX if most == held else most)

    # ------------------------------------------------------------------ borrowers
    def deleverage(
        self,
        sender: int,
        collateral_asset: int,
        debt_asset: int,
        repay_amount: int,
        collateral_amount: int,
        route: Route,
    ) -> Deleveraged:
        """Repay `repay_amount` on a flash loan, withdraw and sell `collateral_amount`, return the loan.

        What the sale gives beyond loan and premium repays more debt. The sender's own debt tokens help out if the sale
        gives less; the transaction reverts if that is not enough.
        """
        pool = self.pool
        token = pool.reserves[debt_asset].token
        balances = self.ledger.balances[token]
        before = balances[sender]
        repaid: list[int] = []

        def act() -> None:
            repaid.append(pool.repay(sender, debt_asset, repay_amount).amount)
            withdrawn = pool.withdraw(sender, collateral_asset, collateral_amount).amount
            if route:
                self.venues.swap(sender, route, withdrawn, 0, "deleveraging")

        premium = pool.flash_loan(sender, debt_asset, repay_amount, act).premium
        rest = balances[sender] - before
        if rest > 0 and pool.debt_balance(debt_asset, sender) > 0:
            repaid.append(pool.repay(sender, debt_asset, rest).amount)
        return Deleveraged(collateral_asset, debt_asset, collateral_amount, sum(repaid), premium)

    def lever(
        self, sender: int, collateral_asset: int, debt_asset: int, borrow_amount: int, route: Route, min_out: int
    ) -> Levered:
        """Borrow, swap the loan along `route` and supply what it gives; reverts below `min_out` of the collateral."""
        pool = self.pool
        borrowed = pool.borrow(sender, debt_asset, borrow_amount).amount
        bought = self.venues.swap(sender, route, borrowed, min_out, "leveraging").amount_out
        pool.supply(sender, collateral_asset, bought)
        return Levered(collateral_asset, debt_asset, borrowed, bought)

    # ------------------------------------------------------------------ arbitrage
    def arbitrage_between(self, sender: int, path: tuple[Leg, Leg], amount_in: int, min_profit: int) -> ArbitrageDone:
        """Buy on one pool and sell on another; each pool's move is charged to the causes that had displaced it."""
        amount = amount_in
        for leg in path:
            amm = self.venues.amms[leg.venue]
            before = amm.log_price()
            amount = int(amm.swap_exact_in(sender, leg.token_in, amount).amount_out)
            self.venues.displacements[leg.venue].arbitrage(amm.log_price() - before)
        if amount - amount_in < min_profit:
            raise Revert(UNPROFITABLE)
        first = path[0]
        return ArbitrageDone(
            f"{first.venue}+{path[1].venue}", first.token_in, first.token_in, amount_in, amount, amount - amount_in
        )

    def arbitrage(self, sender: int, leg: Leg, amount_in: int, min_profit: int) -> ArbitrageDone:
        """Trade `amount_in` on a pool and reverse it on the outside market.

        The move of the pool is charged to the causes that had displaced it, and the outside order goes out under the
        same causes: what merely follows an outside move makes no impact of its own.
        """
        venues = self.venues
        amm = venues.amms[leg.venue]
        before = amm.log_price()
        received = int(amm.swap_exact_in(sender, leg.token_in, amount_in).amount_out)
        causes = venues.displacements[leg.venue].arbitrage(amm.log_price() - before)
        back = int(venues.outside.swap(sender, leg.token_out, leg.token_in, received, 0, causes).amount_out)
        if back - amount_in < min_profit:
            raise Revert(UNPROFITABLE)
        return ArbitrageDone(leg.venue, leg.token_in, leg.token_out, amount_in, received, back - amount_in)
