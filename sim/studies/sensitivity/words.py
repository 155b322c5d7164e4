"""A sensitivity study in words: a headline, a table of indices and a tornado for each figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sim.results import wording as w
from sim.results.files import dump_json
from sim.results.progress import replace_text
from sim.results.summary import Section, Summary
from sim.studies.cases import shown
from sim.studies.folder import disk_errors
from sim.studies.measures import interval, written
from sim.studies.reading import Study
from sim.studies.sensitivity.analysis import Analysis, analyse, ranked
from sim.studies.sensitivity.indices import Index
from sim.studies.sensitivity.plan import DUMMY, MORRIS, SEEDS
from sim.studies.statistics import Estimate

#: Inputs in a table for people; all are in the figures.
MOST = 20


def report_of(study: Study, of: Sequence[str] = ()) -> Summary:
    """Analyse the study, keep the figures as `sensitivity.json` in its folder, and say what they are."""
    found = analyse(study, of)
    values = {"folder": str(study.folder), "figures": [one.to_json() for one in found]}
    with disk_errors(study.folder):
        replace_text(study.folder / "sensitivity.json", dump_json(json.loads(json.dumps(values))))
    sections = [section for one in found for section in (indices_section(one), tornado_section(one))]
    return Summary(" ".join(map(headline, found)), tuple(one for one in sections if one.rows), values)


def kept_figures(folder: Path) -> list[str]:
    """The figures that were asked for when the study was last analysed."""
    try:
        said = json.loads((folder / "sensitivity.json").read_text(encoding="utf-8"))
        return [str(one["figure"]) for one in said["figures"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def headline(one: Analysis) -> str:
    """Which inputs move the figure most, and how sure that is."""
    if one.refused:
        return f"{one.refused}."
    name = "mu_star" if one.method == MORRIS else "ST"
    order = [place for place in ranked(one) if one.inputs[place] not in (DUMMY, SEEDS)]
    first = order[:3]
    parts = [f"{one.inputs[place]} ({_cell(one, name, one.measures[name][place])})" for place in first]
    what = "moved most by" if one.method == MORRIS else "varies most with"
    said = f"{one.figure} is {what} {w.joined(parts)}."
    still = len([place for place in order if one.measures[name][place].value == 0.0])
    if still:
        said += f" {w.count(still, 'input')} of {len(order)} {'does' if still == 1 else 'do'} nothing to it."
    return said


def indices_section(one: Analysis) -> Section:
    """The indices of one figure, the most important input first."""
    if not one.measures:
        return Section(f"indices {one.figure}", "", (), ())
    names = list(one.measures)
    words = {"mu_star": "Mean |effect|", "mu": "Mean effect", "sigma": "Spread", "S1": "Alone (S1)", "ST": "Total (ST)"}
    headers = ["Input"]
    for name in names:
        headers += [words[name]] if name == "sigma" else [words[name], "95 % interval"]
    rows = []
    order = ranked(one)
    for place in [*order[:MOST], *(place for place in order[MOST:] if one.inputs[place] in (DUMMY, SEEDS))]:
        cells = [one.inputs[place]]
        for name in names:
            index = one.measures[name][place]
            cells.append(_cell(one, name, index))
            if name != "sigma":
                cells.append(f"{_number(one, index.low)} to {_number(one, index.high)}")
        rows.append(tuple(cells))
    title = f"{'Elementary effects' if one.method == MORRIS else 'Shares of variance'}: {one.figure}"
    return Section(f"indices {one.figure}", title, tuple(headers), tuple(rows), _note(one))


def _note(one: Analysis) -> str:
    left = f" {one.left_out} sets of rows left out: a run failed." if one.left_out else ""
    if one.method == MORRIS:
        return (
            f"Effect: change of the figure over an input's whole range, from steps at {one.rows:,} points on"
            f" {one.seeds} shared seeds. A spread as large as the mean |effect|: interaction or curvature.{left}"
        )
    said = f"{one.rows:,} rows on {w.count(one.seeds, 'seed')}."
    if one.floor is not None:
        said += f" An input alone below {one.floor.high:.2g} is not told from one that does nothing."
    if one.seed_share is not None:
        said += f" Of the variance of single runs {w.percent(one.seed_share)} is the seeds'."
    return said + left


def tornado_section(one: Analysis) -> Section:
    """The figure with each field at its ends, all else as in the scenario."""
    rows = []
    for bar in one.tornado[:MOST] if any(bar.swing > 0.0 for bar in one.tornado) else ():
        rows.append(
            (
                bar.field,
                f"{shown(bar.low)} to {shown(bar.high)}",
                written(one.figure, bar.at_low),
                written(one.figure, bar.at_high),
                _change(one, bar.change_low),
                _change(one, bar.change_high),
            )
        )
    headers = ("Field alone", "From, to", "At its low end", "At its high end", "Change to low", "Change to high")
    note = f"As the scenario stands: {written(one.figure, one.base)}. In brackets 95 % intervals, the same seeds."
    return Section(f"tornado {one.figure}", f"One at a time: {one.figure}", headers, tuple(rows), note)


def _change(one: Analysis, change: Estimate) -> str:
    within = interval(one.figure, change)
    told = written(one.figure, change.value)
    return told if within == w.MISSING or change.value == 0.0 else f"{told} ({within})"


def _cell(one: Analysis, name: str, index: Index) -> str:
    return written(one.figure, index.value) if one.method == MORRIS else f"{index.value:.3f}"


def _number(one: Analysis, value: float) -> str:
    return written(one.figure, value) if one.method == MORRIS else f"{value:.3f}"
