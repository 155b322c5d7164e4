"""Replay of recorded contract traces through the market classes, value by value, with no tolerance.

`verify(paths)` replays files and folders; `Tally` is what a replayer counts with.
"""

from sim.conformance.compare import Tally
from sim.conformance.documents import Document, DocumentError, Kind, kind_of, load_document
from sim.conformance.verification import REPLAYERS, FileResult, verify

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
