"""The impact of this economy's trades on one token's outside price, by cause, as it decays."""

from __future__ import annotations

from typing import Any

from sim.chain.journal import ABSENT
from sim.markets.outside.records import Kernel

Entries = list[tuple[Any, Any, Any]]


class Impacts:
    """I = sum over causes of a permanent, a fast and a slow part; each trade adds lam q (phi, w1, w2) to its causes'.

    `parts[cause]` is [permanent, fast, slow]; `own` is their total. Written through the journal, except by `decay`,
    which runs between transactions.
    """

    __slots__ = ("kernel", "parts", "total")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.parts: dict[str, list[float]] = {}
        self.total = [0.0]

    def decay(self, fast_left: float, slow_left: float) -> float:
        """Let the transient parts fade by the factors of one step and return the total."""
        total = 0.0
        for part in self.parts.values():
            part[1] *= fast_left
            part[2] *= slow_left
            total += part[0] + part[1] + part[2]
        self.total[0] = total
        return total

    def add(self, entries: Entries, cause: str, log_impact: float) -> None:
        """Book `log_impact` under `cause`, undoably."""
        kernel = self.kernel
        permanent = kernel.permanent_share * log_impact
        fast = kernel.fast_share * log_impact
        slow = kernel.slow_share * log_impact
        part = self.parts.get(cause)
        if part is None:
            entries.append((self.parts, cause, ABSENT))
            self.parts[cause] = [permanent, fast, slow]
        else:
            entries.append((self.parts, cause, part))
            self.parts[cause] = [part[0] + permanent, part[1] + fast, part[2] + slow]
        total = self.total
        entries.append((total, 0, total[0]))
        total[0] += log_impact

    def by_cause(self) -> dict[str, float]:
        """Impact by cause, in the order in which the causes first appeared."""
        return {cause: part[0] + part[1] + part[2] for cause, part in self.parts.items()}
