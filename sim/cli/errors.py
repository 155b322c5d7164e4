"""From exceptions to messages and exit statuses: one place, so that bad input never ends in a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

DONE = 0
DIFFERENT = 1
USAGE = 2
SOME_FAILED = 3
GATE_CLOSED = 4
BAD_DATA = 65
INTERRUPTED = 130

#: With this variable set, an unexpected error shows its trace.
DEBUG = "UNDERTOW_DEBUG"


def guarded(arguments: Sequence[str] | None) -> int:
    """Run the command with every exception turned into a message on stderr and an exit status."""
    from sim.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(args=given, prog_name="undertow", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else DONE
    except BrokenPipeError:  # the reader, such as `head`, has enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the process ends
        return DONE
    except BaseException as error:
        return _told(error)


def _told(error: BaseException) -> int:
    import typer

    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return _say("interrupted", INTERRUPTED)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else USAGE
    if isinstance(error, typer.Exit):
        return error.exit_code
    if _is_a(error, "UsageError"):
        return _usage(error)
    if _is_a(error, "ClickException"):
        return _say(str(error), USAGE)
    if _is_bad_data(error):
        return _say(str(error), getattr(error, "exit_code", BAD_DATA))
    if isinstance(error, OSError) and error.filename:
        return _say(f"{error.filename}: {error.strerror}", BAD_DATA)
    if os.environ.get(DEBUG):
        import traceback

        traceback.print_exception(error)
        return DIFFERENT
    own = _raised_in(error)
    where = f"unexpected {type(error).__name__}: {error}" if str(error) else f"unexpected {type(error).__name__}"
    if own:
        return _say(
            f"{where}\nRaised in {own}, which is no part of undertow. {DEBUG}=1 before the command shows the way.",
            DIFFERENT,
        )
    return _say(f"{where}\nThis is a defect of undertow. {DEBUG}=1 before the command shows where.", DIFFERENT)


def _raised_in(error: BaseException) -> str:
    """File and line of a user's own code, such as his class of agents, if the error comes from there; else empty."""
    import sysconfig
    import traceback
    from pathlib import Path

    root = Path(__file__).parent.parent.parent
    known = [root / name for name in ("agents", "scenarios", "sim", "ui", "app.py")]
    known += [Path(place) for place in (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix)]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.exists() and not any(file.is_relative_to(place) for place in known):
            return f"{file.name}, line {frame.lineno}"
    return ""


def _is_a(error: BaseException, name: str) -> bool:
    """Whether the error's class or an ancestor has that name: some versions of typer carry their own copy of click."""
    return any(ancestor.__name__ == name for ancestor in type(error).__mro__)


def _is_bad_data(error: BaseException) -> bool:
    """Whether the error is about the user's files; asks only modules that are loaded, others cannot have raised it."""
    for module, name in (
        ("scenarios.errors", "ScenarioError"),
        ("sim.prices.errors", "PathError"),
        ("sim.results.errors", "ResultsError"),
        ("sim.conformance.documents", "DocumentError"),
        ("sim.studies.errors", "StudyError"),
    ):
        found: Any = getattr(sys.modules.get(module), name, None)
        if found is not None and isinstance(error, found):
            return True
    return False


def _usage(error: Any) -> int:
    command = error.ctx.command_path if error.ctx is not None else "undertow"
    return _say(f"{error.format_message()}\nSee: {command} --help", USAGE)


def _say(message: str, status: int) -> int:
    print(f"undertow: {message}", file=sys.stderr)
    return status
