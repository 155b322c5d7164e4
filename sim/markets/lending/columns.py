"""Float columns of the pool: what screening, metrics and agents look at. They mirror the integers and decide nothing.

A column is one NumPy array over (reserve, account); its rows are also held as memory views, through which a single
float is read and written three times faster than through NumPy and never as a NumPy scalar. Views are what the undo
journal refers to, so when accounts outgrow the arrays, entries that name an old view are pointed to the new one.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

_FIRST_CAPACITY = 64


class Columns:
    """The arrays and their views. The number of columns grows with reserves, their length by doubling.

    `supply`, `debt` and `collateral` [reserve, account] are scaled amounts in whole tokens; `collateral` holds the
    supply where the account's flag counts it as collateral, else 0. `emode` [account] is the category. Rows beyond the
    last account are zero. Growing replaces the arrays: fetch them again rather than keeping them.
    """

    def __init__(self) -> None:
        self.capacity = 0
        self.supply: NDArray[np.float64] = np.zeros((0, 0))
        self.debt: NDArray[np.float64] = np.zeros((0, 0))
        self.collateral: NDArray[np.float64] = np.zeros((0, 0))
        self.emode: NDArray[np.int16] = np.zeros(0, dtype=np.int16)
        # The lists of views stay the same objects for ever, so that the pool may hold on to them.
        self.supply_views: list[memoryview[float]] = []
        self.debt_views: list[memoryview[float]] = []
        self.collateral_views: list[memoryview[float]] = []
        self.emode_view: memoryview[int] = _view(self.emode)

    def resize(self, reserves: int, accounts: int, entries: list[tuple[Any, Any, Any]]) -> None:
        """Make room for that many reserves and accounts, keeping what is there and what the journal can undo."""
        capacity = max(self.capacity, _FIRST_CAPACITY)
        while capacity < accounts:
            capacity *= 2
        if capacity == self.capacity and reserves == len(self.supply_views):
            return
        moved: dict[int, memoryview[Any]] = {}
        for name in ("supply", "debt", "collateral"):
            old = getattr(self, name)
            new = np.zeros((reserves, capacity))
            new[: old.shape[0], : old.shape[1]] = old
            views = [_view(row) for row in new]
            held = getattr(self, f"{name}_views")
            for before, after in zip(held, views, strict=False):
                moved[id(before)] = after
            setattr(self, name, new)
            held[:] = views
        emode = np.zeros(capacity, dtype=np.int16)
        emode[: len(self.emode)] = self.emode
        view = _view(emode)
        moved[id(self.emode_view)] = view
        self.emode, self.emode_view = emode, view
        self.capacity = capacity
        for i, (container, key, value) in enumerate(entries):
            if isinstance(container, memoryview) and id(container) in moved:
                entries[i] = (moved[id(container)], key, value)


def _view(column: NDArray[Any]) -> memoryview[Any]:
    """A memory view of one column; NumPy's stubs do not declare the buffer that arrays offer."""
    return memoryview(cast("Any", column))
