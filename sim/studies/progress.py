"""How far a study is."""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """Runs done and failed of the total; `before` of the done ones were there at the start; seconds since then."""

    done: int
    failed: int
    total: int
    before: int
    seconds: float

    @property
    def ended(self) -> int:
        """Runs that need no more work."""
        return self.done + self.failed

    @property
    def rate(self) -> float:
        """Runs ended a second since the start; 0 before the first."""
        return (self.ended - self.before) / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at that rate; None before the first run has ended."""
        return (self.total - self.ended) / self.rate if self.rate > 0 else None
