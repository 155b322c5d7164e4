"""Replay of recorded wad and ray arithmetic through `sim.markets.lending.wad_ray`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.chain.revert import Revert
from sim.conformance.compare import Tally
from sim.conformance.documents import Document
from sim.markets.lending import wad_ray

_BINARY: dict[str, Callable[[int, int], int]] = {
    "wadMul": wad_ray.wad_mul_half_up,
    "wadDiv": wad_ray.wad_div_half_up,
    "rayMul": wad_ray.ray_mul_half_up,
    "rayDiv": wad_ray.ray_div_half_up,
}
_UNARY: dict[str, Callable[[int], int]] = {
    "rayToWad": wad_ray.ray_to_wad_half_up,
    "wadToRay": wad_ray.wad_to_ray,
}


def replay(document: Document) -> Tally:
    """Every row [function, a, b, result]; a null result is a revert."""
    tally = Tally()
    for i, (name, a, b, expected) in enumerate(document["rows"]):
        got: Any
        try:
            got = _UNARY[name](int(a)) if name in _UNARY else _BINARY[name](int(a), int(b))
        except Revert:
            got = None
        tally.operations += 1
        tally.compare(f"rows[{i}] {name}({a}, {b})", expected, got)
    return tally
