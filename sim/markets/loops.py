"""Loops: leveraged staking in one transaction, and trades against the redemption queue.

They play the part of the helper contracts of such strategies: no state of their own, no right that the sender does not
have, everything through the pool, the AMMs and the queue. Flash liquidity comes from a stated source: the lending pool
(its premium, its cash) or a concentrated AMM (its fee, its reserves).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.redemption import RedemptionQueue
from sim.markets.routes import Leg, Route, single_routes
from sim.markets.venues import TOO_LITTLE, Venues

#: The lending pool as a source of flash liquidity.
POOL = "pool"

#: The cause under which loops move prices.
FARMING = "farming"

_PIPS = 1_000_000


class FlashSource(NamedTuple):
    """Where flash liquidity comes from, what it costs in all, and how much there is; smallest units."""

    name: str
    fee: int
    available: int


class LoopEntered(NamedTuple):
    """A loop opened or enlarged; amounts in smallest units of the two reserves' tokens."""

    collateral_asset: int
    debt_asset: int
    own: int
    borrowed: int
    supplied: int
    flash_fee: int


class LoopLeft(NamedTuple):
    """A loop closed or reduced: debt repaid, collateral sold, what the sale gave, the cost of flash liquidity."""

    collateral_asset: int
    debt_asset: int
    repaid: int
    sold: int
    proceeds: int
    flash_fee: int


class DiscountTrade(NamedTuple):
    """A trade between a pool and the queue: `amount_in` of the base for `tokens` staked tokens, or the reverse.

    `bought` true: bought on the pool and handed in for redemption; false: staked at par and sold on the pool.
    """

    venue: str
    bought: bool
    amount_in: int
    amount_out: int
    request: int


class Loops:
    """Composite operations over one lending pool, the venues and the redemption queues."""

    def __init__(self, ledger: Ledger, pool: Any, venues: Venues, queues: Mapping[str, RedemptionQueue]) -> None:
        self.name = "loops"
        self.ledger = ledger
        self.pool = pool
        self.venues = venues
        self.queues = queues

    # ------------------------------------------------------------------ leverage
    def enter(
        self,
        sender: int,
        collateral_asset: int,
        debt_asset: int,
        emode: int,
        own: int,
        loan: int,
        source: str,
        way: Route | str,
        min_tokens: int,
    ) -> LoopEntered:
        """Turn `own` and flash-lent `loan` of the debt token into collateral, borrow against it, return the loan.

        `way` is a route over the venues or the name of the queue that stakes at par. Reverts `TOO_LITTLE` for fewer
        than `min_tokens`, and whatever the pool refuses (caps, liquidity, loan to value).
        """
        pool = self.pool
        supplied: list[int] = []

        def act() -> None:
            if isinstance(way, str):
                tokens = self.queues[way].stake(sender, own + loan).amount
            else:
                tokens = self.venues.swap(sender, way, own + loan, 0, FARMING).amount_out
            if tokens < min_tokens:
                raise Revert(TOO_LITTLE)
            pool.supply(sender, collateral_asset, tokens)
            if emode and pool.emode(sender) != emode:
                pool.set_emode(sender, emode)
            pool.borrow(sender, debt_asset, loan + fee)
            supplied.append(tokens)

        fee = self.flash_fee(debt_asset, loan, source)
        self._flash(sender, debt_asset, loan, fee, source, act)
        return LoopEntered(collateral_asset, debt_asset, own, loan + fee, supplied[0], fee)

    def leave(
        self,
        sender: int,
        collateral_asset: int,
        debt_asset: int,
        repay_amount: int,
        collateral_amount: int,
        source: str,
        route: Route,
        min_out: int,
    ) -> LoopLeft:
        """Repay flash-lent `repay_amount`, withdraw and sell `collateral_amount`, return the loan, keep the rest.

        The sender's own debt tokens help out if the sale gives less than loan and fee. Reverts `TOO_LITTLE` below
        `min_out`.
        """
        pool = self.pool
        done: list[tuple[int, int, int]] = []

        def act() -> None:
            repaid = pool.repay(sender, debt_asset, repay_amount).amount
            sold = pool.withdraw(sender, collateral_asset, collateral_amount).amount
            done.append((repaid, sold, self.venues.swap(sender, route, sold, min_out, FARMING).amount_out))

        fee = self.flash_fee(debt_asset, repay_amount, source)
        self._flash(sender, debt_asset, repay_amount, fee, source, act)
        return LoopLeft(collateral_asset, debt_asset, *done[0], fee)

    # ------------------------------------------------------------------ the discount
    def redeem_discount(self, sender: int, queue: str, leg: Leg, amount_in: int, min_tokens: int) -> DiscountTrade:
        """Buy staked tokens on a pool and hand them in for redemption; reverts `TOO_LITTLE` below `min_tokens`.

        The move of the pool is charged to the causes that had displaced it.
        """
        tokens = self._close_gap(sender, leg, amount_in)
        if tokens < min_tokens:
            raise Revert(TOO_LITTLE)
        request = self.queues[queue].request(sender, tokens)
        return DiscountTrade(leg.venue, True, amount_in, tokens, request.number)

    def sell_premium(self, sender: int, queue: str, leg: Leg, base_amount: int, min_profit: int) -> DiscountTrade:
        """Stake base tokens at par and sell them on a pool that pays more; reverts `TOO_LITTLE` below `min_profit`."""
        tokens = self.queues[queue].stake(sender, base_amount).amount
        received = self._close_gap(sender, leg, tokens)
        if received - base_amount < min_profit:
            raise Revert(TOO_LITTLE)
        return DiscountTrade(leg.venue, False, base_amount, received, -1)

    # ------------------------------------------------------------------ readers
    def flash_fee(self, asset: int, amount: int, source: str) -> int:
        """What flash liquidity from a source costs, smallest units."""
        if source == POOL:
            return int(self.pool.flash_premium(amount))
        return int(-(-amount * self.venues.amms[source].fee_pips // _PIPS))

    def flash_source(self, asset: int, amount: int, route: Route | str, keep: int = 0) -> FlashSource:
        """The cheapest source that has `amount`, else the one that has most, never a pool that `route` trades on.

        `keep` is what the lending pool must keep to lend on inside the call.
        """
        token = self.pool.reserves[asset].token
        names = [POOL]
        for name, amm in self.venues.amms.items():
            if hasattr(amm, "flash") and token in (amm.token0, amm.token1) and not _uses(route, name):
                names.append(name)
        found = [
            FlashSource(name, self.flash_fee(asset, amount, name), self._flash_available(asset, token, name, keep))
            for name in names
        ]
        enough = [source for source in found if source.available >= amount]
        if enough:
            return min(enough, key=lambda source: source.fee)
        return max(found, key=lambda source: source.available)

    def _flash_available(self, asset: int, token: int, source: str, keep: int) -> int:
        if source == POOL:
            return int(self.pool.available_liquidity(asset)) - keep
        return self.ledger.balances[token][self.venues.amms[source].account]

    # ------------------------------------------------------------------ inside
    def _flash(self, sender: int, asset: int, amount: int, fee: int, source: str, act: Callable[[], None]) -> None:
        """Lend `amount` of a reserve's token for the length of `act`."""
        if source == POOL:
            self.pool.flash_loan(sender, asset, amount, act)
            return
        amm = self.venues.amms[source]
        token = self.pool.reserves[asset].token

        def pay_back() -> None:
            act()
            self.ledger.transfer(token, sender, amm.account, amount + fee)

        amm.flash(sender, *((amount, 0) if token == amm.token0 else (0, amount)), pay_back)

    def _close_gap(self, sender: int, leg: Leg, amount_in: int) -> int:
        amm = self.venues.amms[leg.venue]
        before = amm.log_price()
        received = int(amm.swap_exact_in(sender, leg.token_in, amount_in).amount_out)
        self.venues.displacements[leg.venue].arbitrage(amm.log_price() - before)
        return received


def _uses(route: Route | str, venue: str) -> bool:
    """Whether a route trades on a venue."""
    if isinstance(route, str):
        return False
    return any(leg.venue == venue for legs, _ in single_routes(route, 0) for leg in legs)
