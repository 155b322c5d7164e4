"""Samples of a box: Latin hypercube and Sobol sequence.

McKay, Beckman, Conover 1979, "A comparison of three methods for selecting values of input variables"; Sobol' 1967,
"On the distribution of points in a cube", scrambled after Owen 1998. Both from scipy.stats.qmc.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from sim.randomness import Randomness
from sim.studies.axes import Range
from sim.studies.errors import StudyError


def latin_hypercube(
    count: int, ranges: Sequence[Range], seed: int, name: str = "latin hypercube"
) -> list[dict[str, Any]]:
    """`count` points: each field takes one value in each of `count` equal parts of its range."""
    from scipy.stats import qmc

    return _placed(_engine(qmc.LatinHypercube, ranges, seed, name).random(count), ranges)


def sobol(count: int, ranges: Sequence[Range], seed: int) -> list[dict[str, Any]]:
    """The first `count` points of a scrambled Sobol sequence; StudyError unless `count` is a power of 2.

    Other numbers of points lose the balance for which the sequence is taken.
    """
    from scipy.stats import qmc

    if count < 1 or count & (count - 1):
        raise StudyError("", "sobol", str(count), "a power of 2, such as 64 or 128")
    return _placed(_engine(qmc.Sobol, ranges, seed, "sobol").random(count), ranges)


def _engine(kind: Any, ranges: Sequence[Range], seed: int, name: str) -> Any:
    generator = Randomness(seed).stream("study", name)
    argument = "rng" if "rng" in inspect.signature(kind).parameters else "seed"  # SciPy renamed it in 1.15
    return kind(len(ranges), **{argument: generator})


def _placed(shares: Any, ranges: Sequence[Range]) -> list[dict[str, Any]]:
    return [{span.field: span.value(share) for span, share in zip(ranges, row, strict=True)} for row in shares.tolist()]
