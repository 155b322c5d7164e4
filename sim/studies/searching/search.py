"""The search itself: bisections over values of one parameter on shared seeds, then the whole of it resampled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.studies.errors import StudyError
from sim.studies.expressions import Expression
from sim.studies.searching.curve import crossings, monotone_p, rising, statistic_of
from sim.studies.searching.trials import Trials
from sim.studies.statistics import Estimate, least_observations
from sim.studies.statistics.bootstrap import LEAST, indices
from sim.studies.statistics.estimate import joined
from sim.studies.statistics.shortfall import LEAST_IN_TAIL

#: Values, spread over the range, that are looked at first.
COARSE = 5
#: A value whose first runs say the same in more than this share of resamples gets no more runs.
CLEAR = 0.999
#: p-value below which the figure is said not to be monotone.
NOT_MONOTONE = 0.01
TAIL = 0.025

FOUND, ALL, NONE, NOISE = "found", "all", "none", "noise"


@dataclass(frozen=True)
class Tested:
    """One value: the figure with its interval, on `runs` runs; `keeps` says whether its bound keeps the limit.

    Without an estimate the first runs were enough: `keeps` is then what they say.
    """

    value: float
    runs: int
    estimate: Estimate | None
    figure: float
    keeps: bool


@dataclass(frozen=True)
class Found:
    """What a search says.

    `state`: "found"; "all" (every value in the range keeps the limit); "none" (not even the safest does); "noise" (too
    few runs to say). `rises`: whether the figure rises with the parameter; `riskier`: on which side the limit is broken
    (+1 above, -1 below). `answer`: the value furthest on that side whose confidence bound keeps the limit, as do those
    of all values tested on its safe side. `break_even`: where the figure itself meets the limit, with the interval
    `low` to `high` of the resampled searches, widened to whole steps and to hold the answer; an open end lies outside
    the range. `answers`: the middle 95 % of the answers of the resampled searches, `without` the share that had none.
    """

    state: str
    answer: float | None
    rises: bool
    riskier: int
    break_even: float | None
    low: float
    high: float
    open_low: bool
    open_high: bool
    answers: tuple[float, float] | None
    without: float
    monotone_p: float
    tested: tuple[Tested, ...]
    needed: int | None = None

    @property
    def monotone(self) -> bool:
        """Whether the runs are compatible with a figure that only rises, or only falls, with the parameter."""
        return self.monotone_p >= NOT_MONOTONE

    @property
    def moves(self) -> bool:
        """Whether the figure differs anywhere, among values on the same number of runs."""
        by_runs: dict[int, set[float]] = {}
        for one in self.tested:
            by_runs.setdefault(one.runs, set()).add(one.figure)
        return any(len(figures) > 1 for figures in by_runs.values())


def keeps(expression: Expression, one: Estimate) -> bool:
    """Whether the bound of an estimate keeps the limit: the upper one for <=; the value itself where all runs agree."""
    end = one.high if expression.operator in ("<=", "<") else one.low
    end = one.value if end is None else end
    return end is not None and expression.holds(end)


def least_runs(expression: Expression) -> int:
    """Runs of a value below which the expression has no interval; StudyError where it never has one."""
    if expression.operator not in ("<=", "<", ">=", ">"):
        raise StudyError("--limit", expression.text, expression.operator or "", "a comparison by <=, <, >= or >")
    if expression.statistic in ("min", "max"):
        raise StudyError("--limit", expression.text, expression.statistic, "a statistic with an interval, like var95")
    if expression.statistic in ("quantile", "var", "median"):
        return max(LEAST, least_observations(expression.level or 0.5))
    if expression.statistic == "es":
        return math.ceil(LEAST_IN_TAIL / (1.0 - (expression.level or 0.95)) - 1e-6)
    return LEAST


def search(
    values: Sequence[float],
    trials: Trials,
    expression: Expression,
    seeds: Sequence[int],
    *,
    first: int | None = None,
    riskier: int = 0,
    resamples: int = 1_000,
) -> Found:
    """Find the last value whose confidence bound keeps the limit, going from the safe side to the risky one.

    `values` ascend. `seeds` are those of every value near the answer; `first` of them (a quarter) tell which values
    are clear without the others. `riskier` is the side taken as risky where the runs do not tell. Where the figure is
    monotone, the answer lies on the unsafe side with at most 2.5 % chance, however many values are tested: going from
    the safe side, the first value beyond the truth must be wrongly accepted (a fixed sequence of tests: Maurer,
    Hothorn, Lehmacher 1995; for the control of risk Angelopoulos et al. 2021, "Learn then Test"). StudyError for too
    few seeds.
    """
    least = least_runs(expression)
    if len(seeds) < least:
        raise StudyError("--runs", expression.measure, f"{len(seeds)} runs", f"at least {least}: it has no bound below")
    some = min(len(seeds), max(LEAST, first or math.ceil(len(seeds) / 4)))
    return _Search(values, trials, expression, seeds, some, riskier, resamples).run()


@dataclass
class _Search:
    """Places count from the safest value, 0, to the riskiest; figures are turned so that the limit is an upper one."""

    values: Sequence[float]
    trials: Trials
    expression: Expression
    seeds: Sequence[int]
    first: int
    riskier: int
    resamples: int
    full: dict[int, Estimate] = field(default_factory=dict)
    rough: dict[int, int] = field(default_factory=dict)

    def run(self) -> Found:
        assert self.expression.bound is not None
        self.turned = 1.0 if self.expression.operator in ("<=", "<") else -1.0
        self.bound = self.turned * self.expression.bound
        self.statistic = statistic_of(self.expression)
        self.order = list(self.values)
        count = len(self.order)
        coarse = sorted({round(k * (count - 1) / (COARSE - 1)) for k in range(COARSE)})
        self.trials.ensure([self.order[place] for place in coarse], self.seeds[: self.first])
        self.rises = self._rises(coarse)
        if not self.rises:
            self.order.reverse()
            coarse = [count - 1 - place for place in reversed(coarse)]
        for place in coarse:
            self._look(place)
        for kind in ("high", "value", "low"):
            self._settle(kind, *self._bisected(kind))
        if len(self.full) == 1:
            only = next(iter(self.full))
            self._measure(only - 1 if only else 1)
        return self._resampled(self._answer(), coarse)

    # ------------------------------------------------------------------ single values
    def _outcome(self, place: int, seeds: Sequence[int]) -> np.ndarray:
        return self.trials.values(self.expression.outcome, self.order[place], seeds)

    def _figures(self, rows: np.ndarray) -> np.ndarray:
        """The figure of each row of outcomes, turned."""
        return self.turned * self.statistic(rows)

    def _look(self, place: int) -> int:
        """What the first runs say: -1 clearly kept, +1 clearly broken, 0 not clear."""
        if place not in self.rough:
            values = self._outcome(place, self.seeds[: self.first])
            values = values[~np.isnan(values)]
            share = 0.5
            if len(values) >= LEAST:
                drawn = np.concatenate([values[rows] for rows in indices(len(values), self.resamples, "first look")])
                share = float((self._figures(drawn) <= self.bound).mean())
            self.rough[place] = -1 if share >= CLEAR else 1 if share <= 1.0 - CLEAR else 0
        return self.rough[place]

    def _measure(self, place: int) -> Estimate:
        """The figure on all seeds."""
        if place not in self.full:
            self.full[place] = self.expression.estimate(self._outcome(place, self.seeds))
        return self.full[place]

    def _ends(self, place: int) -> tuple[float, float, float]:
        """Low end, figure and high end, turned. Where every run gives the same, that value is all three."""
        one = self._measure(place)
        if one.value is None:
            return -math.inf, math.inf, math.inf
        ends = (one.value, one.value) if one.low is None or one.high is None else (one.low, one.high)
        low, high = sorted(self.turned * end for end in ends)
        return low, self.turned * one.value, high

    def _keeps(self, place: int, kind: str) -> bool:
        """Whether an end of the interval, or the figure, keeps the limit on all seeds."""
        number = dict(zip(("low", "value", "high"), self._ends(place), strict=True))[kind]
        return math.isfinite(number) and self.expression.holds(self.turned * number)

    # ------------------------------------------------------------------ the three bisections
    def _bisected(self, kind: str) -> tuple[int, int]:
        kept, broken = -1, len(self.order)
        while broken - kept > 1:
            place = (kept + broken) // 2
            clear = 0 if place in self.full else self._look(place)
            if clear < 0 or (clear == 0 and self._keeps(place, kind)):
                kept = place
            else:
                broken = place
        return kept, broken

    def _settle(self, kind: str, kept: int, broken: int) -> None:
        """Measure both neighbours of the boundary on all seeds, and walk on where that moves it."""
        while True:
            if kept >= 0 and not self._keeps(kept, kind):
                kept, broken = kept - 1, kept
            elif broken < len(self.order) and self._keeps(broken, kind):
                kept, broken = broken, broken + 1
            else:
                return
            if (kept < 0 or kept in self.full) and (broken == len(self.order) or broken in self.full):
                return

    def _answer(self) -> int | None:
        """The last place measured that keeps the limit, with none that breaks it on its safe side."""
        answer = None
        for place in sorted({*self.full, *self.rough}):
            if place in self.full:
                if not self._keeps(place, "high"):
                    break
                answer = place
            elif self.rough[place] > 0:
                break
        return answer

    # ------------------------------------------------------------------ direction and shape
    def _rises(self, coarse: Sequence[int]) -> bool:
        """Whether the turned figure rises with the parameter, by the better monotone fit on the first seeds."""
        matrix = self._matrix(coarse, self.seeds[: self.first])
        for figures in (self._figures(matrix), self.turned * matrix.mean(axis=-1)):
            up = float(((rising(figures[None, :])[0] - figures) ** 2).sum())
            down = float(((rising(figures[None, ::-1])[0] - figures[::-1]) ** 2).sum())
            if not math.isclose(up, down, rel_tol=1e-9, abs_tol=1e-300):
                return up < down
        return self.riskier >= 0

    def _matrix(self, places: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
        """Outcomes, a row a place, without the seeds that failed anywhere."""
        rows = np.array([self._outcome(place, seeds) for place in places])
        rows = rows[:, ~np.isnan(rows).any(axis=0)]
        if rows.shape[1] < LEAST:
            raise StudyError(
                "recommend",
                self.expression.outcome,
                f"{rows.shape[1]} of {len(seeds)} seeds have a value everywhere",
                f"at least {LEAST}: see why runs fail or lack it",
            )
        return rows

    def _drawn(self, matrix: np.ndarray) -> np.ndarray:
        """The figure at every place, in resamples of the seeds: the same seeds for all places."""
        n = matrix.shape[1]
        return np.concatenate(
            [
                np.stack([self._figures(row[rows]) for row in matrix], axis=1)
                for rows in indices(n, self.resamples, "search")
            ]
        )

    def _resampled(self, answer: int | None, coarse: Sequence[int]) -> Found:
        while True:
            places = sorted(self.full)
            matrix = self._matrix(places, self.seeds)
            drawn = self._drawn(matrix)
            ranks = np.arange(len(places), dtype=float)
            found = crossings(rising(drawn), ranks, self.bound)
            under, over = float((found == -np.inf).mean()), float((found == np.inf).mean())
            if over > TAIL and places[-1] + 1 < len(self.order):
                self._measure(places[-1] + 1)
            elif under > TAIL and places[0] > 0:
                self._measure(places[0] - 1)
            else:
                break
        figures = self._figures(matrix)
        p = min(monotone_p(figures, drawn), self._coarse_p(coarse))
        told = self._interval(places, found, figures)
        state = self._state(answer, under > TAIL and over > TAIL)
        low, high = told[1], told[2]
        if answer is not None:
            low, high = min(low, answer), max(high, answer)
        ends = sorted((self.order[low], self.order[high]))
        opened = (under > TAIL, over > TAIL) if self.rises else (over > TAIL, under > TAIL)
        answers, without = self._answers(places, drawn, figures)
        return Found(
            state,
            None if answer is None else self.order[answer],
            self.rises == (self.turned > 0),
            1 if self.rises else -1,
            told[0],
            ends[0],
            ends[1],
            *opened,
            answers,
            without,
            p,
            self._tested(),
            self._needed() if state == NOISE else None,
        )

    def _coarse_p(self, coarse: Sequence[int]) -> float:
        matrix = self._matrix(coarse, self.seeds[: self.first])
        return monotone_p(self._figures(matrix), self._drawn(matrix))

    def _interval(self, places: list[int], found: np.ndarray, figures: np.ndarray) -> tuple[float | None, int, int]:
        """Break-even value, and the places that enclose the middle 95 % of the resampled ones."""
        last = float(len(places) - 1)
        spread = np.clip(found, 0.0, last)
        low, high = (float(np.quantile(spread, share)) for share in (TAIL, 1.0 - TAIL))
        middle = float(crossings(rising(figures[None, :]), np.arange(len(places), dtype=float), self.bound)[0])
        value = None
        if math.isfinite(middle):
            rank = min(int(middle), len(places) - 2)
            a, b = self.order[places[rank]], self.order[places[rank + 1]]
            value = a + (middle - rank) * (b - a)
        return value, self._place(places, low, up=False), self._place(places, high, up=True)

    @staticmethod
    def _place(places: list[int], rank: float, up: bool) -> int:
        """The place on the grid at a fractional rank among the measured ones, rounded up or down."""
        lower = min(int(rank), len(places) - 2)
        exact = places[lower] + (rank - lower) * (places[lower + 1] - places[lower])
        return math.ceil(exact - 1e-9) if up else math.floor(exact + 1e-9)

    def _answers(
        self, places: list[int], drawn: np.ndarray, figures: np.ndarray
    ) -> tuple[tuple[float, float] | None, float]:
        """Answers of the resampled searches: each figure with the width that its bound has in the real one."""
        widths = np.array([self._ends(place)[2] for place in places]) - figures
        kept = np.cumprod(drawn + widths <= self.bound, axis=-1).sum(axis=-1)
        tried = [self.order[place] for place in places]
        if places[0] > 0:  # safer values were clear at the first look: one of them is then the answer
            tried, kept = [self.order[places[0] - 1], *tried], kept + 1
        without = float((kept == 0).mean())
        if without == 1.0:
            return None, 1.0
        answers = np.array(tried)[kept[kept > 0] - 1]
        low, high = (float(np.quantile(answers, share, method="nearest")) for share in (TAIL, 1.0 - TAIL))
        return (low, high), without

    # ------------------------------------------------------------------ what it amounts to
    def _state(self, answer: int | None, open_both: bool) -> str:
        if answer is None:
            return NONE if self._ends(0)[0] > self.bound else NOISE
        if answer == len(self.order) - 1:
            return ALL
        return NOISE if open_both else FOUND

    def _needed(self) -> int | None:
        """Runs with which the safest value's bound would keep the limit if its figure stays: width falls as 1/√n."""
        _, figure, high = self._ends(0)
        room = self.bound - figure
        if not (room > 0 and math.isfinite(high)):
            return None
        return math.ceil(len(self.seeds) * max(1.0, ((high - figure) / room) ** 2))

    def _tested(self) -> tuple[Tested, ...]:
        rows = []
        for place in sorted({*self.full, *self.rough}, key=lambda place: self.order[place]):
            if place in self.full:
                one = self.full[place]
                number = math.nan if one.value is None else one.value
                rows.append(Tested(self.order[place], one.n, one, number, self._keeps(place, "high")))
            else:
                values = self._outcome(place, self.seeds[: self.first])
                values = values[~np.isnan(values)]
                figure = float(self.statistic(values)) if len(values) else math.nan
                rows.append(Tested(self.order[place], len(values), None, figure, self.rough[place] < 0))
        return tuple(rows)


def notes_of(found: Found) -> str:
    """What the estimates at the answer say of themselves."""
    told = [one.estimate.note for one in found.tested if one.value == found.answer and one.estimate is not None]
    return joined(*told)
