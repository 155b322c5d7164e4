"""The concentrated pool itself: ranges of liquidity and swaps through them (Uniswap V3 core 1.0.1, `UniswapV3Pool`).

Here are the state, swaps, flash loans and protocol fees; `ranges` adds and removes liquidity, `manager` knows who owns
which position, `pool` is what agents see. Observations (the contract's price oracle) and the factory owner's rights are
left out: nothing in the simulator reads them.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.concentrated.constants import (
    MASK_128,
    MASK_256,
    MAX_TICK,
    PIPS,
)
from sim.markets.amm.concentrated.records import PoolState, RangePosition, TickInfo
from sim.markets.amm.concentrated.swap_path import SwapPath, trace_swap
from sim.markets.amm.concentrated.tick_math import tick_at_sqrt_ratio
from sim.markets.amm.reasons import EMPTY
from sim.markets.amm.records import Collected, Flash

#: The pool is not initialised, or an operation of it is already running.
LOCKED = "LOK"
#: The sender cannot pay what an operation asks (the periphery's transfer helper).
TRANSFER_FAILED = "STF"
#: The pool does not hold what it is asked to lend.
PAYMENT_FAILED = "TF"


class ConcentratedCore:
    """State of one pool and what moves its price and its fees.

    `fee_pips` is the swap fee in 1e-6; usable ticks are the multiples of `tick_spacing`; `fee_protocol` = n takes 1/n
    of the fee for the protocol (0 = none, else 4 to 10). Token ids are the ledger's; token0 and token1 fix the
    direction of the price (token1 per token0).
    """

    def __init__(
        self,
        name: str,
        ledger: Ledger,
        clock: Clock,
        token0: int,
        token1: int,
        fee_pips: int,
        tick_spacing: int,
        fee_protocol: int = 0,
    ) -> None:
        if token0 == token1:
            raise ValueError(f"pool {name!r}: token0 and token1 are the same token {token0}")
        if not 0 <= fee_pips < PIPS:
            raise ValueError(f"pool {name!r}: fee_pips {fee_pips} is outside 0 to {PIPS - 1}")
        if not 1 <= tick_spacing <= 16383:
            raise ValueError(f"pool {name!r}: tick_spacing {tick_spacing} is outside 1 to 16383")
        if fee_protocol and not 4 <= fee_protocol <= 10:
            raise ValueError(f"pool {name!r}: fee_protocol {fee_protocol} is neither 0 nor 4 to 10")
        self.name = name
        self.ledger = ledger
        self.journal = ledger.journal
        self.clock = clock
        self.account = ledger.open_account(name)
        self.token0 = token0
        self.token1 = token1
        self.fee_pips = fee_pips
        self.tick_spacing = tick_spacing
        highest = MAX_TICK // tick_spacing
        self.min_usable_tick = -highest * tick_spacing
        self.max_usable_tick = highest * tick_spacing
        self.max_liquidity_per_tick = MASK_128 // (2 * highest + 1)
        self.state = PoolState(fee_protocol)
        self._slots = vars(self.state)
        #: Initialised ticks, the words of their bitmap, and all liquidity by (lower, upper) tick.
        self.ticks: dict[int, TickInfo] = {}
        self.tick_words: dict[int, int] = {}
        self.ranges: dict[tuple[int, int], RangePosition] = {}

    # ------------------------------------------------------------------ operations
    def initialize(self, sqrt_price_x96: int) -> int:
        """Set the first sqrt price (Q96) and return its tick; reverts `AI` the second time, `R` out of range."""
        state = self.state
        if state.sqrt_price_x96 != 0:
            raise Revert("AI")
        tick = tick_at_sqrt_ratio(sqrt_price_x96)
        self._set("sqrt_price_x96", sqrt_price_x96)
        self._set("tick", tick)
        self._set("unlocked", True)
        return tick

    def flash(self, sender: int, amount0: int, amount1: int, callback: Callable[[], None]) -> Flash:
        """Lend both amounts for the length of `callback`; amount · fee (rounded up) must have come back on top.

        The payment beyond the principal goes to liquidity in range (less the protocol's share). Reverts `L` without
        liquidity in range, `TF` if the pool has less, `F0` or `F1` if too little came back, `LOK` if used meanwhile.
        """
        state = self.state
        if not state.unlocked:
            raise Revert(LOCKED)
        liquidity = state.liquidity
        if liquidity <= 0:
            raise Revert("L")
        fee0 = -(-amount0 * self.fee_pips // PIPS)
        fee1 = -(-amount1 * self.fee_pips // PIPS)
        balances0 = self.ledger.balances[self.token0]
        balances1 = self.ledger.balances[self.token1]
        before0, before1 = balances0[self.account], balances1[self.account]
        self._set("unlocked", False)
        self._pay(sender, amount0, amount1)
        callback()
        paid0, paid1 = balances0[self.account] - before0, balances1[self.account] - before1
        if paid0 < fee0:
            raise Revert("F0")
        if paid1 < fee1:
            raise Revert("F1")
        if paid0:
            self._credit_flash("fee_protocol0", "protocol_fees0", "fee_growth_global0_x128", paid0)
        if paid1:
            self._credit_flash("fee_protocol1", "protocol_fees1", "fee_growth_global1_x128", paid1)
        self._set("unlocked", True)
        return Flash(amount0, amount1, paid0, paid1)

    def set_fee_protocol(self, sender: int, fee_protocol0: int, fee_protocol1: int) -> None:
        """Let the protocol take 1/n of the fees paid in token0 and token1 (0 = none, else 4 to 10; else reverts)."""
        if not self.state.unlocked:
            raise Revert(LOCKED)
        for share in (fee_protocol0, fee_protocol1):
            if share != 0 and not 4 <= share <= 10:
                raise Revert(EMPTY)
        self._set("fee_protocol0", fee_protocol0)
        self._set("fee_protocol1", fee_protocol1)

    def collect_protocol(self, sender: int, amount0_max: int = MASK_128, amount1_max: int = MASK_128) -> Collected:
        """Pay protocol fees to the sender, at most the given amounts; one unit of each token always stays behind."""
        state = self.state
        if not state.unlocked:
            raise Revert(LOCKED)
        held0, held1 = state.protocol_fees0, state.protocol_fees1
        amount0, amount1 = min(amount0_max, held0), min(amount1_max, held1)
        if amount0 > 0:
            amount0 -= amount0 == held0
            self._set("protocol_fees0", held0 - amount0)
        if amount1 > 0:
            amount1 -= amount1 == held1
            self._set("protocol_fees1", held1 - amount1)
        self._pay(sender, amount0, amount1)
        return Collected(0, amount0, amount1)

    # ------------------------------------------------------------------ swap
    def _trace(self, zero_for_one: bool, exact_in: bool, amount: int, sqrt_limit_x96: int) -> SwapPath:
        """Compute a swap without writing."""
        return trace_swap(
            self.state,
            self.ticks,
            self.tick_words,
            self.tick_spacing,
            self.fee_pips,
            zero_for_one,
            exact_in,
            amount,
            sqrt_limit_x96,
        )

    def _write_swap(self, path: SwapPath, zero_for_one: bool) -> None:
        """Write where a computed swap ended: price, tick, liquidity, fees, and the ticks it crossed."""
        slots = self._slots
        entries = self.journal.entries
        if path.crossed:
            self._cross(path.crossed, zero_for_one)
            entries.append((slots, "liquidity", slots["liquidity"]))
            slots["liquidity"] = path.liquidity
        entries.append((slots, "sqrt_price_x96", slots["sqrt_price_x96"]))
        slots["sqrt_price_x96"] = path.sqrt_price_x96
        if path.tick != slots["tick"]:
            entries.append((slots, "tick", slots["tick"]))
            slots["tick"] = path.tick
        growth = "fee_growth_global0_x128" if zero_for_one else "fee_growth_global1_x128"
        entries.append((slots, growth, slots[growth]))
        slots[growth] = path.fee_growth_x128
        if path.protocol_fee:
            fees = "protocol_fees0" if zero_for_one else "protocol_fees1"
            entries.append((slots, fees, slots[fees]))
            slots[fees] = slots[fees] + path.protocol_fee & MASK_128

    def _cross(self, crossed: list[tuple[int, int]], zero_for_one: bool) -> None:
        """Turn the fee growth outside each crossed tick round to its other side."""
        state = self.state
        for tick, growth in crossed:
            info = self.ticks[tick]
            if zero_for_one:
                growth0, growth1 = growth, state.fee_growth_global1_x128
            else:
                growth0, growth1 = state.fee_growth_global0_x128, growth
            outside0 = growth0 - info.fee_growth_outside0_x128 & MASK_256
            outside1 = growth1 - info.fee_growth_outside1_x128 & MASK_256
            self.journal.put(self.ticks, tick, TickInfo(info.liquidity_gross, info.liquidity_net, outside0, outside1))

    # ------------------------------------------------------------------ writing
    def _set(self, name: str, value: int) -> None:
        slots = self._slots
        self.journal.entries.append((slots, name, slots[name]))
        slots[name] = value

    def _pay(self, receiver: int, amount0: int, amount1: int) -> None:
        try:
            if amount0:
                self.ledger.transfer(self.token0, self.account, receiver, amount0)
            if amount1:
                self.ledger.transfer(self.token1, self.account, receiver, amount1)
        except Revert:
            raise Revert(PAYMENT_FAILED) from None

    def _credit_flash(self, share_name: str, fees_name: str, growth_name: str, paid: int) -> None:
        slots = self._slots
        share = slots[share_name]
        protocol_fee = paid // share if share else 0
        if protocol_fee:
            self._set(fees_name, slots[fees_name] + protocol_fee & MASK_128)
        growth = (paid - protocol_fee << 128) // slots["liquidity"]
        self._set(growth_name, slots[growth_name] + growth & MASK_256)
