"""Routes: the ways in which one token becomes another, over one pool after the other or over several at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

#: Name under which the outside reference market appears in a route.
OUTSIDE = "outside"

#: Parts into which an amount is cut when it is divided between routes: shares are whole parts.
PARTS = 1 << 12

#: A route takes part in a division if the first of so many equal parts gives more on it than the last on the best one.
FIRST_PARTS = 1 << 9

#: Rounds in which outputs are fitted, and what they may be off by, as a share of all that comes out.
FITS = 3
FIT_TOLERANCE = 1e-6

#: Least relative fall of a price over the whole amount that is told from none.
LEAST_FALL = 1e-9

#: Steps, in 1/`PARTS`, by which a division is improved where the fit does not hold.
LARGEST_STEP = PARTS >> 3
SMALLEST_STEP = PARTS >> 10


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


def split(
    quote: Callable[[Path, int], int], routes: Sequence[Path], amount_in: int, whole: Sequence[int] | None = None
) -> tuple[Route, int]:
    """Divide an amount over independent routes so that together they give most, and what that is.

    The outputs are concave in the amounts, so the best division is the one at which the marginal prices of all routes
    in use are equal. A route that would lose by the first small part taken from the best one is left out. For the rest

        output(x) = p x / (1 + x / K)

    is exact on a constant product and within one range of a concentrated pool, and so for pools one after the other;
    its best division has a closed form. Where the quotes differ from what it predicts, K is fitted again at the amounts
    found, and as a last resort the division is improved by halving steps. `whole` are the quotes of the whole amount.
    """
    known: dict[tuple[int, int], int] = {}

    def quoted(place: int, amount: int) -> int:
        found = known.get((place, amount))
        if found is None:
            found = known[place, amount] = quote(routes[place], amount) if amount > 0 else 0
        return found

    for place, output in enumerate(whole or ()):
        known[place, amount_in] = output
    best = max(range(len(routes)), key=lambda place: (quoted(place, amount_in), -place))
    most = quoted(best, amount_in)
    small = amount_in // FIRST_PARTS
    lost = most - quoted(best, amount_in - small)
    used = [best, *(k for k in range(len(routes)) if k != best and quoted(k, small) > lost)]
    if len(used) == 1 or not small:
        return routes[best], most
    weights = _balanced(quoted, used, amount_in, small)
    order = sorted((k for k in weights if weights[k]), key=lambda k: (-weights[k], k))
    if len(order) == 1:
        return routes[order[0]], quoted(order[0], amount_in)
    chosen = SplitRoute(tuple(routes[k] for k in order), tuple(weights[k] for k in order))
    amounts = chosen.amounts(amount_in)
    return chosen, sum(quoted(place, amount) for place, amount in zip(order, amounts, strict=True))


Quoted = Callable[[int, int], int]


def _balanced(quoted: Quoted, used: Sequence[int], amount_in: int, small: int) -> dict[int, int]:
    """Parts in 1/`PARTS` for each of the places in `used`, at which marginal prices are about equal."""
    fits = [_fitted(quoted, k, small, amount_in) for k in used]
    for _ in range(FITS):
        weights = _parts(fits, amount_in)
        at = [amount_in * weight // PARTS for weight in weights]
        off = math.fsum(
            abs(quoted(k, amount) - price * amount / (1.0 + amount / depth))
            for k, (price, depth), amount in zip(used, fits, at, strict=True)
        )
        if off <= FIT_TOLERANCE * amount_in * fits[0][0] + len(used):
            return dict(zip(used, weights, strict=True))
        fits = [
            _fitted(quoted, k, small, amount) if amount > 2 * small else fit
            for k, amount, fit in zip(used, at, fits, strict=True)
        ]
    return _improved(quoted, dict(zip(used, weights, strict=True)), amount_in)


def _fitted(quoted: Quoted, place: int, small: int, amount: int) -> tuple[float, float]:
    """(p, K) for which output(x) = p x / (1 + x / K) at both amounts: x / output = (1 + x / K) / p is a line in x."""
    first = small / quoted(place, small)
    output = quoted(place, amount)
    # A route that cannot take the amount is as good as one that gives a single unit for it.
    slope = max((amount / max(output, 1) - first) / (amount - small), first * LEAST_FALL / amount)
    price = 1.0 / (first - slope * small) if slope * small < first else 1.0 / first
    return price, 1.0 / (price * slope)


def _parts(fits: Sequence[tuple[float, float]], amount_in: int) -> list[int]:
    """The best division for the fitted outputs: x = K (s sqrt(p) - 1), s such that the x add up, none below 0."""
    prices, depths = zip(*fits, strict=True)
    roots = [math.sqrt(price) for price in prices]
    inside = list(range(len(prices)))
    while True:
        scale = (amount_in + math.fsum(depths[k] for k in inside)) / math.fsum(depths[k] * roots[k] for k in inside)
        amounts = {k: depths[k] * (scale * roots[k] - 1.0) for k in inside}
        kept = [k for k in inside if amounts[k] > 0.0]
        if len(kept) == len(inside):
            break
        inside = kept
    weights = [min(max(round(amounts.get(k, 0.0) / amount_in * PARTS), 0), PARTS) for k in range(len(prices))]
    largest = weights.index(max(weights))
    weights[largest] = PARTS - (sum(weights) - weights[largest])
    return weights


def _improved(quoted: Quoted, weights: dict[int, int], amount_in: int) -> dict[int, int]:
    """Move a step from one route to another as long as the sum of the quotes grows, then half a step."""
    given = {k: quoted(k, amount_in * weight // PARTS) for k, weight in weights.items()}
    step = LARGEST_STEP
    while step >= SMALLEST_STEP:
        moved = False
        for source in weights:
            for target in weights:
                if source == target or weights[source] < step:
                    continue
                less = quoted(source, amount_in * (weights[source] - step) // PARTS)
                more = quoted(target, amount_in * (weights[target] + step) // PARTS)
                if less + more > given[source] + given[target]:
                    weights[source] -= step
                    weights[target] += step
                    given[source], given[target] = less, more
                    moved = True
        if not moved:
            step //= 2
    return weights
