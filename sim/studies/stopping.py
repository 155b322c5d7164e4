"""When a study ends early: Ctrl-C once, the time that was given, or a disk that takes no more."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any


class Stop:
    """A context in which the first Ctrl-C asks for an end after what runs, and the second raises KeyboardInterrupt."""

    def __init__(self, max_minutes: float | None = None) -> None:
        self._deadline = None if max_minutes is None else time.monotonic() + 60.0 * max_minutes
        self._asked = False
        self._before: Any = None

    @property
    def asked(self) -> bool:
        """Whether no further run shall begin."""
        return self._asked or (self._deadline is not None and time.monotonic() >= self._deadline)

    def ask(self) -> None:
        """Begin no further run."""
        self._asked = True

    def _note(self, number: int, frame: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None
