"""Documentation made from the code: `python -m sim.cli.documentation [RUN [STUDY]]` (`make docs`) renews marked blocks.

A block stands between `<!-- begin NAME -->` and `<!-- end NAME -->` in a Markdown file of the repository; what is
around it is written by hand. A test holds every block against what is made here. Given the folder of a run of
march-2020, the README's figures of it and its picture are renewed as well; given a study's, those of that study.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import os
import re
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scenarios import field_table, library_names, load
from scenarios.assumed import reason_and_range
from scenarios.fields import Field, Value, resolved_table
from scenarios.schema import ASSUMPTION
from sim.cli.scenario_view import field_cells, value_words

ROOT = Path(__file__).resolve().parents[2]

_KINDS = {"int": "whole number", "float": "number", "text": "text", "bool": "true or false"}

#: Scenarios that stand for no market: their figures are made to be followed, or worked out, by hand.
INVENTED = ("cascade-by-hand", "demo")

#: What of a run's output changes with the machine, and how the README shows it.
_VARYING = {
    r"(?m)^(Took +).*$": r"\1…",
    r"(?m)^(Content hash +)\w+$": r"\1…",
    r"(?m)^(Files +).*/out/": r"\1out/",
}


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


# ---------------------------------------------------------------------- parameters
def parameters(fields: Iterable[Field]) -> str:
    """All fields, a table for each section of a scenario file and for each kind of agent."""
    groups: dict[tuple[str, str, str], list[Field]] = {}
    for field in fields:
        groups.setdefault((field.kind, field.path.rpartition(".")[0], field.about), []).append(field)
    return "\n".join(_group(*key, rows) for key, rows in groups.items())


def _group(kind: str, section: str, about: str, rows: Sequence[Field]) -> str:
    heading = f'[populations.NAME] kind = "{kind}"' if kind else f"[{section}]" if section else "top of the file"
    headers = ("field", "unit", "default", "allowed", "meaning", "source")
    cells = [field_cells(row) for row in rows]
    names = [(f"`{path.rpartition('.')[2]}`", *others) for path, *others in cells]
    return f"### {heading}\n\n{inspect.cleandoc(about)}\n\n{table(headers, names)}"


# ---------------------------------------------------------------------- assumptions
def schema_assumptions(fields: Iterable[Field]) -> str:
    """Every field whose default or meaning is an assumption: default, range, meaning and reason."""
    rows = []
    for field in fields:
        if field.assumption:
            path, unit, default, _, meaning, _ = field_cells(field)
            reason, _ = reason_and_range(field.source, "")
            rows.append((f"`{path}`", default, _plausible(field), unit, meaning, reason))
    return table(("field", "default", "range", "unit", "meaning", "why"), rows)


def library_assumptions() -> str:
    """Every assumed number that a scenario of the library sets, but for books that are invented as a whole."""
    from agents.registry import kinds

    parts = []
    for name in library_names():
        scenario = load(name, kinds=kinds())
        rows = [] if name in INVENTED else list(_assumed(name, scenario))
        if rows:
            parts.append(f"### {name}\n\n" + table(("field", "value", "range", "unit", "meaning", "why"), rows))
    return "\n".join(parts)


def _assumed(name: str, scenario: Any) -> Iterator[tuple[str, ...]]:
    entries: dict[str, list[Value]] = {}
    for value in resolved_table(scenario):
        own = value.where.split(" ")[0] == name and value.source.startswith(ASSUMPTION)
        number = isinstance(value.value, int | float) and not isinstance(value.value, bool)
        names_something = bool(value.field.refers_to) and not value.field.type.startswith("table")
        if own and number and not names_something:
            whole = value.path.rpartition(".")[0] if value.field.type.startswith("table") else value.path
            entries.setdefault(whole, []).append(value)
    for path, values in entries.items():
        field = values[0].field
        shown = ", ".join(f"{v.path.removeprefix(path).lstrip('.')} {value_words(v.value)}".strip() for v in values)
        reason, stated = reason_and_range(values[0].source, path.rpartition(".")[2])
        if path.startswith("populations.") and field.assumption and not stated:
            reason, _ = reason_and_range(field.source, "")
        yield f"`{path}`", shown, stated or _plausible(field), field.unit, field.meaning, reason


def _plausible(field: Field) -> str:
    return " to ".join(value_words(limit) for limit in field.plausible) if field.plausible else ""


# ---------------------------------------------------------------------- results, README
def result_tables() -> str:
    """Every table and column of a run, with type, unit and meaning."""
    from sim.results.columns import TABLES

    parts = []
    for name, columns in TABLES.items():
        rows = [(f"`{column}`", _KINDS[c.kind], c.unit, c.meaning) for column, c in columns.items()]
        parts.append(f"### {name}\n\n" + table(("column", "type", "unit", "meaning"), rows))
    return "\n".join(parts)


def demo_output() -> str:
    """What `undertow run demo` prints on a console of 100 columns."""
    from sim.cli.running import run_command

    before, width = Path.cwd(), os.environ.pop("COLUMNS", None)
    out = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        os.chdir(folder)
        try:
            run_command("demo", None, (), None, False, False)
        finally:
            os.chdir(before)
            if width is not None:
                os.environ["COLUMNS"] = width
    return f"```text\n{steady(out.getvalue())}```\n"


def steady(text: str) -> str:
    """A run's output without what changes from one machine to the next."""
    for pattern, shown in _VARYING.items():
        text = re.sub(pattern, shown, text)
    return text


def in_short(folder: Path) -> str:
    """The headline and the key figures of a run."""
    from sim.results import load, summarise
    from sim.results.summary import key_figures

    summary = summarise(load(folder))
    figures = [(figure.label, figure.value, figure.note) for figure in key_figures(summary.values)]
    widths = [max(len(row[place]) for row in figures) for place in range(2)]
    lines = [f"{label:<{widths[0]}}  {value:<{widths[1]}}  {note}".rstrip() for label, value, note in figures]
    return "\n".join(["```text", *textwrap.wrap(summary.headline, 100), "", *lines, "```", ""])


# ---------------------------------------------------------------------- studies
def study_in_short(folder: Path) -> str:
    """The headline of a study, and the figures of its first case that there are."""
    from sim.studies import summarise

    summary = summarise(folder)
    section = summary.section("measures")
    rows = [section.headers, *(row for row in section.rows if any(letter.isdigit() for letter in row[1]))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(section.headers))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["```text", *textwrap.wrap(summary.headline, 100), "", *lines, "```", ""])


def coverage_of_value_at_risk() -> str:
    """How often the interval of value at risk held the truth, law by law."""
    from sim.studies.statistics import coverage

    return _coverage(coverage.of_value_at_risk(law, *case) for law in coverage.VAR_LAWS for case in coverage.VAR_CASES)


def coverage_of_shortfall() -> str:
    """How often the interval of expected shortfall held the truth, law by law."""
    from sim.studies.statistics import coverage

    return _coverage(coverage.of_shortfall(law, *case) for law in coverage.ES_LAWS for case in coverage.ES_CASES)


def _coverage(measured: Iterable[Any]) -> str:
    headers = ("losses", "level", "runs", "held", "all too low", "all too high", "median width")
    rows = (
        (
            one.law,
            f"{one.level:.0%}",
            f"{one.n:,}",
            *(f"{share:.1%}" for share in (one.held, one.below, one.above)),
            f"{one.width:.0%}",
        )
        for one in measured
    )
    return table(headers, rows)


def statistics() -> str:
    """The statistics that an expression may use."""
    from sim.studies.expressions import STATISTICS

    return table(("statistic", "meaning"), ((f"`{name}`", about) for name, about in STATISTICS.items()))


def expectations() -> str:
    """What a study's findings hold against expectation."""
    from sim.studies.findings import EXPECTATIONS

    rows = ((f"`{one.outcome}`", one.words, one.why) for one in EXPECTATIONS)
    return table(("outcome", "expected", "because"), rows)


def _fields() -> list[Field]:
    from agents.registry import kinds

    return field_table(kinds())


#: File -> name of the block -> what makes it.
def outcome_table() -> str:
    """Every outcome of a run with its unit and definition."""
    from sim.studies.outcomes import OUTCOMES

    return table(("outcome", "unit", "definition"), [(f"`{name}`", *said) for name, said in OUTCOMES.items()])


BLOCKS: dict[str, dict[str, Callable[[], str]]] = {
    "README.md": {"demo": demo_output},
    "docs/parameters.md": {"parameters": lambda: parameters(_fields())},
    "docs/assumptions.md": {
        "defaults": lambda: schema_assumptions(_fields()),
        "library": library_assumptions,
    },
    "docs/results.md": {"tables": result_tables},
    "docs/studies.md": {"outcomes": outcome_table},
    "docs/studies-statistics.md": {
        "statistics": statistics,
        "value-at-risk": coverage_of_value_at_risk,
        "shortfall": coverage_of_shortfall,
        "expectations": expectations,
    },
}


def renewed(text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """The text with every block made anew; `ValueError` for a block that it does not have."""
    for name, make in blocks.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        if text.count(begin) != 1 or text.count(end) != 1:
            raise ValueError(f"needs one block {name}: {begin.strip()} … {end}")
        head, rest = text.split(begin)
        text = f"{head}{begin}{make()}{end}{rest.split(end)[1]}"
    return text


def main(folder: str | None = None, study: str | None = None) -> None:
    """Renew every block of every file."""
    blocks = {file: dict(made) for file, made in BLOCKS.items()}
    if folder:
        from sim.results import write_picture

        blocks["README.md"]["march-2020"] = functools.partial(in_short, Path(folder))
        write_picture(folder, ROOT / "docs" / "march-2020.svg")
    if study:
        blocks["README.md"]["study"] = functools.partial(study_in_short, Path(study))
    for file, made in blocks.items():
        path = ROOT / file
        path.write_text(renewed(path.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
