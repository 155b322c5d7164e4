"""The assumption band: which assumed figures of a scenario a study varies, over which ranges, and in which sets.

Depth and behaviour are known within a factor. The interval of a Monte Carlo figure says nothing of that; the band says
between what the figure moves as the assumed ones vary.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from scenarios import Scenario
from scenarios.assumed import reason_and_range, stated_range
from scenarios.fields import Value, resolved_table
from scenarios.schema import ASSUMPTION
from sim.studies.axes import Range
from sim.studies.errors import StudyError
from sim.studies.sampling import latin_hypercube

#: A range whose ends differ by this factor or more is sampled in even steps of the logarithm.
LOG_FROM = 10.0

#: Shares that add to 1 within each group; a set's shares are divided by their sum.
_SHARES = (
    re.compile(r"(outside)\.(?:permanent|fast|slow)_share"),
    re.compile(r"(amms\.[^.]+)\.ranges\.\d+\.share"),
)

_GAS = r"gas\..*|oracle\.report_.*|redemptions\..*_gas|populations\..*\.(gas_eth|gas_most_ratio|tip_share_.*)"
#: Fields that nothing reads while a mechanism is off.
_BY_MECHANISM = {
    "gas": re.compile(_GAS),
    "oracle_lag": re.compile(r"oracle\..*"),
}
#: Tables of a random process, which only the process of that kind reads.
_BY_PROCESS = {"jumps": ("jump_diffusion",), "bootstrap": ("bootstrap",)}
#: Fields that only one kind of AMM, or one fee market, reads.
_BY_KIND = {"amplification": "stableswap", "ranges": "concentrated"}
_BY_FEE_MARKET = {"gas.offer_margin_ratio": "first_price"}


class Assumed(NamedTuple):
    """What a study varies as assumptions, and the assumed figures that stay because no range is stated for them."""

    ranges: tuple[Range, ...]
    without_range: tuple[str, ...]


def assumed(scenario: Scenario, chosen: Collection[str] = ()) -> Assumed:
    """The assumed figures that count in this scenario, with their plausible ranges.

    The range that the scenario states beside its figure, else the schema's. Left out are figures that the design varies
    itself (`chosen`) or that were set by hand, figures that nothing reads as the scenario stands (a mechanism is off,
    another process or kind of pool is used), the only entry of a table of weights, and those without a range.
    """
    values = [value for value in resolved_table(scenario) if _is_assumed(value) and value.path not in chosen]
    ranges, without = [], []
    for value in values:
        if not _is_read(scenario, value.path) or _stands_alone(value.path, values):
            continue
        span = _span(value)
        if span is not None:
            ranges.append(span)
        elif not value.field.refers_to or value.field.type.startswith("table"):
            without.append(value.path)
    grouped = [group for group in map(share_group, (span.field for span in ranges)) if group]
    kept = tuple(span for span in ranges if not share_group(span.field) or grouped.count(share_group(span.field)) > 1)
    return Assumed(kept, tuple(without))


def assumption_sets(count: int, ranges: Sequence[Range], seed: int) -> list[dict[str, Any]]:
    """`count` sets of assumptions: a Latin hypercube over the ranges; shares that belong together add to 1 again."""
    sets = latin_hypercube(count, ranges, seed, "assumptions")
    for one in sets:
        groups: dict[str, list[str]] = {}
        for field in one:
            if group := share_group(field):
                groups.setdefault(group, []).append(field)
        for fields in groups.values():
            total = math.fsum(one[field] for field in fields)
            for field in fields:
                one[field] /= total
    return sets


def refuse_none(found: Assumed) -> None:
    """StudyError where a scenario has no assumed figure that could be varied."""
    if not found.ranges:
        raise StudyError("study", "assumptions", "no assumed figure with a range", "a scenario that has some")


def _is_assumed(value: Value) -> bool:
    number = isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return number and value.source.startswith(ASSUMPTION) and value.origin != "override"


def _is_read(scenario: Scenario, path: str) -> bool:
    for mechanism, pattern in _BY_MECHANISM.items():
        if not getattr(scenario.mechanisms, mechanism) and pattern.fullmatch(path):
            return False
    keys = path.split(".")
    if keys[0] == "prices" and keys[1] in _BY_PROCESS:
        return scenario.prices.process in _BY_PROCESS[keys[1]]
    if keys[0] == "amms" and keys[2] in _BY_KIND:
        return scenario.amms[keys[1]].kind == _BY_KIND[keys[2]]
    if path in _BY_FEE_MARKET:
        return scenario.gas.fee_market == _BY_FEE_MARKET[path]
    return True


def _stands_alone(path: str, values: Sequence[Value]) -> bool:
    """Whether it is the only weight of a table, which stands for all whatever its figure."""
    table, _, _ = path.rpartition(".")
    own = next(value for value in values if value.path == path)
    return own.field.unit == "weight" and [value.path.rpartition(".")[0] for value in values].count(table) == 1


def _span(value: Value) -> Range | None:
    """The range of an assumed figure inside its field's limits; None where none is stated."""
    field, entry, key = value.field, "", value.path
    if field.type.startswith("table"):
        key, _, entry = value.path.rpartition(".")
    _, words = reason_and_range(value.source, key.rpartition(".")[2])
    ends = stated_range(words, entry, float(value.value)) if words else field.plausible
    if ends is None:
        return None
    low = max(ends[0], -math.inf if field.lowest is None else field.lowest)
    high = min(ends[1], math.inf if field.highest is None else field.highest)
    if not low < high:
        return None
    whole = field.type == "whole number"
    return Range(value.path, low, high, not whole and low > 0 and high >= LOG_FROM * low, whole)


def share_group(field: str) -> str:
    """The group of shares that a field belongs to; empty for any other."""
    return next((found[1] for pattern in _SHARES if (found := pattern.fullmatch(field))), "")
