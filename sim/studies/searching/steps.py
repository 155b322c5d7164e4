"""In what steps each kind of parameter is changed, and how far at once: what governance practice allows.

Source of the limits of a change without a vote: Aave's risk stewards, github.com/aave-dao/aave-v3-risk-stewards,
scripts/deploy/DeployStewards.s.sol (2025): LTV, threshold and bonus 0.5 points, base rate and slope 1 one point, slope
2 20 points, kink 3 points, caps 100 %, each at most every 3 days. The resolution of the search is our choice.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from scenarios import Scenario
from scenarios.fields import Value, resolved_table
from sim.studies.design import NOT_VARIED
from sim.studies.errors import StudyError

_RESERVE = r"pool\.(reserves|emodes)\.[^.]+\."
_STEWARDS = "Aave risk stewards, DeployStewards.s.sol (2025)"

#: More values than this would make a search that nobody waits for.
MOST_VALUES = 400


@dataclass(frozen=True)
class StepLimit:
    """How a kind of parameter is changed.

    `step` is the resolution of the search and `most` the largest change at once, both in the parameter's own unit, or
    with `relative` as factors; `most` None: no limit is known. `capacity`: +1 where a higher value lets more be
    borrowed, 0 where it does so only by way of what people do.
    """

    kind: str
    fields: str
    step: float
    most: float | None
    relative: bool
    capacity: int
    source: str


STEP_LIMITS = (
    StepLimit(
        "threshold",
        _RESERVE + "(liquidation_threshold|ltv)",
        0.005,
        0.03,
        False,
        1,
        f"step: the most without a vote, {_STEWARDS}; most: assumption: a reduction by vote hits open positions, and"
        " such proposals go by 1 to 3 points",
    ),
    StepLimit(
        "bonus",
        _RESERVE + "liquidation_bonus",
        0.005,
        0.02,
        False,
        0,
        f"step: the most without a vote, {_STEWARDS}; most: assumption: a few steps, between 0.01 and 0.03",
    ),
    StepLimit(
        "cap",
        _RESERVE + "(supply_cap_tokens|borrow_cap_tokens)",
        2.0**0.125,
        2.0,
        True,
        1,
        f"most: 100 %, {_STEWARDS}; step: assumption: eight to a doubling",
    ),
    StepLimit(
        "rate",
        _RESERVE + "(base_rate_per_year|slope1_per_year)",
        0.0025,
        0.01,
        False,
        0,
        f"most: {_STEWARDS}; step: assumption: a quarter of it",
    ),
    StepLimit(
        "steep slope",
        _RESERVE + "slope2_per_year",
        0.05,
        0.20,
        False,
        0,
        f"most: {_STEWARDS}; step: assumption: a quarter of it",
    ),
    StepLimit(
        "kink",
        _RESERVE + "optimal_utilisation",
        0.01,
        0.03,
        False,
        0,
        f"most: {_STEWARDS}; step: assumption: a third of it",
    ),
)


@dataclass(frozen=True)
class Choice:
    """What the search chooses from: the field, its present value, the values in ascending order, and their steps."""

    field: str
    present: float
    values: tuple[float, ...]
    whole: bool
    limit: StepLimit

    def changes_to(self, value: float) -> list[float]:
        """The values that lead from the present one to `value`, none further from the one before than `limit.most`."""
        most = self.limit.most
        if most is None or value == self.present or (self.limit.relative and self.present <= 0):
            return [value]
        if self.limit.relative:
            count = math.ceil(abs(math.log(value / self.present)) / math.log(most) - 1e-9)
        else:
            count = math.ceil(abs(value - self.present) / most - 1e-9)
        up = 1.0 if value > self.present else -1.0
        if self.limit.relative:
            path = [self.present * most ** (up * k) for k in range(1, count)]
        else:
            path = [self.present + up * most * k for k in range(1, count)]
        return [_plain(one, self.whole) for one in path] + [value]


def choice(scenario: Scenario, text: str, step: float | None = None) -> Choice:
    """What `FIELD`, `FIELD=LOW:HIGH` or `FIELD=LOW:HIGH:STEP` lets the search choose from.

    Without a range: what one change reaches from the present value. The present value is among them if it lies in the
    range. StudyError for a field that is not known or holds no number, and for an empty range.
    """
    field, _, given = (part.strip() for part in text.partition("="))
    known = _known(scenario, field)
    present, whole = float(known.value), known.field.type == "whole number"
    low, high, own_step = _range(field, given)
    limit = next((one for one in STEP_LIMITS if re.fullmatch(one.fields, field)), None)
    if limit is None:
        if low is None or high is None:
            raise StudyError("--vary", field, "no range", f"no step limit is known for it: {field}=LOW:HIGH:STEP")
        limit = StepLimit("other", field, (high - low) / 20, None, False, 0, "assumption: twenty steps to the range")
    given_step = own_step or step
    if given_step is not None:
        if given_step <= (1.0 if limit.relative else 0.0):
            raise StudyError("--step", field, f"{given_step:g}", "above 1, a factor" if limit.relative else "above 0")
        limit = StepLimit(
            limit.kind, limit.fields, given_step, limit.most, limit.relative, limit.capacity, limit.source
        )
    if low is None or high is None:
        low, high = _reach(field, present, limit, known)
    if not low < high:
        raise StudyError("--vary", f"{field}: the range is empty", f"{low:g}:{high:g}", "LOW below HIGH")
    return Choice(field, present, _values(field, present, low, high, limit, whole), whole, limit)


def _known(scenario: Scenario, field: str) -> Value:
    if field in NOT_VARIED:
        raise StudyError("--vary", field, "varied", NOT_VARIED[field])
    table = {value.path: value for value in resolved_table(scenario)}
    if field not in table:
        near = difflib.get_close_matches(field, table, 1)
        meant = f". Meant {near[0]}?" if near else ""
        raise StudyError("--vary", field, "no such field", f"a field of the scenario that holds a number{meant}")
    value = table[field].value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StudyError("--vary", field, str(value), "a field that holds a number")
    return table[field]


def _range(field: str, given: str) -> tuple[float | None, float | None, float | None]:
    if not given:
        return None, None, None
    parts = given.split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        raise StudyError("--vary", field, given, "LOW:HIGH or LOW:HIGH:STEP")
    if numbers[0] >= numbers[1]:
        raise StudyError("--vary", f"{field}: the range is empty", given, "LOW below HIGH")
    return numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else None


def _reach(field: str, present: float, limit: StepLimit, known: Value) -> tuple[float, float]:
    assert limit.most is not None
    if limit.relative:
        if present <= 0:
            raise StudyError("--vary", field, f"{present:g}, which is no cap", f"a range: {field}=LOW:HIGH")
        return present / limit.most, present * limit.most
    low, high = present - limit.most, present + limit.most
    lowest, highest = known.field.lowest, known.field.highest
    return (low if lowest is None else max(low, lowest)), (high if highest is None else min(high, highest))


def _values(field: str, present: float, low: float, high: float, limit: StepLimit, whole: bool) -> tuple[float, ...]:
    """The grid that the present value lies on, within the range."""
    if limit.relative:
        if low <= 0:
            raise StudyError("--vary", field, f"{low:g}", "LOW above 0: the steps are factors")
        anchor = present if present > 0 else low
        unit = math.log(limit.step)
        first, last = math.log(low / anchor) / unit, math.log(high / anchor) / unit
    else:
        anchor, unit = present, limit.step
        first, last = (low - anchor) / unit, (high - anchor) / unit
    steps = range(math.ceil(first - 1e-6), math.floor(last + 1e-6) + 1)
    if len(steps) > MOST_VALUES:
        raise StudyError("--vary", field, f"{len(steps):,} values", f"at most {MOST_VALUES}: a larger step")
    made = [anchor * limit.step**k if limit.relative else anchor + k * unit for k in steps]
    found = tuple(sorted({anchor if k == 0 else _plain(x, whole) for k, x in zip(steps, made, strict=True)}))
    if len(found) < 2:
        raise StudyError("--vary", f"{field}: the range is empty", f"{low:g}:{high:g}", "room for two values or more")
    return found


def _plain(value: float, whole: bool) -> float:
    """Three significant digits for whole numbers such as caps, ten decimals for ratios: no 0.8250000000000001."""
    return float(round(float(f"{value:.3g}"))) if whole else round(value, 10)
