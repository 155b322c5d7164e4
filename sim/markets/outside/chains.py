"""Tokens that trade against another token: their chains of bases, and the legs of an order between two of them."""

from __future__ import annotations

from collections.abc import Mapping

from sim.markets.outside.curve import Route
from sim.markets.outside.records import OutsideToken


def chain_of(token: int, tokens: Mapping[int, OutsideToken]) -> tuple[int, ...]:
    """The token, its base, the base's base ...; `ValueError` for a missing base or a loop."""
    chain = [token]
    base = tokens[token].base
    while base is not None:
        if base not in tokens:
            raise ValueError(f"base of token {chain[-1]}: given {base}; allowed: a token of the outside market")
        if base in chain:
            raise ValueError(f"base of token {chain[-1]}: given {base}, which closes a loop; allowed: no loop")
        chain.append(base)
        base = tokens[base].base
    return tuple(chain)


def route_between(down: tuple[int, ...], up: tuple[int, ...]) -> Route:
    """Sell down one chain and buy up the other, without the bases that both have: those are not traded."""
    sells = tuple(token for token in down if token not in up)
    buys = tuple(token for token in reversed(up) if token not in down)
    return Route(sells, buys)
