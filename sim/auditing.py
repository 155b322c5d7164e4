"""Audits on schedule: full sums every so many steps, spread over steps where a sum takes long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

#: With more accounts than this, scheduled sums take one column a step (at a million a column takes 50 ms).
AT_ONCE = 50_000

#: They need this many steps from one audit to the next; else they are done at once.
STEPS = 100


class Audits:
    """Full sums of ledger, pool and redemption queues every `every_steps` steps (0: never). `done` counts them."""

    def __init__(self, ledger: Any, pool: Any, queues: Iterable[Any], every_steps: int) -> None:
        self.ledger = ledger
        self.pool = pool
        self.queues = tuple(queues)
        self.every_steps = every_steps
        self.done = 0
        self._pending: list[Callable[[], None]] = []

    def on_schedule(self, step: int) -> None:
        """Begin when it is time, and go on: at once, or with many accounts a column a step, and signs at the end."""
        spread = len(self.ledger.owners) > AT_ONCE and self.every_steps >= STEPS
        pending = self._pending
        if self.every_steps and step % self.every_steps == 0:
            pending = self._pending = self._parts(not spread)
        for _ in range(min(1, len(pending)) if spread else len(pending)):
            pending.pop()()
            self.done += not pending

    def now(self) -> None:
        """All sums and signs at once; raises if one unit is amiss."""
        for part in reversed(self._parts()):
            part()
        self.done += 1

    def _parts(self, signs: bool = True) -> list[Callable[[], None]]:
        parts = [*self.ledger.audit_parts(signs), *self.pool.audit_parts(signs)]
        parts.extend(queue.audit for queue in self.queues)
        return parts[::-1]
