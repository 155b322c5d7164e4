"""The `[study]` table of a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scenarios import ScenarioError
from scenarios.files import label_of, locate, read_toml
from scenarios.schema.base import Section, Sequence, Whole, field
from scenarios.schema.run import Table
from scenarios.validation import section_problems

KEEP: tuple[Table, ...] = ("metrics", "events")


class StudySection(Section):
    """How a study varies its scenario, and how often it runs each variant."""

    replicates: Whole = field(100, "Runs of each design point, each with a seed of its own", ge=1, le=10_000_000)
    seed0: Whole | None = field(None, "First seed; the scenario's if left out", ge=0, le=2**62)
    keep: Sequence[Table] = field(KEEP, "Tables that each run writes; metrics always are")
    grid: dict[str, Any] = field(
        None, 'Values by field, as "low:high:step" or a list; every combination is a design point', factory=dict
    )
    points: Sequence[dict[str, Any]] = field((), "A list of design points, each a table of fields and values")
    ranges: dict[str, Any] = field(
        None, 'Ranges by field, as [low, high] or "low:high:log"; "" for the schema\'s own', factory=dict
    )
    latin_hypercube: Whole = field(0, "Points of a Latin hypercube over the ranges (0: none)", ge=0, le=10_000_000)
    sobol: Whole = field(0, "Points of a Sobol sequence over the ranges, a power of 2 (0: none)", ge=0, le=2**30)
    assumptions: Whole = field(
        0, "Sets of assumed figures that each design point is run with as well (0: none)", ge=0, le=10_000_000
    )
    assumed: Sequence[str] = field((), "Fields that the list of points varies because their figures are assumptions")


def read_section(scenario: str | Path) -> StudySection:
    """The `[study]` table of a scenario's file; the defaults where it has none. ScenarioError if it cannot be used."""
    path = locate(scenario, Path())
    label = label_of(path, str(scenario))
    data = read_toml(path, label).get("study", {})
    return checked_section(data if isinstance(data, Mapping) else {"study": data}, label)


def checked_section(data: Mapping[str, Any], label: str) -> StudySection:
    """The table as a section; ScenarioError with everything that is wrong with it."""
    problems = section_problems(StudySection, data, ("study",))
    if problems:
        raise ScenarioError([problem._replace(file=label) for problem in problems])
    return StudySection.model_validate(dict(data))
