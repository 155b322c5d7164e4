"""The folder of a study: whose it is, which runs it holds, what failed.

One process at a time works in it. Runs are written by the workers, each whole or not at all; the study's own files are
replaced, never changed in place, but for `failures.jsonl`, which grows by whole lines while the study runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scenarios.fields import manifest_notes
from sim import __version__
from sim.results.files import dump_json, read_manifest
from sim.results.manifest import new_manifest, plain
from sim.results.progress import replace_text, utc_now
from sim.run import inputs
from sim.studies.design import Design
from sim.studies.errors import StudyError
from sim.studies.task import folder_name

LOCK = ".lock"


class StudyFolder:
    """A study on disk while it is being made; `open` gives one, `close` lets others in again."""

    def __init__(self, path: Path, design: Design, manifest: dict[str, Any], lock: int | None) -> None:
        self.path = path
        self.design = design
        self.manifest = manifest
        self._lock = lock

    @classmethod
    def open(cls, out: str | os.PathLike[str], design: Design, resume: bool) -> StudyFolder:
        """The folder for this design, new or to be resumed.

        StudyError if it holds anything else (another scenario, version or design), if another process writes there, if
        it cannot be written, or if the study is there already and `resume` is off. Nothing is changed then.
        """
        path = Path(out).expanduser().resolve()
        manifest = _new_manifest(design)
        with disk_errors(path):
            held = _held(path)
            if held:
                _refuse_another(path, manifest, held, resume)
            path.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
        folder = cls(path, design, manifest, lock)
        try:
            folder._begin(bool(held))
        except BaseException:
            folder.close()
            raise
        return folder

    def _begin(self, resumed: bool) -> None:
        with disk_errors(self.path):
            self.runs.mkdir(exist_ok=True)
            for left in self.runs.glob(".*"):  # of workers that were killed: nobody else is here
                if left.name.endswith(".partial"):
                    shutil.rmtree(left, ignore_errors=True)
            if resumed:
                self.manifest["started_at"] = (read_manifest(self.path) or {}).get("started_at", utc_now())
            else:
                replace_text(self.path / "study.toml", self.design.to_toml())
            self.write_manifest("running")
            replace_text(self.failures, "")

    @property
    def runs(self) -> Path:
        """Where the runs are."""
        return self.path / "runs"

    @property
    def failures(self) -> Path:
        """One line of JSON for each run that failed."""
        return self.path / "failures.jsonl"

    def run_folder(self, run: int) -> Path:
        """The folder of a run."""
        return self.runs / folder_name(run)

    def write_manifest(self, state: str, **more: Any) -> None:
        """Say how the study stands."""
        self.manifest |= {"state": state, "pid": os.getpid(), **more}
        with disk_errors(self.path):
            replace_text(self.path / "manifest.json", dump_json(self.manifest))

    # ------------------------------------------------------------------ runs
    def present(self) -> tuple[list[int], dict[int, str]]:
        """Runs that are there and whole, and those that are damaged with what is wrong with them."""
        whole: list[int] = []
        damaged: dict[int, str] = {}
        for entry in sorted(self.runs.iterdir()):
            if not (entry.name.isdigit() and int(entry.name) < len(self.design)):
                continue
            wrong = damage(entry)
            if wrong:
                damaged[int(entry.name)] = wrong
            else:
                whole.append(int(entry.name))
        return whole, damaged

    def discard(self, run: int) -> None:
        """Remove the folder of a damaged run."""
        with disk_errors(self.path):
            shutil.rmtree(self.run_folder(run))

    # ------------------------------------------------------------------ failures
    def add_failure(self, run: int, error: str, trace: str, place: str) -> None:
        """Quarantine a run: how it failed, and the command that runs it again."""
        member = self.design.member(run)
        said = {
            "run": run,
            "point": member.point.index,
            "replicate": member.replicate,
            "seed": member.seed,
            "set": plain(member.point.overrides),
            "error": error,
            "place": place,
            "command": f"undertow replay {self.path} --run {run}",
            "traceback": trace,
        }
        with disk_errors(self.path), self.failures.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said, ensure_ascii=False) + "\n")

    def failed(self) -> dict[int, dict[str, Any]]:
        """The failures by run, in their order."""
        return read_failures(self.path)

    def sort_failures(self) -> None:
        """Put the failures in the order of the runs, whatever the order in which they came."""
        lines = [json.dumps(said, ensure_ascii=False) + "\n" for said in self.failed().values()]
        with disk_errors(self.path):
            replace_text(self.failures, "".join(lines))

    def close(self) -> None:
        """Let other processes work here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> StudyFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_failures(path: Path) -> dict[int, dict[str, Any]]:
    """The failures of a study by run; a last line that was cut off is left out."""
    found: dict[int, dict[str, Any]] = {}
    file = path / "failures.jsonl"
    if not file.is_file():
        return found
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        found[int(said["run"])] = said
    return dict(sorted(found.items()))


def damage(folder: Path) -> str:
    """What is wrong with a run's folder: no manifest, or a table whose values are not those written; "" if nothing."""
    from sim.results import ResultsError, load

    try:
        run = load(folder)
        if run.manifest.get("state") != "done":
            return f"{folder} is not finished"
        for name in run.manifest.get("tables") or {}:
            if not (folder / f"{name}.parquet").is_file():
                return f"{folder / name}.parquet is missing"
        if run.content_hash() != run.manifest["content_hash"]:
            return f"the tables in {folder} are not those that the run wrote"
    except ResultsError as error:
        return str(error)
    return ""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """A disk that is full, or a folder that may not be written, as one error; the runs that are there stay."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or path)
        raise unwritable(path, f"{where}: {error.strerror or error}") from error


def unwritable(path: Path, reason: str) -> StudyError:
    """The error for a study whose folder cannot be written."""
    return StudyError(
        str(path), "cannot be written", reason, "room and permission; what was written stays, --resume goes on"
    )


def _new_manifest(design: Design) -> dict[str, Any]:
    scenario = design.scenario
    read = inputs(scenario)
    origins, fields = manifest_notes(scenario)
    manifest = new_manifest(scenario.as_dict(), design.seeds[0], origins=origins, fields=fields, inputs=read)
    return manifest | {
        "kind": "study",
        "identity": design.identity(read),
        "n": len(design),
        "seeds": list(design.seeds),
        "design": design.as_dict() | {"parts": plain(design.parts), "fields": list(design.fields)},
        "done": 0,
        "failed": 0,
    }


def _held(path: Path) -> list[str]:
    if not path.exists():
        return []
    if not path.is_dir():
        raise StudyError(str(path), "is a file, not a folder; nothing was changed", "", "another --out")
    return sorted(entry.name for entry in path.iterdir() if entry.name != LOCK)


def _refuse_another(path: Path, ours: Mapping[str, Any], held: list[str], resume: bool) -> None:
    manifest = read_manifest(path)
    if manifest is None or "identity" not in manifest:
        said = ", ".join(held[:4]) + (f" and {len(held) - 4} more" if len(held) > 4 else "")
        raise StudyError(str(path), "holds something else; nothing was changed", said, "another --out")
    if manifest.get("kind") != "study":
        raise StudyError(str(path), "holds a run, not a study; nothing was changed", "", "another --out")
    if manifest["identity"] != ours["identity"]:
        raise StudyError(
            str(path),
            "holds another study; nothing was changed",
            _difference(manifest, ours),
            "another --out, or the same scenario, design and version",
        )
    if not resume:
        said = f"{manifest.get('done', 0)} of {manifest.get('n')} runs done, state {manifest.get('state')}"
        raise StudyError(str(path), "holds this study already", said, "--resume completes it; or another --out")


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    version = (theirs.get("versions") or {}).get("undertow")
    if version != __version__:
        return f"made with undertow {version}, this is {__version__}"
    if theirs.get("scenario") != ours["scenario"]:
        same = theirs.get("name") == ours["name"]
        return f"its scenario {theirs.get('name')!r} has other values" if same else f"scenario {theirs.get('name')!r}"
    if theirs.get("inputs") != ours["inputs"]:
        return "the price file has changed"
    design = theirs.get("design") or {}
    points = len(design.get("points", ()))
    return (
        f"its design has {points} points with {design.get('replicates')} seeds from {design.get('seed0')},"
        f" keeping {', '.join(design.get('keep', ()))}"
    )


def _locked(path: Path) -> int | None:
    """Take the folder for this process; the lock goes with the process, however it ends."""
    try:
        import fcntl
    except ImportError:  # not on Windows: there two processes in one folder are not noticed
        return None
    lock = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        pid = (read_manifest(path) or {}).get("pid", "?")
        raise StudyError(
            str(path), f"is being written by another process ({pid})", "", "wait for it, or another --out"
        ) from None
    return lock
