"""What a run leaves behind: recording, files, reading, summary and report.

Names are handed on when first used, so that importing this package loads neither pandas nor a chart library.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOME = {
    "BAD_DATA": "errors",
    "ResultsError": "errors",
    "Recorder": "recorder",
    "Rows": "recorder",
    "Blocks": "recorder",
    "Progress": "progress",
    "begin_run": "files",
    "prepare": "files",
    "write_run": "files",
    "new_manifest": "manifest",
    "run_identity": "manifest",
    "content_hash": "hashing",
    "Run": "reading",
    "load": "reading",
    "Section": "summary",
    "Summary": "summary",
    "summarise": "summary",
    "write_report": "report.page",
    "write_picture": "report.picture",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
