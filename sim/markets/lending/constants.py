"""Scales and fixed numbers of the lending pool (Aave V3.6, WadRayMath, PercentageMath, MathUtils, LiquidationLogic)."""

from __future__ import annotations

#: Largest unsigned 256-bit integer: "everything" as an amount, "no debt" as a health factor.
MAX = 2**256 - 1

WAD = 10**18
HALF_WAD = WAD // 2
RAY = 10**27
HALF_RAY = RAY // 2
#: Added before a division by RAY to round up (cheaper than negating twice).
CEIL_RAY = RAY - 1
WAD_RAY_RATIO = RAY // WAD

#: 100 % in basis points.
PERCENTAGE_FACTOR = 10_000
HALF_PERCENTAGE_FACTOR = PERCENTAGE_FACTOR // 2

#: The contracts ignore leap years.
SECONDS_PER_YEAR = 365 * 24 * 3600

#: One US dollar in the base currency (8 decimals), in which prices and values are held.
USD = 10**8

#: Below a health factor of 1 (wad) a position may be liquidated.
HEALTH_FACTOR_LIQUIDATION_THRESHOLD = WAD

#: Largest cap in whole tokens that the contract's storage holds.
MAX_CAP_TOKENS = 2**36 - 1

#: Bit 2r of an account's flags: it has debt in reserve r. Bit 2r + 1: its supply there is collateral.
MAX_RESERVES = 128
BORROWING_MASK = sum(1 << (2 * reserve) for reserve in range(MAX_RESERVES))
COLLATERAL_MASK = BORROWING_MASK << 1
