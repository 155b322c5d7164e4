"""Positions and their owners (Uniswap V3 periphery 1.4.4, `NonfungiblePositionManager`).

Each id is one account's share of one range. To the pool all ids of a range are one position, so fees are rounded
twice: once for the range, once for the id; a few units of rounding may stay behind in the pool, as they do on chain.
"""

from __future__ import annotations

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.amm.concentrated.constants import MASK_128
from sim.markets.amm.concentrated.fee_growth import fee_growth_inside, fees_earned
from sim.markets.amm.concentrated.liquidity_amounts import liquidity_for_amounts
from sim.markets.amm.concentrated.ranges import RangeLiquidity
from sim.markets.amm.concentrated.records import Position
from sim.markets.amm.concentrated.sqrt_price_math import amount0_rounding_down, amount1_rounding_down
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick
from sim.markets.amm.reasons import EMPTY
from sim.markets.amm.records import Collected, LiquidityChange

SLIPPAGE = "Price slippage check"
NOT_APPROVED = "Not approved"
NOT_CLEARED = "Not cleared"
NO_SUCH_POSITION = "ERC721: operator query for nonexistent token"


class PositionManager(RangeLiquidity):
    """A pool whose liquidity is held in numbered positions; ids count from 1."""

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
        super().__init__(name, ledger, clock, token0, token1, fee_pips, tick_spacing, fee_protocol)
        self.positions: dict[int, Position] = {}

    # ------------------------------------------------------------------ operations
    def mint(
        self,
        sender: int,
        tick_lower: int,
        tick_upper: int,
        amount0_desired: int,
        amount1_desired: int,
        amount0_min: int = 0,
        amount1_min: int = 0,
    ) -> LiquidityChange:
        """Open a position with as much liquidity as the desired amounts buy.

        Reverts `Price slippage check` if less than a minimum is taken.
        """
        liquidity = self._affordable(tick_lower, tick_upper, amount0_desired, amount1_desired)
        amount0, amount1 = self._mint_range(sender, tick_lower, tick_upper, liquidity)
        if amount0 < amount0_min or amount1 < amount1_min:
            raise Revert(SLIPPAGE)
        return self._open(sender, tick_lower, tick_upper, liquidity, amount0, amount1)

    def increase(
        self,
        sender: int,
        position: int,
        amount0_desired: int,
        amount1_desired: int,
        amount0_min: int = 0,
        amount1_min: int = 0,
    ) -> LiquidityChange:
        """Add liquidity to a position; the sender pays, whoever owns it (as on chain)."""
        held = self.positions.get(position)
        if held is None:
            raise Revert(EMPTY)
        liquidity = self._affordable(held.tick_lower, held.tick_upper, amount0_desired, amount1_desired)
        amount0, amount1 = self._mint_range(sender, held.tick_lower, held.tick_upper, liquidity)
        if amount0 < amount0_min or amount1 < amount1_min:
            raise Revert(SLIPPAGE)
        credited = self._credited(held)
        self.journal.put(self.positions, position, credited._replace(liquidity=held.liquidity + liquidity & MASK_128))
        return LiquidityChange(position, liquidity, amount0, amount1)

    def decrease(
        self, sender: int, position: int, liquidity: int, amount0_min: int = 0, amount1_min: int = 0
    ) -> LiquidityChange:
        """Take liquidity out of an own position; the amounts are owed to it until `collect`.

        Reverts without text for zero or more than the position has.
        """
        held = self._own(sender, position)
        if liquidity <= 0 or held.liquidity < liquidity:
            raise Revert(EMPTY)
        amount0, amount1 = self._burn_range(held.tick_lower, held.tick_upper, liquidity)
        if amount0 < amount0_min or amount1 < amount1_min:
            raise Revert(SLIPPAGE)
        credited = self._credited(held)
        updated = credited._replace(
            liquidity=held.liquidity - liquidity,
            tokens_owed0=credited.tokens_owed0 + amount0 & MASK_128,
            tokens_owed1=credited.tokens_owed1 + amount1 & MASK_128,
        )
        self.journal.put(self.positions, position, updated)
        return LiquidityChange(position, liquidity, amount0, amount1)

    def collect(
        self, sender: int, position: int, amount0_max: int = MASK_128, amount1_max: int = MASK_128
    ) -> Collected:
        """Pay an own position what it is owed (fees up to now included), at most the given amounts."""
        held = self._own(sender, position)
        if amount0_max <= 0 and amount1_max <= 0:
            raise Revert(EMPTY)
        if held.liquidity > 0:
            self._burn_range(held.tick_lower, held.tick_upper, 0)
            held = self._credited(held)
        asked0, asked1 = min(amount0_max, held.tokens_owed0), min(amount1_max, held.tokens_owed1)
        amount0, amount1 = self._collect_range(sender, held.tick_lower, held.tick_upper, asked0, asked1)
        # What was asked for is written off, also if rounding left the range a few units short.
        updated = held._replace(tokens_owed0=held.tokens_owed0 - asked0, tokens_owed1=held.tokens_owed1 - asked1)
        self.journal.put(self.positions, position, updated)
        return Collected(position, amount0, amount1)

    def burn(self, sender: int, position: int) -> None:
        """Delete an own, empty position; reverts `Not cleared` while liquidity or owed tokens remain."""
        held = self._own(sender, position)
        if held.liquidity or held.tokens_owed0 or held.tokens_owed1:
            raise Revert(NOT_CLEARED)
        self.journal.remove(self.positions, position)

    # ------------------------------------------------------------------ readers
    def worth(self, position: int) -> tuple[int, int]:
        """What taking all liquidity out of a position and collecting would pay now (token0, token1), fees included.

        Writes nothing; `KeyError` for an unknown id. Rounding may leave the actual payment a few units short.
        """
        held = self.positions[position]
        lower, upper = sqrt_ratio_at_tick(held.tick_lower), sqrt_ratio_at_tick(held.tick_upper)
        inside = min(max(self.state.sqrt_price_x96, lower), upper)
        growth0, growth1 = fee_growth_inside(self.ticks, held.tick_lower, held.tick_upper, self.state)
        if not held.liquidity:
            return held.tokens_owed0, held.tokens_owed1
        earned0 = fees_earned(growth0, held.fee_growth_inside0_last_x128, held.liquidity)
        earned1 = fees_earned(growth1, held.fee_growth_inside1_last_x128, held.liquidity)
        return (
            held.tokens_owed0 + earned0 + amount0_rounding_down(inside, upper, held.liquidity),
            held.tokens_owed1 + earned1 + amount1_rounding_down(lower, inside, held.liquidity),
        )

    def principal(self, position: int) -> tuple[int, int]:
        """`worth` without the fees and whatever else is owed to the position."""
        held = self.positions[position]
        lower, upper = sqrt_ratio_at_tick(held.tick_lower), sqrt_ratio_at_tick(held.tick_upper)
        inside = min(max(self.state.sqrt_price_x96, lower), upper)
        return amount0_rounding_down(inside, upper, held.liquidity), amount1_rounding_down(
            lower, inside, held.liquidity
        )

    def liquidity_for(self, tick_lower: int, tick_upper: int, amount0: int, amount1: int) -> int:
        """Liquidity that these amounts buy in a range now."""
        return self._affordable(tick_lower, tick_upper, amount0, amount1)

    # ------------------------------------------------------------------ shared steps
    def _affordable(self, tick_lower: int, tick_upper: int, amount0: int, amount1: int) -> int:
        lower, upper = sqrt_ratio_at_tick(tick_lower), sqrt_ratio_at_tick(tick_upper)
        return liquidity_for_amounts(self.state.sqrt_price_x96, lower, upper, amount0, amount1)

    def _open(
        self, owner: int, tick_lower: int, tick_upper: int, liquidity: int, amount0: int, amount1: int
    ) -> LiquidityChange:
        whole = self.ranges[tick_lower, tick_upper]
        position = self.state.next_position
        self._set("next_position", position + 1)
        opened = Position(
            owner,
            tick_lower,
            tick_upper,
            liquidity,
            whole.fee_growth_inside0_last_x128,
            whole.fee_growth_inside1_last_x128,
            0,
            0,
        )
        self.journal.put(self.positions, position, opened)
        return LiquidityChange(position, liquidity, amount0, amount1)

    def _own(self, sender: int, position: int) -> Position:
        held = self.positions.get(position)
        if held is None:
            raise Revert(NO_SUCH_POSITION)
        if held.owner != sender:
            raise Revert(NOT_APPROVED)
        return held

    def _credited(self, held: Position) -> Position:
        """The position with the fees its liquidity earned, by the growth its range was last updated to."""
        whole = self.ranges[held.tick_lower, held.tick_upper]
        inside0, inside1 = whole.fee_growth_inside0_last_x128, whole.fee_growth_inside1_last_x128
        earned0 = fees_earned(inside0, held.fee_growth_inside0_last_x128, held.liquidity)
        earned1 = fees_earned(inside1, held.fee_growth_inside1_last_x128, held.liquidity)
        return held._replace(
            fee_growth_inside0_last_x128=inside0,
            fee_growth_inside1_last_x128=inside1,
            tokens_owed0=held.tokens_owed0 + earned0 & MASK_128,
            tokens_owed1=held.tokens_owed1 + earned1 & MASK_128,
        )
