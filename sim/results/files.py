"""Writing a run's folder: whole or not at all, and never over something else.

A finished folder is made beside its place under a hidden name and then renamed. What stood there before is put aside
first and deleted last, so that at every moment the old results or the new ones exist; a run that finds old results put
aside and nothing in their place (the process was killed in between) puts them back.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sim.results.errors import ResultsError
from sim.results.manifest import STATES, plain
from sim.results.progress import utc_now

Folder = str | os.PathLike[str]
OWN_FILES = ("manifest.json", "scenario.toml", "progress.json", "report.html")


def prepare(folder: Folder, identity: str) -> Path:
    """Check that a run of this identity may be written to the folder; call it before the run, it writes no result.

    ResultsError if something else is there, if another process is writing there, or if it cannot be written.
    """
    path = _place(folder)
    with _as_results_error(path, "be written"):
        _recover(path)
        _clear_abandoned(path)
        if path.exists():
            _refuse_foreign(path, identity)
        _refuse_unwritable(path)
    return path


def begin_run(folder: Folder, *, manifest: Mapping[str, Any], scenario_toml: str) -> Path:
    """Show that a run has started: a new folder gets its manifest (state "running"), older results stay as they are."""
    path = prepare(folder, manifest["identity"])
    if not (path / "manifest.json").exists():
        _write(path, {}, dict(manifest) | {"state": "running", "pid": os.getpid()}, scenario_toml)
    return path


def write_run(
    folder: Folder,
    *,
    tables: Mapping[str, Any],
    manifest: Mapping[str, Any],
    scenario_toml: str,
    state: str = "done",
) -> dict[str, Any]:
    """Write the run's folder in one piece and return the manifest as written (with `content_hash` and table sizes).

    `tables` maps names to columns (see `sim.results.tables`); `state` is "done", "interrupted" or "failed". The same
    identity is replaced, but for files that are not undertow's, which stay. Anything else there: ResultsError.
    """
    if state not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}, not {state!r}")
    from sim.results.hashing import content_hash
    from sim.results.tables import to_arrow

    path = prepare(folder, manifest["identity"])
    stored = {name: to_arrow(name, columns) for name, columns in tables.items()}
    written = dict(manifest) | {
        "state": state,
        "finished_at": manifest.get("finished_at") or utc_now(),
        "content_hash": content_hash(stored),
        "tables": {name: {"rows": table.num_rows, "columns": table.num_columns} for name, table in stored.items()},
    }
    _write(path, stored, written, scenario_toml)
    return written


def _write(path: Path, stored: Mapping[str, Any], manifest: dict[str, Any], scenario_toml: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with _as_results_error(path, "be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)
        try:
            aside.mkdir()
            for name, table in stored.items():
                _write_parquet(aside / f"{name}.parquet", table)
            (aside / "scenario.toml").write_text(scenario_toml, encoding="utf-8")
            (aside / "manifest.json").write_text(dump_json(manifest), encoding="utf-8")
            _bring_along(path, aside, manifest["state"])
            _swap(path, aside)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _write_parquet(file: Path, table: Any) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, file, compression="zstd", version="2.6", store_schema=False)


def dump_json(value: Any) -> str:
    """JSON text of plain values, indented, the same for the same values."""
    return json.dumps(plain(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _bring_along(old: Path, new: Path, state: str) -> None:
    """Copy files that are not undertow's, and the last progress; the old report goes, it shows the old run."""
    if not old.is_dir():
        return
    ours = {*OWN_FILES, *(f"{name}.parquet" for name in (read_manifest(old) or {}).get("tables", {}))}
    for entry in sorted(old.iterdir()):
        if entry.name in ours or (new / entry.name).exists():
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, new / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, new / entry.name, follow_symlinks=False)
    progress = _read_json(old / "progress.json")
    if progress is not None:
        ended = {key: value for key, value in progress.items() if key != "seconds_left"} | {"state": state}
        (new / "progress.json").write_text(dump_json(ended), encoding="utf-8")


def _swap(path: Path, new: Path) -> None:
    replaced = _replaced(path)
    if path.exists():
        os.rename(path, replaced)
    os.rename(new, path)
    shutil.rmtree(replaced, ignore_errors=True)


def _replaced(path: Path) -> Path:
    return path.with_name(f".{path.name}.replaced")


def _recover(path: Path) -> None:
    replaced = _replaced(path)
    if not replaced.is_dir():
        return
    if path.exists():
        shutil.rmtree(replaced)
    else:
        os.rename(replaced, path)


def _clear_abandoned(path: Path) -> None:
    for left in path.parent.glob(f".{path.name}.*.partial") if path.parent.is_dir() else ():
        pid = left.name.split(".")[-2]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _place(folder: Folder) -> Path:
    path = Path(folder).expanduser().resolve()
    if not path.name:
        raise ResultsError(f"{folder} cannot hold a run: name a folder of its own, such as out/demo-1")
    return path


def _refuse_foreign(path: Path, identity: str) -> None:
    if not path.is_dir():
        raise ResultsError(f"{path} is a file, not a folder; nothing was changed. Choose another --out")
    entries = sorted(entry.name for entry in path.iterdir())
    if not entries:
        return
    manifest = read_manifest(path)
    if manifest is None or "identity" not in manifest:
        shown = ", ".join(entries[:4]) + (f" and {len(entries) - 4} more" if len(entries) > 4 else "")
        raise ResultsError(f"{path} holds something else ({shown}); nothing was changed. Choose another --out")
    writer = _writer(path, manifest)
    if writer is not None:
        raise ResultsError(
            f"{path} is being written by another run (process {writer}); wait for it or choose another --out"
        )
    if manifest["identity"] != identity:
        raise ResultsError(
            f"{path} holds {describe(manifest)}; nothing was changed. Choose another --out, or remove it"
        )


def describe(manifest: Mapping[str, Any]) -> str:
    """One phrase that says which run or study a manifest belongs to."""
    state = "" if manifest.get("state") == "done" else f" ({manifest.get('state', 'state unknown')})"
    kind = "another run" if manifest.get("kind", "run") == "run" else f"a {manifest['kind']}"
    version = (manifest.get("versions") or {}).get("undertow", "?")
    made = manifest.get("started_at") or "at an unknown time"
    name, seed = manifest.get("name", "?"), manifest.get("seed", "?")
    return f"{kind} of '{name}', seed {seed}, undertow {version}, made {made}{state}"


def _writer(path: Path, manifest: Mapping[str, Any]) -> int | None:
    for said in (manifest, _read_json(path / "progress.json") or {}):
        pid = said.get("pid")
        if said.get("state") == "running" and isinstance(pid, int) and pid != os.getpid() and _alive(pid):
            return pid
    return None


def _alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _refuse_unwritable(path: Path) -> None:
    above = next(folder for folder in path.parents if folder.exists())
    if not above.is_dir():
        raise ResultsError(f"{path} cannot be written: {above} is a file, not a folder")
    for folder in (above, path) if path.is_dir() else (above,):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ResultsError(f"{path} cannot be written: no permission to write in {folder}")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest as it stands, or None if there is none that can be read."""
    return _read_json(folder / "manifest.json")


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


@contextlib.contextmanager
def _as_results_error(path: Path, what: str) -> Any:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResultsError(f"{path} cannot {what}: {reason}. What was there before is unchanged") from error


__all__ = ["begin_run", "describe", "dump_json", "prepare", "read_manifest", "write_run"]
