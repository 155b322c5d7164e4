"""From the runs of a sensitivity study to indices, each with its interval, and the bars of a tornado."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from sim.studies import statistics as st
from sim.studies.errors import StudyError
from sim.studies.expressions import Expression, parse
from sim.studies.reading import Study
from sim.studies.searching.curve import statistic_of
from sim.studies.searching.search import least_runs
from sim.studies.sensitivity import indices as ix
from sim.studies.sensitivity.plan import DUMMY, MORRIS, Plan, key, plan_of
from sim.studies.statistics import Estimate
from sim.studies.statistics.bootstrap import RESAMPLES, percentile_interval, resampled

#: What is asked where nothing else is: the first of these that moves is shown first.
OF = ("deficit_usd", "liquidated_usd")


@dataclass(frozen=True)
class Bar:
    """A field at the ends of its range, all else as in the scenario: the figure, and its paired change from there."""

    field: str
    low: float
    high: float
    at_low: float | None
    at_high: float | None
    change_low: Estimate
    change_high: Estimate

    @property
    def swing(self) -> float:
        """Distance of the two figures."""
        return 0.0 if self.at_low is None or self.at_high is None else abs(self.at_high - self.at_low)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self) | {"swing": self.swing}


@dataclass(frozen=True)
class Analysis:
    """Indices of one figure: `measures` by name, an `Index` for each input in the order of `inputs`.

    `refused` says why there are none. `left_out`: trajectories or base samples with a run that failed. `floor`: the
    index that noise alone gives (Sobol). `seed_share`: share of the variance of single runs that is the seeds'.
    """

    figure: str
    method: str
    inputs: tuple[str, ...]
    measures: dict[str, list[ix.Index]]
    base: float | None
    tornado: tuple[Bar, ...]
    rows: int
    seeds: int
    left_out: int
    floor: ix.Index | None = None
    seed_share: float | None = None
    refused: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "figure": self.figure,
            "method": self.method,
            "inputs": [
                {"input": name} | {measure: asdict(found[place]) for measure, found in self.measures.items()}
                for place, name in enumerate(self.inputs)
            ],
            "base": self.base,
            "tornado": [bar.to_json() for bar in self.tornado],
            "rows": self.rows,
            "seeds": self.seeds,
            "left_out": self.left_out,
            "noise_floor": self.floor and asdict(self.floor),
            "seed_share": self.seed_share,
            "refused": self.refused,
        }


def analyse(study: Study, of: Sequence[str] = ()) -> list[Analysis]:
    """The analysis of each figure: an outcome's name, which stands for its mean, or a statistic such as var95(x).

    StudyError if the study was not made for it, or has no such outcome.
    """
    plan = plan_of(study.manifest)
    if plan is None:
        raise StudyError(str(study.folder), "is no sensitivity study", "", "a folder of undertow sensitivity")
    expressions = [figure(text, study.outcomes, plan) for text in of or [name for name in OF if name in study.outcomes]]
    if not expressions:
        raise StudyError(str(study.folder), "--of", "none", f"an outcome: {', '.join(study.outcomes)}")
    return [_analysed(study, plan, one) for one in expressions]


def figure(text: str, outcomes: Sequence[str], plan: Plan) -> Expression:
    """The figure that a text asks for; StudyError where the plan has too few seeds for it."""
    text = text if "(" in text else f"mean({text})"
    one = parse(text, outcomes, comparison=False)
    if one.statistic == "mean" or one.inner is not None:
        return one
    if plan.seed_factor:
        raise StudyError("--of", text, one.statistic, "a mean or a probability: with --seed-factor a row is one run")
    if one.statistic in ("min", "max"):
        raise StudyError("--of", text, one.statistic, "a mean, a probability or a quantile")
    least = least_runs(parse(f"{one.measure} <= 0", outcomes))
    if plan.runs < least:
        raise StudyError("--runs", one.measure, f"{plan.runs} seeds", f"at least {least}, or a mean")
    return one


def _analysed(study: Study, plan: Plan, expression: Expression) -> Analysis:
    table = _by_point(study, expression.outcome)
    places = _places(study)
    shares = plan.sample()
    values = table[[places[key(plan.row(row))] for row in shares]]
    size = len(plan.inputs) + (1 if plan.method == MORRIS else 2)
    whole = ~np.isnan(values.reshape(len(values) // size, -1)).any(axis=1)
    kept = np.repeat(whole, size)
    shares, values = shares[kept], values[kept]
    statistic = statistic_of(expression)
    measures: dict[str, list[ix.Index]] = {}
    floor, share, refused = None, None, ""
    if whole.sum() < 2:
        refused = f"{expression.measure} has {int(whole.sum())} of {len(whole)} sets of rows complete: too few"
    elif ix.constant(statistic(values)):
        refused = f"{expression.measure} is the same in every row: nothing moves it"
    elif plan.method == MORRIS:
        measures = ix.morris(plan.problem, shares, values, statistic)
    else:
        measures = ix.sobol(plan.problem, values, statistic)
        floor = ix.noise_floor(values, len(plan.inputs), statistic)
        ends = np.arange(len(values)) % size
        share = ix.seed_share(values, (ends == 0) | (ends == size - 1))
    base, bars = _tornado(plan, table, places, expression)
    return Analysis(
        expression.measure,
        plan.method,
        plan.inputs,
        measures,
        base,
        bars,
        len(values),
        values.shape[1],
        int((~whole).sum()),
        floor,
        share,
        refused,
    )


def _by_point(study: Study, outcome: str) -> np.ndarray:
    """The outcome, a row a point and a column a replicate; NaN where a run did not end well."""
    runs: pd.DataFrame = study.runs
    held = runs[outcome].where(runs["state"] == "done").astype(float)
    wide = pd.DataFrame({"point": runs["point"], "replicate": runs["replicate"], "value": held})
    return wide.pivot(index="point", columns="replicate", values="value").to_numpy(dtype=float)


def _places(study: Study) -> dict[tuple[Any, ...], int]:
    """Each point by what it sets: the row of `_by_point`."""
    design = study.manifest["design"]["points"]
    return {key(overrides): place for place, overrides in enumerate(design)}


def _tornado(
    plan: Plan, table: np.ndarray, places: dict[tuple[Any, ...], int], expression: Expression
) -> tuple[float | None, tuple[Bar, ...]]:
    """The figure as the scenario stands, and the bars, longest first."""
    found = {(field, end): table[[places[key(row)] for row in rows]].ravel() for field, end, rows in plan.ends()}
    base = found["", ""]
    bars = []
    for one in plan.ranges:
        low, high = found[one.field, "low"], found[one.field, "high"]
        bars.append(
            Bar(
                one.field,
                float(one.value(0.0)),
                float(one.value(1.0)),
                _figure(expression, low),
                _figure(expression, high),
                _change(expression, base, low),
                _change(expression, base, high),
            )
        )
    return _figure(expression, base), tuple(sorted(bars, key=lambda bar: -bar.swing))


def _figure(expression: Expression, values: np.ndarray) -> float | None:
    values = values[~np.isnan(values)]
    return float(statistic_of(expression)(values)) if len(values) else None


def _change(expression: Expression, base: np.ndarray, other: np.ndarray) -> Estimate:
    """The figure of `other` less that of `base`, the same seeds: percentile bootstrap of pairs unless it is a mean."""
    name = expression.measure
    if expression.statistic == "mean":
        return st.mean_difference(base, other, name=name)
    a, b, note = st.paired(base, other)
    statistic = statistic_of(expression)
    if len(a) < 10:
        return Estimate(name, None, None, None, len(a), st.CONFIDENCE, "", f"{len(a)} pairs are too few {note}".strip())
    value = float(statistic(b) - statistic(a))
    replicates = resampled(lambda x, y: statistic(y) - statistic(x), (a, b), RESAMPLES, "pairs")
    low, high = percentile_interval(replicates, st.CONFIDENCE)
    return Estimate(name, value, low, high, len(a), st.CONFIDENCE, "percentile bootstrap of pairs", note)


def ranked(one: Analysis) -> list[int]:
    """Places of the inputs, the most important first, the dummy last."""
    if not one.measures:
        return list(range(len(one.inputs)))
    measure = one.measures["mu_star" if one.method == MORRIS else "ST"]
    places = range(len(one.inputs))
    return sorted(places, key=lambda place: (one.inputs[place] == DUMMY, -measure[place].value, place))
