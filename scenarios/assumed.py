"""Assumed figures: the reason and the range that a source states, in the words of scenario files.

A source that begins with "assumption" may end on the ranges of the keys beside it, each after a semicolon:
`assumption: no record; count 5 to 70; supply_usd USDC 1M to 5M, WETH 2M to 9M; share any (equal parts)`.
"""

from __future__ import annotations

import re

from scenarios.schema import ASSUMPTION

_NUMBER = r"-?(?:\d[\d,]*\.?\d*|\.\d+)[kMB]?"
_SPAN = re.compile(rf"(?:(?P<name>[A-Za-z]\S*) )?(?P<low>{_NUMBER}) to (?P<high>{_NUMBER})(?P<how> each| times these)?")
_FACTORS = {"k": 1e3, "M": 1e6, "B": 1e9}


def reason_and_range(source: str, key: str) -> tuple[str, str]:
    """A source taken apart: the reason without the word "assumption", and the words that state the range of `key`."""
    reason, *ranges = source.split("; ")
    stated = next((text.removeprefix(f"{key} ") for text in ranges if text.startswith(f"{key} ")), "")
    return reason.removeprefix(ASSUMPTION).lstrip(":, ") or "no source found", stated


def stated_range(words: str, entry: str, value: float) -> tuple[float, float] | None:
    """Lowest and highest value that the words state for the `entry` of a table, or for a single figure (entry "").

    Forms: `5 to 70`, `5M to 500M each`, `0.5 to 1.2 times these` (of `value`), `USDC .8 to .95, USDT .6 to .9`. None
    for words that state no two ends, as `any (equal parts)`, and for an entry that is not among those named.
    """
    for part in words.split(", "):
        span = _SPAN.fullmatch(part.strip())
        if span is None:
            return None
        if span["name"] in (None, entry):
            low, high = _figure(span["low"]), _figure(span["high"])
            return (low * value, high * value) if span["how"] == " times these" else (low, high)
    return None


def _figure(text: str) -> float:
    """A figure as people write it: 20M, 1,100M, .05."""
    factor = _FACTORS.get(text[-1], 1.0)
    return float(text.rstrip("kMB").replace(",", "")) * factor
