"""Governance: changes of the lending pool's parameters while it runs."""

from __future__ import annotations

from scenarios.schema.base import Section, Whole, field, source_field
from scenarios.schema.pool import Bps

#: Fields of a change that are parameters of a reserve, and those that an e-mode has as well.
EMODE_PARAMETERS = ("ltv", "liquidation_threshold", "liquidation_bonus")
RESERVE_PARAMETERS = (
    *EMODE_PARAMETERS,
    "liquidation_protocol_fee",
    "reserve_factor",
    "supply_cap_tokens",
    "borrow_cap_tokens",
    "borrowing_enabled",
    "flash_loan_enabled",
    "frozen",
    "paused",
    "optimal_utilisation",
    "base_rate_per_year",
    "slope1_per_year",
    "slope2_per_year",
)


class Change(Section):
    """One decision: new parameters of a reserve or of an e-mode from a time on. What is left out stays as it is."""

    at_seconds: Whole = field(..., "When it takes effect, after the start of the run", unit="s", ge=0)
    reserve: str | None = field(None, "Reserve that is changed", refers_to="reserve")
    emode: Whole | None = field(None, "E-mode category that is changed", refers_to="emode", ge=1, le=255)
    ltv: Bps | None = field(None, "New loan-to-value ratio", ge=0, le=1)
    liquidation_threshold: Bps | None = field(None, "New liquidation threshold", gt=0, le=1)
    liquidation_bonus: Bps | None = field(None, "New liquidation bonus", ge=0, le=1)
    liquidation_protocol_fee: Bps | None = field(None, "New treasury share of the bonus", ge=0, le=1)
    reserve_factor: Bps | None = field(None, "New treasury share of the interest", ge=0, le=1)
    supply_cap_tokens: Whole | None = field(None, "New supply cap (0: none)", unit="tokens", ge=0, lt=2**36)
    borrow_cap_tokens: Whole | None = field(None, "New borrow cap (0: none)", unit="tokens", ge=0, lt=2**36)
    borrowing_enabled: bool | None = field(None, "Whether new borrowing is allowed")
    flash_loan_enabled: bool | None = field(None, "Whether flash loans are allowed")
    frozen: bool | None = field(None, "Freeze (no new supply or borrowing, LTV 0), or unfreeze")
    paused: bool | None = field(None, "Pause every operation, or resume")
    optimal_utilisation: Bps | None = field(None, "New kink of the rate curve", ge=0.01, le=0.99)
    base_rate_per_year: Bps | None = field(None, "New borrow rate at utilisation 0", unit="1/year", ge=0, le=10)
    slope1_per_year: Bps | None = field(None, "New rise up to the kink", unit="1/year", ge=0, le=10)
    slope2_per_year: Bps | None = field(None, "New rise from the kink on", unit="1/year", ge=0, le=10)
    source: str = source_field()
