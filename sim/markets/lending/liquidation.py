"""How much a liquidation may repay and what it seizes: version rules and pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sim.chain.revert import Revert
from sim.markets.lending.constants import HALF_PERCENTAGE_FACTOR, PERCENTAGE_FACTOR, USD, WAD
from sim.markets.lending.percentage import percent_div_half_up, percent_mul_half_up
from sim.markets.lending.reasons import EMPTY, MUST_NOT_LEAVE_DUST


@dataclass(frozen=True, slots=True)
class LiquidationRules:
    """Close factor, dust and bad debt, by protocol version. Values in USD with 8 decimals, health factors in wad.

    The close factor of `close_factor_bps` limits a liquidation where the health factor is above
    `full_close_health_factor` and the position's debt and collateral of the pair are both worth at least
    `full_close_below_base`; otherwise all of the chosen debt may be repaid. It is a share of all the borrower's debt
    (`of_total_debt`) or of the chosen debt alone. What remains of a pair, if anything, must be worth
    `min_leftover_base` on both sides. `books_deficit`: debt that has lost its last collateral is written off to its
    reserve's deficit.
    """

    name: str
    close_factor_bps: int
    full_close_health_factor: int
    full_close_below_base: int
    of_total_debt: bool
    min_leftover_base: int
    books_deficit: bool


#: "3.6": Aave V3.6 `LiquidationLogic`. "3.0": V3.0, 50 % of the chosen debt down to a health factor of 0.95, then all.
#: "2": Aave V2 `LendingPoolCollateralManager`, 50 % of the chosen debt at any health factor. In both older versions bad
#: debt stays with the borrower. Only these rules differ: the arithmetic (rounding, accrual, seizing) is that of V3.6.
LIQUIDATION_RULES: dict[str, LiquidationRules] = {
    "3.6": LiquidationRules("3.6", 5_000, 95 * WAD // 100, 2_000 * USD, True, 1_000 * USD, True),
    "3.0": LiquidationRules("3.0", 5_000, 95 * WAD // 100, 0, False, 0, False),
    "2": LiquidationRules("2", 5_000, -1, 0, False, 0, False),
}


class Side(NamedTuple):
    """One side of a liquidated pair: the borrower's `balance` (token units), `price` (USD 1e8), token `unit`."""

    balance: int
    price: int
    unit: int


class Seizure(NamedTuple):
    """What a liquidation moves, in token units; `collateral_base` is all that is seized, fee included, in USD 1e8."""

    debt_repaid: int
    collateral_to_liquidator: int
    protocol_fee: int
    collateral_base: int


def liquidation_amounts(
    rules: LiquidationRules,
    health_factor: int,
    total_debt_base: int,
    debt: Side,
    collateral: Side,
    bonus_bps: int,
    protocol_fee_bps: int,
    debt_to_cover: int,
) -> Seizure:
    """Debt repaid and collateral seized when a liquidator offers to cover `debt_to_cover` (token units, may be MAX).

        collateral seized = debt · price ratio · bonus, at most the borrower's balance (then the debt is recomputed)
        protocol fee      = (seized - seized / bonus) · fee share

    `health_factor` in wad, `total_debt_base` all the borrower's debt in USD 1e8, `bonus_bps` 10 500 for 5 %,
    `protocol_fee_bps` the treasury's share of the bonus. Reverts `MustNotLeaveDust` where the rules say so.
    Aave V3.6, `LiquidationLogic`.
    """
    owed, debt_price, debt_unit = debt
    held, collateral_price, collateral_unit = collateral
    if not debt_price or not collateral_price:
        raise Revert(EMPTY)
    covered = min(debt_to_cover, _closable(rules, health_factor, total_debt_base, debt, collateral))

    base_collateral = debt_price * covered * collateral_unit // (collateral_price * debt_unit)
    seized = (base_collateral * bonus_bps + HALF_PERCENTAGE_FACTOR) // PERCENTAGE_FACTOR
    if seized > held:
        seized = held
        needed = collateral_price * seized * debt_unit // (debt_price * collateral_unit)
        covered = -(-needed * PERCENTAGE_FACTOR // bonus_bps)
    seized_base = seized * collateral_price // collateral_unit
    fee = 0
    if protocol_fee_bps:
        fee = percent_mul_half_up(seized - percent_div_half_up(seized, bonus_bps), protocol_fee_bps)

    smallest = rules.min_leftover_base
    if smallest and covered < owed and seized < held:
        debt_left_base = -(-(owed - covered) * debt_price // debt_unit)
        collateral_left_base = (held - seized) * collateral_price // collateral_unit
        if debt_left_base < smallest or collateral_left_base < smallest:
            raise Revert(MUST_NOT_LEAVE_DUST)
    return Seizure(covered, seized - fee, fee, seized_base)


def _closable(rules: LiquidationRules, health_factor: int, total_debt_base: int, debt: Side, collateral: Side) -> int:
    """Most of the chosen debt (token units) that one liquidation may repay under the version's close factor."""
    owed, debt_price, debt_unit = debt
    if health_factor <= rules.full_close_health_factor:
        return owed
    if not rules.of_total_debt:
        return percent_mul_half_up(owed, rules.close_factor_bps)
    owed_base = -(-owed * debt_price // debt_unit)
    held_base = collateral.balance * collateral.price // collateral.unit
    if owed_base < rules.full_close_below_base or held_base < rules.full_close_below_base:
        return owed
    closable_base = percent_mul_half_up(total_debt_base, rules.close_factor_bps)
    if owed_base <= closable_base:
        return owed
    return closable_base * debt_unit // debt_price
