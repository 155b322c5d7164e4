"""The screen that trusts nothing: every armed account is put before the integers at every look."""

from __future__ import annotations

import numpy as np

from sim.screening.screen import Screen


class ExhaustiveScreen(Screen):
    """What all other screens must agree with; used when everybody is woken every block, and in tests."""

    def look(self, collateral_factors: np.ndarray, debt_factors: np.ndarray) -> list[int]:
        """Ask `decide` about every account that is armed and has not been handed over, ascending."""
        self._reach()
        decide = self.decide
        crossed = [account for account in np.flatnonzero(self._watched).tolist() if decide(account)]
        self._watched[crossed] = False
        return crossed

    _watched: np.ndarray = np.zeros(0, dtype=bool)

    def _enter(self, rows: np.ndarray) -> None:
        self._watched[rows] = True

    def _leave(self, rows: np.ndarray) -> None:
        self._watched[rows] = False

    def _extend(self, size: int) -> None:
        super()._extend(size)
        grown = np.zeros(size, dtype=bool)
        grown[: len(self._watched)] = self._watched
        self._watched = grown
