"""Fixed-point scales, integer widths and limits of Uniswap V3."""

from __future__ import annotations

from typing import Final

Q96: Final = 1 << 96
Q128: Final = 1 << 128
MASK_128: Final = (1 << 128) - 1
MASK_160: Final = (1 << 160) - 1
MASK_256: Final = (1 << 256) - 1
#: Largest amount a swap may be asked for (`int256`).
MAX_AMOUNT: Final = (1 << 255) - 1
#: Largest change of liquidity in one call (`int128`).
MAX_LIQUIDITY_DELTA: Final = (1 << 127) - 1
#: Fees are in hundredths of a basis point.
PIPS: Final = 1_000_000

MIN_TICK: Final = -887272
MAX_TICK: Final = 887272
#: Q96 sqrt price at the lowest and highest tick: sqrt(1.0001^tick) · 2^96.
MIN_SQRT_RATIO: Final = 4295128739
MAX_SQRT_RATIO: Final = 1461446703485210103287273052203988822378723970342
