"""Where runs are computed: executors, each with the few tasks it holds.

A lane is one `concurrent.futures.Executor` with the tasks handed to it, in their order. Local processes are lanes of
one process each, so that a process that dies is known to have died of the task it was at. A Dask cluster is one lane.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from sim.studies.errors import StudyError
from sim.studies.server import start_server
from sim.studies.task import Ended, Task, run_member

#: A process is replaced after so many runs, so that memory that libraries keep does not add up.
RUNS_PER_PROCESS = 200
#: Seconds to reach a Dask scheduler, and to wait for its first worker.
DASK_SECONDS = 7.0


class Lane:
    """One executor; `slots` is how many runs it can work at together."""

    def __init__(self, start: Callable[[], Executor], slots: int, runs: int | None = None, owned: bool = True) -> None:
        self._start = start
        self.slots = slots
        self._runs = runs
        self.owned = owned
        self.pending: dict[Future[Ended], Task] = {}
        self._executor: Executor | None = None
        self._handed = 0

    @property
    def worn(self) -> bool:
        """Whether it takes no more tasks until those it holds have ended."""
        return self._runs is not None and self._handed >= self._runs

    def submit(self, task: Task) -> None:
        """Hand over a task."""
        if self._executor is None:
            self._executor = self._start()
        self._handed += 1
        self.pending[self._executor.submit(run_member, task)] = task

    def replace(self) -> None:
        """Let the executor go; the next task starts another."""
        self._handed = 0
        if self.owned and self._executor is not None:
            self._executor.shutdown(wait=False)
            self._executor = None

    def cancel_queued(self) -> None:
        """Take back tasks that have not begun, as far as the executor can tell."""
        for future in list(self.pending):
            if future.cancel():
                del self.pending[future]

    def close(self, now: bool = False) -> None:
        """Shut the executor down; `now` ends its processes in the middle of what they do."""
        executor, self._executor = self._executor, None
        if executor is None or not self.owned:
            return
        if now:
            for process in list((getattr(executor, "_processes", None) or {}).values()):
                process.kill()
            for future in self.pending:
                future.cancel()
        executor.shutdown(wait=True)


def process_lanes(workers: int) -> list[Lane]:
    """One lane a worker process of this machine."""
    return [Lane(_one_process, 1, RUNS_PER_PROCESS) for _ in range(workers)]


def given_lane(executor: Executor, workers: int) -> list[Lane]:
    """An executor that somebody else started and will shut down."""
    return [Lane(lambda: executor, workers, owned=False)]


@contextlib.contextmanager
def dask_lanes(address: str) -> Iterator[list[Lane]]:
    """One lane over all workers of a Dask cluster; StudyError that names the address if it cannot be used."""
    try:
        from distributed import Client
    except ImportError:
        raise StudyError("--dask", address, "distributed is not installed", "pip install 'undertow[cluster]'") from None
    client: Any = None
    try:
        client = Client(address, timeout=DASK_SECONDS, set_as_default=False)
        client.wait_for_workers(1, timeout=DASK_SECONDS / 3)
    except (OSError, ValueError, TypeError, ImportError) as error:
        reached = client is not None
        if reached:
            client.close(timeout=1)
        what = "the scheduler has no workers" if reached else "no Dask scheduler answers there"
        said = "" if reached else (str(error).splitlines() or [type(error).__name__])[0]
        raise StudyError(
            "--dask", f"{address}: {what}", said, "such as tcp://127.0.0.1:8786, of a scheduler that runs"
        ) from None
    try:
        threads = client.nthreads()
        yield [Lane(lambda: client.get_executor(pure=False), max(1, sum(threads.values())))]
    finally:
        client.close(timeout=5)


def _one_process() -> Executor:
    return ProcessPoolExecutor(1, mp_context=start_server(), initializer=_begin_worker)


def _begin_worker() -> None:
    """Ctrl-C is the parent's affair, and a worker whose parent was killed must not stay."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
