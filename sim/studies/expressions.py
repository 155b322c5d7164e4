"""Expressions over outcomes, such as `var95(deficit_usd) <= 400000`: read by hand, never evaluated as code."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.studies import statistics as st
from sim.studies.errors import StudyError
from sim.studies.statistics.estimate import Estimate, mean_of, observations, refused

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

STATISTICS = {
    "mean": "mean over runs: mean(x)",
    "median": "half of the runs are at or below it: median(x)",
    "quantile": "a share p of the runs is at or below it: quantile(x, p)",
    "varNN": "value at risk, var95(x) = quantile(x, 0.95)",
    "esNN": "expected shortfall, es95(x) = mean of the worst 5 % of the runs",
    "probability": "share of the runs in which a comparison holds: probability(x > 0)",
    "min": "smallest run: min(x)",
    "max": "largest run: max(x)",
}

_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NAME = r"[A-Za-z][\w./-]*"
_OPERATOR = "|".join(map(re.escape, COMPARISONS))
_WHOLE = re.compile(
    rf"\s*(?P<statistic>[A-Za-z]+[\d.]*)\s*\(\s*(?P<outcome>{_NAME})\s*"
    rf"(?:,\s*(?P<level>{_NUMBER})|(?P<inner>{_OPERATOR})\s*(?P<limit>{_NUMBER}))?\s*\)\s*"
    rf"(?:(?P<operator>{_OPERATOR})\s*(?P<bound>{_NUMBER})\s*)?"
)
_LEVELLED = re.compile(r"(var|es)(\d{1,2}(?:\.\d+)?)")


@dataclass(frozen=True)
class Expression:
    """A statistic of one outcome, and what it is compared with.

    `level` belongs to quantiles and shortfalls, `inner` (operator, limit) to probabilities; `operator` and `bound` are
    None where only the statistic was asked for.
    """

    text: str
    statistic: str
    outcome: str
    level: float | None = None
    inner: tuple[str, float] | None = None
    operator: str | None = None
    bound: float | None = None

    @property
    def measure(self) -> str:
        """The expression without its comparison."""
        if self.inner is not None:
            return f"probability({self.outcome} {self.inner[0]} {self.inner[1]:g})"
        if self.statistic == "quantile":
            return f"quantile({self.outcome}, {self.level:g})"
        named = {"var": "var", "es": "es"}.get(self.statistic)
        name = f"{named}{(self.level or 0.0) * 100:g}" if named else self.statistic
        return f"{name}({self.outcome})"

    def estimate(self, values: Any) -> Estimate:
        """The statistic of the outcome's values, one a run, with its interval; refused ones say why in `note`."""
        name = self.measure
        if self.statistic in ("quantile", "var", "median"):
            return st.quantile(values, self.level or 0.5, name=name)
        if self.statistic == "es":
            return st.expected_shortfall(values, self.level or 0.95, name=name)
        if self.statistic == "mean":
            return st.mean(values, name=name)
        present, note = observations(values)
        if not len(present):
            return refused(name, 0, st.CONFIDENCE, "", note or "there is no run")
        if self.inner is not None:
            compare, limit = COMPARISONS[self.inner[0]], self.inner[1]
            return st.share_of(np.array([compare(float(x), limit) for x in present]), name=name)
        extreme = float(present.max() if self.statistic == "max" else present.min())
        why = f"{self.statistic} of {len(present)} runs; more runs can only widen it, so it has no interval"
        return refused(name, len(present), st.CONFIDENCE, "extreme", why, extreme)

    def value(self, values: Any) -> float | None:
        """The statistic without its interval: quicker for a mean, the same for every other."""
        if self.statistic == "mean":
            present, _ = observations(values)
            return mean_of(present) if len(present) else None
        return self.estimate(values).value

    def holds(self, value: float) -> bool:
        """Whether the comparison holds for a value of the statistic. ValueError for an expression without one."""
        if self.operator is None or self.bound is None:
            raise ValueError(f"{self.text} compares with nothing")
        return COMPARISONS[self.operator](value, self.bound)


def parse(text: str, outcomes: Mapping[str, Any] | Sequence[str], *, comparison: bool | None = None) -> Expression:
    """The expression in a text, against the outcomes there are.

    `comparison` True asks for `statistic(outcome) operator number`, False for the statistic alone, None takes either.
    StudyError names what is not known and lists what is.
    """
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise _error(text, f"like {_EXAMPLE}, with {', '.join(COMPARISONS)} and a number")
    parts = found.groupdict()
    statistic, level = _statistic(text, parts["statistic"])
    outcome = _outcome(text, parts["outcome"], outcomes)
    inner = (parts["inner"], _number(text, parts["limit"])) if parts["inner"] else None
    if statistic == "probability":
        if inner is None:
            raise _error(text, f"a comparison inside: probability({outcome} > 0)")
    elif inner is not None:
        raise _error(text, f"a comparison inside only for probability, as in probability({outcome} > 0)")
    if statistic == "quantile":
        level = _number(text, parts["level"]) if parts["level"] else math.nan
        if not 0.0 < level < 1.0:
            raise _error(text, f"a share between 0 and 1 after the outcome: quantile({outcome}, 0.9)")
    elif parts["level"]:
        raise _error(text, f"a second number only for quantile, as in quantile({outcome}, 0.9)")
    operator = parts["operator"]
    if comparison is True and operator is None:
        raise _error(text, f"a comparison with a number, like {_EXAMPLE}")
    if comparison is False and operator is not None:
        raise _error(text, "a statistic alone, like var95(deficit_usd)")
    bound = _number(text, parts["bound"]) if operator else None
    return Expression(text.strip(), statistic, outcome, level, inner, operator, bound)


_EXAMPLE = "var95(deficit_usd) <= 400000"


def _statistic(text: str, word: str) -> tuple[str, float | None]:
    if word == "median":
        return word, 0.5
    if word in ("mean", "quantile", "probability", "min", "max"):
        return word, None
    levelled = _LEVELLED.fullmatch(word)
    if levelled and float(levelled[2]) > 0.0:
        return levelled[1], float(levelled[2]) / 100.0
    raise _error(text, f"a statistic: {'; '.join(f'{name} ({about})' for name, about in STATISTICS.items())}", word)


def _outcome(text: str, name: str, outcomes: Mapping[str, Any] | Sequence[str]) -> str:
    known = list(outcomes)
    if name in known or any(one.endswith(".*") and name.startswith(one[:-1]) and name != one[:-1] for one in known):
        return name
    near = difflib.get_close_matches(name, known, 1)
    raise _error(text, f"an outcome: {', '.join(known)}" + (f". Meant {near[0]}?" if near else ""), name)


def _number(text: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise _error(text, "a number such as 400000, 4e5 or 400_000", word) from None
    if not math.isfinite(value):
        raise _error(text, "a finite number", word)
    return value


def _error(text: str, allowed: str, word: str = "") -> StudyError:
    return StudyError("expression", text.strip(), word or text.strip(), allowed)
