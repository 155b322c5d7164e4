"""How an estimate settles as runs are added, and how many it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sim.studies.statistics.estimate import Estimate, observations

#: Sizes at which convergence is looked at.
POINTS = 24


def sizes(n: int, least: int = 10, points: int = POINTS) -> list[int]:
    """Numbers of runs from `least` to n, evenly spaced in proportion, n the last."""
    if n <= least:
        return [n] if n else []
    steps = [least * (n / least) ** (k / (points - 1)) for k in range(points)]
    return sorted({*(round(step) for step in steps), n})


def convergence(values: Any, statistic: Callable[[np.ndarray], Estimate], at: Sequence[int] = ()) -> list[Estimate]:
    """The statistic of the first n runs, for growing n (`sizes` unless given), in the order of the replicates."""
    present, _ = observations(values)
    return [statistic(present[:size]) for size in (at or sizes(len(present)))]


def runs_needed(estimate: Estimate, half_width: float) -> int | None:
    """Runs for an interval of about ± half_width (in the estimate's unit): n · (present half width / wanted)².

    An interval shrinks with the root of n; for heavy tails more slowly, so it is a lower guess. None where the
    estimate has no interval, or one without width. ValueError unless half_width is positive.
    """
    if not half_width > 0.0:
        raise ValueError(f"a half width is positive, not {half_width}")
    wide = estimate.half_width
    if not wide:
        return None
    return max(2, math.ceil(estimate.n * (wide / half_width) ** 2))
