"""What a sale or a purchase costs on a market whose log price moves in proportion to the amount.

With price R (USD per whole token) and lam (fall of the log price per token sold), selling n tokens one after another
gives the integral of R exp(-lam m) over m from 0 to n; buying them costs the same integral with the sign turned.
Both depend on where the price is alone, so an order gives the same in one piece and in many (docs/model.md 3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


def sale_value(price_usd: float, lam: float, tokens: float) -> float:
    """USD received for `tokens`: R (1 - exp(-lam n)) / lam, or R n where nothing moves."""
    if lam <= 0.0:
        return price_usd * tokens
    return -math.expm1(-lam * tokens) * price_usd / lam


def tokens_to_sell(price_usd: float, lam: float, value_usd: float) -> float:
    """Tokens whose sale gives `value_usd`: -ln(1 - lam V / R) / lam; infinite where no sale gives as much."""
    if lam <= 0.0:
        return value_usd / price_usd
    part = lam * value_usd / price_usd
    return -math.log1p(-part) / lam if part < 1.0 else math.inf


def tokens_bought(price_usd: float, lam: float, value_usd: float) -> float:
    """Tokens that `value_usd` buys: ln(1 + lam V / R) / lam."""
    if lam <= 0.0:
        return value_usd / price_usd
    return math.log1p(lam * value_usd / price_usd) / lam


def purchase_value(price_usd: float, lam: float, tokens: float) -> float:
    """USD that `tokens` cost: R (exp(lam n) - 1) / lam; infinite where the price would pass every number."""
    if lam <= 0.0:
        return price_usd * tokens
    rise = lam * tokens
    return math.expm1(rise) * price_usd / lam if rise < 700.0 else math.inf


class Route(NamedTuple):
    """The tokens that an order sells, one for the next, and then buys."""

    sells: tuple[int, ...]
    buys: tuple[int, ...]


class Filled(NamedTuple):
    """An order on paper: tokens it gives, USD that change hands, and each leg's (token, log impact), sales positive."""

    tokens: float
    value_usd: float
    moves: list[tuple[int, float]]


def fill(route: Route, prices: Sequence[float], lam: Sequence[float], token_out: int, value_usd: float) -> Filled:
    """Send an amount worth `value_usd` at the prices before the order along the route."""
    moves: list[tuple[int, float]] = []
    value = value_usd
    for token in route.sells:
        price = prices[token]
        tokens = value / price
        moves.append((token, lam[token] * tokens))
        value = sale_value(price, lam[token], tokens)
    received = value
    for token in route.buys:
        price = prices[token]
        tokens = tokens_bought(price, lam[token], value)
        moves.append((token, -lam[token] * tokens))
        value = tokens * price
    return Filled(value / prices[token_out], received, moves)


def value_to_send(
    route: Route, prices: Sequence[float], lam: Sequence[float], token_out: int, tokens_out: float
) -> float:
    """USD worth of the token sold, at the prices before the order, that gives `tokens_out`; may be infinite."""
    value = tokens_out * prices[token_out]
    for token in reversed(route.buys):
        value = purchase_value(prices[token], lam[token], value / prices[token])
    for token in reversed(route.sells):
        value = tokens_to_sell(prices[token], lam[token], value) * prices[token]
    return value
