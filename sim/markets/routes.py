"""Routes: the ways in which one token becomes another, over one pool after the other or over several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Name under which the outside reference market appears in a route.
OUTSIDE = "outside"

#: Parts into which an amount is cut when it is divided between routes: shares are whole parts.
PARTS = 1 << 12


class Leg(NamedTuple):
    """One exchange of a route."""

    venue: str
    token_in: int
    token_out: int


Path = tuple[Leg, ...]


class SplitRoute(NamedTuple):
    """Routes taken side by side; `weights` are their parts of the amount, in 1/`PARTS`, the largest first."""

    routes: tuple[Path, ...]
    weights: tuple[int, ...]

    def amounts(self, amount_in: int) -> tuple[int, ...]:
        """What goes along each route: the parts rounded down, the rest along the first, so they add up exactly."""
        return shares_of(amount_in, self.weights)


Route = Path | SplitRoute


def single_routes(route: Route, amount_in: int) -> tuple[tuple[Path, int], ...]:
    """The simple routes of any route, each with its part of the amount; the parts add up to the amount."""
    if isinstance(route, SplitRoute):
        return tuple(zip(route.routes, route.amounts(amount_in), strict=True))
    return ((route, amount_in),)


def shares_of(amount: int, weights: Sequence[int]) -> tuple[int, ...]:
    """An amount in parts proportional to the weights, rounded down; the first takes what rounding leaves."""
    total = sum(weights)
    rest = [amount * weight // total for weight in weights[1:]]
    return (amount - sum(rest), *rest)


def disjoint(routes: Sequence[Path]) -> list[Path]:
    """Those of `routes`, in their order, that share no pool with an earlier one: what one takes leaves the others."""
    taken: set[str] = set()
    chosen: list[Path] = []
    for route in routes:
        venues = {leg.venue for leg in route}
        if not venues & taken:
            taken |= venues
            chosen.append(route)
    return chosen


def split(quote: Callable[[Path, int], int], routes: Sequence[Path], amount_in: int) -> tuple[Route, int]:
    """Divide an amount over independent routes so that together they give most, and what that is.

    The outputs are concave in the amounts, so the best division is the one at which the marginal prices of all routes
    in use are equal. Found by halving: everything starts on the first route; a step, from half of the amount down to
    one part in `PARTS`, moves from one route to another as long as the sum of the quotes grows.
    """
    known: dict[tuple[int, int], int] = {}

    def quoted(place: int, weight: int) -> int:
        found = known.get((place, weight))
        if found is None:
            amount = amount_in * weight // PARTS
            found = known[place, weight] = quote(routes[place], amount) if amount else 0
        return found

    weights = [PARTS] + [0] * (len(routes) - 1)
    given = [quote(routes[0], amount_in)] + [0] * (len(routes) - 1)
    step = PARTS // 2
    while step and len(routes) > 1:
        moved = False
        for source in range(len(routes)):
            for target in range(len(routes)):
                if source == target or weights[source] < step:
                    continue
                less = quoted(source, weights[source] - step)
                more = quoted(target, weights[target] + step)
                if less + more > given[source] + given[target]:
                    weights[source] -= step
                    weights[target] += step
                    given[source], given[target] = less, more
                    moved = True
        if not moved:
            step //= 2
    order = sorted((k for k in range(len(routes)) if weights[k]), key=lambda k: (-weights[k], k))
    if len(order) == 1:
        return routes[order[0]], quote(routes[order[0]], amount_in)
    chosen = SplitRoute(tuple(routes[k] for k in order), tuple(weights[k] for k in order))
    return chosen, sum(quote(route, amount) for route, amount in single_routes(chosen, amount_in))
