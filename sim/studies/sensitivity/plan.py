"""What a sensitivity study runs: SALib's sample of the fields' ranges, and each field at its ends alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios import Scenario
from scenarios.fields import resolved_table
from sim.randomness import Randomness
from sim.results.manifest import plain
from sim.studies.assumptions import assumed, share_group
from sim.studies.axes import Range, sample_range
from sim.studies.design import NOT_VARIED, SEED, Design, Point
from sim.studies.errors import StudyError

MORRIS, SOBOL = "morris", "sobol"
DUMMY, SEEDS = "(dummy)", "(seed)"

#: Levels of Morris's grid; a step is then 2/3 of a range, and every level is as likely as the others.
LEVELS = 4
#: Defaults: trajectories and base samples; runs of each point.
COUNTS = {MORRIS: 20, SOBOL: 64}
RUNS = {MORRIS: 16, SOBOL: 32}
#: Sobol indices are of a mean over at least so many seeds, or count the seed as an input.
LEAST_SEEDS = 32
#: Seeds of each end of a field where the seed is an input of its own.
END_SEEDS = 8

Row = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """A sample: method, ranges of the fields, `count` trajectories or base samples, `runs` seeds from `seed0`.

    With `seed_factor` the seed is one input more: `runs` seeds to draw from, one run a row of the sample. The last
    input is a dummy that changes nothing.
    """

    method: str
    ranges: tuple[Range, ...]
    count: int
    runs: int
    seed0: int
    seed_factor: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs in the order of the sample's columns."""
        return (*(one.field for one in self.ranges), *((SEEDS,) if self.seed_factor else ()), DUMMY)

    @property
    def problem(self) -> dict[str, Any]:
        """The inputs as SALib wants them, each as a share from 0 to 1 of its range."""
        names = list(self.inputs)
        return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}

    def sample(self) -> np.ndarray:
        """Rows of shares, as SALib draws them: the same for the same plan."""
        stream = Randomness(self.seed0).stream("study", "sensitivity")
        if self.method == MORRIS:
            from SALib.sample import morris

            return np.asarray(morris.sample(self.problem, self.count, num_levels=LEVELS, seed=stream))
        from SALib.sample import sobol

        return np.asarray(sobol.sample(self.problem, self.count, calc_second_order=False, seed=stream))

    def row(self, shares: Sequence[float]) -> Row:
        """What a row of the sample sets."""
        found: Row = {one.field: one.value(float(share)) for one, share in zip(self.ranges, shares, strict=False)}
        if self.seed_factor:
            found[SEED] = self.seed0 + min(int(float(shares[len(self.ranges)]) * self.runs), self.runs - 1)
        return found

    def ends(self) -> list[tuple[str, str, list[Row]]]:
        """The points of the tornado: the scenario as it is, then each field at its low and its high end alone."""
        alone: list[tuple[str, str, Row]] = [("", "", {})]
        for one in self.ranges:
            alone += [(one.field, "low", {one.field: one.value(0.0)}), (one.field, "high", {one.field: one.value(1.0)})]
        if not self.seed_factor:
            return [(field, end, [row]) for field, end, row in alone]
        seeds = range(self.seed0, self.seed0 + min(self.runs, END_SEEDS))
        return [(field, end, [{**row, SEED: seed} for seed in seeds]) for field, end, row in alone]

    def design(self, scenario: Scenario) -> Design:
        """The study: every different point of sample and ends once. Rows that differ in the dummy alone are one."""
        rows = [row for _, _, several in self.ends() for row in several] + [self.row(one) for one in self.sample()]
        points: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            points.setdefault(key(row), row)
        listed = tuple(Point(index, plain(row)) for index, row in enumerate(points.values()))
        seeds = (self.seed0,) if self.seed_factor else tuple(range(self.seed0, self.seed0 + self.runs))
        return Design(scenario, listed, seeds, ("metrics",), {"sensitivity": self.to_json()})

    def to_json(self) -> dict[str, Any]:
        """The plan as plain values; `plan_of` reads them again."""
        return {
            "method": self.method,
            "ranges": [list(one) for one in self.ranges],
            "count": self.count,
            "runs": self.runs,
            "seed0": self.seed0,
            "seed_factor": self.seed_factor,
        }


def key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells two points apart."""
    return tuple(sorted((field, float(value)) for field, value in row.items()))


def plan_of(manifest: Mapping[str, Any]) -> Plan | None:
    """The plan that a study's manifest tells of; None if it is no sensitivity study."""
    said = (((manifest.get("design") or {}).get("parts")) or {}).get("sensitivity")
    if not said:
        return None
    ranges = tuple(Range(str(one[0]), float(one[1]), float(one[2]), *map(bool, one[3:])) for one in said["ranges"])
    return Plan(said["method"], ranges, said["count"], said["runs"], said["seed0"], said["seed_factor"])


def make_plan(
    scenario: Scenario,
    ranges: Mapping[str, Any],
    *,
    method: str = MORRIS,
    count: int | None = None,
    runs: int | None = None,
    seed0: int | None = None,
    seed_factor: bool = False,
    assumptions: bool = False,
) -> Plan:
    """The plan for these fields; with `assumptions` also for every field whose figure is an assumption with a range.

    StudyError without any field, for one that cannot be varied, and for counts that the method has no use for.
    """
    if method not in (MORRIS, SOBOL):
        raise StudyError("--method", method, method, f"{MORRIS} or {SOBOL}")
    given = dict(ranges)
    beside = assumed_ranges(scenario, given) if assumptions else ()
    if not given and not beside:
        raise StudyError(
            "sensitivity", "--vary", "no field", "--vary FIELD=LOW:HIGH, a [study.ranges] table, --assumptions"
        )
    known = {value.path: value for value in resolved_table(scenario)}
    for field in given:
        if field in NOT_VARIED:
            raise StudyError(
                "--vary", field, "varied", "--seed-factor makes the seed an input; --runs chooses how many"
            )
        if field not in known:
            raise StudyError("--vary", field, "no such field", "a field of the scenario that holds a number")
    spans = tuple(sample_range(field, span, scenario, "--vary", known) for field, span in given.items()) + beside
    count = COUNTS[method] if count is None else count
    if method == MORRIS and count < 2:
        raise StudyError("--samples", "trajectories", str(count), "at least 2; 10 to 50 are usual")
    if method == SOBOL and (count < 2 or count & (count - 1)):
        raise StudyError("--samples", "base samples", str(count), "a power of 2, such as 64 or 256")
    runs = RUNS[method] if runs is None else runs
    if method == SOBOL and runs < LEAST_SEEDS:
        what = f"at least {LEAST_SEEDS}" + (
            "" if seed_factor else ": indices of a mean over fewer are those of its noise"
        )
        raise StudyError("--runs", "seeds", str(runs), what)
    if method == MORRIS and seed_factor:
        raise StudyError("--seed-factor", "morris", "", "--method sobol: an elementary effect of a seed means nothing")
    begin = scenario.run.seed if seed0 is None else seed0
    return Plan(method, spans, count, runs, begin, seed_factor)


def assumed_ranges(scenario: Scenario, chosen: Collection[str] = ()) -> tuple[Range, ...]:
    """The assumed figures with a range that can be varied one by one: shares that must add to 1 cannot."""
    return tuple(one for one in assumed(scenario, chosen).ranges if not share_group(one.field))
