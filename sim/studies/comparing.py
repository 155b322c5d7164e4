"""Two designs on the same seeds: what differs between them, and what difference it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

import scenarios
from agents.registry import kinds
from sim.results import wording as w
from sim.results.summary import Section, Summary
from sim.studies import statistics as st
from sim.studies.cases import shown
from sim.studies.day_one import DayOne, day_one
from sim.studies.errors import StudyError
from sim.studies.measures import interval, written
from sim.studies.reading import Study
from sim.studies.statistics import Estimate

#: Fields that say what a scenario is for, not what it is.
_ABOUT = ("name", "title", "why", "source", "extends", "run.seed")

#: Outcomes compared, all the better the lower, with what they are called.
COMPARED = {
    "deficit_usd": "Deficit",
    "bad_debt_usd": "Debt beyond its collateral at the end",
    "liquidated_usd": "Debt liquidated",
    "liquidated_accounts": "Accounts liquidated",
    "lost_to_liquidation_usd": "Lost by borrowers to liquidation",
    "peak_liquidatable_usd": "Liquidatable at once",
    "peak_utilisation": "Peak utilisation",
    "waiting_withdrawals_peak_usd": "Withdrawals waiting, peak",
}


@dataclass(frozen=True)
class Compared:
    """One outcome of both designs, the difference (second - first) with its interval, and the share of seeds better."""

    outcome: str
    statistic: str
    first: float | None
    second: float | None
    difference: Estimate
    better: Estimate | None
    equal: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {
            "outcome": self.outcome,
            "statistic": self.statistic,
            "first": self.first,
            "second": self.second,
            "difference": self.difference.to_json(),
            "share_of_seeds_better": None if self.better is None else self.better.to_json(),
            "share_of_seeds_equal": self.equal,
        }


def compare(first: Study, second: Study, points: tuple[int, int] = (0, 0), *, books: bool = True) -> Summary:
    """What differs between a point of one study and a point of another (or of the same), and what it does.

    Only seeds that both have are compared, each with itself. `books` also builds the first seed's opening books and
    counts what the change alone makes liquidatable. StudyError if no seed is shared.
    """
    runs = paired_runs(first, second, points)
    changed = parameter_differences(first.scenario(points[0]), second.scenario(points[1]))
    rows = differences(runs)
    opened = _books(first, second, points, int(runs["seed"].iloc[0])) if books else None
    left = len(first.point(points[0])), len(second.point(points[1]))
    sections = (_parameters(changed), _table(rows, len(runs), left), _day_one(opened))
    values = {
        "folders": [str(first.folder), str(second.folder)],
        "points": list(points),
        "pairs": len(runs),
        "parameters": [{"field": path, "first": a, "second": b} for path, a, b in changed],
        "differences": [row.to_json() for row in rows],
        "day_one": None if opened is None else {name: one.to_json() for name, one in opened.items()},
    }
    return Summary(_headline(rows, changed, len(runs)), tuple(one for one in sections if one.rows), values)


def paired_runs(first: Study, second: Study, points: tuple[int, int]) -> pd.DataFrame:
    """The runs of both points side by side by seed, columns of the second with `.second` at the end."""
    a, b = first.point(points[0]), second.point(points[1])
    joint = a.merge(b, on="seed", suffixes=("", ".second"), validate="one_to_one").sort_values("seed")
    if not len(joint):
        raise StudyError(
            f"{first.folder} and {second.folder}", "no seed in common", f"{_seeds(a)} and {_seeds(b)}", "the same seeds"
        )
    return joint.reset_index(drop=True)


def _seeds(runs: pd.DataFrame) -> str:
    return f"seeds {runs['seed'].min()} to {runs['seed'].max()}" if len(runs) else "no finished run"


def parameter_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Dotted path and both values of every parameter that differs; None where one scenario lacks it."""
    from sim.results.report.parameters import walk

    a, b = dict(walk(first)), dict(walk(second))
    paths = [path for path in dict.fromkeys([*a, *b]) if path not in _ABOUT and not path.endswith(("source",))]
    return [(path, a.get(path), b.get(path)) for path in paths if a.get(path) != b.get(path)]


def differences(runs: pd.DataFrame) -> list[Compared]:
    """Paired differences of every outcome compared: means, and for the deficit the risk figures as well."""
    found = []
    for outcome in COMPARED:
        if outcome not in runs or f"{outcome}.second" not in runs:
            continue
        a, b = runs[outcome].to_numpy(dtype=float), runs[f"{outcome}.second"].to_numpy(dtype=float)
        if not len(st.paired(a, b)[0]):
            continue
        better = st.share_of_seeds(a, b)
        found.append(_one(outcome, "mean", a, b, st.mean, st.mean_difference, better))
        if outcome == "deficit_usd":
            found.append(_chance(outcome, a, b))
        if outcome in ("deficit_usd", "liquidated_usd"):
            found.append(_one(outcome, "var95", a, b, st.value_at_risk, st.quantile_difference))
        if outcome == "deficit_usd":
            found.append(_one(outcome, "es95", a, b, st.expected_shortfall, st.shortfall_difference))
    return found


def _one(
    outcome: str,
    statistic: str,
    a: Any,
    b: Any,
    single: Callable[..., Estimate],
    difference: Callable[..., Estimate],
    better: Estimate | None = None,
) -> Compared:
    a, b, _ = st.paired(a, b)
    name = f"{statistic}({outcome})"
    change, equal = difference(a, b, name=name), float((a == b).mean())
    return Compared(outcome, statistic, single(a).value, single(b).value, change, better, equal)


def _chance(outcome: str, a: Any, b: Any) -> Compared:
    a, b, _ = st.paired(a, b)
    name = f"probability({outcome} > 0)"
    change = st.probability_difference(a > 0.0, b > 0.0, name=name)
    return Compared(outcome, "probability > 0", st.share_of(a > 0.0).value, st.share_of(b > 0.0).value, change, None)


def _books(first: Study, second: Study, points: tuple[int, int], seed: int) -> dict[str, DayOne]:
    """The opening book of each side under the terms of the other."""
    a, b = (
        scenarios.load(study.scenario_file(point), kinds=kinds())
        for study, point in zip((first, second), points, strict=True)
    )
    return {"first_under_second": day_one(a, b, seed), "second_under_first": day_one(b, a, seed)}


# ---------------------------------------------------------------------- words
def _headline(rows: list[Compared], changed: list[Any], pairs: int) -> str:
    said = [f"{w.count(len(changed), 'parameter')} {'differs' if len(changed) == 1 else 'differ'}"]
    for outcome, what in (("deficit_usd", "the deficit"), ("liquidated_usd", "debt liquidated")):
        row = next((row for row in rows if row.outcome == outcome and row.statistic == "mean"), None)
        if row is not None:
            said.append(_said(row, what))
    text = f"{'; '.join(said)} ({w.count(pairs, 'pair')} of runs on the same seeds)."
    return text[0].upper() + text[1:]


def _said(row: Compared, what: str) -> str:
    one = row.difference
    if one.value is None:
        return f"of {what} nothing can be said: {one.note}"
    if one.value == 0.0 and one.low == one.high:
        return f"{what} is the same in every pair"
    size = written(row.outcome, abs(one.value))
    way = "rises" if one.value > 0 else "falls"
    if one.low is None or one.high is None:
        return f"{what} {way} by {size} on average, {one.note}"
    if one.low <= 0.0 <= one.high:
        fall, rise = written(row.outcome, -one.low), written(row.outcome, one.high)
        return f"{what} {way} by {size} on average, which may be chance (from a fall of {fall} to a rise of {rise})"
    least, most = sorted((abs(one.low), abs(one.high)))
    return f"{what} {way} by {size} on average ({written(row.outcome, least)} to {written(row.outcome, most)})"


def _parameters(changed: list[tuple[str, Any, Any]]) -> Section:
    rows = tuple((path, _value(a), _value(b)) for path, a, b in changed)
    return Section("parameters", "Parameters that differ", ("Field", "First", "Second"), rows)


def _value(value: Any) -> str:
    return w.MISSING if value is None else shown(value)


def _table(rows: list[Compared], pairs: int, left: tuple[int, int]) -> Section:
    words = {"mean": "mean", "var95": "95 % of runs", "es95": "worst 5 %, mean", "probability > 0": "chance of any"}
    cells = []
    for row in rows:
        name = f"probability({row.outcome} > 0)" if row.statistic.startswith("probability") else row.outcome
        share = equal = w.MISSING
        if row.better is not None and row.better.value is not None:
            share, equal = w.percent(row.better.value), w.percent(row.equal)
        cells.append(
            (
                f"{COMPARED[row.outcome]}, {words[row.statistic]}",
                written(name, row.first),
                written(name, row.second),
                written(name, row.difference.value),
                interval(name, row.difference),
                share,
                equal,
            )
        )
    headers = ("Outcome", "First", "Second", "Difference", "95 % interval", "Seeds lower", "equal")
    note = f"{pairs:,} seeds, each compared with itself."
    if max(left) > pairs:
        note += f" Left out: {left[0] - pairs:,} runs of the first and {left[1] - pairs:,} of the second without pair."
    return Section("differences", "What difference it makes", headers, tuple(cells), note)


def _day_one(opened: dict[str, DayOne] | None) -> Section:
    if opened is None:
        return Section("day_one", "", (), ())
    words = {
        "first_under_second": "The first's book under the second's terms",
        "second_under_first": "The second's book under the first's terms",
    }
    rows = tuple(
        (words[name], f"{one.newly_accounts:,}", w.usd(one.newly_debt_usd), f"{one.healed_accounts:,}")
        for name, one in opened.items()
    )
    headers = ("On day one", "Accounts newly liquidatable", "Their debt", "Healed")
    note = "Positions and prices of the opening as they are; only collateral terms change. At the first seed."
    return Section("day_one", "What the change alone makes liquidatable", headers, rows, note)
