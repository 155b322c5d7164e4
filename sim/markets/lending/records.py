"""Records of the lending pool: what goes in (parameters) and what comes out (account data, results of operations)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sim.markets.lending.constants import MAX_CAP_TOKENS, PERCENTAGE_FACTOR
from sim.markets.lending.percentage import percent_mul_half_up
from sim.markets.lending.rates import RateModel

#: Exact totals of one reserve, in the order of `ReserveTotals`. A plain tuple, replaced as a whole: writing a reserve
#: is one store and one journal entry, and unpacking it costs a third of what a named tuple costs.
Totals = tuple[int, int, int, int, int, int, int, int, int, int]
LIQUIDITY_INDEX, BORROW_INDEX, LIQUIDITY_RATE, BORROW_RATE, UPDATED_AT = range(5)
SCALED_SUPPLY, SCALED_DEBT, CASH, ACCRUED_TO_TREASURY, DEFICIT = range(5, 10)


class ReserveTotals(NamedTuple):
    """`Totals` with names.

    Indexes in ray; rates in ray per year; `last_update_timestamp` in seconds; scaled totals = token units divided by
    the index; `virtual_balance` (cash the pool counts on, donations left out) and `deficit` in token units;
    `accrued_to_treasury_scaled` in scaled aToken units not yet minted.
    """

    liquidity_index: int
    borrow_index: int
    liquidity_rate: int
    borrow_rate: int
    last_update_timestamp: int
    scaled_supply: int
    scaled_debt: int
    virtual_balance: int
    accrued_to_treasury_scaled: int
    deficit: int


@dataclass(frozen=True, slots=True)
class ReserveParameters:
    """What a reserve is listed with. `token` is the ledger's token; shares are in basis points, caps in whole tokens.

    `liquidation_bonus_bps` 10 500 means 5 % on top; `liquidation_protocol_fee_bps` is the treasury's share of the bonus
    alone; a cap of 0 means none; a threshold of 0 means no collateral outside e-mode.
    """

    token: int
    rate_model: RateModel
    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    reserve_factor_bps: int = 0
    liquidation_protocol_fee_bps: int = 0
    supply_cap_tokens: int = 0
    borrow_cap_tokens: int = 0
    borrowing_enabled: bool = True
    flash_loan_enabled: bool = True

    def problems(self) -> list[str]:
        """What is wrong with these numbers, in words; empty if nothing is."""
        found = collateral_problems(self.ltv_bps, self.liquidation_threshold_bps, self.liquidation_bonus_bps)
        for field in ("reserve_factor_bps", "liquidation_protocol_fee_bps"):
            if not 0 <= getattr(self, field) <= PERCENTAGE_FACTOR:
                found.append(f"{field} = {getattr(self, field)}: allowed 0 to {PERCENTAGE_FACTOR}")
        for field in ("supply_cap_tokens", "borrow_cap_tokens"):
            if not 0 <= getattr(self, field) <= MAX_CAP_TOKENS:
                found.append(f"{field} = {getattr(self, field)}: allowed 0 (no cap) to {MAX_CAP_TOKENS}")
        return found


@dataclass(frozen=True, slots=True)
class EModeParameters:
    """An efficiency mode: `collateral` reserves count with its own numbers, `borrowable` ones may be owed."""

    category: int
    ltv_bps: int
    liquidation_threshold_bps: int
    liquidation_bonus_bps: int
    collateral: tuple[int, ...]
    borrowable: tuple[int, ...]
    label: str = ""

    def problems(self) -> list[str]:
        """What is wrong with these numbers, in words; empty if nothing is."""
        found = collateral_problems(self.ltv_bps, self.liquidation_threshold_bps, self.liquidation_bonus_bps)
        if not 1 <= self.category <= 255:
            found.append(f"category = {self.category}: allowed 1 to 255")
        if self.ltv_bps == 0:
            found.append("ltv_bps = 0: an e-mode needs an LTV")
        return found


def collateral_problems(ltv_bps: int, threshold_bps: int, bonus_bps: int) -> list[str]:
    """Why LTV, liquidation threshold and bonus do not go together; empty if they do.

    LTV <= threshold; a threshold above 0 needs a bonus above 10 000 and threshold · bonus <= 10 000 (half up), so that
    collateral at the threshold still pays for the bonus (Aave V3.6, `PoolConfigurator.configureReserveAsCollateral`).
    """
    found = []
    if min(ltv_bps, threshold_bps, bonus_bps) < 0:
        found.append(f"ltv {ltv_bps}, threshold {threshold_bps}, bonus {bonus_bps}: none may be negative")
    if ltv_bps > threshold_bps:
        found.append(f"ltv {ltv_bps} is above the liquidation threshold {threshold_bps}")
    if threshold_bps == 0:
        if bonus_bps != 0:
            found.append(f"liquidation bonus {bonus_bps}: must be 0 where the threshold is 0")
    elif bonus_bps <= PERCENTAGE_FACTOR:
        found.append(f"liquidation bonus {bonus_bps}: must be above {PERCENTAGE_FACTOR}")
    elif percent_mul_half_up(threshold_bps, bonus_bps) > PERCENTAGE_FACTOR:
        found.append(f"threshold {threshold_bps} times bonus {bonus_bps} is above 100 %")
    return found


class AccountData(NamedTuple):
    """One account's standing: values in USD with 8 decimals, weighted averages in bps (truncated), HF in wad.

    Without debt the health factor is `MAX`. `has_zero_ltv_collateral` says that such collateral must leave first.
    """

    total_collateral_base: int
    total_debt_base: int
    available_borrows_base: int
    ltv_bps: int
    liquidation_threshold_bps: int
    health_factor: int
    has_zero_ltv_collateral: bool


class Supplied(NamedTuple):
    """`amount` (token units) went in as `scaled` more aToken units of `account`."""

    asset: int
    account: int
    amount: int
    scaled: int


class Withdrawn(NamedTuple):
    """`amount` (token units) went to `receiver`, `scaled` aToken units were burnt."""

    asset: int
    receiver: int
    amount: int
    scaled: int


class Borrowed(NamedTuple):
    """`amount` (token units) was paid out against `scaled` more debt units."""

    asset: int
    amount: int
    scaled: int


class Repaid(NamedTuple):
    """`amount` (token units) of `account`'s debt was really repaid; `with_atokens` out of the payer's own supply."""

    asset: int
    account: int
    amount: int
    with_atokens: bool


class CollateralSet(NamedTuple):
    """The collateral flag of a supply, as it now stands."""

    asset: int
    enabled: bool


class EModeSet(NamedTuple):
    """The account's e-mode category, as it now stands (0 = none)."""

    category: int


class Transferred(NamedTuple):
    """`scaled` aToken units moved to `receiver` for an `amount` in token units."""

    asset: int
    receiver: int
    amount: int
    scaled: int


class Liquidation(NamedTuple):
    """A liquidation: amounts in token units of the debt and the collateral asset.

    `collateral_to_liquidator` excludes `protocol_fee`, which goes to the treasury as aTokens. `deficits` are the bad
    debts written off, (asset, token units) each. `health_factor` (wad) is the borrower's just before.
    """

    borrower: int
    collateral_asset: int
    debt_asset: int
    debt_repaid: int
    collateral_to_liquidator: int
    protocol_fee: int
    deficits: tuple[tuple[int, int], ...]
    health_factor: int
    receive_atoken: bool


class FlashLoan(NamedTuple):
    """A flash loan of `amount` that was paid back with `premium` (token units)."""

    asset: int
    amount: int
    premium: int


class TreasuryMinted(NamedTuple):
    """aTokens minted to the treasury: (asset, token units) each."""

    minted: tuple[tuple[int, int], ...]
