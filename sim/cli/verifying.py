"""`undertow verify`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from sim.cli.console import heading, print_json, remark, stderr, stdout
from sim.cli.errors import BAD_DATA, DIFFERENT, DONE
from sim.cli.tables import print_table


def verify_command(paths: Sequence[Path], as_json: bool) -> int:
    """Replay every file, print the comparison, and say by the exit status whether all of it is equal."""
    from sim.conformance import DocumentError
    from sim.conformance.verification import SHIPPED, files_of, verify_file

    results: list[Any] = []
    unusable: list[str] = []
    began = time.perf_counter()
    files: list[Path] = []
    for path in paths or [SHIPPED]:
        try:
            files += files_of(path)
        except DocumentError as error:
            unusable.append(str(error))
    with _watching(len(files)) as tell:
        for file in files:
            tell(file)
            try:
                results.append(verify_file(file))
            except DocumentError as error:
                unusable.append(str(error))
    seconds = time.perf_counter() - began
    if as_json:
        print_json(
            {"files": [result._asdict() for result in results], "unusable": unusable, "seconds": round(seconds, 3)}
        )
    else:
        _print(results, seconds)
    for message in unusable:
        remark(f"undertow: {message}")
    if unusable:
        return BAD_DATA
    return DIFFERENT if any(result.differences or not result.supported for result in results) else DONE


def _watching(total: int) -> Any:
    """A line on a terminal that names the file in work."""
    from contextlib import contextmanager

    @contextmanager
    def status() -> Any:
        console = stderr()
        if not console.is_terminal or not total:
            yield lambda file: None
            return
        with console.status("") as line:
            done = iter(range(1, total + 1))
            yield lambda file: line.update(f"{next(done)} of {total}: {file.name}")

    return status()


def _print(results: list[Any], seconds: float) -> None:
    console = stdout()
    protocols = dict.fromkeys(result.protocol for result in results if result.supported)
    for protocol in protocols:
        own = [result for result in results if result.supported and result.protocol == protocol]
        heading(console, protocol)
        rows: list[tuple[Any, ...]] = [
            (
                _name(result.path),
                f"{result.operations:,}",
                f"{result.values_compared:,}",
                _differences(result.differences),
            )
            for result in own
        ]
        if len(own) > 1:
            rows.append(("together", *_totals(own)))
        print_table(console, ("file", "operations", "values compared", "differences"), rows, (1, 2, 3))
    for result in results:
        if result.first_difference is not None:
            heading(console, f"First difference in {result.path}")
            console.print(result.first_difference)
    strange = [result for result in results if not result.supported]
    if strange:
        heading(console, "Not supported yet")
        print_table(console, ("file", "kind"), [(_name(result.path), result.kind) for result in strange])
    _print_verdict(console, results, strange, seconds)


def _print_verdict(console: Any, results: list[Any], strange: list[Any], seconds: float) -> None:
    compared = sum(result.values_compared for result in results)
    differences = sum(result.differences for result in results)
    files = sum(1 for result in results if result.supported)
    if not results:
        return
    verdict = "no difference" if not differences else f"{differences:,} differences"
    text = f"{compared:,} values in {files:,} {'file' if files == 1 else 'files'}: {verdict}"
    if strange:
        text += f"; {len(strange):,} of a kind that is not supported yet"
    console.print()
    console.print(Text(f"{text} ({seconds:.1f} s)", style="bold green" if not (differences or strange) else "bold red"))


def _totals(results: list[Any]) -> tuple[Any, ...]:
    operations = sum(result.operations for result in results)
    compared = sum(result.values_compared for result in results)
    return f"{operations:,}", f"{compared:,}", _differences(sum(result.differences for result in results))


def _differences(count: int) -> Text:
    return Text(f"{count:,}", style="" if count == 0 else "bold red")


def _name(path: str) -> str:
    """File and folder: enough to tell recordings apart."""
    return "/".join(Path(path).parts[-2:])
