"""Fewer points for a line, extremes kept."""

from __future__ import annotations

import math

import numpy as np

POINTS = 400


def thin(values: np.ndarray, points: int = POINTS) -> np.ndarray:
    """Rows to draw: all if few, else first, last, and the lowest and highest of each of points / 2 stretches."""
    n = len(values)
    if n <= points:
        return np.arange(n)
    stretches = max(1, points // 2 - 1)
    size = math.ceil(n / stretches)
    padded = np.full(size * stretches, np.nan)
    padded[:n] = values
    table = padded.reshape(stretches, size)
    full = np.isfinite(table).any(axis=1)
    starts = np.arange(stretches)[full] * size
    low = np.nanargmin(table[full], axis=1) + starts
    high = np.nanargmax(table[full], axis=1) + starts
    return np.unique(np.concatenate([[0], low, high, [n - 1]]))
