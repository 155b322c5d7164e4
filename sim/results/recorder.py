"""Recording: what a run keeps while it runs, written without looking back.

The recorder only appends. One wide row of numbers a step goes into a matrix made ahead; events and reports are rows of
mixed type; snapshots come as blocks of whole columns.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sim.results.columns import EVENTS, POSITIONS, REPORTS, known

Table = Mapping[str, Any]


class Rows:
    """Rows of mixed type, kept as they come.

    `add(**fields)` takes any fields, a new name makes a new column and a field left out is None. `add_row(values)` is
    the fast way: a tuple in the order of the declared `columns`; it may be shorter, what is left out is None.
    """

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self._rows: list[Any] = []
        self.add_row: Callable[[tuple[Any, ...]], None] = self._rows.append

    def add(self, **fields: Any) -> None:
        self._rows.append(fields)

    def __len__(self) -> int:
        return len(self._rows)

    def table(self) -> dict[str, list[Any]]:
        """Column name to list of values: the declared columns, then others in the order they first came."""
        names = dict.fromkeys(self.columns)
        for row in self._rows:
            if type(row) is dict:
                names.update(dict.fromkeys(row))
            elif len(row) > len(self.columns):
                raise ValueError(
                    f"a row holds {len(row)} values, but {len(self.columns)} columns are declared: {row!r}"
                )
        rows = [row if type(row) is dict else dict(zip(self.columns, row, strict=False)) for row in self._rows]
        return {name: [row.get(name) for row in rows] for name in names}


class Blocks:
    """Whole columns that come block by block (snapshots); a block put under a key again takes the older's place."""

    def __init__(self, columns: Sequence[str] = ()) -> None:
        self.columns = tuple(columns)
        self._blocks: dict[Any, Callable[[], tuple[int, dict[str, Any]]]] = {}

    def put(self, key: Any, **columns: Any) -> None:
        """Keep one block; arrays and lists must have one length, a single value is repeated.

        `put(("worst",), when="worst", step=12, account=ids, health_factor=hf, **{"debt.USDC": debt})`
        """
        block = _measured(columns)
        self._blocks[key] = lambda: block

    def put_later(self, key: Any, columns: Callable[[], dict[str, Any]]) -> None:
        """Keep a block whose columns are made when the table is."""
        self._blocks[key] = lambda: _measured(columns())

    def __len__(self) -> int:
        return sum(block()[0] for block in self._blocks.values())

    def table(self) -> dict[str, Any]:
        """Column name to values, blocks one after the other in the order in which their keys first came."""
        names = dict.fromkeys(self.columns)
        blocks = [block() for block in self._blocks.values()]
        for _, columns in blocks:
            names.update(dict.fromkeys(columns))
        return {name: self._column(name, blocks) for name in names}

    def _column(self, name: str, blocks: list[tuple[int, dict[str, Any]]]) -> Any:
        parts = [(length, columns.get(name)) for length, columns in blocks]
        if parts and all(isinstance(values, np.ndarray) for _, values in parts):
            return np.concatenate([values for _, values in parts])
        joined: list[Any] = []
        for length, values in parts:
            if isinstance(values, np.ndarray):
                joined.extend(values.tolist())
            elif _is_column(values):
                joined.extend(list(values or ()))
            else:
                joined.extend([values] * length)
        return joined


def _measured(columns: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    lengths = {name: len(values) for name, values in columns.items() if _is_column(values)}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of one block have different lengths: {lengths}")
    return max(lengths.values(), default=1), columns


def _is_column(values: Any) -> bool:
    return isinstance(values, np.ndarray | list | tuple | range)


class Recorder:
    """Everything one run records.

    `columns` name the numbers of one step, `step` first among them or not at all (it is then put in front); `steps` is
    the largest number of rows. Columns that METRICS declares as whole numbers, and those in `whole`, become int64.
    `events`, `reports` and `positions` take rows and blocks; `agents` is set once, at the end.
    """

    def __init__(self, columns: Sequence[str], steps: int, *, whole: Sequence[str] = ()) -> None:
        names = tuple(columns)
        self._skip = 1 if names[:1] == ("step",) else 0
        names = names[self._skip :]
        if len({"step", *names}) != len(names) + 1:
            raise ValueError("recorded columns must have different names, and `step` can only come first")
        self.columns = ("step", *names)
        self._whole = {"step", *whole}
        self.matrix = np.full((steps + 1, len(self.columns)), np.nan)
        self.rows = 0
        self._last_step = -1
        self._pack = struct.Struct(f"={len(names)}d").pack_into
        self._bytes = memoryview(self.matrix.data).cast("B")
        self._stride = 8 * len(self.columns)
        self.events = Rows(tuple(EVENTS))
        self.add_event = self.events.add
        self.reports = Rows(tuple(name for name in REPORTS if not name.endswith(".*")))
        self.positions = Blocks(tuple(name for name in POSITIONS if not name.endswith(".*")))
        self.agents: Table = {}

    def row(self, step: int, values: Sequence[float]) -> None:
        """Keep the numbers of one step, in the order of the columns given; NaN where a number is not defined."""
        if step <= self._last_step:
            raise ValueError(f"step {step} comes after step {self._last_step}")
        k = self.rows
        try:
            self._pack(self._bytes, k * self._stride + 8, *values[self._skip :])
        except struct.error as error:
            raise ValueError(self._complaint(values[self._skip :], error)) from None
        self.matrix[k, 0] = self._last_step = step
        self.rows = k + 1

    def _complaint(self, values: Sequence[float], error: struct.error) -> str:
        names = self.columns[1:]
        if len(values) != len(names):
            return f"{len(names)} numbers make a row, {len(values)} were given"
        for name, value in zip(names, values, strict=True):
            if not isinstance(value, int | float):
                return f"column {name}: {value!r} is not a number"
        if self.rows >= len(self.matrix):
            return f"the recorder was made for {len(self.matrix)} rows and is full"
        return str(error)

    def metrics(self) -> dict[str, np.ndarray]:
        """The rows recorded so far, column by column."""
        table = {}
        for place, name in enumerate(self.columns):
            values = self.matrix[: self.rows, place]
            declared = known("metrics", name)
            if name in self._whole or (declared is not None and declared.kind == "int"):
                table[name] = _whole_numbers(values)
            else:
                table[name] = values.copy()
        return table

    def tables(self) -> dict[str, Table]:
        """All tables, ready for `write_run`."""
        return {
            "metrics": self.metrics(),
            "events": self.events.table(),
            "reports": self.reports.table(),
            "positions": self.positions.table(),
            "agents": self.agents,
        }


def _whole_numbers(values: np.ndarray) -> np.ndarray:
    """As int64, or unchanged if one of them is missing or has a fraction (a finished run is never refused for that)."""
    integers = np.where(np.isfinite(values), values, 0.0).astype(np.int64)
    return integers if (integers == values).all() else values.copy()
