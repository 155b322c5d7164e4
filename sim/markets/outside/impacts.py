"""The impact of this economy's trades on one token's outside price, by cause, as it decays."""

from __future__ import annotations

from typing import Any

from sim.chain.journal import ABSENT
from sim.markets.outside.records import Cause, Kernel

Entries = list[tuple[Any, Any, Any]]
Parts = tuple[float, float, float]

#: Below this the common decay factor is multiplied into the parts, long before it could underflow.
_REBASE = 1e-60


class Impacts:
    """I = sum over causes of a permanent, a fast and a slow part; each trade adds lam q (phi, w1, w2) to its causes'.

    All causes decay alike, so their transient parts are kept in units of the common factor that has decayed since they
    were last rebased: a step costs the same for one cause and for ten thousand. Written through the journal, except by
    `decay`, which runs between transactions.
    """

    __slots__ = ("_fast_left", "_parts", "_slow_left", "_totals", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._parts: dict[Cause, Parts] = {}
        self._totals: list[Parts] = [(0.0, 0.0, 0.0)]
        self._fast_left = 1.0
        self._slow_left = 1.0

    @property
    def total(self) -> float:
        """I now."""
        permanent, fast, slow = self._totals[0]
        return permanent + fast + slow

    def decay(self, fast_left: float, slow_left: float) -> float:
        """Let the transient parts fade by the factors of one step and return the total."""
        permanent, fast, slow = self._totals[0]
        fast *= fast_left
        slow *= slow_left
        self._totals[0] = (permanent, fast, slow)
        self._fast_left *= fast_left
        self._slow_left *= slow_left
        if self._fast_left < _REBASE or self._slow_left < _REBASE:
            self._rebase()
        return permanent + fast + slow

    def _rebase(self) -> None:
        fast_left, slow_left = self._fast_left, self._slow_left
        for cause, (permanent, fast, slow) in self._parts.items():
            self._parts[cause] = (permanent, fast * fast_left, slow * slow_left)
        self._fast_left = self._slow_left = 1.0

    def add(self, entries: Entries, cause: Cause, log_impact: float) -> None:
        """Book `log_impact` under `cause`, undoably."""
        kernel = self.kernel
        permanent = kernel.permanent_share * log_impact
        fast = kernel.fast_share * log_impact
        slow = kernel.slow_share * log_impact
        parts = self._parts
        old = parts.get(cause)
        p, f, s = old or (0.0, 0.0, 0.0)
        entries.append((parts, cause, ABSENT if old is None else old))
        parts[cause] = (p + permanent, f + fast / self._fast_left, s + slow / self._slow_left)
        totals = self._totals
        p, f, s = totals[0]
        entries.append((totals, 0, totals[0]))
        totals[0] = (p + permanent, f + fast, s + slow)

    def by_cause(self) -> dict[Cause, float]:
        """Impact by cause, in the order in which the causes first appeared."""
        fast_left, slow_left = self._fast_left, self._slow_left
        return {cause: p + f * fast_left + s * slow_left for cause, (p, f, s) in self._parts.items()}
