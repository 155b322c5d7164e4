"""`recommend`: from a scenario, a field and a limit to a value, what is known of it, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from scenarios import Scenario, ScenarioError
from sim.results.manifest import run_identity
from sim.run import inputs
from sim.studies import statistics as st
from sim.studies.day_one import DayOne, day_one
from sim.studies.errors import StudyError
from sim.studies.execution import evaluate as evaluated
from sim.studies.expressions import Expression, parse
from sim.studies.outcomes import OUTCOMES
from sim.studies.searching.capacity import Capacity, capacities
from sim.studies.searching.search import Found, keeps, least_runs, search
from sim.studies.searching.steps import Choice, choice
from sim.studies.searching.trials import Evaluate, Trials, trial_file
from sim.studies.statistics import Estimate
from sim.studies.variants import variant

#: Seeds of each value near the answer.
RUNS = 200
BORROWED = ("borrowed_start_usd", "borrowed_end_usd")
KNOWN = (*OUTCOMES, "drawdown.*")


@dataclass(frozen=True)
class Cost:
    """What the recommended value costs against the present one.

    `borrowed`: paired difference of the mean debt at the start and at the end of the runs. `present` and `recommended`:
    capacity of the opening book under both terms; `day_one`: what the change alone makes liquidatable.
    """

    borrowed: Mapping[str, Estimate]
    present: Capacity
    recommended: Capacity
    day_one: DayOne

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "borrowed": {name: one.to_json() for name, one in self.borrowed.items()},
            "capacity_present": self.present.to_json(),
            "capacity_recommended": self.recommended.to_json(),
            "day_one": self.day_one.to_json(),
        }


@dataclass(frozen=True)
class Recommendation:
    """The answer of a search, with everything that qualifies it.

    `value` is what is recommended: the search's answer where more capacity means more risk, else the present value if
    that keeps the limit (nothing is gained by a change), else the answer. `refused`: values that make no valid
    scenario, with the reason. `present`: the limit's figure at the present value. `changes`: the steps that lead to
    `value`. `cost` is None without a value, or where it is the present one.
    """

    scenario: str
    choice: Choice
    limit: Expression
    seeds: tuple[int, int]
    found: Found
    value: float | None
    refused: Mapping[float, str]
    present: Estimate
    changes: tuple[float, ...]
    cost: Cost | None
    runs: int
    reused: int

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        found = asdict(self.found) | {"monotone": self.found.monotone}
        found["tested"] = [
            asdict(replace(one, estimate=None)) | {"estimate": one.estimate and one.estimate.to_json()}
            for one in self.found.tested
        ]
        return {
            "scenario": self.scenario,
            "field": self.choice.field,
            "present_value": self.choice.present,
            "step_limit": asdict(self.choice.limit),
            "limit": self.limit.text,
            "seeds": list(self.seeds),
            "recommended": self.value,
            **_plain(found),
            "changes": list(self.changes),
            "present": self.present.to_json(),
            "refused": [{"value": value, "why": why} for value, why in self.refused.items()],
            "cost": self.cost and self.cost.to_json(),
            "runs": self.runs,
            "reused": self.reused,
        }


def recommend(
    scenario: Scenario,
    vary: str,
    limit: str,
    *,
    runs: int = RUNS,
    first: int | None = None,
    step: float | None = None,
    seed0: int | None = None,
    workers: int = 1,
    out: Path | None = None,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
    evaluate: Evaluate | None = None,
) -> Recommendation:
    """Search for the value of one field at which the limit is still kept.

    `vary` is `FIELD`, `FIELD=LOW:HIGH` or `FIELD=LOW:HIGH:STEP`; `limit` is like `var95(deficit_usd) <= 400000`. `runs`
    seeds for every value near the answer, `first` of them (a quarter) for the others. Runs are kept in the folder `out`
    as they end, and taken from there with `resume`. `evaluate` stands in for `sim.studies.evaluate`. StudyError for a
    field, metric or range that cannot be used.
    """
    expression = parse(limit, KNOWN, comparison=True)
    if runs < least_runs(expression):
        allowed = f"at least {least_runs(expression)}: with fewer {expression.measure} has no upper bound"
        raise StudyError("--runs", expression.measure, f"{runs} runs", allowed)
    chosen = choice(scenario, vary, step)
    values, refused = valid_values(scenario, chosen)
    begin = scenario.run.seed if seed0 is None else seed0
    seeds = range(begin, begin + runs)
    outcomes = tuple(dict.fromkeys((expression.outcome, *BORROWED)))
    file = None
    if out is not None:
        file = trial_file(out, _identity(scenario, chosen, outcomes), resume)
    trials = Trials(
        scenario,
        chosen.field,
        outcomes,
        evaluate or evaluated,
        workers=workers,
        whole=chosen.whole,
        file=file,
        progress=progress,
    )
    found = search(values, trials, expression, seeds, first=first, riskier=chosen.limit.capacity)
    present = expression.estimate(trials.values(expression.outcome, chosen.present, seeds))
    value = _recommended(found, chosen, expression, present)
    stays = value is None or value == chosen.present
    return Recommendation(
        scenario.name,
        chosen,
        expression,
        (seeds[0], seeds[-1]),
        found,
        value,
        refused,
        present,
        () if stays or value is None else tuple(chosen.changes_to(value)),
        None if stays or value is None else _cost(scenario, trials, chosen, value, seeds),
        trials.runs,
        trials.reused,
    )


def _recommended(found: Found, chosen: Choice, expression: Expression, present: Estimate) -> float | None:
    if found.answer is None or (chosen.limit.capacity == found.riskier and found.moves):
        return found.answer
    on_safe_side = (found.answer - chosen.present) * found.riskier >= 0
    return chosen.present if on_safe_side and keeps(expression, present) else found.answer


def valid_values(scenario: Scenario, chosen: Choice) -> tuple[tuple[float, ...], dict[float, str]]:
    """The values that make a valid scenario, and why the others do not; StudyError if fewer than two do."""
    valid, refused = [], {}
    for value in chosen.values:
        try:
            variant(scenario, {chosen.field: int(value) if chosen.whole else value}, chosen.field)
        except ScenarioError as error:
            one = error.problems[0]
            refused[value] = f"{one.path}: {one.message}; allowed: {one.allowed}"
        else:
            valid.append(value)
    if len(valid) < 2:
        why = next(iter(refused.values()), "")
        raise StudyError(
            "--vary",
            chosen.field,
            f"{len(valid)} of {len(chosen.values)} values from {chosen.values[0]:g} to {chosen.values[-1]:g}"
            " make a valid scenario",
            f"two or more; {why}",
        )
    return tuple(valid), refused


def _cost(scenario: Scenario, trials: Trials, chosen: Choice, answer: float, seeds: range) -> Cost:
    borrowed = {
        name: st.mean_difference(
            trials.values(name, chosen.present, seeds), trials.values(name, answer, seeds), name=f"mean({name})"
        )
        for name in BORROWED
    }
    other = variant(scenario, trials.overrides(answer), chosen.field)
    own, then = capacities(scenario, other, chosen.field, seeds[0])
    return Cost(borrowed, own, then, day_one(scenario, other, seeds[0]))


def _identity(scenario: Scenario, chosen: Choice, outcomes: tuple[str, ...]) -> dict[str, Any]:
    """What must be the same for runs to be taken from a folder; the limit, range and number of seeds may differ."""
    return {
        "kind": "search",
        "scenario": scenario.name,
        "identity": run_identity(scenario.as_dict(), 0, inputs=inputs(scenario)),
        "field": chosen.field,
        "outcomes": list(outcomes),
    }


def _plain(value: Any) -> Any:
    """Numbers that JSON has no word for as None."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value - value != 0.0 else value
