"""Replay of recorded interest factors through `sim.markets.lending.interest`.

The recording is of the V3.0 generation: its linear factor is that of every version and is compared; its compounded
factor is the binomial form that V3.6 no longer uses, so that column is left out.
"""

from __future__ import annotations

from sim.conformance.compare import Tally
from sim.conformance.documents import Document
from sim.markets.lending.interest import linear_interest_ray


def replay(document: Document) -> Tally:
    """Every row's `linear_ray`."""
    tally = Tally()
    for i, row in enumerate(document["rows"]):
        rate, seconds = int(row["rate_ray"]), int(row["seconds"])
        tally.operations += 1
        tally.compare(
            f"rows[{i}].linear_ray ({rate}, {seconds} s)", row["linear_ray"], linear_interest_ray(rate, seconds)
        )
    return tally
