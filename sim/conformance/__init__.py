"""Replay of recorded contract traces through the market classes, value by value, with no tolerance.

`verify(paths)` replays files and folders; `Tally` is what a replayer counts with.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.conformance.compare import Tally
    from sim.conformance.documents import Document, DocumentError, Kind, kind_of, load_document
    from sim.conformance.verification import REPLAYERS, FileResult, verify

_HOMES = {
    "REPLAYERS": "verification",
    "Document": "documents",
    "DocumentError": "documents",
    "FileResult": "verification",
    "Kind": "documents",
    "Tally": "compare",
    "kind_of": "documents",
    "load_document": "documents",
    "verify": "verification",
}

__all__ = [
    "REPLAYERS",
    "Document",
    "DocumentError",
    "FileResult",
    "Kind",
    "Tally",
    "kind_of",
    "load_document",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.conformance' has no attribute {name!r}")
    return getattr(import_module(f"sim.conformance.{_HOMES[name]}"), name)
