"""The constant-product pair itself: reserves, LP shares and the low-level operations (Uniswap V2 core 1.0.1).

Tokens sent to the pair without an operation stay outside its reserves until `sync`, `skim` or the next operation, as
on chain. Every low-level operation measures what it was given by balance less reserve.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Final

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.constant_product_math import (
    MAX_UINT256,
    MINIMUM_LIQUIDITY,
    MUL_OVERFLOW,
    SUB_UNDERFLOW,
    fee_fraction,
    protocol_shares,
)
from sim.markets.amm.reasons import INVALID_OPCODE
from sim.markets.amm.records import SharesChange

LOCKED: Final = "UniswapV2: LOCKED"
OVERFLOW: Final = "UniswapV2: OVERFLOW"
INVARIANT: Final = "UniswapV2: K"
NOTHING_MINTED: Final = "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"
NOTHING_BURNED: Final = "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED"
NO_OUTPUT: Final = "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT"
NO_INPUT: Final = "UniswapV2: INSUFFICIENT_INPUT_AMOUNT"
NO_LIQUIDITY: Final = "UniswapV2: INSUFFICIENT_LIQUIDITY"

MAX_RESERVE: Final = (1 << 112) - 1
_MASK_32: Final = (1 << 32) - 1


class PairState:
    """The pair's own values, written one by one through the journal as `vars(state)[name]`.

    Reserves in smallest units; cumulative prices in UQ112x112 · seconds (modulo 2^256); `k_last` = reserve0 ·
    reserve1 after the last change of liquidity while the protocol fee is on, else 0; `total_shares` counts the locked
    minimum too. `unlocked` is false inside a flash swap.
    """

    def __init__(self, protocol_fee_on: bool) -> None:
        self.reserve0 = 0
        self.reserve1 = 0
        self.block_timestamp_last = 0
        self.price0_cumulative_last = 0
        self.price1_cumulative_last = 0
        self.k_last = 0
        self.total_shares = 0
        self.protocol_fee_on = protocol_fee_on
        self.unlocked = True


class Pair:
    """A pair of tokens with a swap fee of `fee_bps` (0.01 %), and optionally a protocol fee of one sixth of it.

    `shares[account]` are LP shares; the protocol's go to `fee_account`. The first 1000 shares are locked for ever.
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        token0: int,
        token1: int,
        fee_bps: int = 30,
        protocol_fee_on: bool = False,
    ) -> None:
        if token0 == token1:
            raise ValueError(f"pool {name!r}: token0 and token1 are the same token {token0}")
        self.kept, self.scale = fee_fraction(fee_bps)
        self.name = name
        self.ledger = ledger
        self.journal = ledger.journal
        self.clock = clock
        self.account, self.fee_account = ledger.open_accounts([name, f"{name} protocol fee"])
        self.token0 = token0
        self.token1 = token1
        self.fee_bps = fee_bps
        self.state = PairState(protocol_fee_on)
        self._slots = vars(self.state)
        self.shares: dict[int, int] = {}

    # ------------------------------------------------------------------ low-level operations
    def mint(self, sender: int) -> SharesChange:
        """Turn tokens already sent to the pair into LP shares of the sender.

        First deposit: √(in0 · in1) − 1000, the 1000 are locked. Later: min(in0 · total / x, in1 · total / y), rounded
        down. Reverts `INSUFFICIENT_LIQUIDITY_MINTED` for nothing.
        """
        state = self.state
        self._require_unlocked()
        reserve0, reserve1 = state.reserve0, state.reserve1
        balance0, balance1 = self.reserves()
        amount0, amount1 = balance0 - reserve0, balance1 - reserve1
        self._mint_protocol_fee(reserve0, reserve1)
        total = state.total_shares
        if total == 0:
            if amount0 * amount1 > MAX_UINT256:
                raise Revert(MUL_OVERFLOW)
            minted = isqrt(amount0 * amount1) - MINIMUM_LIQUIDITY
            if minted < 0:
                raise Revert(SUB_UNDERFLOW)
            self._set("total_shares", MINIMUM_LIQUIDITY)
        else:
            minted = min(amount0 * total // reserve0, amount1 * total // reserve1)
        if minted <= 0:
            raise Revert(NOTHING_MINTED)
        self._mint_shares(sender, minted)
        self._update(balance0, balance1)
        self._remember_k()
        return SharesChange(minted, amount0, amount1)

    def burn(self, sender: int) -> SharesChange:
        """Pay the sender for LP shares already sent to the pair: share of the balances, rounded down.

        Reverts `INSUFFICIENT_LIQUIDITY_BURNED` if either amount is zero.
        """
        state = self.state
        self._require_unlocked()
        balance0, balance1 = self.reserves()
        burnt = self.shares.get(self.account, 0)
        self._mint_protocol_fee(state.reserve0, state.reserve1)
        total = state.total_shares
        if total == 0:
            raise Revert(INVALID_OPCODE)
        amount0, amount1 = burnt * balance0 // total, burnt * balance1 // total
        if amount0 <= 0 or amount1 <= 0:
            raise Revert(NOTHING_BURNED)
        self.journal.put(self.shares, self.account, 0)
        self._set("total_shares", total - burnt)
        self.ledger.transfer(self.token0, self.account, sender, amount0)
        self.ledger.transfer(self.token1, self.account, sender, amount1)
        self._update(balance0 - amount0, balance1 - amount1)
        self._remember_k()
        return SharesChange(burnt, amount0, amount1)

    def swap(
        self, sender: int, amount0_out: int, amount1_out: int, callback: Callable[[], None] | None = None
    ) -> tuple[int, int]:
        """Pay the sender both amounts against what the pair was sent before, or gets inside `callback` (flash swap).

        Returns what came in. Reverts `K` unless (x·s − in0·f)·(y·s − in1·f) ≥ x₀·y₀·s² with the fee f/s.
        """
        state = self.state
        self._require_unlocked()
        if amount0_out < 0 or amount1_out < 0:
            raise ValueError(f"negative amount {min(amount0_out, amount1_out)}")
        if amount0_out == 0 and amount1_out == 0:
            raise Revert(NO_OUTPUT)
        reserve0, reserve1 = state.reserve0, state.reserve1
        if amount0_out >= reserve0 or amount1_out >= reserve1:
            raise Revert(NO_LIQUIDITY)
        account, transfer = self.account, self.ledger.transfer
        if amount0_out > 0:
            transfer(self.token0, account, sender, amount0_out)
        if amount1_out > 0:
            transfer(self.token1, account, sender, amount1_out)
        if callback is not None:
            self._set("unlocked", False)
            callback()
            self._set("unlocked", True)
        balances = self.ledger.balances
        balance0, balance1 = balances[self.token0][account], balances[self.token1][account]
        amount0_in = max(balance0 - reserve0 + amount0_out, 0)
        amount1_in = max(balance1 - reserve1 + amount1_out, 0)
        if not amount0_in and not amount1_in:
            raise Revert(NO_INPUT)
        scale = self.scale
        fee = scale - self.kept
        adjusted = (balance0 * scale - amount0_in * fee) * (balance1 * scale - amount1_in * fee)
        if adjusted < reserve0 * reserve1 * scale * scale:
            raise Revert(INVARIANT)
        self._update(balance0, balance1)
        return amount0_in, amount1_in

    def skim(self, sender: int) -> tuple[int, int]:
        """Pay the sender whatever the pair holds beyond its reserves."""
        state = self.state
        self._require_unlocked()
        balance0, balance1 = self.reserves()
        extra0, extra1 = balance0 - state.reserve0, balance1 - state.reserve1
        self.ledger.transfer(self.token0, self.account, sender, extra0)
        self.ledger.transfer(self.token1, self.account, sender, extra1)
        return extra0, extra1

    def sync(self, sender: int) -> tuple[int, int]:
        """Count whatever the pair holds as reserves."""
        self._require_unlocked()
        balance0, balance1 = self.reserves()
        self._update(balance0, balance1)
        return balance0, balance1

    def transfer_shares(self, sender: int, receiver: int, amount: int) -> None:
        """Move LP shares; reverts `ds-math-sub-underflow` when the sender has less."""
        if amount < 0:
            raise ValueError(f"negative amount {amount}")
        shares, put = self.shares, self.journal.put
        held = shares.get(sender, 0)
        if amount > held:
            raise Revert(SUB_UNDERFLOW)
        put(shares, sender, held - amount)
        put(shares, receiver, shares.get(receiver, 0) + amount)

    def set_protocol_fee(self, sender: int, on: bool) -> None:
        """Switch the protocol fee; it starts or stops counting at the next change of liquidity."""
        self._set("protocol_fee_on", on)

    # ------------------------------------------------------------------ readers
    def reserves(self) -> tuple[int, int]:
        """Tokens held, (token0, token1) in smallest units: the pair's reserves and what was sent to it since."""
        balances = self.ledger.balances
        return balances[self.token0][self.account], balances[self.token1][self.account]

    # ------------------------------------------------------------------ writing
    def _require_unlocked(self) -> None:
        if not self.state.unlocked:
            raise Revert(LOCKED)

    def _set(self, name: str, value: int) -> None:
        slots = self._slots
        self.journal.entries.append((slots, name, slots[name]))
        slots[name] = value

    def _update(self, balance0: int, balance1: int) -> None:
        """Set the reserves; on the first call of a block add price · seconds to the cumulative prices."""
        if balance0 > MAX_RESERVE or balance1 > MAX_RESERVE:
            raise Revert(OVERFLOW)
        slots, entries = self._slots, self.journal.entries
        now = self.clock.timestamp & _MASK_32
        last, reserve0, reserve1 = slots["block_timestamp_last"], slots["reserve0"], slots["reserve1"]
        if now != last:
            if reserve0 and reserve1:
                elapsed = now - last & _MASK_32
                price0 = slots["price0_cumulative_last"] + (reserve1 << 112) // reserve0 * elapsed
                price1 = slots["price1_cumulative_last"] + (reserve0 << 112) // reserve1 * elapsed
                self._set("price0_cumulative_last", price0 & MAX_UINT256)
                self._set("price1_cumulative_last", price1 & MAX_UINT256)
            entries.append((slots, "block_timestamp_last", last))
            slots["block_timestamp_last"] = now
        entries.append((slots, "reserve0", reserve0))
        slots["reserve0"] = balance0
        entries.append((slots, "reserve1", reserve1))
        slots["reserve1"] = balance1

    def _mint_protocol_fee(self, reserve0: int, reserve1: int) -> None:
        """Give the protocol its shares of the growth of √k since the last change of liquidity."""
        state = self.state
        if not state.protocol_fee_on:
            if state.k_last:
                self._set("k_last", 0)
        elif state.k_last:
            minted = protocol_shares(reserve0, reserve1, state.k_last, state.total_shares)
            if minted:
                self._mint_shares(self.fee_account, minted)

    def _remember_k(self) -> None:
        state = self.state
        if state.protocol_fee_on:
            self._set("k_last", state.reserve0 * state.reserve1)

    def _mint_shares(self, account: int, amount: int) -> None:
        self._set("total_shares", self.state.total_shares + amount)
        self.journal.put(self.shares, account, self.shares.get(account, 0) + amount)
