"""Ethereum by date: gas limit, fee market, and the price of gas that was usual."""

from __future__ import annotations

import csv
import statistics
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

GAS_PRICES = Path(__file__).parent / "paths" / "market" / "eth_avg_gas_price_daily_gwei_2018_2026.csv"

#: Days before a date whose median is the price of gas that was usual then.
USUAL_DAYS = 30


class Era(NamedTuple):
    """What holds from a moment on."""

    since: datetime
    block_gas_limit: int
    first_price: bool
    source: str


def _utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


#: Gas limits of Ethereum. Until London (EIP-1559) blocks were filled to the limit; since then it is twice the target.
ERAS = (
    Era(_utc(2018, 1, 1), 8_000_000, True, "recollection"),
    Era(_utc(2019, 9, 20), 10_000_000, True, "10M in March 2020: MyCrypto; day remembered"),
    Era(_utc(2020, 6, 20), 12_500_000, True, "recollection"),
    Era(_utc(2021, 4, 22), 15_000_000, True, "15M in May 2021: MyCrypto; day remembered"),
    Era(_utc(2021, 8, 5, 12, 34), 30_000_000, False, "London, block 12,965,000; 30M in 2022 to 2024: public"),
    Era(_utc(2025, 2, 4), 36_000_000, False, "public"),
    Era(_utc(2025, 7, 21), 45_000_000, False, "public"),
    Era(_utc(2025, 11, 25), 60_000_000, False, "public, day remembered"),
)


def era_at(moment: datetime) -> Era:
    """The era that holds at a moment; the first one for anything earlier."""
    return next((era for era in reversed(ERAS) if era.since <= moment), ERAS[0])


@lru_cache(maxsize=1)
def daily_gwei() -> dict[date, float]:
    """Mean gas price of each day, gwei."""
    with GAS_PRICES.open(newline="", encoding="utf-8") as file:
        return {date.fromisoformat(row["date"]): float(row["gwei"]) for row in csv.DictReader(file)}


def usual_gwei(day: date) -> float:
    """Median of the daily mean gas prices of the 30 days before `day`; `LookupError` outside of the table."""
    table = daily_gwei()
    before = [table.get(day - timedelta(days=back)) for back in range(1, USUAL_DAYS + 1)]
    known = [gwei for gwei in before if gwei is not None]
    if len(known) < USUAL_DAYS // 2:
        first, last = min(table) + timedelta(days=USUAL_DAYS), max(table)
        raise LookupError(f"no gas prices before {day}; the table serves {first} to {last}")
    return statistics.median(known)
