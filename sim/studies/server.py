"""The process that workers are forked from. It imports the simulator once; this module imports nothing of it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import Any


def start_server() -> Any:
    """Start the server unless it runs, with the modules that this process would import; the context for its workers.

    Where processes cannot be forked from a server, workers are started afresh, which takes a second or more each.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["sim.studies.preload"])
    # One thread: nothing here is worth more in linear algebra, and a process that forks should have no others.
    changed = {
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
        "OPENBLAS_NUM_THREADS": os.environ.get("OPENBLAS_NUM_THREADS", "1"),
    }
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return context
