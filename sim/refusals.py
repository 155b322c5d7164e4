"""From what a part of the world refuses to be built with to problems of the scenario: file, field, given, allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from scenarios import Problem, Scenario, ScenarioError
from sim.chain.revert import Revert
from sim.prices import PathError

#: How parts of the simulator word a refusal: "what: given this; allowed: that".
_WORDING = re.compile(r"(?P<what>.*?): given (?P<given>.*?); allowed: (?P<allowed>.*)", re.DOTALL)

_OVERRIDES = "--set"
_LIBRARY = " (library)"


class Refusals:
    """Collects what goes wrong while a world is built, so that the problems of one stage are told together."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.problems: list[Problem] = []

    def add(self, path: str, given: str, allowed: str, message: str) -> None:
        """Note a problem at a dotted path of the scenario."""
        self.problems.append(Problem(self.file_of(path), path, given, allowed, message))

    @contextmanager
    def at(self, path: str, given: str = "", allowed: str = "") -> Iterator[None]:
        """Refusals of the parts inside (and numbers that overflow) are problems at `path`.

        `given` and `allowed` stand in where a refusal names none.
        """
        try:
            yield
        except ScenarioError as error:
            told = [p._replace(file=p.file or self.file_of(p.path)) for p in error.problems]
            self.problems += [problem for problem in told if problem not in self.problems]
        except PathError:
            raise
        except Revert as refusal:
            self.add(
                path, given, allowed, f"cannot be opened: the contract refuses it ({refusal.reason or 'no reason'})"
            )
        except (ValueError, OverflowError) as error:
            worded = _WORDING.fullmatch(str(error))
            if worded:
                self.add(path, worded["given"], worded["allowed"], f"{worded['what']} is not possible")
            else:
                self.add(path, given, allowed, str(error))

    def check(self) -> None:
        """`ScenarioError` with everything noted so far, if there is anything."""
        if self.problems:
            raise ScenarioError(self.problems)

    def file_of(self, path: str) -> str:
        """Where the values below a path come from, as messages call it: an override, else the nearest file."""
        origins = self.scenario.origins()
        found = [origin for place, origin in origins.items() if f"{place}.".startswith(f"{path}.")]
        if not found and "." in path:  # a field that nobody set belongs to whoever wrote the table
            return self.file_of(path.rpartition(".")[0])
        if any(origin.kind == "override" for origin in found):
            return _OVERRIDES
        files = list(dict.fromkeys(origin.where for origin in found if origin.kind == "file"))
        own = self.scenario.name
        nearest = [name for name in files if not name.endswith(_LIBRARY)] or [own + _LIBRARY] * (
            own + _LIBRARY in files
        )
        return (nearest or files or [own])[0]
