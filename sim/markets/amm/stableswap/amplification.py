"""The amplification parameter and its ramps (Balancer V2 `StablePool` 2.0.0, the same line as in Curve's pools).

Values are thousandths of A (`milli`), times are seconds. A pool's A is the StableSwap paper's A times n^(n−1).
"""

from __future__ import annotations

from sim.chain.revert import Revert
from sim.markets.amm.stableswap.constants import (
    AMP_PRECISION,
    AMPLIFICATION_TOO_HIGH,
    AMPLIFICATION_TOO_LOW,
    MAX_AMPLIFICATION,
    MAX_DAILY_FACTOR,
    MIN_AMPLIFICATION,
    MIN_RAMP_SECONDS,
    RAMP_TOO_SHORT,
    RAMP_TOO_STEEP,
    SUB_OVERFLOW,
)

_SECONDS_PER_DAY = 86_400


def ramped(start_milli: int, end_milli: int, start_timestamp: int, end_timestamp: int, timestamp: int) -> int:
    """A on its way: start + (end − start)·(now − t0)/(t1 − t0), the change rounded towards zero; flat outside."""
    if timestamp >= end_timestamp:
        return end_milli
    elapsed, duration = max(timestamp - start_timestamp, 0), end_timestamp - start_timestamp
    if end_milli >= start_milli:
        return start_milli + (end_milli - start_milli) * elapsed // duration
    return start_milli - (start_milli - end_milli) * elapsed // duration


def check_target(end_amplification: int, duration_seconds: int) -> int:
    """The end value in thousandths.

    Reverts BAL#300 or BAL#301 outside 1 to 5000, BAL#001 for an end before the start, BAL#317 for less than a day.
    """
    if end_amplification < MIN_AMPLIFICATION:
        raise Revert(AMPLIFICATION_TOO_LOW)
    if end_amplification > MAX_AMPLIFICATION:
        raise Revert(AMPLIFICATION_TOO_HIGH)
    if duration_seconds < MIN_RAMP_SECONDS:
        raise Revert(RAMP_TOO_SHORT if duration_seconds >= 0 else SUB_OVERFLOW)
    return end_amplification * AMP_PRECISION


def check_steepness(start_milli: int, end_milli: int, duration_seconds: int) -> None:
    """Reverts BAL#319 where A would change by more than a factor of two a day.

    The test is ceil(86400·larger / (smaller·duration)) > 2.
    """
    smaller, larger = sorted((start_milli, end_milli))
    if -(-_SECONDS_PER_DAY * larger // (smaller * duration_seconds)) > MAX_DAILY_FACTOR:
        raise Revert(RAMP_TOO_STEEP)
