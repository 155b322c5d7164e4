"""Numbers as people read them: $1.23 M, 45.1 %, 2 h 10 min."""

from __future__ import annotations

import math
from datetime import UTC, datetime

MISSING = "–"
_STEPS = ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k"))


def usd(value: float | None) -> str:
    """US dollars to three or four figures: $1.23 M, -$45.6 k, $0."""
    if value is None or not math.isfinite(value):
        return MISSING
    sign = "-" if value < 0 else ""
    size = abs(value)
    if size < 0.005:
        return "$0"
    for factor, word in _STEPS:
        if size >= factor * 0.9995:
            return f"{sign}${_figures(size / factor)}{word}"
    return f"{sign}${_figures(size)}" if size >= 1 else f"{sign}${size:.2f}"


def price(value: float | None) -> str:
    """A price in USD with enough digits to tell small changes: $2,480.15, $0.9987, $60,211."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    digits = 0 if size >= 10_000 else 2 if size >= 10 else 4
    return f"{'-' if value < 0 else ''}${size:,.{digits}f}"


def percent(value: float | None, digits: int | None = None) -> str:
    """A ratio as a percentage: 45.1 %, 0.032 %."""
    if value is None or not math.isfinite(value):
        return MISSING
    hundred = value * 100
    if digits is None:
        size = abs(hundred)
        digits = 1 if size >= 1 or size < 5e-5 else 2 if size >= 0.1 else 3
    text = f"{hundred:,.{digits}f}"
    return f"{'0' if float(text.replace(',', '')) == 0 else text} %"


def number(value: float | None) -> str:
    """A plain number: counts in full, others to four figures."""
    if value is None or not math.isfinite(value):
        return MISSING
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def gwei(value: float | None) -> str:
    """A gas price in gwei."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{_figures(value)} gwei" if value >= 1 else f"{value:.3g} gwei"


def count(value: int, one: str, many: str = "") -> str:
    """A number of things: 1 liquidation, 3 liquidations."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def seconds(value: float | None) -> str:
    """A length of time in its two largest units: 3.2 s, 12 min 5 s, 2 d 4 h."""
    if value is None or not math.isfinite(value):
        return MISSING
    if value < 60:
        return f"{value:.1f} s" if value < 10 and value != int(value) else f"{value:.0f} s"
    whole = round(value)
    units = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    place = next(place for place, (size, _) in enumerate(units) if whole >= size)
    large, small = units[place], units[place + 1]
    rest = (whole % large[0]) // small[0]
    return f"{whole // large[0]} {large[1]}" + (f" {rest} {small[1]}" if rest else "")


def moment(timestamp: float | None) -> str:
    """A time in UTC to the minute: 12 Mar 2020, 10:43 UTC."""
    if timestamp is None or not math.isfinite(timestamp):
        return MISSING
    return datetime.fromtimestamp(int(timestamp), UTC).strftime("%d %b %Y, %H:%M UTC").removeprefix("0")


def clock(timestamp: float | None) -> str:
    """The same, short: 12 Mar 10:43."""
    if timestamp is None or not math.isfinite(timestamp):
        return MISSING
    return datetime.fromtimestamp(int(timestamp), UTC).strftime("%d %b %H:%M").removeprefix("0")


def joined(words: list[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _figures(size: float) -> str:
    return f"{size:,.0f}" if size >= 99.95 else f"{size:.1f}" if size >= 9.995 else f"{size:.2f}"
