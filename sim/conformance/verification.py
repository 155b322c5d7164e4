"""`verify`: replay recorded files through the market classes and report, per file, what was compared."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from sim.conformance.compare import Tally
from sim.conformance.documents import Document, DocumentError, kind_of, load_document

#: Kind of recording -> "module:function" that replays it; imported when first needed.
REPLAYERS: dict[str, str] = {
    "aave 3.6 trace": "sim.conformance.aave36:replay",
    "aave wad and ray arithmetic": "sim.conformance.wadray:replay",
    "aave interest factors": "sim.conformance.interest:replay",
    "uniswap v2 trace": "sim.conformance.univ2:replay",
    "uniswap v3 trace": "sim.conformance.univ3:replay",
    "uniswap v3 arithmetic": "sim.conformance.univ3:replay_math",
    "stableswap arithmetic": "sim.conformance.stable:replay",
}

#: Recordings shipped with the package, replayed when no path is given.
SHIPPED = Path(__file__).parent / "vectors"


class FileResult(NamedTuple):
    """The outcome for one file.

    `supported` is False for a kind that no replayer is registered for (nothing was compared then); `first_difference`
    is the first difference in full, or None.
    """

    path: str
    kind: str
    protocol: str
    operations: int
    values_compared: int
    differences: int
    first_difference: str | None
    supported: bool


def verify(paths: Iterable[str | Path] = ()) -> list[FileResult]:
    """Replay files and folders, in the order given; without paths, the recordings shipped with the package.

    In a folder every `*.json.gz` below it counts, sorted by path. `DocumentError` names a path that does not exist, a
    folder without recordings, or a file that is unreadable, damaged or incomplete.
    """
    given = [Path(path) for path in paths] or [SHIPPED]
    return [verify_file(file) for path in given for file in files_of(path)]


def files_of(path: Path) -> list[Path]:
    """The file itself, or the sorted recordings below a folder."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.rglob("*.json.gz") if file.is_file())
    if not files:
        raise DocumentError(f"{path}: this folder holds no *.json.gz file")
    return files


def verify_file(path: Path) -> FileResult:
    """Replay one file."""
    document = load_document(path)
    kind = kind_of(document)
    if kind is None:
        named = document.get("format", "no format named")
        return FileResult(str(path), f"unknown ({named})", "unknown", 0, 0, 0, None, False)
    if kind.name not in REPLAYERS:
        return FileResult(str(path), kind.name, kind.protocol, 0, 0, 0, None, False)
    try:
        tally = _replayer(kind.name)(document)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        # A right header with a body that cannot be followed: whoever reads the message needs the file and the cause.
        detail = f"{type(error).__name__}: {error}"
        raise DocumentError(f"{path}: cannot be replayed as {kind.name} ({detail})") from error
    return FileResult(
        str(path),
        kind.name,
        kind.protocol,
        tally.operations,
        tally.compared,
        tally.differences,
        tally.first_difference,
        True,
    )


def _replayer(kind: str) -> Callable[[Document], Tally]:
    module, _, function = REPLAYERS[kind].partition(":")
    return getattr(importlib.import_module(module), function)
