"""Reading a run's folder: tables as DataFrames, questions in SQL. Nothing is ever unpickled."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.results.errors import ResultsError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TABLE_NAMES = ("metrics", "events", "reports", "positions", "agents")


def load(folder: str | os.PathLike[str]) -> Run:
    """Open the folder of a run; ResultsError if it is not one."""
    path = Path(folder).expanduser()
    if not path.exists():
        raise ResultsError(f"{path} does not exist. A run writes such a folder: undertow run demo --out {path}")
    if not path.is_dir():
        raise ResultsError(f"{path} is a file; give the folder of a run, the one that holds manifest.json")
    manifest = _manifest(path)
    kind = manifest.get("kind", "run")
    if kind != "run":
        raise ResultsError(f"{path} holds a {kind}, not a run; its runs are in {path / 'runs'}")
    return Run(path, manifest)


class Run:
    """One finished (or interrupted) run: `.manifest`, and its tables, each read when first asked for."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest

    def __repr__(self) -> str:
        name, seed = self.manifest.get("name"), self.manifest.get("seed")
        return f"<Run {name} seed {seed} {self.manifest.get('state')} in {self.folder}>"

    @functools.cached_property
    def metrics(self) -> pd.DataFrame:
        """One row a step (see `sim.results.columns.METRICS`)."""
        return self.frame("metrics")

    @functools.cached_property
    def events(self) -> pd.DataFrame:
        """One row a receipt."""
        return self.frame("events")

    @functools.cached_property
    def reports(self) -> pd.DataFrame:
        """One row an oracle report."""
        return self.frame("reports")

    @functools.cached_property
    def positions(self) -> pd.DataFrame:
        """Snapshots of all positions: first, last, worst, on schedule."""
        return self.frame("positions")

    @functools.cached_property
    def agents(self) -> pd.DataFrame:
        """One row an agent: net worth at start and end, and what made the difference."""
        return self.frame("agents")

    @property
    def tables(self) -> list[str]:
        """Names of the tables that the folder holds."""
        return sorted(file.stem for file in self.folder.glob("*.parquet") if file.stem in self._listed())

    def _listed(self) -> set[str]:
        return set(self.manifest.get("tables") or TABLE_NAMES)

    def frame(self, name: str) -> pd.DataFrame:
        """A table as a DataFrame; whole-number columns with gaps are `Int64`, exact amounts Python integers."""
        return to_frame(self.arrow(name))

    def arrow(self, name: str) -> pa.Table:
        """A table as it is stored."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.folder / f"{name}.parquet"
        if not file.is_file():
            held = ", ".join(self.tables) or "no tables"
            state = "" if self.manifest.get("state") == "done" else f" (state: {self.manifest.get('state')})"
            raise ResultsError(f"{self.folder} has no table {name}; it holds {held}{state}")
        try:
            return pq.ParquetFile(file).read()
        except (pa.ArrowException, OSError, ValueError) as error:
            reason = (str(error).splitlines() or ["unreadable"])[0]
            raise ResultsError(f"{file} cannot be read, it is damaged or cut off ({reason}). Run again") from None

    def sql(self, query: str) -> pd.DataFrame:
        """Ask in SQL (DuckDB): every table is a view of its name; a column with a dot is written `"cash.WETH"`."""
        import duckdb

        options: dict[str, Any] = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        with duckdb.connect(":memory:", config=options) as connection:
            try:
                for name in self.tables:
                    file = str((self.folder / f"{name}.parquet").resolve()).replace("'", "''")
                    connection.execute(f"create view \"{name}\" as select * from read_parquet('{file}')")
                return connection.execute(query).df()
            except duckdb.Error as error:
                first = (str(error).splitlines() or [type(error).__name__])[0]
                raise ResultsError(f"the query failed: {first}. Views: {', '.join(self.tables) or 'none'}") from None

    def content_hash(self) -> str:
        """The content hash computed again from the files; equals `manifest["content_hash"]` if nothing changed."""
        from sim.results.hashing import content_hash

        return content_hash({name: self.arrow(name) for name in self.tables})


def to_frame(table: Any) -> pd.DataFrame:
    """A stored table as a DataFrame."""
    import pandas as pd
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_decimal(column.type):
            columns[name] = pd.Series(
                [None if value is None else int(value) for value in column.to_pylist()], dtype=object
            )
        elif pa.types.is_int64(column.type) and column.null_count:
            columns[name] = pd.Series(column.to_pylist(), dtype="Int64")
        elif pa.types.is_boolean(column.type) and column.null_count:
            columns[name] = pd.Series(column.to_pylist(), dtype="boolean")
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns)


def frames_of(tables: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Tables still in memory as the DataFrames that reading them back would give."""
    from sim.results.tables import to_arrow

    return {name: to_frame(to_arrow(name, columns)) for name, columns in tables.items()}


def _manifest(path: Path) -> dict[str, Any]:
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        held = sorted(entry.name for entry in path.iterdir())[:4]
        said = f"it holds {', '.join(held)}" if held else "it is empty"
        raise ResultsError(f"{path} is not the folder of a run: no manifest.json ({said})") from None
    except OSError as error:
        raise ResultsError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ResultsError(f"{file} is not valid JSON; the folder is damaged. Run again") from None
    if not isinstance(manifest, dict) or "identity" not in manifest:
        raise ResultsError(f"{file} is not the manifest of a run")
    return manifest
