"""Reading a study's folder: its tables as DataFrames, questions over all its runs in SQL. Nothing is ever unpickled."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.studies.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

#: Tables of the study itself, and those that each run's folder may hold.
OWN = ("runs", "fans")
OF_RUNS = ("metrics", "events", "reports", "positions", "agents")

#: Columns of `runs` that are not outcomes; `set.*` are the fields that the design varies.
KEYS = ("run", "point", "replicate", "seed", "state", "wall_seconds", "content_hash")

_NO_DOWNLOADS: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def open_study(folder: str | os.PathLike[str]) -> Study:
    """Open the folder of a study; StudyError if it is not one."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        there = "is a file" if path.exists() else "does not exist"
        raise StudyError(str(path), there, "", "the folder of a study: undertow batch demo --runs 100 --out DIR")
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StudyError(str(path), "no manifest.json", "", "the folder of a study, as undertow batch writes") from None
    except (OSError, ValueError) as error:
        raise StudyError(str(file), "cannot be read, it is damaged or cut off", str(error), "run again") from None
    kind = manifest.get("kind") if isinstance(manifest, dict) else None
    if kind != "study":
        raise StudyError(str(path), f"holds a {kind or 'thing without kind'}, not a study", "", "a study's folder")
    return Study(path, manifest)


class Study:
    """A study on disk: `.manifest`, `.runs` and `.fans` as DataFrames, and `.sql` over every run's tables."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    def __repr__(self) -> str:
        return f"<Study {self.manifest.get('name')} {self.manifest.get('state')} in {self.folder}>"

    # ------------------------------------------------------------------ tables
    @functools.cached_property
    def runs(self) -> pd.DataFrame:
        """One row a member: its point, seed, state, the fields that were set, and its outcomes."""
        return self._own("runs")

    @functools.cached_property
    def fans(self) -> pd.DataFrame:
        """Quantiles over the runs of a point, by step and metric: long form."""
        return self._own("fans")

    @property
    def done(self) -> pd.DataFrame:
        """The runs that ended well."""
        return self.runs[self.runs["state"] == "done"].reset_index(drop=True)

    @property
    def outcomes(self) -> list[str]:
        """Names of the outcomes: the numeric columns of `runs` that are neither keys nor fields that were set."""
        runs = self.runs
        chosen = [str(name) for name in runs.columns if name not in KEYS and not str(name).startswith("set.")]
        return [name for name in chosen if runs[name].dtype.kind in "fiu"]

    @property
    def varied(self) -> list[str]:
        """Dotted names of the fields that the design varies."""
        return [str(name).removeprefix("set.") for name in self.runs.columns if str(name).startswith("set.")]

    def point(self, number: int) -> pd.DataFrame:
        """The runs of one point that ended well, by replicate. StudyError for a point that the study does not have."""
        points = sorted({int(one) for one in self.runs["point"]})
        if number not in points:
            held = f"0 to {points[-1]}" if points else "none"
            raise StudyError(str(self.folder), "point", str(number), held)
        done = self.done
        return done[done["point"] == number].sort_values("replicate").reset_index(drop=True)

    def changes(self, number: int) -> dict[str, Any]:
        """The fields that a point sets, with their values."""
        row = self.runs[self.runs["point"] == number].iloc[0]
        found = {field: row[f"set.{field}"] for field in self.varied}
        return {field: value for field, value in found.items() if value is not None and value == value}

    def fan(self, metric: str, point: int = 0) -> pd.DataFrame:
        """One metric's quantiles over the runs of a point, a column each: `seconds`, `0.05` … `0.95`, `n`."""
        fans = self.fans
        rows = fans[(fans["metric"] == metric) & (fans["point"] == point)]
        if not len(rows):
            raise StudyError(str(self.folder), "metric", metric, ", ".join(sorted(set(fans["metric"]))) or "no fans")
        wide = rows.pivot(index="step", columns="quantile", values="value")
        wide.columns = [f"{level:g}" for level in wide.columns]
        keys = rows.groupby("step")[["seconds", "n"]].first()
        return keys.join(wide).reset_index()

    def _own(self, name: str) -> pd.DataFrame:
        file = self.folder / f"{name}.parquet"
        if not file.is_file():
            state = self.manifest.get("state")
            raise StudyError(str(file), "is not there", f"state of the study: {state}", "undertow batch … --resume")
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(file).read().to_pandas()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(file, error) from None

    # ------------------------------------------------------------------ SQL
    def members(self, table: str) -> list[Path]:
        """The files of one table, a run each, in order."""
        return sorted((self.folder / "runs").glob(f"[0-9]*/{table}.parquet"))

    def sql(self, query: str) -> pd.DataFrame:
        """Ask in SQL (DuckDB): views runs, fans and, over all runs with a column `run`, metrics, events and the others.

        A column with a dot is written `"cash.WETH"`. A view is made only if the query names it. StudyError names the
        file that is damaged, or the query's fault.
        """
        import duckdb

        words = set(re.findall(r"\w+", query.lower()))
        with duckdb.connect(":memory:", config=_NO_DOWNLOADS) as connection:
            try:
                for name in (*OWN, *OF_RUNS):
                    if name in words:
                        self._view(connection, name)
                return connection.execute(query).df()
            except duckdb.Error as error:
                if not isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
                    first_damaged(path for name in (*OWN, *OF_RUNS) if name in words for path in self._files(name))
                first = (str(error).splitlines() or [type(error).__name__])[0]
                raise StudyError(str(self.folder), f"the query failed: {first}", query, self._views()) from None

    def _view(self, connection: Any, name: str) -> None:
        files = self._files(name)
        if not files:
            return
        listed = ", ".join(f"'{_literal(file)}'" for file in files)
        if name in OWN:
            connection.execute(f'create view "{name}" as select * from read_parquet([{listed}])')
            return
        number = r"cast(regexp_extract(filename, '([0-9]+)[/\\][^/\\]+$', 1) as bigint)"
        source = f"read_parquet([{listed}], filename=true, union_by_name=true)"
        connection.execute(f'create view "{name}" as select {number} as run, * exclude (filename) from {source}')

    def _files(self, name: str) -> list[Path]:
        if name in OWN:
            file = self.folder / f"{name}.parquet"
            return [file] if file.is_file() else []
        return self.members(name)

    def _views(self) -> str:
        held = [name for name in (*OWN, *OF_RUNS) if self._files(name)]
        return f"views: {', '.join(held) or 'none'}"

    # ------------------------------------------------------------------ scenarios
    def scenario(self, point: int) -> Mapping[str, Any]:
        """Every resolved value of a point's scenario, from the folder of its first run, else from the manifest."""
        for run in self.runs.loc[self.runs["point"] == point, "run"]:
            file = self.folder / "runs" / f"{int(run):06d}" / "manifest.json"
            try:
                found = json.loads(file.read_text(encoding="utf-8")).get("scenario")
            except (OSError, ValueError, AttributeError):
                continue
            if found:
                return found
        return self.manifest.get("scenario") or {}

    def scenario_file(self, point: int) -> Path:
        """The resolved scenario of a point as a TOML file, from the folder of one of its runs."""
        for run in self.runs.loc[self.runs["point"] == point, "run"]:
            file = self.folder / "runs" / f"{int(run):06d}" / "scenario.toml"
            if file.is_file():
                return file
        raise StudyError(str(self.folder / "runs"), f"no run of point {point} has its scenario.toml", "", "run again")


def first_damaged(files: Iterable[Path]) -> None:
    """StudyError for the first file that is no whole Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in files:
        try:
            for _ in pq.ParquetFile(file).iter_batches():
                pass
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(file, error) from None


def _damaged(file: Path, error: Exception) -> StudyError:
    reason = (str(error).splitlines() or ["unreadable"])[0]
    return StudyError(str(file), "is damaged or cut off", reason, "run it again: undertow batch … --resume")


def _literal(file: Path) -> str:
    """A path as an SQL text in which no character stands for others."""
    text = str(file.resolve()).replace("'", "''")
    return re.sub(r"([*?\[])", r"[\1]", text)
