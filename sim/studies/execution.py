"""Running a study: one code path over `concurrent.futures.Executor`, for processes of this machine or a cluster."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenarios import Scenario
from sim.results.progress import Progress, utc_now
from sim.studies.collecting import collect, member_row, runs_table, write_summary
from sim.studies.crew import Crew
from sim.studies.design import Design, design_of
from sim.studies.errors import StudyError
from sim.studies.folder import StudyFolder, unwritable
from sim.studies.lanes import Lane, dask_lanes, given_lane, process_lanes
from sim.studies.progress import Status
from sim.studies.stopping import Stop
from sim.studies.task import Ended, Task
from sim.studies.variants import pack

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class StudyResult:
    """Where a study is, how many runs are done and failed, and whether it is "done" or "interrupted".

    `damaged` names what a resumed study had in a state that could not be used, and ran again.
    """

    folder: Path
    done: int
    failed: int
    state: str
    damaged: tuple[str, ...] = ()


def execute(
    design: Design,
    out: str | os.PathLike[str],
    *,
    workers: int = 1,
    dask: str | None = None,
    resume: bool = False,
    max_minutes: float | None = None,
    progress: Callable[[Status], None] | None = None,
    executor: Executor | None = None,
) -> StudyResult:
    """Run every member of the design that `out` does not hold yet, and write the study's tables.

    `workers` processes of this machine, or the cluster of the Dask scheduler at `dask`, or `executor` with so many
    workers. A run that fails is set aside in `failures.jsonl`, the rest goes on. Ctrl-C once, or the end of
    `max_minutes`: what runs is finished, state "interrupted"; twice: KeyboardInterrupt at once. StudyError if the
    design or the folder cannot be used, or the disk is full. In a script of your own, call it under
    `if __name__ == "__main__":`, as every program that starts processes.
    """
    _refuse_few(workers)
    packets = _Packets(design)
    if not resume:
        packets.check()
    with _lanes(workers, dask, executor) as lanes, StudyFolder.open(out, design, resume) as folder:
        return _Execution(design, folder, packets, progress).run(lanes, Stop(max_minutes))


def evaluate(
    scenario: Scenario,
    points: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    *,
    outcomes: bool = True,
    workers: int = 1,
) -> pd.DataFrame:
    """The `runs` table of a study without a folder: every point with every seed; keys alone with `outcomes=False`.

    One worker runs in this process. A run that fails has state "failed" and no outcomes.
    """
    import pandas as pd

    _refuse_few(workers)
    design = design_of(scenario, points, seeds)
    packets = _Packets(design)
    packets.check()
    ended: dict[int, Ended] = {}
    lanes = process_lanes(workers) if workers > 1 else given_lane(Here(), 1)
    with Stop() as stop, _closing(Crew(lanes, lambda one: ended.__setitem__(one.run, one), stop)) as crew:
        crew.work(packets.tasks(range(len(design)), None))
        if stop.asked:
            raise KeyboardInterrupt
    rows = [
        member_row(design, run, one.state, one.wall_seconds, "", one.outcomes if outcomes else {})
        for run, one in sorted(ended.items())
    ]
    return pd.DataFrame(runs_table(design, rows))


class Here(Executor):
    """An executor that runs each task where it is handed over."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Packets:
    """The variants of a design as workers get them, one a point, made when first needed."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._made: dict[int, bytes] = {}

    def check(self) -> None:
        """Check every design point before anything runs; ScenarioError that names the point."""
        for point in self.design.points:
            self.of(point.index)

    def of(self, point: int) -> bytes:
        """The packet of a design point."""
        if point not in self._made:
            self._made[point] = pack(self.design.variant(point))
        return self._made[point]

    def tasks(self, runs: Sequence[int], folder: Path | None) -> Iterator[Task]:
        """The tasks of these runs."""
        for run in runs:
            point, replicate, seed = self.design.member(run)[1:]
            yield Task(
                run,
                point.index,
                replicate,
                seed,
                point.overrides,
                self.of(point.index),
                None if folder is None else str(folder),
                self.design.keep,
            )


class _Execution:
    """One call of `execute`: its counts, its folder, and what happens when a run has ended."""

    def __init__(
        self, design: Design, folder: StudyFolder, packets: _Packets, progress: Callable[[Status], None] | None
    ) -> None:
        self.design, self.folder, self.packets, self.progress = design, folder, packets, progress
        self.keeper = Progress(folder.path, len(design), "runs")
        self.began = time.monotonic()
        self.done = self.before = self.failed = 0
        self.unwritten = ""

    def run(self, lanes: Sequence[Lane], stop: Stop) -> StudyResult:
        """Work through what is missing, then make the study's tables."""
        whole, damaged = self.folder.present()
        for run in damaged:
            self.folder.discard(run)
        self.done = self.before = len(whole)
        present = set(whole)
        missing = [run for run in range(len(self.design)) if run not in present]
        self.stop = stop
        self._tell()
        try:
            with stop, _closing(Crew(lanes, self._take, stop)) as crew:
                crew.work(self.packets.tasks(missing, self.folder.runs))
                if self.unwritten:
                    raise unwritable(self.folder.path, self.unwritten)
                return self._finish(tuple(damaged.values()))
        except BaseException:
            self._abandon()
            raise

    def _take(self, ended: Ended) -> None:
        if ended.state == "unwritten":
            self.unwritten = ended.error
            self.stop.ask()
            return
        if ended.state == "failed":
            self.folder.add_failure(ended.run, ended.error, ended.trace, ended.place)
            self.failed += 1
        elif not (self.folder.run_folder(ended.run) / "manifest.json").is_file():
            raise StudyError(
                str(self.folder.run_folder(ended.run)),
                f"was written by {ended.place}, but is not here",
                "",
                "a folder that all workers share with this machine, under the same path",
            )
        else:
            self.done += 1
        self._tell()

    def status(self) -> Status:
        """How far it is."""
        return Status(self.done, self.failed, len(self.design), self.before, time.monotonic() - self.began)

    def _tell(self) -> None:
        status = self.status()
        self.keeper.update(status.ended, **_more(status))
        if self.progress is not None:
            self.progress(status)

    def _finish(self, damaged: tuple[str, ...]) -> StudyResult:
        status = self.status()
        state = "done" if status.ended == status.total else "interrupted"
        found = collect(self.folder)
        write_summary(self.folder, found | {"state": state})  # before the manifest says "done"
        self.folder.write_manifest(
            state, finished_at=utc_now(), wall_seconds=round(time.monotonic() - self.began, 3), **found
        )
        self.keeper.finish(state, status.ended, **_more(self.status()))
        return StudyResult(self.folder.path, status.done, status.failed, state, damaged)

    def _abandon(self) -> None:
        """Say that it ended early; what is there stays, and --resume goes on from it."""
        with contextlib.suppress(StudyError):
            self.folder.write_manifest("interrupted", done=self.done, failed=self.failed)
        status = self.status()
        self.keeper.finish("interrupted", status.ended, **_more(status))


def _more(status: Status) -> dict[str, Any]:
    more: dict[str, Any] = {"failed": status.failed, "runs_per_second": round(status.rate, 4)}
    left = status.seconds_left
    if left is not None and status.ended < status.total:
        more["seconds_left"] = round(left, 1)
    return more


@contextlib.contextmanager
def _lanes(workers: int, dask: str | None, executor: Executor | None) -> Iterator[Sequence[Lane]]:
    if executor is not None:
        yield given_lane(executor, workers)
    elif dask is not None:
        with dask_lanes(dask) as lanes:
            yield lanes
    else:
        yield process_lanes(workers)


@contextlib.contextmanager
def _closing(crew: Crew) -> Iterator[Crew]:
    """Executors are let go in any case, and their processes killed where something went wrong."""
    try:
        yield crew
    except BaseException:
        crew.close(now=True)
        raise
    crew.close()


def _refuse_few(workers: int) -> None:
    if workers < 1:
        raise StudyError("--workers", "workers", str(workers), "at least 1")
