"""What a run leaves behind: recording, files, reading, summary and report.

Names are handed on when first used, so that importing this package loads neither pandas nor a chart library.
"""

from __future__ import annotations

from sim.handing_on import handed_on

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

__getattr__ = handed_on(__name__, _HOME)


def __dir__() -> list[str]:
    return __all__
