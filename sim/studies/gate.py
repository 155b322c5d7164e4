"""A study held against a condition, for scripts and continuous checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.studies.cases import Case, cases
from sim.studies.errors import StudyError
from sim.studies.expressions import COMPARISONS, Expression, parse
from sim.studies.measures import Measured, interval, measure, written
from sim.studies.reading import Study


@dataclass(frozen=True)
class Verdict:
    """One condition on one case: whether it holds, and whether the interval could say otherwise."""

    expression: Expression
    case: Case
    measured: Measured
    holds: bool
    sure: bool

    @property
    def words(self) -> str:
        """The verdict in one line."""
        name, estimate = self.measured.measure, self.measured.estimate
        within = interval(name, estimate)
        said = f"{name} is {written(name, estimate.value)} (95 % interval {within})"
        if not self.sure:
            said += ", and the interval leaves it open"
        where = f" in point {self.case.central} ({self.case.words})" if self.case.settings else ""
        return f"{self.expression.text} {'holds' if self.holds else 'does not hold'}{where}: {said}"

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "expression": self.expression.text,
            "point": self.case.central,
            "settings": dict(self.case.settings),
            "holds": self.holds,
            "sure": self.sure,
            **self.measured.to_json(),
        }


def judge(study: Study, texts: Sequence[str], *, cautious: bool = False) -> list[Verdict]:
    """Every condition on every case of the study.

    A condition holds if the estimate satisfies it; `cautious`: already if some value of the interval does. StudyError
    where the statistic is refused: a gate that cannot be answered is never passed in silence.
    """
    expressions = [parse(text, study.outcomes, comparison=True) for text in texts]
    return [_verdict(study, expression, case, cautious) for expression in expressions for case in cases(study)]


def _verdict(study: Study, expression: Expression, case: Case, cautious: bool) -> Verdict:
    runs = study.point(case.central)
    found = measure(expression, runs, [study.point(point) for point in case.band])
    one = found.estimate
    if one.value is None:
        raise StudyError(str(study.folder), expression.text, f"cannot be answered: {one.note}", "more runs")
    ends = [end for end in (one.low, one.value, one.high) if end is not None]
    told = [_somewhere(expression, ends) if cautious else expression.holds(one.value)]
    sure = one.low is not None and len({expression.holds(end) for end in ends}) == 1
    return Verdict(expression, case, found, told[0], sure)


def _somewhere(expression: Expression, ends: Sequence[float]) -> bool:
    """Whether a value between the ends satisfies the comparison; for equality the whole interval counts."""
    if expression.operator == "==" and expression.bound is not None:
        return min(ends) <= expression.bound <= max(ends)
    return any(COMPARISONS[expression.operator or "<="](end, expression.bound or 0.0) for end in ends)
