"""The reasons the lending pool gives for a refusal: the names of the contract's custom errors (Aave V3.6, Errors)."""

from __future__ import annotations

from sim.chain.revert import ARITHMETIC as ARITHMETIC

INVALID_AMOUNT = "InvalidAmount"
INVALID_BURN_AMOUNT = "InvalidBurnAmount"
NOT_ENOUGH_BALANCE = "NotEnoughAvailableUserBalance"
UNDERLYING_BALANCE_ZERO = "UnderlyingBalanceZero"
SUPPLY_TO_ATOKEN = "SupplyToAToken"
WITHDRAW_TO_ATOKEN = "WithdrawToAToken"

RESERVE_FROZEN = "ReserveFrozen"
RESERVE_PAUSED = "ReservePaused"
BORROWING_NOT_ENABLED = "BorrowingNotEnabled"
FLASHLOAN_DISABLED = "FlashloanDisabled"
SUPPLY_CAP_EXCEEDED = "SupplyCapExceeded"
BORROW_CAP_EXCEEDED = "BorrowCapExceeded"

HEALTH_FACTOR_TOO_LOW = "HealthFactorLowerThanLiquidationThreshold"
LTV_VALIDATION_FAILED = "LtvValidationFailed"
COLLATERAL_CANNOT_COVER = "CollateralCannotCoverNewBorrow"
LTV_ZERO = "UserInIsolationModeOrLtvZero"

NO_DEBT = "NoDebtOfSelectedType"
NO_EXPLICIT_AMOUNT = "NoExplicitAmountToRepayOnBehalf"

SELF_LIQUIDATION = "SelfLiquidation"
HEALTH_FACTOR_NOT_BELOW = "HealthFactorNotBelowThreshold"
COLLATERAL_CANNOT_BE_LIQUIDATED = "CollateralCannotBeLiquidated"
CURRENCY_NOT_BORROWED = "SpecifiedCurrencyNotBorrowedByUser"
MUST_NOT_LEAVE_DUST = "MustNotLeaveDust"

INCONSISTENT_EMODE = "InconsistentEModeCategory"
INVALID_DEBT_IN_EMODE = "InvalidDebtInEmode"
INVALID_COLLATERAL_IN_EMODE = "InvalidCollateralInEmode"
NOT_BORROWABLE_IN_EMODE = "NotBorrowableInEMode"

INVALID_SUPPLY_CAP = "InvalidSupplyCap"
INVALID_BORROW_CAP = "InvalidBorrowCap"
INVALID_RESERVE_PARAMS = "InvalidReserveParams"
INVALID_RESERVE_FACTOR = "InvalidReserveFactor"
INVALID_LIQUIDATION_FEE = "InvalidLiquidationProtocolFee"
INVALID_FREEZE_STATE = "InvalidFreezeState"
INVALID_LTV_ZERO_STATE = "InvalidLtvzeroState"
INVALID_EMODE_PARAMS = "InvalidEmodeCategoryParams"
MUST_BE_EMODE_COLLATERAL = "MustBeEmodeCollateral"
FLASHLOAN_PREMIUM_INVALID = "FlashloanPremiumInvalid"
RESERVE_LIQUIDITY_NOT_ZERO = "ReserveLiquidityNotZero"
INVALID_OPTIMAL_USAGE = "InvalidOptimalUsageRatio"
SLOPE2_BELOW_SLOPE1 = "Slope2MustBeGteSlope1"
INVALID_MAX_RATE = "InvalidMaxRate"

#: A 256-bit overflow or division by zero in the wad, ray and percentage arithmetic reverts without a reason.
EMPTY = "reverted without a reason"
