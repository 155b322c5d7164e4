"""Joining and leaving a stable pool (Balancer V2 `StablePool` joins and exits 2.0.0, `BasePool`, the vault's limits).

Amounts are one number a token in the pool's order. What a sender brings is scaled down and what he asks for is scaled
up (the contract scales both down); results are rounded in the pool's favour.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import (
    ABOVE_MAX_IN,
    BELOW_MIN_OUT,
    BURN_EXCEEDS_BALANCE,
    LENGTHS_DIFFER,
    MINIMUM_SHARES,
    SHARES_IN_ABOVE_MAX,
    SHARES_OUT_BELOW_MIN,
    TOO_FEW_SHARES,
    UNINITIALIZED,
)
from sim.markets.amm.stableswap.core import StableSwapCore
from sim.markets.amm.stableswap.invariant import invariant
from sim.markets.amm.stableswap.records import PoolChange
from sim.markets.amm.stableswap.scaling import scale_down, scale_up, unscale_down, unscale_up
from sim.markets.amm.stableswap.share_math import (
    shares_in_given_tokens_out,
    shares_out_given_tokens_in,
    token_in_given_shares_out,
    token_out_given_shares_in,
    tokens_out_given_shares_in,
)


class StablePoolLiquidity(StableSwapCore):
    """The pool with its share operations."""

    def add_liquidity(self, sender: int, amounts: Sequence[int], min_shares: int = 0) -> PoolChange:
        """Bring exact amounts. The first deposit gives D shares, 10^6 of them locked for ever.

        Reverts BAL#208 below `min_shares`, BAL#204 for a first deposit of less than 10^6 shares.
        """
        self._check_amounts(amounts)
        minted = self.shares_for(amounts)
        if minted < min_shares:
            raise Revert(SHARES_OUT_BELOW_MIN)
        if self.state.total_shares == 0:
            self._set("total_shares", MINIMUM_SHARES)
        self._mint_shares(sender, minted)
        for index, amount in enumerate(amounts):
            if amount:
                self._receive(sender, index, amount)
        return PoolChange(minted, tuple(amounts))

    def add_for_shares(self, sender: int, token: int, shares: int, max_in: int | None = None) -> PoolChange:
        """Buy exact shares with one token; reverts BAL#506 above `max_in`."""
        self._check_open(shares)
        index, state = self.index_of(token), self.state
        cost = token_in_given_shares_out(
            self.amplification_milli(), self.scaled(), index, shares, state.total_shares, state.fee_wad
        )
        amount = unscale_up(cost, self.factors()[index])
        if max_in is not None and amount > max_in:
            raise Revert(ABOVE_MAX_IN)
        self._mint_shares(sender, shares)
        self._receive(sender, index, amount)
        return PoolChange(shares, self._only(index, amount))

    def remove_liquidity(self, sender: int, shares: int, min_amounts: Sequence[int] | None = None) -> PoolChange:
        """Give back shares for their part of every token, rounded down, without fee; reverts BAL#505 below a minimum.

        This always works, also where the invariant does not settle.
        """
        self._check_open(shares)
        factors = self.factors()
        scaled = tokens_out_given_shares_in(self.scaled(), shares, self.state.total_shares)
        amounts = [unscale_down(amount, factor) for amount, factor in zip(scaled, factors, strict=True)]
        if min_amounts is not None:
            self._check_amounts(min_amounts)
            if any(amount < least for amount, least in zip(amounts, min_amounts, strict=True)):
                raise Revert(BELOW_MIN_OUT)
        return self._leave(sender, shares, amounts)

    def remove_one(self, sender: int, shares: int, token: int, min_out: int = 0) -> PoolChange:
        """Give back shares for one token; reverts BAL#505 below `min_out`."""
        self._check_open(shares)
        index, state = self.index_of(token), self.state
        scaled = token_out_given_shares_in(
            self.amplification_milli(), self.scaled(), index, shares, state.total_shares, state.fee_wad
        )
        amount = unscale_down(scaled, self.factors()[index])
        if amount < min_out:
            raise Revert(BELOW_MIN_OUT)
        return self._leave(sender, shares, self._only(index, amount))

    def remove_exact(self, sender: int, amounts: Sequence[int], max_shares: int | None = None) -> PoolChange:
        """Take exact amounts for as many shares as it needs; reverts BAL#207 above `max_shares`."""
        self._check_open(0)
        self._check_amounts(amounts)
        state = self.state
        asked = [scale_up(amount, factor) for amount, factor in zip(amounts, self.factors(), strict=True)]
        burnt = shares_in_given_tokens_out(
            self.amplification_milli(), self.scaled(), asked, state.total_shares, state.fee_wad
        )
        if max_shares is not None and burnt > max_shares:
            raise Revert(SHARES_IN_ABOVE_MAX)
        return self._leave(sender, burnt, amounts)

    # ------------------------------------------------------------------ readers
    def shares_for(self, amounts: Sequence[int]) -> int:
        """Shares that `add_liquidity` of these amounts would give now; reverts as `add_liquidity` does."""
        state, amp_milli = self.state, self.amplification_milli()
        brought = [scale_down(amount, factor) for amount, factor in zip(amounts, self.factors(), strict=True)]
        if state.total_shares:
            return shares_out_given_tokens_in(amp_milli, self.scaled(), brought, state.total_shares, state.fee_wad)
        shares = invariant(amp_milli, brought, True) - MINIMUM_SHARES
        if shares < 0:
            raise Revert(TOO_FEW_SHARES)
        return shares

    # ------------------------------------------------------------------ shared steps
    def _check_amounts(self, amounts: Sequence[int]) -> None:
        if len(amounts) != len(self.tokens):
            raise Revert(LENGTHS_DIFFER)
        if min(amounts) < 0:
            raise ValueError(f"negative amount {min(amounts)}")

    def _check_open(self, shares: int) -> None:
        if shares < 0:
            raise ValueError(f"negative amount {shares}")
        if self.state.total_shares == 0:
            raise Revert(UNINITIALIZED)

    def _only(self, index: int, amount: int) -> tuple[int, ...]:
        return tuple(amount if k == index else 0 for k in range(len(self.tokens)))

    def _mint_shares(self, account: int, amount: int) -> None:
        self._set("total_shares", self.state.total_shares + amount)
        self.journal.put(self.shares, account, self.shares.get(account, 0) + amount)

    def _leave(self, sender: int, shares: int, amounts: Sequence[int]) -> PoolChange:
        """Burn the sender's shares and pay; reverts BAL#417 if he has fewer."""
        held = self.shares.get(sender, 0)
        if shares > held:
            raise Revert(BURN_EXCEEDS_BALANCE)
        self.journal.put(self.shares, sender, held - shares)
        self._set("total_shares", self.state.total_shares - shares)
        for index, amount in enumerate(amounts):
            if amount:
                self._pay(sender, index, amount)
        return PoolChange(shares, tuple(amounts))
