"""`GasMarket`: the price of gas and the block space that outside demand leaves (docs/model.md 5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WEI_PER_GWEI = 1_000_000_000

#: A block's target is its limit divided by this (EIP-1559, ELASTICITY_MULTIPLIER).
ELASTICITY = 2

#: A full block raises the base fee by one part in this (EIP-1559, BASE_FEE_MAX_CHANGE_DENOMINATOR).
CHANGE_DENOMINATOR = 8

#: Share of a block that this economy can take at most before the clearing price of a first-price market stops rising.
MOST_OF_A_BLOCK = 0.95

#: Stands for "as much as you like" while the gas mechanism is off.
UNLIMITED_GAS = 1 << 62


class Surge(NamedTuple):
    """Outside demand multiplied by `demand_ratio` from `start` to `end` (Unix time)."""

    start: int
    end: int
    demand_ratio: float


class GasTerms(NamedTuple):
    """What holds from `start` (Unix time) on: gas limit, kind of fee market, reference price in gwei."""

    start: int
    block_gas_limit: int
    first_price: bool
    reference_gwei: float


class GasMarket:
    """Price of gas in wei, moved by this economy's gas and by an outside demand that falls with the price.

    At base fee b outsiders want T a (b / b_ref)^(-eps) gas a block, with target T = limit / 2, a = v^(zeta eps) and v
    the realised volatility against its reference; what exceeds the block waits outside and is not carried over. With
    nothing of our own the base fee settles at b_ref v^zeta. A block with gas g (outsiders' and ours, at most the limit)
    moves it by b (g - T) / (8 T), in integers as EIP-1559 rounds: up by at least 1 wei, never under the lowest fee.

    A step may stand for several blocks: `end_step` goes through them one by one, our gas spread evenly, so a step of
    five blocks ends where five steps of one block end. The base fee that a step charges is that of its first block.
    With `enabled` off the base fee is 0 and space unlimited. Fees in gwei or wei per gas unit as named, gas in units.

    `first_price` is the market before August 2021: no base fee and nothing burnt; a transaction pays the price it
    offers. Outsiders want L a (p / p_ref)^(-eps) of the limit L, so blocks are full and the price that clears them is
    p_ref v^zeta (1 - g / L)^(-1/eps) where this economy takes g. `base_fee_wei` is then that clearing price.
    `surges` multiply outside demand for a while; `terms` change limit, kind of market and reference on their dates.
    """

    def __init__(
        self,
        *,
        block_gas_limit: int = 45_000_000,
        base_fee_gwei: float | None = None,
        reference_gwei: float = 3.3,
        demand_elasticity: float = 1.0,
        volatility_exponent: float = 0.7,
        min_base_fee_gwei: float = 0.0,
        blocks_per_step: int = 1,
        enabled: bool = True,
        first_price: bool = False,
        surges: Sequence[Surge] = (),
        terms: Sequence[GasTerms] = (),
    ) -> None:
        _check("block_gas_limit", block_gas_limit, block_gas_limit >= ELASTICITY, "2 or more")
        _check("reference_gwei", reference_gwei, 0.0 < reference_gwei < math.inf, "above 0")
        _check("base_fee_gwei", base_fee_gwei, base_fee_gwei is None or 0.0 <= base_fee_gwei < math.inf, "0 or more")
        _check("demand_elasticity", demand_elasticity, 0.0 <= demand_elasticity < math.inf, "0 or more")
        _check("volatility_exponent", volatility_exponent, 0.0 <= volatility_exponent < math.inf, "0 or more")
        _check("min_base_fee_gwei", min_base_fee_gwei, 0.0 <= min_base_fee_gwei < math.inf, "0 or more")
        _check("blocks_per_step", blocks_per_step, blocks_per_step >= 1, "1 or more")
        if first_price or any(term.first_price for term in terms):
            _check("demand_elasticity", demand_elasticity, demand_elasticity > 0.0, "above 0 in a first-price market")
        self.block_gas_limit = block_gas_limit
        self.target_gas = block_gas_limit // ELASTICITY
        self.reference_wei = reference_gwei * WEI_PER_GWEI
        self.first_price = first_price
        self.surges = tuple(surges)
        self.surge_ratio = 1.0
        self._terms = sorted(terms, reverse=True)
        self.demand_elasticity = demand_elasticity
        self.volatility_exponent = volatility_exponent
        self.min_base_fee_wei = round(min_base_fee_gwei * WEI_PER_GWEI)
        self.blocks_per_step = blocks_per_step
        self.enabled = enabled
        opening = reference_gwei if base_fee_gwei is None else base_fee_gwei
        self.base_fee_wei = max(round(opening * WEI_PER_GWEI), self.min_base_fee_wei) if enabled else 0
        self.fullness_ratio = 0.0

    @property
    def base_fee_gwei(self) -> float:
        """Base fee of the step to come, gwei per gas unit."""
        return self.base_fee_wei / WEI_PER_GWEI

    @property
    def charged_base_fee_wei(self) -> int:
        """What every transaction pays and the chain burns, wei per gas: the base fee; 0 in a first-price market."""
        return 0 if self.first_price else self.base_fee_wei

    def begin_step(self, timestamp: int) -> None:
        """Bring terms and surges to `timestamp`; a price of gas that exists already stays and finds its way."""
        terms = self._terms
        while terms and terms[-1].start <= timestamp:
            term = terms.pop()
            self.block_gas_limit = term.block_gas_limit
            self.target_gas = term.block_gas_limit // ELASTICITY
            self.first_price = term.first_price
            self.reference_wei = term.reference_gwei * WEI_PER_GWEI
        ratio = 1.0
        for surge in self.surges:
            if surge.start <= timestamp < surge.end:
                ratio *= surge.demand_ratio
        self.surge_ratio = ratio

    def space_tip_gwei(self, volatility_ratio: float) -> float:
        """Tip that outbids the outsiders who fill the first block of the step; 0 while they leave room.

        It solves demand(base fee + tip) = limit. In a first-price market it is the whole price that clears the block.
        """
        if not self.enabled or (self.demand_elasticity <= 0.0 and not self.first_price):
            return 0.0
        clearing_wei = math.pow(self._scale(volatility_ratio) / self.block_gas_limit, 1.0 / self.demand_elasticity)
        return max(clearing_wei - self.charged_base_fee_wei, 0.0) / WEI_PER_GWEI

    def outside_gas(self, volatility_ratio: float, fee_wei: float) -> int:
        """Gas a block that outsiders want at `fee_wei`: T v^(zeta eps) (fee / b_ref)^(-eps), at most the limit."""
        return self._demand(self._scale(volatility_ratio), fee_wei)

    def capacity_gas(self, volatility_ratio: float, tip_gwei: float = 0.0) -> int:
        """Room for this economy's transactions in the step: the limit less what outsiders want, over its blocks.

        A tip outbids those outsiders who would not pay base fee plus tip (first price: the price offered is the tip).
        """
        if not self.enabled:
            return UNLIMITED_GAS
        scale = self._scale(volatility_ratio)
        tip_wei = tip_gwei * WEI_PER_GWEI
        limit = self.block_gas_limit
        if self.first_price:
            return self.blocks_per_step * (limit - self._demand(scale, tip_wei))
        room = 0
        base_fee = self.base_fee_wei
        for left in range(self.blocks_per_step, 1, -1):
            block_room = limit - self._demand(scale, base_fee + tip_wei)
            following = self._next(base_fee, self._demand(scale, base_fee))
            if following == base_fee:
                return room + left * block_room
            room += block_room
            base_fee = following
        return room + limit - self._demand(scale, base_fee + tip_wei)

    def end_step(self, gas_used: int, volatility_ratio: float) -> int:
        """Close the step in which this economy used `gas_used`; returns the base fee of the next, in wei.

        `fullness_ratio` is then the gas of the step's blocks, outsiders' included, divided by their limits.
        """
        blocks = self.blocks_per_step
        limit = self.block_gas_limit
        if not self.enabled:
            self.fullness_ratio = gas_used / (blocks * limit)
            return 0
        scale = self._scale(volatility_ratio)
        if self.first_price:
            taken = min(gas_used / (blocks * limit), MOST_OF_A_BLOCK)
            clearing = math.pow(scale / limit / (1.0 - taken), 1.0 / self.demand_elasticity)
            self.base_fee_wei = max(int(clearing), self.min_base_fee_wei)
            self.fullness_ratio = 1.0
            return self.base_fee_wei
        own, rest = divmod(gas_used, blocks)
        base_fee = self.base_fee_wei
        total = 0
        for number in range(blocks):
            used = min(own + (number < rest) + self._demand(scale, base_fee), limit)
            following = self._next(base_fee, used)
            total += used
            if following == base_fee and number >= rest:
                total += used * (blocks - number - 1)  # nothing changes any more
                break
            base_fee = following
        self.base_fee_wei = base_fee
        self.fullness_ratio = total / (blocks * limit)
        return base_fee

    # ------------------------------------------------------------------ inside
    def _scale(self, volatility_ratio: float) -> float:
        """T a b_ref^eps (first price: L instead of T), so that demand is this times b^(-eps)."""
        exponent = self.demand_elasticity
        crowd = math.pow(volatility_ratio, self.volatility_exponent * exponent) if volatility_ratio > 0.0 else 0.0
        if not self.volatility_exponent * exponent:
            crowd = 1.0
        wanted = self.block_gas_limit if self.first_price else self.target_gas
        return wanted * self.surge_ratio * crowd * math.pow(self.reference_wei, exponent)

    def _demand(self, scale: float, fee_wei: float) -> int:
        wanted = scale * math.pow(max(fee_wei, 1.0), -self.demand_elasticity)
        return int(wanted) if wanted < self.block_gas_limit else self.block_gas_limit

    def _next(self, base_fee: int, used: int) -> int:
        target = self.target_gas
        if used > target:
            base_fee += max(base_fee * (used - target) // target // CHANGE_DENOMINATOR, 1)
        elif used < target:
            base_fee -= base_fee * (target - used) // target // CHANGE_DENOMINATOR
        return max(base_fee, self.min_base_fee_wei)


def _check(name: str, given: float | None, fine: bool, allowed: str) -> None:
    if not fine:
        raise ValueError(f"{name}: given {given!r}; allowed: {allowed}")
