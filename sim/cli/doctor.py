"""`undertow doctor`: is this installation able to run, and does it still equal the contracts?"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from importlib import metadata
from typing import NamedTuple

from rich.text import Text

from sim.cli.console import print_json, stdout
from sim.cli.errors import DIFFERENT, DONE
from sim.cli.tables import print_table

NEEDED = (
    "mesa",
    "networkx",
    "numpy",
    "pandas",
    "scipy",
    "pydantic",
    "typer",
    "rich",
    "pyarrow",
    "duckdb",
    "altair",
    "vl-convert-python",
    "streamlit",
)
OPTIONAL = {"dask": "studies on several machines", "playwright": "tests in a browser", "pytest": "tests"}


class Check(NamedTuple):
    """One thing looked at: `ok` is None for a part that is optional and missing."""

    what: str
    ok: bool | None
    found: str


def doctor_command(as_json: bool) -> int:
    """Look at everything, print it, and fail if something needed is missing or wrong."""
    checks = [
        check for group in (_python, _libraries, _optional, _library, _contracts, _place) for check in _safely(group)
    ]
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        console = stdout()
        rows = [(_mark(check.ok), check.what, check.found) for check in checks]
        print_table(console, ("", "", ""), rows)
        bad = [check for check in checks if check.ok is False]
        console.print("\nAll is well." if not bad else f"\n{len(bad)} of {len(checks)} checks failed.")
    return DIFFERENT if any(check.ok is False for check in checks) else DONE


def _mark(ok: bool | None) -> Text:
    words = {True: ("ok", "green"), False: ("FAILED", "bold red"), None: ("none", "dim")}
    return Text(words[ok][0], style=words[ok][1])


def _safely(group: Callable[[], list[Check]]) -> list[Check]:
    """The checks of a group; one that cannot even be made is a failed check."""
    try:
        return group()
    except Exception as error:  # a broken part must not hide what the others have to say
        return [Check(group.__name__.strip("_"), False, f"{type(error).__name__}: {error}")]


def _python() -> list[Check]:
    from sim import __version__

    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    version = f"{platform.python_version()} on {system}"
    return [Check("undertow", True, __version__), Check("Python", sys.version_info >= (3, 11), version)]


def _libraries() -> list[Check]:
    checks = []
    for name in NEEDED:
        try:
            checks.append(Check(name, True, metadata.version(name)))
        except metadata.PackageNotFoundError:
            checks.append(Check(name, False, "is not installed"))
    return checks


def _optional() -> list[Check]:
    checks = []
    for name, purpose in OPTIONAL.items():
        present = importlib.util.find_spec(name) is not None
        found = metadata.version(name) if present else f"not installed; needed for {purpose}"
        checks.append(Check(name, True if present else None, found))
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    checks.append(Check("Chromium", True if browser else None, browser or "not found; needed for tests in a browser"))
    return checks


def _library() -> list[Check]:
    from scenarios import ScenarioError, library_names
    from sim.cli.loading import load_checked

    bad = []
    for name in library_names():
        try:
            load_checked(name)
        except ScenarioError as error:
            bad.append(f"{name}: {error}")
    return [Check("scenarios", not bad, "; ".join(bad) or f"{', '.join(library_names())}: all valid")]


def _contracts() -> list[Check]:
    """The smallest shipped recording of each folder: seconds, not minutes."""
    from sim.conformance.verification import SHIPPED, files_of, verify_file

    smallest: dict[str, tuple[int, str]] = {}
    for file in files_of(SHIPPED):
        size = (file.stat().st_size, str(file))
        smallest[str(file.parent)] = min(size, smallest.get(str(file.parent), size))
    began = time.perf_counter()
    results = [verify_file(SHIPPED.__class__(path)) for _, path in smallest.values()]
    differences = sum(result.differences for result in results)
    values = sum(result.values_compared for result in results)
    words = f"{values:,} recorded values in {time.perf_counter() - began:.1f} s: {differences or 'no'} differences"
    return [Check("contracts", differences == 0 and values > 0, words)]


def _place() -> list[Check]:
    writable = os.access(os.getcwd(), os.W_OK)
    return [
        Check(
            "results", writable, "the working folder can be written" if writable else "the working folder is read-only"
        )
    ]
