"""`undertow batch` and `undertow replay`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sim.cli.console import print_json, remark, stderr
from sim.cli.errors import DIFFERENT, DONE, INTERRUPTED, SOME_FAILED


class Flags(NamedTuple):
    """The options that make a design."""

    runs: int | None
    grid: Sequence[str]
    vary: Sequence[str]
    lhs: int | None
    sobol: int | None
    assumptions: int | None
    seed0: int | None
    keep: str | None


class Work(NamedTuple):
    """Where a study's runs go, and how they are run."""

    out: Path | None
    resume: bool
    workers: int | None
    dask: str | None
    max_minutes: float | None

    def folder(self, name: str) -> Path:
        """The folder named, else that of this name in `out`."""
        return self.out if self.out is not None else Path("out") / name

    def execute(self, design: Any, folder: Path) -> Any:
        """Run a design with its progress shown."""
        from sim.studies import execute

        with study_progress(len(design)) as progress:
            return execute(
                design,
                folder,
                workers=self.workers or processors(),
                dask=self.dask,
                resume=self.resume,
                max_minutes=self.max_minutes,
                progress=progress,
            )


def batch_command(study: str, sets: Sequence[str], flags: Flags, work: Work, as_json: bool) -> int:
    """Make the design, run it, and say where it is."""
    from scenarios.merging import parse_assignments
    from sim.cli.loading import check_price_path, make_own_kinds_importable
    from sim.studies.server import start_server

    make_own_kinds_importable()
    if work.dask is None:
        start_server()  # it imports the simulator while this process does
    from sim.studies import load_design

    design = load_design(
        study,
        parse_assignments(sets),
        runs=flags.runs,
        grid=flags.grid,
        vary=flags.vary,
        lhs=flags.lhs,
        sobol_points=flags.sobol,
        assumptions=flags.assumptions,
        seed0=flags.seed0,
        keep=None if flags.keep is None else flags.keep.split(","),
    )
    check_price_path(design.scenario)
    remark(f"{design.scenario.label}: {_size(design)}")
    result = work.execute(design, work.folder(f"{design.scenario.name}-study"))
    for damaged in result.damaged:
        remark(f"ran again: {damaged}")
    return _told(result, len(design), as_json)


def _size(design: Any) -> str:
    """How many runs, of what."""
    points = len(design.points)
    varied = f"{points:,} design points x " if points > 1 or design.fields else ""
    words = f"{len(design):,} runs ({varied}{len(design.seeds):,} seeds from {design.seeds[0]})"
    if design.assumptions:
        sets = len([point for point in design.points if not point.overrides.keys().isdisjoint(design.assumptions)])
        words += f"; {sets:,} points vary {len(design.assumptions):,} assumed figures over their ranges"
    return words


def _told(result: Any, total: int, as_json: bool) -> int:
    left = total - result.done - result.failed
    if as_json:
        print_json(
            {
                "folder": str(result.folder),
                "state": result.state,
                "runs": total,
                "done": result.done,
                "failed": result.failed,
                "left": left,
            }
        )
    else:
        print(f"{result.done:,} of {total:,} runs done, {result.failed:,} failed: {result.folder}")
    if result.failed:
        remark(f"why, and how to run them again one by one: {result.folder / 'failures.jsonl'}")
    return status_of(result, left)


def status_of(result: Any, left: int) -> int:
    """The exit status of an executed study; says how an interrupted one goes on."""
    if result.state == "interrupted":
        remark(f"interrupted with {left:,} runs left: the same command with --resume goes on")
        return INTERRUPTED
    return SOME_FAILED if result.failed else DONE


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@contextmanager
def study_progress(total: int) -> Iterator[Callable[[Any], None]]:
    """Done, failed, rate and time left: a bar on a terminal, elsewhere a line for every tenth."""
    console = stderr()
    if not console.is_terminal:
        yield _in_lines(total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("runs"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(status: Any) -> None:
            bar.update(task, completed=status.ended, description=_rate(status))

        yield show


def _in_lines(total: int) -> Callable[[Any], None]:
    told = -1

    def show(status: Any) -> None:
        nonlocal told
        tenth = 10 * status.ended // total
        if told < 0:
            told = 10 * status.before // total
            if status.before:
                remark(f"  {status.before:,} of {total:,} runs are there already")
        if tenth > told:
            told = tenth
            remark(f"  {status.ended:,} of {total:,} runs{_rate(status)}")

    return show


def _rate(status: Any) -> str:
    from sim.results.wording import seconds

    words = f", {status.failed:,} failed" if status.failed else ""
    left = status.seconds_left
    if left is None:
        return words
    words += f", {status.rate:.2g} a second" if status.rate < 10 else f", {status.rate:,.0f} a second"
    return words + (f", {seconds(left)} left" if status.ended < status.total else "")


def replay_command(folder: Path, run: int, out: Path | None, report: bool, as_json: bool) -> int:
    """Run a member again and say whether its tables are those of the study."""
    from sim.cli.loading import make_own_kinds_importable
    from sim.cli.running import progress_bar
    from sim.studies import replay

    make_own_kinds_importable()
    with progress_bar(1) as progress:
        found = replay(folder, run, out=out, progress=progress, report=report)
    if found.other_version:
        remark(f"the study was made with undertow {found.other_version}: tables may differ")
    if as_json:
        values = {"folder": str(found.folder), "state": found.state, "compared": list(found.compared)}
        print_json(values | {"different": list(found.different)})
    elif not found.compared:
        print(f"run {run}: the study has no result of it to compare with: {found.folder}")
    elif found.different:
        print(f"run {run}: {', '.join(found.different)} differ from the study's: {found.folder}")
    else:
        print(f"run {run}: {', '.join(found.compared)} equal to the study's: {found.folder}")
    if found.state == "interrupted":
        return INTERRUPTED
    return DIFFERENT if found.different else DONE
