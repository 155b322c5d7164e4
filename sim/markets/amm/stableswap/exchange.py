"""Swaps and quotes of a stable pool (Balancer V2 vault and `BaseMinimalSwapInfoPool`, pool-utils 2.0.0).

The fee is taken from the input and all of it stays with the pool. The sender pays and receives on its own ledger
account, the pool on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.records import Swap
from sim.markets.amm.stableswap.constants import (
    MAX_RESERVE,
    RESERVE_OVERFLOW,
    SAME_TOKEN,
    SUB_OVERFLOW,
    SWAP_LIMIT,
    ZERO_AMOUNT,
)
from sim.markets.amm.stableswap.fixed_point import ONE, div_up, mul_up
from sim.markets.amm.stableswap.invariant import invariant
from sim.markets.amm.stableswap.liquidity import StablePoolLiquidity
from sim.markets.amm.stableswap.scaling import scale_down, scale_up, scaled_balances, unscale_down, unscale_up
from sim.markets.amm.stableswap.swap_math import in_given_out, out_given_in


class _Deal(NamedTuple):
    """A swap before it is made."""

    index_in: int
    index_out: int
    amount_in: int
    amount_out: int
    fee_amount: int


class StablePoolExchange(StablePoolLiquidity):
    """The pool with its swaps between any two of its tokens; `token0` and `token1` are the first two."""

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        tokens: Sequence[int],
        amplification: int,
        fee_pips: int,
        rates: list[int] | None = None,
    ) -> None:
        super().__init__(name, ledger, clock, tokens, amplification, fee_pips, rates)
        self.token0, self.token1 = self.tokens[:2]
        # The invariant of the last balances seen, by value: quotes of one state compute it once.
        self._seen: tuple[int, list[int], int] = (0, [], 0)

    # ------------------------------------------------------------------ swaps
    def swap_exact_in(
        self, sender: int, token_in: int, amount_in: int, min_out: int = 0, token_out: int | None = None
    ) -> Swap:
        """Sell `amount_in`.

        Reverts BAL#507 below `min_out`, BAL#510 for zero, BAL#001 for an amount too small to buy anything, BAL#509 for
        a token against itself.
        """
        deal = self._deal_in(token_in, self._other(token_in, token_out), amount_in)
        if deal.amount_out < min_out:
            raise Revert(SWAP_LIMIT)
        return self._settle(sender, deal)

    def swap_exact_out(
        self, sender: int, token_in: int, amount_out: int, max_in: int | None = None, token_out: int | None = None
    ) -> Swap:
        """Buy `amount_out`; reverts BAL#507 above `max_in`, BAL#001 or BAL#004 for all the pool holds or more."""
        deal = self._deal_out(token_in, self._other(token_in, token_out), amount_out)
        if max_in is not None and deal.amount_in > max_in:
            raise Revert(SWAP_LIMIT)
        return self._settle(sender, deal)

    # ------------------------------------------------------------------ quotes
    def quote_exact_in(self, token_in: int, amount_in: int, token_out: int | None = None) -> int:
        """What `swap_exact_in` would pay out now; 0 if it would revert. Writes nothing."""
        token_out = self._other(token_in, token_out)
        if amount_in <= 0:
            return 0
        try:
            return self._deal_in(token_in, token_out, amount_in).amount_out
        except Revert:
            return 0

    def quote_exact_out(self, token_out: int, amount_out: int, token_in: int | None = None) -> int | None:
        """What `swap_exact_out` would cost now; None if it would revert. Writes nothing."""
        token_in = self._other(token_out, token_in)
        if amount_out <= 0:
            return None
        try:
            return self._deal_out(token_in, token_out, amount_out).amount_in
        except Revert:
            return None

    # ------------------------------------------------------------------ shared steps
    def _other(self, token: int, named: int | None) -> int:
        """The token on the other side: the one named, else the other of token0 and token1."""
        if named is not None:
            return named
        if token == self.token0:
            return self.token1
        if token == self.token1:
            return self.token0
        self.index_of(token)
        raise ValueError(f"pool {self.name!r} has {len(self.tokens)} tokens: name the one to trade {token} against")

    def _indices(self, token_in: int, token_out: int, amount: int) -> tuple[int, int]:
        index_in, index_out = self.index_of(token_in), self.index_of(token_out)
        if amount <= 0:
            if amount < 0:
                raise ValueError(f"negative amount {amount}")
            raise Revert(ZERO_AMOUNT)
        if index_in == index_out:
            raise Revert(SAME_TOKEN)
        return index_in, index_out

    def _deal_in(self, token_in: int, token_out: int, amount_in: int) -> _Deal:
        """Fee off the input, rounded up; the rest scaled; what it buys, scaled back, rounded down."""
        i, j = self._indices(token_in, token_out, amount_in)
        if self.balances[i] + amount_in > MAX_RESERVE:
            raise Revert(RESERVE_OVERFLOW)
        factors, amp_milli = self.factors(), self.amplification_milli()
        scaled = scaled_balances(self.balances, factors)
        fee = mul_up(amount_in, self.state.fee_wad)
        brought = scale_down(amount_in - fee, factors[i])
        bought = out_given_in(amp_milli, scaled, i, j, brought, self._invariant_up(amp_milli, scaled))
        return _Deal(i, j, amount_in, unscale_down(bought, factors[j]), fee)

    def _deal_out(self, token_in: int, token_out: int, amount_out: int) -> _Deal:
        """The output scaled, rounded up; what it costs, scaled back, rounded up; the fee on top, rounded up."""
        i, j = self._indices(token_in, token_out, amount_out)
        if amount_out > self.balances[j]:
            raise Revert(SUB_OVERFLOW)
        factors, amp_milli = self.factors(), self.amplification_milli()
        scaled = scaled_balances(self.balances, factors)
        asked = scale_up(amount_out, factors[j])
        cost = unscale_up(
            in_given_out(amp_milli, scaled, i, j, asked, self._invariant_up(amp_milli, scaled)), factors[i]
        )
        amount_in = div_up(cost, ONE - self.state.fee_wad)
        if self.balances[i] + amount_in > MAX_RESERVE:
            raise Revert(RESERVE_OVERFLOW)
        return _Deal(i, j, amount_in, amount_out, amount_in - cost)

    def _settle(self, sender: int, deal: _Deal) -> Swap:
        self._receive(sender, deal.index_in, deal.amount_in)
        self._pay(sender, deal.index_out, deal.amount_out)
        tokens = self.tokens
        return Swap(tokens[deal.index_in], tokens[deal.index_out], deal.amount_in, deal.amount_out, deal.fee_amount, 0)

    def _invariant_up(self, amp_milli: int, scaled: list[int]) -> int:
        seen_amp, seen_balances, d = self._seen
        if seen_amp != amp_milli or seen_balances != scaled:
            d = invariant(amp_milli, scaled, True)
            self._seen = (amp_milli, scaled, d)
        return d
