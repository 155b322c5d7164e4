"""`python -m benchmarks`: every table, one after the other."""

from __future__ import annotations

from importlib import import_module

PARTS = ("pool_operations", "amm_operations", "screening", "economy", "scale")


def main() -> None:
    """Print each part's own table."""
    for part in PARTS:
        module = import_module(f"benchmarks.{part}")
        print(f"== {part.replace('_', ' ')}", flush=True)
        module.main()
        print(flush=True)


if __name__ == "__main__":
    main()
