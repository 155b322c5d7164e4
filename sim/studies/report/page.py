"""The report of a study as one page, in the manner of a run's report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.results import wording as w
from sim.results.report.page import (
    document,
    escape,
    figure_block,
    parameters_block,
    section_block,
    table,
    write_page,
)
from sim.results.summary import Summary
from sim.studies.cases import Case, cases, central_runs
from sim.studies.findings import AGAINST, findings
from sim.studies.measures import interval, written
from sim.studies.reading import Study, open_study
from sim.studies.report import sensitivity as sensitive
from sim.studies.report.figures import LOSSES, case_differences, figures, main_loss
from sim.studies.summary import summarise


def write_report(folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of the study in that folder, `report.html` inside it unless `out` names another file."""
    study = open_study(folder)
    return write_page(Path(out) if out is not None else study.folder / "report.html", html(study))


def html(study: Study) -> str:
    """The report of a `Study` as text."""
    from sim.results.report.drawing import pair

    summary = summarise(study)
    found = cases(study)
    analyses = sensitive.analyses(study)
    drawn = [
        (figure, *pair(figure.draw, figure.key)) for figure in [*sensitive.figures(analyses), *figures(study, found)]
    ]
    name = study.manifest.get("title") or study.manifest.get("name") or "Study"
    parts = [
        _head(study, summary, str(name)),
        _cards(summary),
        *(figure_block(figure, wide, narrow) for figure, wide, narrow in drawn),
        sensitive.blocks(analyses),
        "" if analyses else _findings(study),
        _cases(study, found),
        "<h2>All figures</h2>",
        *(section_block(section) for section in summary.sections if section.key in ("measures", "precision")),
        _failures(study),
        parameters_block(study.manifest),
        _made_by(study),
    ]
    return document(f"{name}: report of a study", parts)


def _head(study: Study, summary: Summary, name: str) -> str:
    facts = summary.values["study"]
    scenario = study.manifest.get("scenario") or {}
    seeds = f", seeds {facts['seeds'][0]} to {facts['seeds'][1]}" if facts["seeds"] else ""
    version = (study.manifest.get("versions") or {}).get("undertow", "?")
    line = f"{facts['name']}, {w.count(facts['done'], 'run')}{seeds}, undertow {version}"
    lines = [f"<h1>{escape(name)}</h1>", f'<p class="line">{escape(line)}</p>']
    if facts["state"] != "done" or facts["failed"] or facts["missing"]:
        left = f"{facts['failed']:,} failed and {facts['missing']:,} missing"
        told = f"State: {facts['state']}. Of {facts['runs']:,} runs {left}; no figure contains them."
        lines.append(f'<p class="warning">{escape(told)}</p>')
    lines.append(f'<p class="headline">{escape(summary.headline)}</p>')
    if scenario.get("why"):
        lines.append(f"<p>{escape(str(scenario['why']))}</p>")
    told = (
        "Each run is one possible course of events under the same assumptions. Intervals say what the number of runs"
        " leaves open, not whether the model is right. Model output, not advice."
    )
    lines.append(f'<p class="line">{escape(told)}</p>')
    return "\n".join(lines)


#: Cards: measure, label.
_CARDS = (
    ("probability(deficit_usd > 0)", "Chance of a deficit"),
    ("var95(deficit_usd)", "Deficit, VaR 95 %"),
    ("es95(deficit_usd)", "Deficit, shortfall 95 %"),
    ("mean(liquidated_usd)", "Debt liquidated, mean"),
    ("var95(liquidated_usd)", "Debt liquidated, VaR 95 %"),
    ("median(peak_utilisation)", "Peak utilisation, median"),
)


def _cards(summary: Summary) -> str:
    items = []
    for name, label in _CARDS:
        one = summary.values["measures"].get(name)
        if one is None:
            continue
        low, high = one["low"], one["high"]
        within = f"{written(name, low)} to {written(name, high)}" if low is not None else "takes more runs"
        value = written(name, one["value"])
        band = one["assumption_band"]
        assumed = (
            f"; with other assumptions {written(name, band['low'])} to {written(name, band['high'])}" if band else ""
        )
        items.append(
            f'<div class="card"><div class="what">{escape(label)}</div><div class="value">{escape(value)}</div>'
            f'<div class="what">{escape(within + assumed)}</div></div>'
        )
    return f'<div class="cards">{"".join(items)}</div>' if items else ""


# ---------------------------------------------------------------------- tables
def _findings(study: Study) -> str:
    found = findings(study)
    if not found:
        return ""
    headers = ("Field", "Expected", "Effect", "95 % interval", "Seeds as expected", "Finding")
    rows = [one.row for one in found]
    against = [place for place, one in enumerate(found) if one.verdict == AGAINST]
    note = (
        "Effect: mean over seeds of the change in the outcome from the field's lowest value to its highest. What theory"
        " expects need not come: in a real cascade each direction can reverse. Red: the whole interval lies on the"
        " unexpected side. Populations whose health factors are drawn relative to a threshold move with it; the same"
        " positions under other terms are counted by undertow compare."
    )
    return f"<h2>Findings</h2>{table(headers, rows, 'folded', marked=against)}<p class=line>{escape(note)}</p>"


def _cases(study: Study, found: list[Case]) -> str:
    name = main_loss(central_runs(study, found))
    if len(found) < 2 or name is None:
        return ""
    headers = ("Case", "Mean", "Difference from the first", "95 % interval", "Seeds lower", "equal")
    first = study.point(found[0].central)[name]
    rows = [(f"{found[0].central}: {found[0].short}", written(name, float(first.mean())), *[w.MISSING] * 4)]
    for case, change, lower, ties in case_differences(study, found, name):
        mean = float(study.point(case.central)[name].mean())
        cells = (written(name, mean), written(name, change.value), interval(name, change))
        rows.append((f"{case.central}: {case.short}", *cells, w.percent(lower.value), w.percent(ties)))
    title = f"The {LOSSES[name]}, case by case"
    note = "All cases ran on the same seeds, so each seed is compared with itself."
    return f"<h2>{escape(title)}</h2>{table(headers, rows, 'folded')}<p class=line>{escape(note)}</p>"


def _failures(study: Study) -> str:
    lost = study.runs[study.runs["state"] != "done"]
    if not len(lost):
        return ""
    rows = [(str(row.run), str(row.point), str(row.seed), str(row.state)) for row in lost.head(20).itertuples()]
    more = f" The first 20 of {len(lost):,}." if len(lost) > 20 else ""
    note = f"Tracebacks, and the command that replays each, are in failures.jsonl.{more}"
    block = table(("Run", "Point", "Seed", "State"), rows, "tight")
    return f"<h3>Runs that did not end well</h3>{block}<p class=line>{escape(note)}</p>"


def _made_by(study: Study) -> str:
    manifest: Mapping[str, Any] = study.manifest
    versions = ", ".join(f"{name} {number}" for name, number in (manifest.get("versions") or {}).items())
    rows = [
        ("Command", " ".join(manifest.get("command") or [])),
        ("Versions", versions),
        ("Content hash", str(manifest.get("content_hash") or "")),
        ("Figures from", str((manifest.get("scenario") or {}).get("source") or "")),
    ]
    return f"<h2>How this was made</h2>{table((), [row for row in rows if row[1]], 'pairs')}"
