"""`undertow run` and `undertow report`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from sim.cli.console import heading, print_json, remark, stderr, stdout
from sim.cli.errors import DONE, INTERRUPTED
from sim.cli.tables import print_table

Progress = Callable[[int, int], None]


def run_command(name: str, seed: int | None, sets: Sequence[str], out: Path | None, as_json: bool, report: bool) -> int:
    """Load, run, write, and print what happened."""
    from sim.cli.loading import load_checked

    scenario = load_checked(name, sets, seed)
    run = scenario.run
    remark(f"{scenario.label}: {run.steps:,} steps of {run.step_seconds} s, seed {run.seed}")
    from sim.run import run_scenario

    with progress_bar(run.steps) as progress:
        result = run_scenario(scenario, seed=run.seed, out=out, progress=progress, report=report)
    print_result(Path(result.folder), as_json)
    if result.state == "interrupted":
        remark(f"interrupted: what was recorded is in {result.folder}")
        return INTERRUPTED
    return DONE


@contextmanager
def progress_bar(total: int) -> Iterator[Progress]:
    """A bar on a terminal; four lines where stderr goes elsewhere."""
    console = stderr()
    if not console.is_terminal:
        yield _in_lines()
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("building", total=total)

        def show(done: int, of: int) -> None:
            bar.update(task, completed=done, total=of, description="running")

        yield show


def _in_lines() -> Progress:
    told = 0

    def show(done: int, of: int) -> None:
        nonlocal told
        quarter = 4 * done // of if of else 4
        if quarter > told:
            told = quarter
            remark(f"  {done:,} of {of:,} steps")

    return show


def print_result(folder: Path, as_json: bool) -> None:
    """The summary of a finished run, from its folder."""
    from sim.results import load, summarise

    print_summary(summarise(load(folder)), as_json)


def print_summary(summary: Any, as_json: bool) -> None:
    """The headline and every section of a summary, or its figures as JSON."""
    if as_json:
        print_json(summary.to_json())
        return
    console = stdout()
    console.print(Text(summary.headline, style="bold"))
    for section in summary.sections:
        _print_section(console, section)


def _print_section(console: Console, section: Any) -> None:
    heading(console, section.title)
    columns = len(section.headers) or max((len(row) for row in section.rows), default=0)
    headers = section.headers or ("",) * columns
    print_table(console, headers, section.rows, None if section.headers else ())
    if section.note:
        console.print(Text(section.note, style="dim"))


def report_command(folder: Path) -> int:
    """Write the report of a run or a study that is there already."""
    from sim.results.files import read_manifest

    if (read_manifest(folder) or {}).get("kind") == "study":
        from sim.studies.report import write_report as write_study_report

        page = write_study_report(folder)
    else:
        from sim.results import write_report

        page = write_report(folder)
    sys.stdout.write(f"{page}\n")
    return DONE
