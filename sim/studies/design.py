"""A design: which variants of a scenario a study runs, and with which seeds.

Every design point is run with the same seeds, so that differences between points are paired.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import scenarios
from agents.registry import kinds
from scenarios import Scenario
from scenarios.schema.run import Table
from scenarios.writing import leaves, toml_value
from sim import __version__
from sim.results.manifest import plain
from sim.studies.assumptions import assumed, assumption_sets, refuse_none
from sim.studies.axes import MOST_VALUES, Range, grid_values, sample_range, split_assignment
from sim.studies.errors import StudyError
from sim.studies.sampling import latin_hypercube, sobol
from sim.studies.schema import KEEP, StudySection, checked_section, read_section
from sim.studies.variants import variant

TABLES = ("metrics", "events", "positions", "agents")

#: A listed point may choose its own seed where the design has one seed only: then the seed is an input like others.
SEED = "run.seed"
#: What the design itself decides, so that no point can.
NOT_VARIED = {SEED: "--runs and --seed0 choose the seeds", "results.keep": "--keep chooses the tables"}


@dataclass(frozen=True, slots=True)
class Point:
    """One design point: its number, and what it sets in the scenario, by dotted path."""

    index: int
    overrides: Mapping[str, Any]


class Member(NamedTuple):
    """One run of a study: its number, design point, replicate and seed."""

    run: int
    point: Point
    replicate: int
    seed: int


@dataclass(frozen=True)
class Design:
    """A scenario, the points at which it is varied, the seeds that every point shares, and the tables that are kept.

    `assumptions` are the fields that some points vary because their figures are assumptions.
    """

    scenario: Scenario
    points: tuple[Point, ...]
    seeds: tuple[int, ...]
    keep: tuple[Table, ...] = KEEP
    parts: Mapping[str, Any] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points) * len(self.seeds)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that any point sets, in the order in which they first come."""
        return tuple(dict.fromkeys(path for point in self.points for path in point.overrides))

    def member(self, run: int) -> Member:
        """Member `run`: point x replicates + replicate, and its seed, which a point may choose itself."""
        point, replicate = divmod(run, len(self.seeds))
        chosen = self.points[point]
        return Member(run, chosen, replicate, int(chosen.overrides.get(SEED, self.seeds[replicate])))

    def variant(self, index: int) -> Scenario:
        """The scenario at a design point; ScenarioError that names the point if it cannot be used."""
        return variant(self.scenario, self.points[index].overrides, f"design point {index}")

    def as_dict(self) -> dict[str, Any]:
        """Points, seeds and tables as plain values."""
        return {
            "points": [plain(point.overrides) for point in self.points],
            "replicates": len(self.seeds),
            "seed0": self.seeds[0],
            "keep": list(self.keep),
            "assumptions": list(self.assumptions),
        }

    def identity(self, inputs: Mapping[str, str]) -> str:
        """Hex SHA-256 of scenario, design, undertow's version and input files: equal ones must give equal tables."""
        said = {
            "scenario": plain(self.scenario.as_dict()),
            "design": self.as_dict(),
            "version": __version__,
            "inputs": dict(inputs),
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_toml(self) -> str:
        """The resolved study as a file of its own: every point listed, and the whole scenario."""
        lines = ["", "[study]"] + [f"# {name} = {toml_value(value)}" for name, value in self.parts.items()]
        lines += [f"replicates = {len(self.seeds)}", f"seed0 = {self.seeds[0]}", f"keep = {toml_value(self.keep)}"]
        if self.assumptions:
            lines += [f"assumed = {toml_value(self.assumptions)}"]
        if self.fields:
            lines += ["points = [", *(f"    {toml_value(plain(point.overrides))}," for point in self.points), "]"]
        return self.scenario.to_toml() + "\n".join(lines) + "\n"


def load_design(
    study: str | Path | Scenario,
    overrides: Mapping[str, Any] | None = None,
    *,
    runs: int | None = None,
    grid: Iterable[str] | Mapping[str, Any] = (),
    vary: Iterable[str] | Mapping[str, Any] = (),
    lhs: int | None = None,
    sobol_points: int | None = None,
    assumptions: int | None = None,
    seed0: int | None = None,
    keep: Sequence[str] | None = None,
) -> Design:
    """The design of a scenario or of a TOML file with a `[study]` table, changed by what is given here.

    `grid` is `field=low:high:step` or `field=a,b,c`, `vary` is `field=low:high` or `field` alone, or mappings of the
    same; `runs` is the number of seeds; `assumptions` adds so many sets of assumed figures to each point. StudyError or
    ScenarioError if something is wrong.
    """
    if isinstance(study, Scenario):
        if overrides:
            raise ValueError("overrides need a scenario's name or file, not a loaded scenario")
        section, scenario = StudySection(), study
    else:
        section = read_section(study)
        scenario = scenarios.load(study, overrides, kinds())
    changed = section.model_dump(exclude_unset=True)
    numbers = {"replicates": runs, "seed0": seed0, "latin_hypercube": lhs, "sobol": sobol_points}
    changed |= {name: given for name, given in (numbers | {"assumptions": assumptions}).items() if given is not None}
    if keep is not None:
        changed["keep"] = _tables(keep)
    changed["grid"] = {**section.grid, **_assignments(grid, "--grid")}
    changed["ranges"] = {**section.ranges, **_ranges(vary)}
    section = checked_section(changed, "study")
    return _designed(scenario, section)


def design_of(scenario: Scenario, points: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> Design:
    """The design with exactly these points and seeds."""
    if not points or not seeds:
        raise StudyError("study", "points and seeds", "none", "at least one of each")
    listed = tuple(Point(index, plain(overrides)) for index, overrides in enumerate(points))
    return Design(scenario, listed, tuple(int(seed) for seed in seeds))


def _designed(scenario: Scenario, section: StudySection) -> Design:
    sampled = [name for name in ("latin_hypercube", "sobol") if getattr(section, name)]
    if len(sampled) > 1:
        raise StudyError("study", "latin_hypercube and sobol", "both", "one of them")
    if bool(sampled) != bool(section.ranges):
        wanted = "ranges to sample: --vary FIELD=LOW:HIGH" if sampled else "--lhs K or --sobol K with ranges"
        raise StudyError("study", sampled[0] if sampled else "ranges", f"{len(section.ranges)} ranges", wanted)
    seed0 = scenario.run.seed if section.seed0 is None else section.seed0
    parts: list[list[dict[str, Any]]] = [[leaves(point) for point in section.points]] if section.points else []
    grid = {name: grid_values(name, given, "grid") for name, given in leaves(section.grid).items()}
    parts += [[{name: value} for value in values] for name, values in grid.items()]
    _refuse_many([*map(len, parts), section.latin_hypercube or section.sobol or 1, 1 + section.assumptions])
    if sampled:
        spans = [sample_range(name, given, scenario, "ranges") for name, given in leaves(section.ranges).items()]
        parts.append(_sample(sampled[0], section, spans, seed0))
    _refuse_fields(parts, own_seeds=bool(section.points) and section.replicates == 1)
    band = _band(section, scenario, parts, seed0)
    rows = itertools.product(*parts, band)
    points = [plain(dict(itertools.chain(*(entry.items() for entry in row)))) for row in rows]
    said = section.model_dump(exclude_unset=True)
    names = ("grid", "ranges", "latin_hypercube", "sobol", "assumptions")
    return Design(
        scenario,
        tuple(Point(index, overrides) for index, overrides in enumerate(points)),
        tuple(range(seed0, seed0 + section.replicates)),
        tuple(name for name in TABLES if name in section.keep or name == "metrics"),  # type: ignore[misc]
        {name: said[name] for name in names if said.get(name)},
        _assumption_fields(section, points, band),
    )


def _band(
    section: StudySection, scenario: Scenario, parts: Sequence[Sequence[Mapping[str, Any]]], seed0: int
) -> list[dict[str, Any]]:
    """What every case is run with: the scenario's own assumptions first, then the sets of others."""
    if not section.assumptions:
        return [{}]
    found = assumed(scenario, {name for part in parts for entry in part for name in entry})
    refuse_none(found)
    return [{}, *assumption_sets(section.assumptions, found.ranges, seed0)]


def _assumption_fields(
    section: StudySection, points: Sequence[Mapping[str, Any]], band: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    varied = {name for point in points for name in point}
    for name in section.assumed:
        if name not in varied:
            raise StudyError("study", "assumed", name, "a field that the points set")
    return tuple(dict.fromkeys((*section.assumed, *band[-1])))


def _sample(method: str, section: StudySection, spans: Sequence[Range], seed0: int) -> list[dict[str, Any]]:
    if method == "sobol":
        return sobol(section.sobol, spans, seed0)
    return latin_hypercube(section.latin_hypercube, spans, seed0)


def _refuse_many(counts: Sequence[int]) -> None:
    """Before anything is drawn."""
    count = math.prod(counts)
    if count > MOST_VALUES:
        raise StudyError("study", "points", f"{count:,} design points", f"at most {MOST_VALUES:,}")


def _refuse_fields(parts: Sequence[Sequence[Mapping[str, Any]]], own_seeds: bool) -> None:
    seen: set[str] = set()
    for number, part in enumerate(parts):
        fields = dict.fromkeys(name for entry in part for name in entry)
        for name in fields:
            if name in NOT_VARIED and not (name == SEED and own_seeds and number == 0):
                raise StudyError("study", name, "varied", NOT_VARIED[name])
            if name in seen:
                raise StudyError("study", name, "varied twice", "one of points, grid and ranges")
        seen.update(fields)


def _assignments(given: Iterable[str] | Mapping[str, Any], option: str) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    return dict(split_assignment(text, option) for text in given)


def _ranges(given: Iterable[str] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    return {text.partition("=")[0].strip(): text.partition("=")[2].strip() for text in given}


def _tables(keep: Sequence[str]) -> list[str]:
    names = [name.strip() for name in keep if name.strip()]
    for name in names:
        if name not in TABLES:
            raise StudyError("--keep", name, name, ", ".join(TABLES))
    return names
