"""The lending pool: rules, reserves and e-mode categories, with the precision the contracts store (basis points)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator

from scenarios.schema.base import Section, Sequence, Table, Whole, empty_table, field, source_field


def _whole_basis_points(value: float) -> float:
    if abs(value * 10_000 - round(value * 10_000)) > 1e-6:
        raise ValueError("must be a whole number of basis points (multiple of 0.0001), as the contracts store it")
    return value


def bps(ratio: float) -> int:
    """A ratio as whole basis points: 0.805 is 8050."""
    return round(ratio * 10_000)


Bps = Annotated[float, AfterValidator(_whole_basis_points)]
Category = Annotated[int, BeforeValidator(lambda key: int(key) if isinstance(key, str) and key.isdecimal() else key)]


class Reserve(Section):
    """Parameters of one reserve (Aave V3.6), ratios as decimals and rates per year."""

    ltv: Bps = field(0.0, "Share of this collateral's value that may be borrowed (0: cannot back new debt)", ge=0, le=1)
    liquidation_threshold: Bps = field(
        0.0,
        "Share of this collateral's value that counts in the health factor (0: not accepted as collateral)",
        ge=0,
        le=1,
    )
    liquidation_bonus: Bps = field(0.0, "Extra collateral a liquidator gets, as share of the debt's value", ge=0, le=1)
    liquidation_protocol_fee: Bps = field(0.0, "Share of the bonus that goes to the treasury", ge=0, le=1)
    reserve_factor: Bps = field(0.0, "Share of the interest that goes to the treasury", ge=0, le=1)
    supply_cap_tokens: Whole = field(0, "Most that may be supplied (0: no cap)", unit="tokens", ge=0, lt=2**36)
    borrow_cap_tokens: Whole = field(0, "Most that may be borrowed (0: no cap)", unit="tokens", ge=0, lt=2**36)
    borrowing_enabled: bool = field(True, "New borrowing is allowed")
    flash_loan_enabled: bool = field(True, "Flash loans are allowed")
    frozen: bool = field(False, "No new supply or borrowing")
    paused: bool = field(False, "No operation at all")
    optimal_utilisation: Bps = field(0.9, "Utilisation at the kink of the rate curve", ge=0.01, le=0.99)
    base_rate_per_year: Bps = field(0.0, "Borrow rate at utilisation 0", unit="1/year", ge=0, le=10)
    slope1_per_year: Bps = field(0.0, "Rise of the borrow rate up to the kink", unit="1/year", ge=0, le=10)
    slope2_per_year: Bps = field(0.0, "Further rise from the kink to utilisation 1", unit="1/year", ge=0, le=10)
    source: str = source_field()


class EMode(Section):
    """An e-mode category: higher thresholds for assets that move together."""

    label: str = field("", "Name of the category")
    ltv: Bps = field(..., "LTV inside the category", ge=0, le=1)
    liquidation_threshold: Bps = field(..., "Liquidation threshold inside the category", ge=0, le=1)
    liquidation_bonus: Bps = field(..., "Liquidation bonus inside the category", ge=0, le=1)
    collateral: Sequence[str] = field((), "Reserves that count as collateral at these terms", refers_to="reserve")
    borrowable: Sequence[str] = field((), "Reserves that may be borrowed in the category", refers_to="reserve")
    source: str = source_field()


class Pool(Section):
    """One lending pool."""

    rules: Literal["3.6", "3.0", "2"] = field(
        "3.6", "Close-factor and dust rules: Aave 3.6; 3.0; or 2 (half of the chosen debt, no dust rule, no deficit)"
    )
    flash_premium_bps: Whole = field(
        5, "Premium of a flash loan", unit="bps", source="Aave V3 default", ge=0, le=10_000
    )
    reserves: Table[str, Reserve] = field(
        None, "One table for each asset that is listed", refers_to="asset", factory=empty_table
    )
    emodes: Table[Category, EMode] = field(None, "E-mode categories by number, 1 to 255", factory=empty_table)
    source: str = source_field()
