"""Imported once by the server process that workers are forked from, so that a worker starts in milliseconds.

Ctrl-C reaches every process of a terminal. Workers finish what they run, so the signal is blocked here, before anything
else, and every worker inherits that.
"""

from __future__ import annotations

import signal

if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

import pyarrow.parquet  # noqa: F401

import sim.results.files
import sim.results.hashing
import sim.studies.task  # noqa: F401
