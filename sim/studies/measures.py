"""What is asked of every case of a study, and how it is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sim.results import wording as w
from sim.studies.cases import Case
from sim.studies.expressions import Expression, parse
from sim.studies.reading import Study
from sim.studies.statistics import Estimate, ratio_of_sums

SHARE_OVER, SHARE_UNDER = "liquidated_usd", "borrowed_start_usd"
SHARE = f"{SHARE_OVER} / {SHARE_UNDER}"

#: Measure -> what it is called, in the order in which they are shown.
LABELS = {
    "probability(deficit_usd > 0)": "Chance of any deficit",
    "mean(deficit_usd)": "Deficit, mean",
    "var95(deficit_usd)": "Deficit, 95 % of runs stay at or below",
    "var99(deficit_usd)": "Deficit, 99 % of runs stay at or below",
    "es95(deficit_usd)": "Deficit, mean of the worst 5 % of runs",
    "max(deficit_usd)": "Deficit, largest seen",
    "var95(bad_debt_usd)": "Debt beyond its collateral at the end, 95 % of runs",
    "probability(liquidations > 0)": "Chance of any liquidation",
    "mean(liquidated_usd)": "Debt liquidated, mean",
    "var95(liquidated_usd)": "Debt liquidated, 95 % of runs stay at or below",
    SHARE: "Debt liquidated, share of what was owed at first",
    "mean(lost_to_liquidation_usd)": "Lost by borrowers to liquidation, mean",
    "var95(peak_liquidatable_usd)": "Liquidatable at once, 95 % of runs stay at or below",
    "median(peak_utilisation)": "Peak utilisation, half of the runs at or below",
}

#: Measures shown for each case where a study has several.
OF_EACH_CASE = ("probability(deficit_usd > 0)", "var95(deficit_usd)", "mean(deficit_usd)", "mean(liquidated_usd)")


@dataclass(frozen=True)
class Measured:
    """One measure of a case: its estimate, and between what the estimate moves as assumptions do (None: not varied)."""

    measure: str
    estimate: Estimate
    band: tuple[float, float] | None = None
    band_points: int = 0

    def to_json(self) -> dict[str, Any]:
        """The estimate's fields with the assumption band."""
        band = None if self.band is None else {"low": self.band[0], "high": self.band[1], "points": self.band_points}
        return self.estimate.to_json() | {"assumption_band": band}


def measured(study: Study, case: Case, measures: Iterable[str] = tuple(LABELS)) -> dict[str, Measured]:
    """The measures of a case that the study has outcomes for, each with its interval and its assumption band."""
    runs = study.point(case.central)
    beside = [study.point(point) for point in case.band]
    held = study.outcomes
    found = {}
    for text in measures:
        if text == SHARE:
            if SHARE_OVER in held and SHARE_UNDER in held:
                found[text] = Measured(text, ratio_of_sums(runs[SHARE_OVER], runs[SHARE_UNDER], name=text))
        elif text.partition("(")[2].split(" ")[0].rstrip(")") in held:
            found[text] = measure(parse(text, held), runs, beside)
    return found


def measure(expression: Expression, runs: Any, beside: Iterable[Any] = ()) -> Measured:
    """An expression's estimate over the runs of a case, and its range over the points with other assumptions."""
    estimate = expression.estimate(runs[expression.outcome])
    others = [expression.value(frame[expression.outcome]) for frame in beside]
    values = [value for value in (estimate.value, *others) if value is not None]
    band = (min(values), max(values)) if len(others) > 0 and len(values) > 1 else None
    return Measured(expression.measure, estimate, band, len(values))


def written(name: str, value: float | None) -> str:
    """A value of an outcome, or of a measure of one, in its unit: dollars, per cent, gwei or a plain number."""
    if name.startswith("probability(") or name == SHARE:
        return w.percent(value)
    outcome = name.partition("(")[2].split(",")[0].rstrip(") ") or name
    if outcome.endswith("_usd"):
        return w.usd(value)
    if outcome.startswith(("drawdown.", "peak_utilisation", "utilisation.", "borrow_rate.")):
        return w.percent(value)
    if outcome.endswith("_gwei"):
        return w.gwei(value)
    return w.number(value)


def interval(name: str, estimate: Estimate) -> str:
    """The interval in words; a dash without one."""
    if estimate.low is None or estimate.high is None:
        return w.MISSING
    return f"{written(name, estimate.low)} to {written(name, estimate.high)}"
