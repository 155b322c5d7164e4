"""The report of a study: one HTML file that needs nothing else."""

from __future__ import annotations

from sim.studies.report.page import write_report

__all__ = ["write_report"]
