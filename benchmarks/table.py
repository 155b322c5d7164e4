"""The table that `make bench` prints: figure, target, verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number; `least` and `most` are what it is held against, `aim` a note beside them."""

    name: str
    value: float
    least: float | None = None
    most: float | None = None
    aim: str = ""

    @property
    def target(self) -> str:
        """The target in words, empty where there is none."""
        bounds = [f"{sign} {bound:,g}" for sign, bound in ((">=", self.least), ("<=", self.most)) if bound is not None]
        return ", ".join([*bounds, self.aim] if self.aim else bounds)

    @property
    def verdict(self) -> str:
        """Whether the target is met, empty where there is none."""
        if self.least is None and self.most is None:
            return ""
        low = self.least is None or self.value >= self.least
        high = self.most is None or self.value <= self.most
        return "met" if low and high else "MISSED"


def show(figures: Iterable[Figure], heading: str = "") -> list[Figure]:
    """Print each figure as soon as it is measured, under a heading; returns them all."""
    if heading:
        print(f"== {heading}", flush=True)
    shown = []
    for figure in figures:
        print(f"{figure.name:72s} {figure.value:14,.3f}   {figure.target:22s} {figure.verdict}".rstrip(), flush=True)
        shown.append(figure)
    return shown


def summary(figures: Iterable[Figure]) -> str:
    """How many targets are met, and which are not."""
    judged = [figure for figure in figures if figure.verdict]
    missed = [figure.name for figure in judged if figure.verdict == "MISSED"]
    return f"{len(judged) - len(missed)} of {len(judged)} targets met" + (
        "; missed: " + "; ".join(missed) if missed else ""
    )
