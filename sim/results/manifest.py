"""The manifest: what a run was, so that its numbers can be understood and made again."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

from sim import __version__
from sim.results.progress import utc_now

FORMAT = 1
STATES = ("running", "done", "interrupted", "failed")


def run_identity(
    scenario: Mapping[str, Any], seed: int, version: str = __version__, inputs: Mapping[str, str] | None = None
) -> str:
    """Hex SHA-256 of resolved scenario, seed, undertow's version and input files: equal ones must give equal tables."""
    said: dict[str, Any] = {"scenario": plain(scenario), "seed": seed, "version": version}
    if inputs:
        said["inputs"] = dict(inputs)
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def new_manifest(
    scenario: Mapping[str, Any],
    seed: int,
    *,
    origins: Mapping[str, str] | None = None,
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    command: Sequence[str] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The manifest of a run that starts now.

    `scenario` is the resolved scenario as plain values; `origins` maps dotted paths to "default", "set" (in the file
    or one it extends) or "overridden" (on the command line); `fields` maps them to what the schema says of them:
    {unit, source, assumption, description}. `inputs` maps the files a run reads to the SHA-256 of their contents.
    """
    return {
        "format": FORMAT,
        "kind": "run",
        "name": scenario.get("name", ""),
        "title": scenario.get("title", ""),
        "state": "running",
        "seed": seed,
        "identity": run_identity(scenario, seed, inputs=inputs),
        "inputs": dict(inputs or {}),
        "content_hash": None,
        "versions": versions(),
        "pid": os.getpid(),
        "started_at": utc_now(),
        "finished_at": None,
        "wall_seconds": None,
        "command": list(command) if command else None,
        "tables": {},
        "audit": None,
        "scenario": plain(scenario),
        "origins": dict(origins or {}),
        "fields": {path: dict(notes) for path, notes in (fields or {}).items()},
    }


def versions() -> dict[str, str]:
    """Versions of undertow, Python, and the libraries whose arithmetic or order could matter."""
    found = {"undertow": __version__, "python": platform.python_version()}
    for name in ("mesa", "numpy", "pandas", "pyarrow"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def plain(value: Any) -> Any:
    """Only dict, list, text, bool, int, finite float and None: what JSON can hold; anything else becomes its text."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)
