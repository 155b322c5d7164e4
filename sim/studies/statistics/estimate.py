"""One figure with what is known of its uncertainty."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: Confidence of every interval unless another is asked for.
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic of `n` observations with a two-sided interval, in the unit of what was observed.

    `value`, `low` and `high` are None where they were refused; `note` then says why, else what a reader must know.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float
    method: str
    note: str = ""

    @property
    def half_width(self) -> float | None:
        """The longer side of the interval; None without one."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return max(self.high - self.value, self.value - self.low)

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def refused(name: str, n: int, confidence: float, method: str, note: str, value: float | None = None) -> Estimate:
    """An estimate without interval, and without value unless one is given."""
    return Estimate(name, value, None, None, n, confidence, method, note)


def observations(values: Any) -> tuple[np.ndarray, str]:
    """The values as float64 without the missing ones (NaN), and a note that says how many were left out.

    ValueError for infinite values and for anything but one dimension.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"observations have one dimension, not {array.ndim}")
    if np.isinf(array).any():
        raise ValueError("observations must be finite")
    present = array[~np.isnan(array)]
    missing = len(array) - len(present)
    return present, f"{missing} of {len(array)} runs have no value" if missing else ""


def mean_of(values: np.ndarray) -> float:
    """Mean by exact summation: it does not depend on the order of the values."""
    return math.fsum(values.tolist()) / len(values)


def joined(*notes: str) -> str:
    """Notes as one text."""
    return "; ".join(note for note in notes if note)
