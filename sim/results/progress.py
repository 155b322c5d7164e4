"""How far a run is, for people and programs that look from outside."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SECONDS_BETWEEN = 0.5


def utc_now() -> str:
    """The time now as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def replace_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


class Progress:
    """Keeps `progress.json` of a run up to date, at most twice a second.

    A file that cannot be written is no reason to end a run: the result's own writing will say so.
    """

    def __init__(self, folder: str | os.PathLike[str], total: int, unit: str = "steps") -> None:
        self.path = Path(folder) / "progress.json"
        self.total = total
        self.unit = unit
        self.started_at = utc_now()
        self.writes = 0
        self._begin = time.monotonic()
        self._next = 0.0

    def update(self, done: int, **more: Any) -> None:
        """Say that `done` of `total` are done; cheap to call after every step."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + SECONDS_BETWEEN
        self._write(self.state("running", done, **more))

    def finish(self, state: str, done: int, **more: Any) -> None:
        """Say how it ended: done, interrupted or failed."""
        self._write(self.state(state, done, **more))

    def state(self, state: str, done: int, **more: Any) -> dict[str, Any]:
        """What the file holds; `seconds_left` is there only while a running job lets it be estimated."""
        seconds = time.monotonic() - self._begin
        fields = {
            "state": state,
            "pid": os.getpid(),
            "done": done,
            "total": self.total,
            "unit": self.unit,
            "started_at": self.started_at,
            "updated_at": utc_now(),
            "seconds": round(seconds, 3),
        }
        if state == "running" and 0 < done <= self.total:
            fields["seconds_left"] = round(seconds * (self.total - done) / done, 1)
        return fields | more

    def _write(self, fields: dict[str, Any]) -> None:
        try:
            replace_text(self.path, json.dumps(fields, indent=1) + "\n")
            self.writes += 1
        except OSError:
            return
