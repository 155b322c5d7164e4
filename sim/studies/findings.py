"""What a study says of directions that theory expects; shown, never asserted: in real cascades each can reverse."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scenarios.writing import value_at
from sim.studies import statistics as st
from sim.studies.cases import assumption_fields, cases, shown
from sim.studies.measures import interval, written
from sim.studies.reading import Study
from sim.studies.statistics import Estimate


@dataclass(frozen=True)
class Expectation:
    """Fields of a pattern, and which way an outcome should move when they rise (+1 up, -1 down), and why."""

    fields: str
    outcome: str
    sign: int
    words: str
    why: str


_THRESHOLDS = r"pool\.(reserves|emodes)\.[^.]+\.liquidation_threshold"
_DEPTHS = r"(assets\.[^.]+\.depth_2pct|amms\.[^.]+\.liquidity_usd)"
_SLOWNESS = r"populations\.[^.]+\.latency_blocks_median"

EXPECTATIONS = (
    Expectation(
        _THRESHOLDS, "deficit_usd", 1, "a higher liquidation threshold, a larger deficit", "less cushion when it starts"
    ),
    Expectation(
        _THRESHOLDS,
        "liquidated_usd",
        -1,
        "a higher liquidation threshold, less liquidated",
        "the same loan fails later",
    ),
    Expectation(_DEPTHS, "deficit_usd", -1, "a deeper market, a smaller deficit", "sales push the price less"),
    Expectation(_DEPTHS, "liquidated_usd", -1, "a deeper market, less liquidated", "sales push the price less"),
    Expectation(_SLOWNESS, "deficit_usd", 1, "slower liquidators, a larger deficit", "prices fall on meanwhile"),
    Expectation(_SLOWNESS, "peak_liquidatable_usd", 1, "slower liquidators, more liquidatable at once", "debt waits"),
)

AS_EXPECTED, AGAINST, OPEN = "as expected", "against expectation", "not decided"


@dataclass(frozen=True)
class Finding:
    """The effect of one field on one outcome, from its lowest value in the study to its highest, seed by seed.

    `share` is the share of seeds whose own effect has the expected sign; `verdict` follows from the interval alone.
    """

    field: str
    low: float
    high: float
    expectation: Expectation
    effect: Estimate
    share: Estimate
    verdict: str

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "field": self.field,
            "low": self.low,
            "high": self.high,
            "outcome": self.expectation.outcome,
            "expected": self.expectation.words,
            "effect": self.effect.to_json(),
            "share_of_seeds": self.share.to_json(),
            "verdict": self.verdict,
        }

    @property
    def row(self) -> tuple[str, ...]:
        """The finding as cells: field, expectation, effect, interval, share of seeds, verdict."""
        outcome = self.expectation.outcome
        return (
            f"{self.field} from {shown(self.low)} to {shown(self.high)}",
            f"{self.expectation.words}: {self.expectation.why}",
            written(outcome, self.effect.value),
            interval(outcome, self.effect),
            written("probability(", self.share.value),
            self.verdict,
        )


def findings(study: Study) -> list[Finding]:
    """Every expectation that the study's design can say something of.

    Fields that were varied on purpose, at the scenario's own assumptions: in a small sample of very many assumed
    figures one cannot be told from another.
    """
    found = []
    central = [case.central for case in cases(study)]
    assumed = assumption_fields(study.manifest)
    for field in study.varied:
        values = None if field in assumed else _values(study, field, central)
        if values is None:
            continue
        for expectation in EXPECTATIONS:
            if re.fullmatch(expectation.fields, field) and expectation.outcome in study.outcomes:
                one = _finding(study, field, values, expectation)
                if one is not None:
                    found.append(one)
    return found


def _values(study: Study, field: str, points: Sequence[int]) -> dict[int, float] | None:
    """The field's value at these points, the scenario's own where a point leaves it; None if it never varies."""
    own = _own(study.manifest.get("scenario") or {}, field)
    found = {}
    for point in points:
        value = study.changes(point).get(field, own)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[point] = float(value)
    return found if len(set(found.values())) > 1 else None


def _own(scenario: Mapping[str, Any], field: str) -> Any:
    try:
        return value_at(scenario, field)
    except (LookupError, TypeError, ValueError):
        return None


def _finding(study: Study, field: str, values: Mapping[int, float], expectation: Expectation) -> Finding | None:
    effects = effects_by_seed(study.done, values, expectation.outcome)
    if not len(effects):
        return None
    effect = st.mean(effects, name=f"effect of {field} on {expectation.outcome}")
    share = st.share_of(effects * expectation.sign > 0.0, name="share of seeds as expected")
    low, high = min(values.values()), max(values.values())
    return Finding(field, low, high, expectation, effect, share, _verdict(effect, expectation.sign))


def effects_by_seed(done: pd.DataFrame, values: Mapping[int, float], outcome: str) -> np.ndarray:
    """For each seed that every point has: least-squares slope of the outcome on the field, times the field's range.

    Slope = Σ (x - x̄) y / Σ (x - x̄)². With two values it is the difference between them; in a grid other fields
    average out, in a sample of a hypercube nearly so.
    """
    table = done[done["point"].isin(list(values))].pivot(index="seed", columns="point", values=outcome).dropna()
    at = np.array([values[int(point)] for point in table.columns])
    if not len(table) or len(set(at.tolist())) < 2:
        return np.empty(0)
    centred = at - at.mean()
    slopes = (table.to_numpy() * centred).sum(axis=1) / (centred * centred).sum()
    found: np.ndarray = slopes * (at.max() - at.min())
    return found


def _verdict(effect: Estimate, sign: int) -> str:
    if effect.low is None or effect.high is None:
        return OPEN
    ends = sorted((effect.low * sign, effect.high * sign))
    return AS_EXPECTED if ends[0] > 0.0 else AGAINST if ends[1] < 0.0 else OPEN
