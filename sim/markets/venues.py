"""Venues: where a token can be exchanged for another, and the routes over them.

A *leg* is (venue, token in, token out); a *route* is a tuple of legs, a *split route* several of them side by side
(`sim.markets.routes`). Every exchange of this economy goes through `Venues.swap`, which is where a pool's displacement
from the outside market is booked under the cause that moved it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.routes import FIRST_PARTS, OUTSIDE, Leg, Path, Route, SplitRoute, disjoint, single_routes, split

#: Refusal of a route whose proceeds fall short of what its sender asked.
TOO_LITTLE = "Too little received"


#: Least gain, as a share of the proceeds, for which an amount is divided: each further pool costs a swap's gas.
LEAST_SPLIT_GAIN = 1e-5

#: By how much a spot price is taken too high, so that rounding never hides a route.
SPOT_SLACK = 1e-6

__all__ = ["OUTSIDE", "TOO_LITTLE", "Leg", "Path", "Route", "Sale", "SplitRoute", "Venues"]


class Sale(NamedTuple):
    """What a route gave: amounts in smallest units of the first and the last token."""

    token_in: int
    token_out: int
    amount_in: int
    amount_out: int
    route: Route

    @property
    def venue(self) -> str:
        """Where the amount was first exchanged: the pools of a split route joined by "+"."""
        route = self.route
        if not isinstance(route, SplitRoute):
            return route[0].venue
        return "+".join(legs[0].venue for legs in route.routes)


class Venues:
    """All AMMs and the outside market behind one door.

    `amms[name]` offers the adapter of `sim.markets.amm`; `displacements[name]` keeps ln(pool price / outside price)
    by cause for the same pool. A swap under one of `restored_causes` executes at its quoted cost, after which a
    counterparty from outside trades the pool back to where it was (`liquidation_impact` off, docs/model.md 13).
    """

    def __init__(
        self,
        ledger: Ledger,
        amms: dict[str, Any],
        outside: Any,
        displacements: dict[str, Any],
        restored_causes: frozenset[str] = frozenset(),
    ) -> None:
        self.name = "venues"
        self.ledger = ledger
        self.amms = amms
        self.outside = outside
        self.displacements = displacements
        self.restored_causes = restored_causes
        self._routes: dict[tuple[int, int], tuple[Path, ...]] = {}

    # ------------------------------------------------------------------ operations
    def swap(self, sender: int, route: Route, amount_in: int, min_out: int, cause: str) -> Sale:
        """Sell `amount_in` along `route`; reverts with `TOO_LITTLE` below `min_out`."""
        received = 0
        if len(route) == 1:  # most swaps: one pool (a split route is a pair)
            leg: Leg = route[0]
            received = self.exchange(sender, leg, amount_in, cause)
            if received < min_out:
                raise Revert(TOO_LITTLE)
            return Sale(leg.token_in, leg.token_out, amount_in, received, route)
        for legs, part in single_routes(route, amount_in):
            if not part and isinstance(route, SplitRoute):
                continue
            amount = part
            for leg in legs:
                amount = self.exchange(sender, leg, amount, cause)
            received += amount
        if received < min_out:
            raise Revert(TOO_LITTLE)
        return Sale(legs[0].token_in, legs[-1].token_out, amount_in, received, route)

    def exchange(self, sender: int, leg: Leg, amount_in: int, cause: str) -> int:
        """One leg; returns the amount received and books the pool's move under `cause`."""
        if leg.venue == OUTSIDE:
            trade = self.outside.swap(sender, leg.token_in, leg.token_out, amount_in, 0, ((cause, 1.0),))
            return int(trade.amount_out)
        amm = self.amms[leg.venue]
        before = amm.log_price()
        price = amm.price() if cause in self.restored_causes else 0.0
        received = amm.swap_exact_in(sender, leg.token_in, amount_in).amount_out
        if price:
            self._restore(amm, leg, price)
        self.displacements[leg.venue].swap(cause, amm.log_price() - before)
        return int(received)

    def _restore(self, amm: Any, leg: Leg, price: float) -> None:
        """Trade a pool back to `price` with tokens that come from outside and go back there."""
        token_in, amount = amm.amount_to_price(price)
        if token_in == leg.token_in or amm.quote_exact_in(token_in, amount) <= 0:
            return  # a sale of a few units is lost in the rounding of the price
        account = self.outside.account
        self.ledger.inflow(token_in, account, amount)
        received = amm.swap_exact_in(account, token_in, amount).amount_out
        self.ledger.outflow(leg.token_in, account, received)

    # ------------------------------------------------------------------ readers
    def quote(self, route: Route, amount_in: int) -> int:
        """What `swap` along `route` would give now; 0 where a leg cannot take the amount."""
        if isinstance(route, SplitRoute):
            parts = [self.quote(legs, part) for legs, part in single_routes(route, amount_in) if part]
            return sum(parts) if all(parts) else 0
        amount = amount_in
        for leg in route:
            if amount <= 0:
                return 0
            if leg.venue == OUTSIDE:
                amount = self.outside.quote(leg.token_in, leg.token_out, amount)
            else:
                amount = self.amms[leg.venue].quote_exact_in(leg.token_in, amount)
        return amount

    def routes(self, token_in: int, token_out: int) -> tuple[Path, ...]:
        """All routes over one or two AMMs, in the order in which the scenario names the pools."""
        known = self._routes.get((token_in, token_out))
        if known is None:
            known = () if token_in == token_out else tuple(self._find(token_in, token_out))
            self._routes[token_in, token_out] = known
        return known

    def best_route(self, token_in: int, token_out: int, amount_in: int) -> tuple[Route, int]:
        """The route that gives most for `amount_in`, and what it gives; an empty route where there is none.

        Where several routes share no pool, the amount is divided between them to the best marginal price.
        """
        routes = self.routes(token_in, token_out)
        if len(routes) == 1:
            amount = self.quote(routes[0], amount_in)
            return (routes[0], amount) if amount > 0 else ((), 0)
        if amount_in <= 0:
            return (), 0
        spot = self.spot_prices(routes)
        quoted: dict[int, int] = {}
        best, most = -1, 0
        for place in sorted(range(len(routes)), key=lambda place: -spot[place]):
            if spot[place] * amount_in <= most:
                break  # no route gives more than its spot price promises
            output = quoted[place] = self.quote(routes[place], amount_in)
            if output > most or (output == most and place < best):
                best, most = place, output
        if most <= 0:
            return (), 0
        # Others help only where their first unit is worth more than the last one sold on the best route.
        small = max(amount_in // FIRST_PARTS, 1)
        last = (most - self.quote(routes[best], amount_in - small)) / small
        for place, price in enumerate(spot):
            if price > last and place not in quoted:
                quoted[place] = self.quote(routes[place], amount_in)
        ranked = sorted((p for p in quoted if spot[p] > last and quoted[p] > 0), key=lambda p: (-quoted[p], p))
        parallel = disjoint([routes[place] for place in ranked])
        if len(parallel) > 1:
            outputs = [quoted[routes.index(route)] for route in parallel]
            divided, amount = split(self.quote, parallel, amount_in, outputs)
            if amount > most * (1.0 + LEAST_SPLIT_GAIN):
                return divided, amount
        return routes[best], most

    def spot_prices(self, routes: Sequence[Path]) -> list[float]:
        """What the first unit sold along each route of AMMs gives, in units, a little too high rather than too low."""
        prices: dict[Leg, float] = {}
        found = []
        for route in routes:
            price = 1.0 + SPOT_SLACK
            for leg in route:
                known = prices.get(leg)
                if known is None:
                    amm = self.amms[leg.venue]
                    whole = amm.price() if leg.token_in == amm.token0 else 1.0 / amm.price()
                    tokens = self.ledger.tokens
                    units = tokens[leg.token_out].unit / tokens[leg.token_in].unit
                    known = prices[leg] = whole * units * (1.0 - amm.fee_ratio)
                price *= known
            found.append(price)
        return found

    def _find(self, token_in: int, token_out: int) -> Iterator[Path]:
        legs = [
            Leg(name, *pair)
            for name, amm in self.amms.items()
            for pair in ((amm.token0, amm.token1), (amm.token1, amm.token0))
        ]
        for first in legs:
            if first.token_in != token_in:
                continue
            if first.token_out == token_out:
                yield (first,)
                continue
            for second in legs:
                if second.token_in == first.token_out and second.token_out == token_out and second.venue != first.venue:
                    yield (first, second)
