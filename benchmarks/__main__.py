"""`python -m benchmarks`: one table of every figure with its target and verdict.

Absolute figures hang on the machine and on what else runs on it: the first line is a fixed pure-Python loop to hold
them against. Ratios are taken within one run.
"""

from __future__ import annotations

from importlib import import_module

from benchmarks.table import Figure, show, summary

PARTS = ("pool_operations", "amm_operations", "screening", "economy", "scale", "studies")


def main() -> None:
    """Print the figures of every part as they are measured, and the count of targets met."""
    figures: list[Figure] = []
    for part in PARTS:
        module = import_module(f"benchmarks.{part}")
        figures += show(module.figures(), part.replace("_", " "))
        print(flush=True)
    print(summary(figures))


if __name__ == "__main__":
    main()
