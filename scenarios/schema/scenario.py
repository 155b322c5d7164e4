"""The whole scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import PrivateAttr, model_validator

from scenarios.schema.amms import Amm
from scenarios.schema.assets import Asset, Outside
from scenarios.schema.base import Section, Sequence, Table, empty_table, field
from scenarios.schema.chain import Gas, Oracle
from scenarios.schema.governance import Change
from scenarios.schema.pool import Pool
from scenarios.schema.populations import Populations
from scenarios.schema.prices import Prices
from scenarios.schema.redemptions import Redemption
from scenarios.schema.run import Mechanisms, Results, Run


class Origin(NamedTuple):
    """Where a value comes from: its kind, the file or option that set it, and the source stated there."""

    kind: Literal["default", "file", "override"]
    where: str
    source: str


class Scenario(Section):
    """A complete, checked description of one run (its seed included)."""

    name: str = field(
        "unnamed", "Short name; names the folder of results", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
    )
    title: str = field("", "One line for people")
    why: str = field("", "What the scenario is for, and what it is not")
    source: str = field("", "Where the figures come from, as a whole")
    extends: str | None = field(None, "Scenario (name or file) that this one starts from")

    run: Run = field(None, "Time, seed, audit and waking", factory=Run)
    assets: Table[str, Asset] = field(None, "Base tokens by symbol", factory=empty_table)
    prices: Prices = field(None, "Exogenous prices", factory=Prices)
    outside: Outside = field(None, "Impact and depth of the outside market", factory=Outside)
    oracle: Oracle = field(None, "Price feeds", factory=Oracle)
    gas: Gas = field(None, "Block space, base fee, ordering", factory=Gas)
    pool: Pool = field(None, "The lending pool", factory=Pool)
    governance: Sequence[Change] = field((), "Changes of the pool's parameters while it runs, in order of time")
    amms: Table[str, Amm] = field(None, "AMM pools by name", factory=empty_table)
    redemptions: Table[str, Redemption] = field(None, "Redemption queues by name", factory=empty_table)
    populations: Populations = field(None, "Agents", factory=Populations)
    mechanisms: Mechanisms = field(None, "Mechanisms that can be switched off", factory=Mechanisms)
    results: Results = field(None, "What is written", factory=Results)

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)
    _path_files: dict[str, Path] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _parts_fit(self) -> Scenario:
        from scenarios.checks import cross_field_problems

        problems = cross_field_problems(self.model_dump(mode="json"))
        if problems:
            raise ValueError("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        return self

    @property
    def label(self) -> str:
        """The title, or the name of a scenario without one."""
        return self.title or self.name

    def as_dict(self) -> dict[str, Any]:
        """The resolved scenario as plain dictionaries, lists, strings, numbers and booleans (JSON-able)."""
        return self.model_dump(mode="json")

    def to_toml(self) -> str:
        """The resolved scenario as a TOML file of its own: every value written out, nothing inherited."""
        from scenarios.writing import to_toml

        return to_toml(self)

    def origin(self, path: str) -> Origin:
        """Where the value at a dotted path comes from; a table that no file names is a default."""
        return self._origins.get(path, Origin("default", "", ""))

    def origins(self) -> dict[str, Origin]:
        """Every value that a file or an override has set, by dotted path."""
        return dict(self._origins)

    def assignments(self) -> list[str]:
        """The overrides as `--set` options: loading the same scenario with them gives the same values."""
        from scenarios.writing import assignments

        return assignments(self)

    def scaled_count(self, name: str) -> int:
        """Agents of a population after `populations.scale`."""
        return self.populations.scaled_count(name)

    def scaled(self, name: str, number: int) -> int:
        """Any number of agents of a population (its slots, say) after `populations.scale`."""
        return self.populations.scaled(name, number)

    @property
    def price_file(self) -> Path | None:
        """The one path file of the price process (`prices.file`) as found on this machine; None without one."""
        return self._path_files.get("prices.file")

    @property
    def price_files(self) -> dict[str, Path]:
        """Every file that the price process reads, as found on this machine, by dotted path of the field."""
        return dict(self._path_files)
