"""What agents and the economy may ask of every AMM, whatever its mathematics."""

from __future__ import annotations

from typing import Protocol

from sim.markets.amm.records import Depth, Provision, Swap


class Amm(Protocol):
    """The uniform adapter of `ConstantProductPool` and `ConcentratedPool`.

    Tokens are ledger token ids, amounts smallest units, prices token1 per token0 in whole tokens. Swaps are paid from
    and to the sender's ledger account and raise `Revert` with the contract's reason; quotes write nothing and equal
    the swap that follows to the unit.
    """

    name: str
    account: int
    token0: int
    token1: int
    fee_ratio: float

    def swap_exact_in(self, sender: int, token_in: int, amount_in: int, min_out: int = 0) -> Swap:
        """Sell an exact amount."""

    def swap_exact_out(self, sender: int, token_in: int, amount_out: int, max_in: int | None = None) -> Swap:
        """Buy an exact amount, paying in `token_in`."""

    def swap_to_price(
        self, sender: int, target_price: float, max_in: int | None = None, token_in: int | None = None
    ) -> Swap:
        """Trade until the price is the target or `max_in` is spent."""

    def quote_exact_in(self, token_in: int, amount_in: int) -> int:
        """Output of the swap, 0 if it would revert."""

    def quote_exact_out(self, token_out: int, amount_out: int) -> int | None:
        """Cost of the swap, None if it would revert."""

    def amount_to_price(self, target_price: float) -> tuple[int, int]:
        """(token in, amount in with fee) that moves the price to the target."""

    def arbitrage_target(self, outside_price: float) -> float | None:
        """Price up to which trading against an outside price pays, None inside the fee's band."""

    def price(self) -> float:
        """Marginal price before fee."""

    def log_price(self) -> float:
        """Its natural logarithm."""

    def depth(self, ratio: float = 0.02) -> Depth:
        """Whole tokens that move the price by a ratio."""

    def reserves(self) -> tuple[int, int]:
        """Tokens held."""

    def plan_provision(
        self, value1: int, lower_price: float | None = None, upper_price: float | None = None
    ) -> Provision:
        """What a deposit worth `value1` of token1 needs."""


def arbitrage_target(price: float, outside_price: float, fee_ratio: float) -> float | None:
    """The price at which trading a pool against `outside_price` stops to pay, or None if it does not pay now.

    Selling token0 to the pool earns price · (1 − fee) and stops to pay at outside / (1 − fee); buying costs
    price / (1 − fee) and stops to pay at outside · (1 − fee). Inside that band nothing is gained.
    """
    kept = 1.0 - fee_ratio
    if price * kept > outside_price:
        return outside_price / kept
    if price < outside_price * kept:
        return outside_price * kept
    return None
