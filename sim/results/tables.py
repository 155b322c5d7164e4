"""Tables as they are stored: any columns, four types, missing values allowed.

A table is a mapping from column name to values (list, tuple or NumPy array), all of one length. The stored type comes
from the values: bool, int64, float64, text; whole numbers beyond int64 are kept as 38-digit decimals, or as text
when longer. In a column of float64, NaN and None are one thing: missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sim.results.columns import known
from sim.results.errors import ResultsError

BIG = pa.decimal128(38, 0)
_ARROW = {"int": pa.int64(), "float": pa.float64(), "text": pa.string(), "bool": pa.bool_()}
_EXACT_IN_FLOAT = 2**53


def to_arrow(table: str, columns: Mapping[str, Any]) -> pa.Table:
    """The table in its stored types; ResultsError names table and column when values cannot be stored."""
    if isinstance(columns, pa.Table):
        columns = {name: columns[name] for name in columns.column_names}
    arrays = {name: _column(table, name, values) for name, values in columns.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        common = max(set(lengths.values()), key=list(lengths.values()).count)
        odd = next(name for name, length in lengths.items() if length != common)
        raise ResultsError(f"table {table}: column {odd} has {lengths[odd]} values, others have {common}")
    return pa.table(arrays)


def _column(table: str, name: str, values: Any) -> pa.Array:
    if not isinstance(name, str) or not name:
        raise ResultsError(f"table {table}: a column's name must be text, not {name!r}")
    try:
        array = _infer(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError, ValueError) as error:
        wanted = "values must be all numbers, all text or all true/false"
        raise ResultsError(f"table {table}, column {name}: {wanted} ({_first_line(error)})") from None
    declared = known(table, name)
    if declared is not None:
        array = _towards(array, declared.kind)
    if pa.types.is_null(array.type):
        array = array.cast(pa.float64())
    return _nan_to_null(array) if pa.types.is_float64(array.type) else array


def _infer(values: Any) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
        return values if isinstance(values, pa.Array) else pa.concat_arrays(values.chunks)
    if isinstance(values, np.ndarray):
        return _from_numpy(values)
    values = values if isinstance(values, list) else list(values)
    try:
        return _plain(pa.array(values))
    except OverflowError:
        return _big_integers(values)
    except pa.ArrowInvalid:
        if any(isinstance(value, str | bool) for value in values):
            raise
        return pa.array([None if value is None else float(value) for value in values], pa.float64())


def _from_numpy(values: np.ndarray) -> pa.Array:
    if values.ndim != 1:
        raise ValueError(f"an array of {values.ndim} dimensions is no column")
    if values.dtype.kind in "OUS":
        return _infer(values.tolist())
    return _plain(pa.array(values))


def _plain(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_floating(kind):
        return array.cast(pa.float64())
    if pa.types.is_large_string(kind):
        return array.cast(pa.string())
    if pa.types.is_boolean(kind) or pa.types.is_string(kind) or pa.types.is_null(kind) or kind == BIG:
        return array
    raise ValueError(f"type {kind} is not stored")


def _big_integers(values: list[Any]) -> pa.Array:
    if not all(value is None or (isinstance(value, int) and not isinstance(value, bool)) for value in values):
        raise ValueError("whole numbers beyond 64 bits beside other values")
    from decimal import Decimal

    if all(value is None or abs(value) < 10**38 for value in values):
        return pa.array([None if value is None else Decimal(value) for value in values], BIG)
    return pa.array([None if value is None else str(value) for value in values], pa.string())


def _towards(array: pa.Array, kind: str) -> pa.Array:
    """The declared type where that loses nothing, else the type the values have."""
    if pa.types.is_null(array.type) or len(array) == array.null_count:
        return array.cast(_ARROW[kind]) if pa.types.is_null(array.type) else array
    if kind == "float" and pa.types.is_int64(array.type):
        extremes = pc.min_max(array).as_py()
        if max(abs(extremes["min"]), abs(extremes["max"])) <= _EXACT_IN_FLOAT:
            return array.cast(pa.float64())
    return array


def _nan_to_null(array: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_nan(array), pa.scalar(None, pa.float64()), array)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
