"""One reserve's parameters as they stand, and one e-mode's: records without behaviour, changed by `admin` alone."""

from __future__ import annotations

from sim.markets.lending.rates import RateModel
from sim.markets.lending.records import EModeParameters, ReserveParameters


class Reserve:
    """The parameters of a listed reserve. No `__slots__`: the undo journal writes through `vars(reserve)`.

    `frozen` stops supplying and borrowing, `paused` stops everything. `pending_ltv_bps` keeps the LTV that freezing set
    to zero, until `set_ltv_zero(..., False)` brings it back.
    """

    def __init__(self, index: int, symbol: str, decimals: int, parameters: ReserveParameters) -> None:
        self.index = index
        self.symbol = symbol
        self.token = parameters.token
        self.decimals = decimals
        self.unit = 10**decimals
        self.rate_model: RateModel = parameters.rate_model
        self.ltv_bps = parameters.ltv_bps
        self.pending_ltv_bps = 0
        self.liquidation_threshold_bps = parameters.liquidation_threshold_bps
        self.liquidation_bonus_bps = parameters.liquidation_bonus_bps
        self.reserve_factor_bps = parameters.reserve_factor_bps
        self.liquidation_protocol_fee_bps = parameters.liquidation_protocol_fee_bps
        self.supply_cap_tokens = parameters.supply_cap_tokens
        self.borrow_cap_tokens = parameters.borrow_cap_tokens
        self.borrowing_enabled = parameters.borrowing_enabled
        self.flash_loan_enabled = parameters.flash_loan_enabled
        self.frozen = False
        self.paused = False


class EMode:
    """The parameters of an e-mode. `collateral`, `ltv_zero` and `borrowable` are bit masks over reserve ids."""

    def __init__(self, parameters: EModeParameters) -> None:
        self.category = parameters.category
        self.label = parameters.label
        self.ltv_bps = parameters.ltv_bps
        self.liquidation_threshold_bps = parameters.liquidation_threshold_bps
        self.liquidation_bonus_bps = parameters.liquidation_bonus_bps
        self.collateral = mask_of(parameters.collateral)
        self.ltv_zero = 0
        self.borrowable = mask_of(parameters.borrowable)


def mask_of(assets: tuple[int, ...]) -> int:
    """The bit mask with bit r set for every reserve id r."""
    mask = 0
    for asset in assets:
        mask |= 1 << asset
    return mask
