"""Finding and reading scenario files: the library by name, files by path, and what each of them extends."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from scenarios.errors import Problem, ScenarioError, listing, nearest

HERE = Path(__file__).parent
LIBRARY = HERE / "library"
PATHS = HERE / "paths"

#: No scenario nests lists so deep; a parser that gives up in its own depths may leave the interpreter short of stack.
_DEEPEST = 64
LARGEST_BYTES = 4_000_000


class Layer(NamedTuple):
    """One file's own data: how people call it, what it says, and the folder its relative paths start from."""

    label: str
    data: dict[str, Any]
    folder: Path
    name: str


def library_names() -> list[str]:
    """Names of the scenarios that are shipped."""
    return sorted(file.stem for file in LIBRARY.glob("*.toml"))


def is_library_file(path: Path) -> bool:
    return path.parent == LIBRARY


def locate(name_or_path: str | Path, folder: Path, asked_by: str = "", field: str = "") -> Path:
    """The file of a scenario given by library name or by path; `ScenarioError` if there is none.

    A library name wins over a file of the same name; a path has a slash, ends in `.toml`, or is a folder with a
    `scenario.toml`, such as that of a run.
    """
    text = str(name_or_path)
    if text in library_names():
        return LIBRARY / f"{text}.toml"
    label = asked_by or text
    if not text.strip() or "\0" in text:
        raise _refused(label, field, repr(text), _allowed(), "is not the name of a scenario")
    looks_like_path = isinstance(name_or_path, Path) or "/" in text or "\\" in text or text.endswith(".toml")
    looks_like_path = looks_like_path or (folder / text).is_dir()
    if not looks_like_path:
        guess = nearest(text, library_names())
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise _refused(label, field, text if field else "", _allowed(), f"there is no scenario {text!r}{hint}")
    path = Path(text).expanduser()
    path = path if path.is_absolute() else folder / path
    if path.is_dir():
        inside = path / "scenario.toml"
        if not inside.is_file():
            raise _refused(label, field, text, "a scenario file", "is a folder")
        path = inside
    if not path.exists():
        guess = nearest(path.stem, library_names())
        hint = f"; the library has {guess!r}" if guess else ""
        raise _refused(label, field, text if field else "", _allowed(), f"the file {text} does not exist{hint}")
    return path


def _allowed() -> str:
    return f"a file, or one of {listing(library_names())}"


def _refused(file: str, path: str, given: str, allowed: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(file, path, given, allowed, message)])


def read_toml(path: Path, label: str) -> dict[str, Any]:
    """The tables of a TOML file; `ScenarioError` if it cannot be read, is empty, not text, or not TOML."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _refused(label, "", "", "a readable file", f"cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_BYTES:
        raise _refused(
            label, "", "", f"at most {LARGEST_BYTES // 1_000_000} MB", "is too large for a scenario"
        ) from None
    if b"\0" in data:
        raise _refused(label, "", "", "a TOML file (text)", "is a binary file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _refused(
            label, "", f"byte 0x{data[error.start]:02x} in line {line}", "UTF-8", "is not UTF-8 text"
        ) from None
    try:
        if "[" * _DEEPEST in text:
            raise ValueError(f"lists nested {_DEEPEST} deep")
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(label, "", "", "TOML 1.0", f"is not valid TOML: {error}") from None
    if not tables:
        raise _refused(label, "", "", "at least [assets] and [oracle.feeds], or extends = ...", "is empty")
    return tables


def layers(path: Path, label: str) -> list[Layer]:
    """The file and everything it extends, the furthest ancestor first; a loop is refused with its members named."""
    found: list[Layer] = []
    seen: list[tuple[Path, str]] = []
    while True:
        resolved = path.resolve()
        if resolved in [earlier for earlier, _ in seen]:
            chain = " -> ".join([*(name for _, name in seen), label])
            raise _refused(found[-1].label, "extends", label, "a chain of files that ends", f"goes round: {chain}")
        seen.append((resolved, label))
        data = read_toml(path, label)
        data.pop("study", None)  # how a study varies the scenario: sim.studies reads it from the file itself
        own = path.stem if path.name != "scenario.toml" else path.resolve().parent.name
        found.append(Layer(label, data, path.parent, own))
        parent = data.get("extends")
        if parent is None:
            return found[::-1]
        if not isinstance(parent, str):
            raise _refused(label, "extends", repr(parent), _allowed(), "must be text")
        path = locate(parent, path.parent, label, "extends")
        label = label_of(path, parent)


def label_of(path: Path, given: str) -> str:
    """How messages call a scenario file: library scenarios by name, others as they were given."""
    return f"{path.stem} (library)" if is_library_file(path) else given


def locate_path_file(name: str, folder: Path | None) -> Path | None:
    """A price path file: beside the scenario that names it, or among the paths that are shipped; None if neither."""
    candidates = [] if folder is None else [folder / Path(name).expanduser()]
    candidates += [HERE / name, PATHS / name]
    for candidate in candidates:
        try:
            if candidate.is_file():
                return candidate
        except (OSError, ValueError):  # a name that no file can have
            return None
    return None


def shipped_paths() -> list[str]:
    """The files of prices and correlations that are shipped, as a scenario names them."""
    return sorted(
        [f"paths/{file.name}" for file in PATHS.glob("*.csv")]
        + [f"paths/market/{file.name}" for file in (PATHS / "market").glob("*.csv") if "gas" not in file.name]
    )
