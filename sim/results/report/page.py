"""The report: one HTML file that needs nothing else, on a screen, on a phone, on paper."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from html import escape as html_escape
from pathlib import Path
from typing import Any

from sim.results import wording as w
from sim.results.errors import ResultsError
from sim.results.reading import load
from sim.results.report.sheet import STYLE
from sim.results.summary import Section, Summary, audit_words, caption_line, key_figures, summarise

_UNIT = re.compile(r"(?<=\d) (?=(?:[kMBT%]|gwei|points|min|h|d|s)\b|%)")


def escape(text: str) -> str:
    """Text for the page: a number is not parted from its unit at the end of a line."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", html_escape(text))


def write_report(folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of the run in that folder, `report.html` inside it unless `out` names another file."""
    run = load(folder)
    return write_page(Path(out) if out is not None else run.folder / "report.html", html(run))


def write_page(path: Path, text: str) -> Path:
    """Replace the page at `path`; `ResultsError` where it cannot be written."""
    from sim.results.progress import replace_text

    try:
        replace_text(path, text)
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def html(run: Any) -> str:
    """The report of a `Run` as text."""
    from sim.results.report.drawing import pair
    from sim.results.report.figure import source_of
    from sim.results.report.figures import figures

    summary = summarise(run)
    source = source_of(run, summary.values)
    drawn = [(figure, *pair(figure.draw, figure.key)) for figure in figures(source)]
    parts = [
        _head(run.manifest, summary),
        _cards(summary.values),
        *(figure_block(figure, wide, narrow) for figure, wide, narrow in drawn),
        _nothing_liquidated(source, summary.values),
        _largest(source.events),
        "<h2>All figures</h2>",
        *(section_block(section) for section in summary.sections if section.key not in ("run", "trust")),
        parameters_block(run.manifest),
        _made_by(run.manifest, summary.values),
    ]
    return document(f"{run.manifest.get('title') or run.manifest.get('name')}: report of one run", parts)


def document(title: str, parts: Sequence[str]) -> str:
    """The whole page around its parts; empty parts are left out."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _head(manifest: Mapping[str, Any], summary: Summary) -> str:
    scenario = manifest.get("scenario") or {}
    title = manifest.get("title") or manifest.get("name") or "Run"
    lines = [f"<h1>{escape(str(title))}</h1>", f'<p class="line">{escape(caption_line(manifest))}</p>']
    state = manifest.get("state")
    if state not in ("done", "running"):
        steps = w.count(summary.values["run"]["steps"], "step")
        lines.append(f'<p class="warning">This run is {escape(str(state))}: the figures cover {steps} only.</p>')
    lines.append(f'<p class="headline">{escape(summary.headline)}</p>')
    simulated = next((row[1] for row in summary.sections[0].rows if row[0] == "Simulated"), "")
    if simulated:
        lines.append(f'<p class="line">Simulated: {escape(simulated)}</p>')
    if scenario.get("why"):
        lines.append(f"<p>{escape(str(scenario['why']))}</p>")
    lines.append(
        '<p class="line">One run is one possible course of events, not a probability. Model output, not advice.</p>'
    )
    return "\n".join(lines)


def _cards(values: Mapping[str, Any]) -> str:
    items = (
        f'<div class="card"><div class="what">{escape(card.label)}</div><div class="value">{escape(card.value)}</div>'
        f'<div class="what">{escape(card.note)}</div></div>'
        for card in key_figures(values)
    )
    return f'<div class="cards">{"".join(items)}</div>'


def figure_block(figure: Any, wide: str, narrow: str) -> str:
    """A figure with its title and caption, drawn for a wide and for a narrow screen."""
    return (
        f'<figure id="{escape(figure.key)}"><h2>{escape(figure.title)}</h2>\n'
        f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>\n'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _nothing_liquidated(source: Any, values: Mapping[str, Any]) -> str:
    if values["liquidations"]["count"]:
        return ""
    text = "No liquidation in this run."
    if len(source.positions) and "health_factor" in source.positions:
        owing = source.positions[source.positions["debt_usd"] > 0]
        if len(owing):
            text += f" The lowest health factor in the snapshots was {float(owing['health_factor'].min()):.3f}."
    return f"<p>{escape(text)}</p>"


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    kind: str,
    numbers: Sequence[int] = (),
    marked: Sequence[int] = (),
) -> str:
    """Rows under headers; columns `numbers` are flush right, rows `marked` stand out in red."""

    def cells(row: Sequence[str], tag: str, of_row: str = "") -> str:
        made = []
        for place, cell in enumerate(row):
            mark = " class=number" if place in numbers else ""
            made.append(f"<{tag}{mark}>{escape(cell)}</{tag}>")
        return f"<tr{of_row}>{''.join(made)}</tr>"

    head = f"<thead>{cells(headers, 'th')}</thead>" if headers else ""
    marks = [" class=against" if place in marked else "" for place in range(len(rows))]
    body = "".join(cells(row, "td", mark) for row, mark in zip(rows, marks, strict=True))
    return f'<div class="scroll"><table class="{kind}">{head}<tbody>{body}</tbody></table></div>'


def section_block(section: Section) -> str:
    """A section of a summary as a table with its note."""
    note = f"<p class=line>{escape(section.note)}</p>" if section.note else ""
    body = table(section.headers, section.rows, "tight" if section.headers else "pairs")
    return f"<section><h3>{escape(section.title)}</h3>{body}{note}</section>"


def _largest(events: Any) -> str:
    from sim.results.report.frames import largest_liquidations

    chosen = largest_liquidations(events) if len(events) else events
    if not len(chosen):
        return ""
    headers = ("When", "Borrower", "Seized", "Repaid", "Debt repaid", "Collateral", "HF before", "Liquidator", "Profit")
    rows = []
    for row in chosen.to_dict("records"):
        health = row.get("health_factor_before")
        rows.append(
            (
                w.moment(row.get("timestamp")),
                _word(row.get("account")),
                _word(row.get("collateral_asset")),
                _word(row.get("debt_asset")),
                w.usd(row.get("debt_repaid_usd")),
                w.usd(row.get("collateral_usd")),
                f"{health:.4f}" if health is not None and health == health else w.MISSING,
                " ".join(_word(row.get(key)) for key in ("owner", "sender") if row.get(key) is not None),
                w.usd(row.get("profit_usd")),
            )
        )
    return f"<h2>The largest liquidations</h2>{table(headers, rows, 'tight', numbers=(4, 5, 6, 8))}"


def _word(value: Any) -> str:
    if value is None or value != value:
        return w.MISSING
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def parameters_block(manifest: Mapping[str, Any]) -> str:
    """Every parameter: what was overridden, what is assumed, and all of them folded away."""
    from sim.results.report.parameters import parameters

    every = parameters(manifest)
    if not every:
        return ""
    headers = ("Parameter", "Value", "Unit", "From", "Source")

    def block(title: str, chosen: list[Any], shut: bool) -> str:
        if not chosen:
            return ""
        rows = [(one.path, one.value, one.unit, one.origin, one.source) for one in chosen]
        body = table(headers, rows, "parameters")
        words = f"{title} ({len(chosen)})"
        if shut:
            return f"<details><summary>{escape(words)}</summary>{body}</details>"
        return f"<h3>{escape(words)}</h3>{body}"

    changed = [one for one in every if one.origin == "overridden"]
    assumed = [one for one in every if one.assumption]
    return (
        "<h2>Parameters</h2>"
        + block("Overridden for this run", changed, shut=False)
        + block("Assumptions: no source was found", assumed, shut=len(assumed) > 12)
        + block("All resolved parameters", every, shut=True)
    )


def _made_by(manifest: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in (manifest.get("versions") or {}).items())
    command = " ".join(manifest.get("command") or [])
    sizes = (manifest.get("tables") or {}).items()
    tables = ", ".join(f"{name} ({w.number(size['rows'])} rows)" for name, size in sizes)
    rows = [
        ("Command", command),
        ("Versions", versions),
        ("Tables", tables),
        ("Content hash", str(manifest.get("content_hash") or "")),
        ("Conservation audit", audit_words(values["audit"])),
        ("Figures from", str((manifest.get("scenario") or {}).get("source") or "")),
    ]
    return f"<h2>How this was made</h2>{table((), [row for row in rows if row[1]], 'pairs')}"
