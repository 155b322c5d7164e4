"""Bounds of a stable pool and the contract's names of its refusals (Balancer V2 error codes, "BAL#" and a number)."""

from __future__ import annotations

from typing import Final

MAX_UINT256: Final = (1 << 256) - 1
#: A vault keeps balances in 112 bits.
MAX_RESERVE: Final = (1 << 112) - 1

#: Amplification is kept in thousandths.
AMP_PRECISION: Final = 1_000
MIN_AMPLIFICATION: Final = 1
MAX_AMPLIFICATION: Final = 5_000
#: A ramp lasts a day at least, and may at most double or halve the amplification per day.
MIN_RAMP_SECONDS: Final = 86_400
MAX_DAILY_FACTOR: Final = 2

MIN_TOKENS: Final = 2
MAX_TOKENS: Final = 5
#: Decimals to which every balance is scaled.
SCALED_DECIMALS: Final = 18
#: Shares locked for ever at the first deposit.
MINIMUM_SHARES: Final = 10**6

MIN_FEE_PIPS: Final = 1
MAX_FEE_PIPS: Final = 100_000
#: One millionth in 18-decimal fixed point.
PIP_WAD: Final = 10**12
#: Redemption rates are 18-decimal numbers in 128 bits.
MAX_RATE_WAD: Final = (1 << 128) - 1

#: Newton's method gives up after this many rounds.
MAX_ROUNDS: Final = 255

ADD_OVERFLOW: Final = "BAL#000"
SUB_OVERFLOW: Final = "BAL#001"
MUL_OVERFLOW: Final = "BAL#003"
ZERO_DIVISION: Final = "BAL#004"
DIVISION_INTERNAL: Final = "BAL#005"
LENGTHS_DIFFER: Final = "BAL#103"
FEE_TOO_HIGH: Final = "BAL#202"
FEE_TOO_LOW: Final = "BAL#203"
TOO_FEW_SHARES: Final = "BAL#204"
UNINITIALIZED: Final = "BAL#206"
SHARES_IN_ABOVE_MAX: Final = "BAL#207"
SHARES_OUT_BELOW_MIN: Final = "BAL#208"
AMPLIFICATION_TOO_LOW: Final = "BAL#300"
AMPLIFICATION_TOO_HIGH: Final = "BAL#301"
RAMP_TOO_SHORT: Final = "BAL#317"
RAMP_ONGOING: Final = "BAL#318"
RAMP_TOO_STEEP: Final = "BAL#319"
NO_RAMP: Final = "BAL#320"
NOT_CONVERGED: Final = "BAL#322"
RATE_OVERFLOW: Final = "BAL#329"
SHARES_EXCEED_BALANCE: Final = "BAL#416"
BURN_EXCEEDS_BALANCE: Final = "BAL#417"
BELOW_MIN_OUT: Final = "BAL#505"
ABOVE_MAX_IN: Final = "BAL#506"
SWAP_LIMIT: Final = "BAL#507"
SAME_TOKEN: Final = "BAL#509"
ZERO_AMOUNT: Final = "BAL#510"
RESERVE_OVERFLOW: Final = "BAL#526"
