"""The values of one field in a design: those of a grid, and the range of a sample."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from scenarios.fields import Value, resolved_table
from scenarios.merging import parse_value
from scenarios.schema import Scenario
from sim.results.manifest import plain
from sim.studies.errors import StudyError

#: A step as small as a typing mistake would make a design that never ends.
MOST_VALUES = 100_000

_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_STORED_IN_BPS = re.compile(r"pool\.(reserves|emodes)\..*")
_GRID = "LOW:HIGH:STEP, or values with commas between, as in 0.78,0.80,0.82"
_RANGE = "LOW:HIGH, or LOW:HIGH:log for even steps of the logarithm"


class Range(NamedTuple):
    """What a sample varies: the field, its lowest and highest value, the scale, and whether values are whole.

    `bps`: values are whole basis points, as the contracts store the pool's ratios and rates.
    """

    field: str
    low: float
    high: float
    log: bool = False
    whole: bool = False
    bps: bool = False

    def value(self, share: float) -> float | int:
        """The value at a share from 0 to 1 of the range, to nine significant digits."""
        if self.whole:
            return min(int(self.low + share * (self.high - self.low + 1)), int(self.high))
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            value = math.exp(low + share * (high - low))
        else:
            value = self.low + share * (self.high - self.low)
        return round(value, 4) if self.bps else _nine_digits(value)


def _nine_digits(value: float) -> float:
    return float(f"{value:.9g}")


def split_assignment(text: str, option: str) -> tuple[str, str]:
    """`a.b=values` as field and values; StudyError without either."""
    field, separator, values = text.partition("=")
    if not separator or not field.strip() or not values.strip():
        raise StudyError(option, text, text, f"FIELD={_GRID}")
    return field.strip(), values.strip()


def grid_values(field: str, given: Any, where: str) -> tuple[Any, ...]:
    """The values of a grid's axis: from `low:high:step` (both ends included), from text with commas, or from a list.

    StudyError for a range that holds nothing, and for one that is not complete.
    """
    if isinstance(given, str):
        text = given.strip()
        parts = text.split(":")
        if len(parts) > 1 and all(_NUMBER.match(part.strip()) for part in parts):
            return _steps(field, parts, where)
        given = parse_value(text) if text.startswith("[") else [parse_value(part.strip()) for part in text.split(",")]
    values = tuple(map(plain, given)) if isinstance(given, list | tuple) else (plain(given),)
    if not values or any(value == "" for value in values):
        raise StudyError(where, field, str(given), f"at least one value: {_GRID}")
    return values


def _steps(field: str, parts: list[str], where: str) -> tuple[int | float, ...]:
    given = ":".join(parts)
    if len(parts) != 3:
        raise StudyError(where, field, given, _GRID)
    low, high, step = (Decimal(part.strip()) for part in parts)
    if step == 0 or (high - low) / step < 0:
        raise StudyError(where, f"{field}: the range is empty", given, "LOW at most HIGH, and STEP above 0")
    count = int((high - low) / step) + 1
    if count > MOST_VALUES:
        raise StudyError(where, field, f"{given} ({count:,} values)", f"at most {MOST_VALUES:,} values")
    whole = not any(mark in given for mark in ".eE")
    values = [low + k * step for k in range(count)]
    return tuple(int(value) if whole else float(value) for value in values)


def sample_range(
    field: str, given: Any, scenario: Scenario, where: str, table: Mapping[str, Value] | None = None
) -> Range:
    """The range of a sampled field: `low:high`, `low:high:log`, `[low, high]`, or nothing for the schema's own.

    The schema's own is the plausible range of an assumption, else the field's limits where it has both. StudyError for
    an empty range, for a field that holds no number, and where no range is known. `table` is the scenario's resolved
    table by path, for those who ask for many fields.
    """
    known = ({value.path: value for value in resolved_table(scenario)} if table is None else table).get(field)
    whole = known is not None and _is_whole(known)
    in_bps = bool(_STORED_IN_BPS.fullmatch(field)) and not whole
    if known is not None and (isinstance(known.value, bool) or not isinstance(known.value, int | float)):
        raise StudyError(where, field, str(known.value), "a field that holds a number")
    if given in (None, ""):
        return Range(field, *_own_range(field, known, where), whole=whole, bps=in_bps)
    parts = given.split(":") if isinstance(given, str) else list(given) if isinstance(given, list | tuple) else []
    log = len(parts) == 3 and str(parts[2]).strip() == "log"
    if not (len(parts) == 2 or log) or not all(_NUMBER.match(str(part).strip()) for part in parts[:2]):
        raise StudyError(where, field, str(given), _RANGE)
    low, high = (float(str(part).strip()) for part in parts[:2])
    if low >= high or not math.isfinite(high - low):
        raise StudyError(where, f"{field}: the range is empty", str(given), "LOW below HIGH")
    if log and low <= 0:
        raise StudyError(where, field, str(given), "LOW above 0 for a logarithmic scale")
    return Range(field, low, high, log and not whole, whole, in_bps)


def _is_whole(known: Value) -> bool:
    return known.field.type == "whole number"


def _own_range(field: str, known: Value | None, where: str) -> tuple[float, float]:
    if known is not None:
        if known.field.plausible is not None:
            return known.field.plausible
        if known.field.lowest is not None and known.field.highest is not None:
            return known.field.lowest, known.field.highest
    raise StudyError(where, field, "no range", f"the schema states no range for it: {field}={_RANGE}")
