"""The command line: `undertow`.

Every command imports what it needs when it runs, so that help appears at once.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    0 done; 1 differences found, or something unexpected; 2 wrong usage; 3 some runs of a study failed; 65 a scenario or
    data that cannot be used; 130 interrupted.
    """
    try:
        from sim.cli.errors import guarded

        return guarded(arguments)
    except KeyboardInterrupt:  # between the imports and the handler above
        return 130
