"""The summary of a study: what it says, in words and as figures with their uncertainty."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from sim.results import wording as w
from sim.results.summary import Section, Summary
from sim.studies.cases import Case, cases
from sim.studies.measures import LABELS, OF_EACH_CASE, Measured, interval, measured, written
from sim.studies.reading import Study, open_study
from sim.studies.statistics import runs_needed

#: Half width, as a share of the value, for which the runs needed are told.
WANTED = 0.10


def summarise(folder: str | os.PathLike[str] | Study) -> Summary:
    """Summary of a study (its folder, or one that is open): headline, tables in words, every figure as a number."""
    study = folder if isinstance(folder, Study) else open_study(folder)
    found = cases(study)
    first = found[0]
    detailed = measured(study, first)
    several = [(case, measured(study, case, OF_EACH_CASE)) for case in found] if len(found) > 1 else []
    sections = (_identity(study, found), _measures(first, detailed), _cases(several), _precision(detailed))
    values = {
        "study": _facts(study, found),
        "measures": _json(detailed),
        "cases": [
            {"point": case.central, "settings": dict(case.settings), "measures": _json(measures)}
            for case, measures in several
        ],
    }
    return Summary(headline(study, first, detailed), tuple(one for one in sections if one.rows), values)


def _json(measures: Mapping[str, Measured]) -> dict[str, Any]:
    return {name: one.to_json() for name, one in measures.items()}


# ---------------------------------------------------------------------- words
def headline(study: Study, case: Case, found: Mapping[str, Measured]) -> str:
    """What the first case says, in a few sentences."""
    failed = _count(study, "failed") + _count(study, "missing")
    n = len(study.point(case.central))
    if n == 0:
        return f"No run has ended well; {w.count(failed, 'run')} failed or missing."
    said = [*_deficit_words(found, n), *_liquidated_words(found)]
    if failed:
        said.append(f"{w.count(failed, 'run')} of {len(study.runs):,} failed or missing and left out of every figure")
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in said)


def _deficit_words(found: Mapping[str, Measured], n: int) -> list[str]:
    chance = found.get("probability(deficit_usd > 0)")
    if chance is None or chance.estimate.value is None or chance.estimate.high is None:
        return []
    one = chance.estimate
    if one.value == 0.0:
        said = [
            f"none of {w.count(n, 'run')} left a deficit: the chance of one is below"
            f" {w.percent(one.high)} (95 % interval from 0)"
        ]
    else:
        share = w.percent(one.value)
        said = [f"a deficit was left in {share} of {w.count(n, 'run')} (95 % interval {interval(one.name, one)})"]
    risk = found.get("var95(deficit_usd)")
    if risk is not None and risk.estimate.value is not None:
        band = ""
        if risk.band is not None:
            ends = " and ".join(written(risk.measure, end) for end in risk.band)
            band = f"; other assumptions move it between {ends}"
        said.append(
            f"95 % of runs stay at or below {written(risk.measure, risk.estimate.value)}"
            f" (interval {interval(risk.measure, risk.estimate)}{band})"
        )
    return said


def _liquidated_words(found: Mapping[str, Measured]) -> list[str]:
    one = found.get("mean(liquidated_usd)")
    if one is None or one.estimate.value is None:
        return []
    within = interval(one.measure, one.estimate)
    return [
        f"on average {written(one.measure, one.estimate.value)} of debt is liquidated"
        + ("" if within == w.MISSING else f" (interval {within})")
    ]


# ---------------------------------------------------------------------- sections
def _facts(study: Study, found: Sequence[Case]) -> dict[str, Any]:
    runs = study.runs
    return {
        "folder": str(study.folder),
        "name": study.manifest.get("name"),
        "title": study.manifest.get("title"),
        "state": study.manifest.get("state"),
        "runs": len(runs),
        "done": _count(study, "done"),
        "failed": _count(study, "failed"),
        "missing": _count(study, "missing"),
        "points": int(runs["point"].nunique()),
        "cases": len(found),
        "assumption_points": max((len(case.band) for case in found), default=0),
        "seeds": [int(runs["seed"].min()), int(runs["seed"].max())] if len(runs) else [],
        "content_hash": study.manifest.get("content_hash"),
    }


def _count(study: Study, state: str) -> int:
    return int((study.runs["state"] == state).sum())


def _identity(study: Study, found: Sequence[Case]) -> Section:
    facts = _facts(study, found)
    spread = ", ".join(f"{facts[word]:,} {word}" for word in ("failed", "missing") if facts[word])
    rows = [
        ("Scenario", " ".join(filter(None, (f"{facts['name']}:", facts["title"])))),
        ("Runs", f"{facts['done']:,} done" + (f", {spread}" if spread else "")),
        ("Seeds", f"{facts['seeds'][0]} to {facts['seeds'][1]}, the same for every point" if facts["seeds"] else ""),
    ]
    if facts["points"] > 1:
        beside = f", each with {facts['assumption_points']} sets of assumptions" if facts["assumption_points"] else ""
        rows.append(("Cases", f"{facts['cases']}{beside}"))
    rows.append(("State", str(facts["state"])))
    rows.append(("Folder", facts["folder"]))
    return Section("study", "Study", (), tuple(rows))


def _measures(case: Case, found: Mapping[str, Measured]) -> Section:
    banded = any(one.band is not None for one in found.values())
    headers = ("Measure", "Value", "95 % interval", *(("Assumption band",) if banded else ()))
    rows: list[tuple[str, ...]] = []
    refused: dict[str, list[str]] = {}
    for name, one in found.items():
        label = LABELS.get(name, name)
        row = [label, written(name, one.estimate.value), interval(name, one.estimate)]
        if banded:
            row.append("–" if one.band is None else " to ".join(written(name, end) for end in one.band))
        rows.append(tuple(row))
        if one.estimate.value is None:
            refused.setdefault(one.estimate.note, []).append(label)
    notes = ["Interval: what the number of runs leaves open. It says nothing of whether the model is right."]
    if banded:
        notes.append("Assumption band: lowest and highest value as the assumed figures vary over their ranges.")
    if "es95(deficit_usd)" in found and found["es95(deficit_usd)"].estimate.value is not None:
        notes.append("The mean of the worst 5 % is approximate, its interval holds less often than it says.")
    told = [f"{'; '.join(labels)}: {reason}." for reason, labels in refused.items()]
    title = f"Figures: {case.words}" if case.settings else "Figures"
    return Section("measures", title, headers, tuple(rows), " ".join([*notes, *told]))


def _cases(several: Sequence[tuple[Case, Mapping[str, Measured]]]) -> Section:
    names = [name for name in OF_EACH_CASE if several and name in several[0][1]]
    headers = ("Point", "Case", *(LABELS[name] for name in names))
    rows = []
    for case, found in several:
        cells = []
        for name in names:
            value, within = written(name, found[name].estimate.value), interval(name, found[name].estimate)
            cells.append(value if within == w.MISSING else f"{value} ({within})")
        rows.append((str(case.central), case.short, *cells))
    return Section("cases", "Cases", headers, tuple(rows), "In brackets the 95 % interval. Seeds are shared: compare.")


def _precision(found: Mapping[str, Measured]) -> Section:
    rows = []
    for name in ("mean(deficit_usd)", "var95(deficit_usd)", "mean(liquidated_usd)", "var95(liquidated_usd)"):
        one = found.get(name)
        if one is None or not one.estimate.value:
            continue
        needed = runs_needed(one.estimate, WANTED * abs(one.estimate.value))
        if needed is not None:
            rows.append((LABELS[name], w.percent((one.estimate.half_width or 0.0) / one.estimate.value), f"{needed:,}"))
    headers = ("Measure", "Now, ±", f"Runs for ± {w.percent(WANTED, 0)}")
    return Section("precision", "How many runs it takes", headers, tuple(rows), "From the present interval; a guess.")
