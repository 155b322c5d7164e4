"""Studies: many runs of one declared design, and what can be said of them with their uncertainty.

Names are handed on when first used, so that a command that only parses its options loads no simulator.
"""

from __future__ import annotations

from sim.handing_on import handed_on

_HOME = {
    "StudyError": "errors",
    "Design": "design",
    "Point": "design",
    "load_design": "design",
    "design_of": "design",
    "Status": "progress",
    "StudyResult": "execution",
    "execute": "execution",
    "evaluate": "execution",
    "OUTCOMES": "outcomes",
    "replay": "replaying",
    "recommend": "searching.recommending",
    "make_plan": "sensitivity.plan",
    "analyse": "sensitivity.analysis",
    "Study": "reading",
    "open_study": "reading",
    "summarise": "summary",
    "compare": "comparing",
    "judge": "gate",
    "write_report": "report",
}

__all__ = sorted(_HOME)

__getattr__ = handed_on(__name__, _HOME)


def __dir__() -> list[str]:
    return __all__
