"""Probabilities from counts of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from sim.studies.statistics.estimate import CONFIDENCE, Estimate, joined, observations, refused

METHOD = "Clopper-Pearson"


def probability(hits: int, n: int, confidence: float = CONFIDENCE, name: str = "probability") -> Estimate:
    """Probability of an event seen in `hits` of `n` runs, with the exact interval of Clopper and Pearson (1934).

    None seen: the note adds the rule of three, at most 3/n with 95 % confidence on one side (Hanley, Lippman-Hand
    1983); the interval's own upper bound is two-sided and so a little higher. ValueError unless 0 <= hits <= n.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits in {n} runs")
    if n == 0:
        return refused(name, 0, confidence, METHOD, "there is no run")
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2.0
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1.0 - tail)) if hits < n else 1.0
    note = ""
    if hits in (0, n):
        seen = "none seen: its chance" if hits == 0 else "seen in every run: the chance of its absence"
        note = f"{seen} is at most 3/n = {min(1.0, 3.0 / n):.3%} (95 %, one-sided)"
    return Estimate(name, hits / n, low, high, n, confidence, METHOD, note)


def share_of(event: Any, confidence: float = CONFIDENCE, name: str = "probability") -> Estimate:
    """`probability` of a column of truth values."""
    told = np.asarray(event, dtype=bool)
    return probability(int(told.sum()), len(told), confidence, name)


def share_of_seeds(
    first: Any, second: Any, *, lower_is_better: bool = True, confidence: float = CONFIDENCE
) -> Estimate:
    """Share of seeds in which the second is better than the first, ties counted as not better and told in the note.

    The columns hold the same seeds in the same order; a pair with a missing value is left out.
    """
    change, note = observations(np.asarray(second, dtype=np.float64) - np.asarray(first, dtype=np.float64))
    better = change < 0.0 if lower_is_better else change > 0.0
    ties = int((change == 0.0).sum())
    worse = len(change) - int(better.sum()) - ties
    found = probability(int(better.sum()), len(change), confidence, "share of seeds better")
    if found.value is None:
        return found
    told = f"{int(better.sum())} better, {ties} equal, {worse} worse"
    return replace(found, note=joined(told, note))
