"""The runs of a search: each value with each seed once, kept in memory and, where a folder is given, on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scenarios import Scenario
from sim.studies.errors import StudyError
from sim.studies.folder import disk_errors

#: As `sim.studies.evaluate`: scenario, points, seeds, workers to a table of runs, or its columns by name.
Evaluate = Callable[..., Any]

#: Runs between two lines of the file, where there is one: no more are lost when the search is killed.
AT_ONCE = 32


class Trials:
    """Outcomes of one field's values on seeds; a pair that was run before is not run again.

    `outcomes` are the columns that are kept. A run that failed has NaN. `runs` counts what was run here, `reused` what
    a folder held already.
    """

    def __init__(
        self,
        scenario: Scenario,
        field: str,
        outcomes: Sequence[str],
        evaluate: Evaluate,
        *,
        workers: int = 1,
        whole: bool = False,
        file: Path | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.scenario, self.field, self.outcomes = scenario, field, tuple(outcomes)
        self.runs = self.reused = 0
        self._evaluate, self._workers, self._whole, self._file = evaluate, workers, whole, file
        self._progress = progress
        self._held: dict[float, dict[int, tuple[float, ...]]] = {}
        if file is not None:
            self._read(file)

    def overrides(self, value: float) -> dict[str, Any]:
        """What a design point of this value sets."""
        return {self.field: int(value) if self._whole else value}

    def values(self, outcome: str, value: float, seeds: Sequence[int]) -> np.ndarray:
        """One outcome of a value, a seed each, run where it was not yet."""
        self.ensure([value], seeds)
        place, held = self.outcomes.index(outcome), self._held[value]
        return np.array([held[seed][place] for seed in seeds])

    def ensure(self, values: Sequence[float], seeds: Sequence[int]) -> None:
        """Run what is missing of these values on these seeds."""
        together: dict[tuple[int, ...], list[float]] = {}
        for value in values:
            held = self._held.setdefault(value, {})
            missing = tuple(seed for seed in seeds if seed not in held)
            if missing:
                together.setdefault(missing, []).append(value)
        for missing, those in together.items():
            room = max(1, AT_ONCE // len(those)) if self._file is not None else len(missing)
            for begin in range(0, len(missing), room):
                self._run(those, missing[begin : begin + room])

    def _run(self, values: Sequence[float], seeds: Sequence[int]) -> None:
        points = [self.overrides(value) for value in values]
        frame = self._evaluate(self.scenario, points, seeds, workers=min(self._workers, len(points) * len(seeds)))
        count = len(frame["point"])
        columns = [frame[name].tolist() if name in frame else [np.nan] * count for name in self.outcomes]
        rows = list(zip(frame["point"].tolist(), frame["seed"].tolist(), *columns, strict=True))
        for point, seed, *found in rows:
            self._held[values[point]][seed] = tuple(found)
        self.runs += len(rows)
        if self._file is not None:
            lines = [json.dumps([values[point], seed, *map(_text, found)]) + "\n" for point, seed, *found in rows]
            with disk_errors(self._file.parent), self._file.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
                file.flush()
                os.fsync(file.fileno())
        if self._progress is not None:
            self._progress(self.runs)

    def _read(self, file: Path) -> None:
        if not file.is_file():
            return
        for line in file.read_text(encoding="utf-8").splitlines():
            try:
                value, seed, *found = json.loads(line)
            except ValueError:  # the last line of a search that was killed
                continue
            if len(found) == len(self.outcomes):
                row = tuple(np.nan if one is None else float(one) for one in found)
                self._held.setdefault(float(value), {})[int(seed)] = row
                self.reused += 1


def _text(value: float) -> float | None:
    return None if value != value else float(value)


def trial_file(folder: Path, identity: Mapping[str, Any], resume: bool) -> Path:
    """The file of runs in a folder that is new, or holds the same search and `resume` is on; StudyError otherwise."""
    from sim.results.files import dump_json
    from sim.results.progress import replace_text

    said = folder / "search.json"
    with disk_errors(folder):
        held = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
        if folder.exists() and not folder.is_dir():
            raise StudyError(str(folder), "is a file, not a folder; nothing was changed", "", "another --out")
        if held:
            _refuse(folder, said, identity, held, resume)
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(said, dump_json(dict(identity)))
    return folder / "runs.jsonl"


def _refuse(folder: Path, said: Path, identity: Mapping[str, Any], held: Sequence[str], resume: bool) -> None:
    try:
        before = json.loads(said.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        text = ", ".join(held[:4]) + (f" and {len(held) - 4} more" if len(held) > 4 else "")
        raise StudyError(str(folder), "holds something else; nothing was changed", text, "another --out") from None
    if before != json.loads(json.dumps(dict(identity))):
        raise StudyError(str(folder), "holds another search; nothing was changed", "", "another --out")
    if not resume:
        raise StudyError(str(folder), "holds this search already", "", "--resume goes on with it; or another --out")
