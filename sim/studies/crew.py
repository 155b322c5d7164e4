"""Working through the tasks of a study: hand over, wait, take back what was lost, set aside what cannot be run."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from sim.studies.errors import StudyError
from sim.studies.lanes import Lane
from sim.studies.stopping import Stop
from sim.studies.task import Ended, Task

#: Seconds between two looks at the clock and at Ctrl-C.
LOOK = 0.25
#: A run shorter than this is handed over one ahead, or the worker would wait for the next.
SHORT_SECONDS = 1.0
#: A task during which a worker process has died so often is not tried again.
MOST_DEATHS = 2


class Crew:
    """Lanes at work on tasks; `take` gets every run that has ended, done or failed."""

    def __init__(self, lanes: Sequence[Lane], take: Callable[[Ended], None], stop: Stop) -> None:
        self.lanes = lanes
        self.take = take
        self.stop = stop
        self._given_back: deque[Task] = deque()
        self._deaths: dict[int, int] = {}
        self._ended = 0
        self._seconds = 0.0

    def work(self, tasks: Iterator[Task]) -> None:
        """Until all tasks have ended, or those in flight once `stop` is asked for."""
        told = False
        while True:
            if not self.stop.asked:
                self._hand_over(tasks)
            elif not told:
                told = True
                for lane in self.lanes:
                    lane.cancel_queued()
            pending = [future for lane in self.lanes for future in lane.pending]
            if not pending:
                if self._given_back and not self.stop.asked:
                    continue
                return
            wait(pending, timeout=LOOK, return_when=FIRST_COMPLETED)
            for lane in self.lanes:
                self._take_back(lane)

    def _hand_over(self, tasks: Iterator[Task]) -> None:
        while True:
            for lane in self.lanes:
                if lane.worn and not lane.pending:
                    lane.replace()
            free = [lane for lane in self.lanes if len(lane.pending) < lane.slots + self._ahead(lane) and not lane.worn]
            if not free:
                return
            task = self._given_back.popleft() if self._given_back else next(tasks, None)
            if task is None:
                return
            min(free, key=lambda lane: len(lane.pending) / lane.slots).submit(task)

    def _ahead(self, lane: Lane) -> int:
        """How many tasks may wait in the lane: none before it is known that runs are short."""
        short = self._ended and self._seconds / self._ended < SHORT_SECONDS
        return lane.slots if short else 0

    def _take_back(self, lane: Lane) -> None:
        broken = False
        for future in [future for future in lane.pending if future.done()]:
            if not future.cancelled() and isinstance(future.exception(), BrokenExecutor):
                broken = True
                continue
            self._end(lane.pending.pop(future), future)
        if broken:
            self._recover(lane)

    def _end(self, task: Task, future: Future[Ended]) -> None:
        try:
            ended = future.result()
        except CancelledError:
            raise StudyError(
                "study", "the connection to the workers was lost", "", "--resume goes on with what is left"
            ) from None
        except Exception as error:  # what an executor itself raises for a task, such as Dask's KilledWorker
            said = f"{type(error).__name__}: {error}"
            ended = Ended(task.run, "failed", error=said, trace=traceback.format_exc())
        self._ended += 1
        self._seconds += ended.wall_seconds
        self.take(ended)

    def _recover(self, lane: Lane) -> None:
        """A process died: the first task in its lane is the one it was at; the others have not begun."""
        if not lane.owned:
            raise StudyError("study", "the executor given is broken", "", "--resume goes on with what is left")
        lost = list(lane.pending.values())
        lane.pending.clear()
        lane.replace()
        first = lost[0].run
        self._deaths[first] = self._deaths.get(first, 0) + 1
        if self._deaths[first] >= MOST_DEATHS:
            del lost[0]
            said = f"its worker process died {MOST_DEATHS} times: killed, or out of memory"
            self.take(Ended(first, "failed", error=said, trace=said))
        self._given_back.extendleft(reversed(lost))

    def close(self, now: bool = False) -> None:
        """Let all executors go."""
        for lane in self.lanes:
            lane.close(now)
