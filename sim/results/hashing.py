"""The content hash: SHA-256 over the values of all tables, whatever file format or library version holds them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sim.results.tables import to_arrow

_FORM = b"undertow tables 1\n"
_ONE_NAN = np.float64(np.nan)


def content_hash(tables: Mapping[str, Any]) -> str:
    """Hex SHA-256 of the tables' values.

    Canonical form: the tables by name; for each its name, rows and columns; for each column, in its order, name, type
    (`int64`, `float64`, `bool`, `text`, `decimal`), one byte a row that says present (1) or missing (0), then the
    values: 8-byte little-endian numbers (missing = 0; a missing float is the one quiet NaN, -0.0 is 0.0), bools as
    one byte, text as 8-byte lengths followed by UTF-8, decimals as text. A name is preceded by its 8-byte length.
    """
    digest = hashlib.sha256(_FORM)
    for name in sorted(tables):
        table = to_arrow(name, tables[name])
        _text(digest, name)
        digest.update(struct.pack("<qq", table.num_rows if table.num_columns else 0, table.num_columns))
        for column in table.column_names:
            _column(digest, column, table[column].combine_chunks())
    return digest.hexdigest()


def _text(digest: Any, text: str) -> None:
    data = text.encode()
    digest.update(struct.pack("<q", len(data)) + data)


def _column(digest: Any, name: str, array: Any) -> None:
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    _text(digest, name)
    kind = array.type
    if pa.types.is_float64(kind):
        _text(digest, "float64")
        values = array.to_numpy(zero_copy_only=False) + 0.0
        missing = np.isnan(values)
        values = np.where(missing, _ONE_NAN, values)
        digest.update((~missing).astype(np.uint8).tobytes())
        digest.update(values.astype("<f8").tobytes())
        return
    present = pc.is_valid(array).to_numpy(zero_copy_only=False).astype(np.uint8)
    if pa.types.is_int64(kind):
        _text(digest, "int64")
        digest.update(present.tobytes())
        digest.update(pc.fill_null(array, 0).to_numpy(zero_copy_only=False).astype("<i8").tobytes())
    elif pa.types.is_boolean(kind):
        _text(digest, "bool")
        digest.update(present.tobytes())
        digest.update(pc.fill_null(array, False).to_numpy(zero_copy_only=False).astype(np.uint8).tobytes())
    else:
        _text(digest, "text" if pa.types.is_string(kind) else "decimal")
        digest.update(present.tobytes())
        texts = pc.fill_null(array if pa.types.is_string(kind) else array.cast(pa.string()), "")
        digest.update(pc.binary_length(texts).to_numpy(zero_copy_only=False).astype("<i8").tobytes())
        digest.update("".join(texts.to_pylist()).encode())
