"""Populations: how many agents of which kind, and each kind's own parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr

from scenarios.schema.base import FrozenDict, Section, Whole, field, source_field

RESERVED = ("kind", "count", "scaled", "source")


class Population(Section):
    """One population: agents of one kind.

    Further keys are the kind's own parameters; they are checked against the `Parameters` of the kind when the
    scenario is loaded with the registry of kinds.
    """

    model_config = ConfigDict(extra="allow")

    kind: str = field(..., "Registered kind, or package.module:Class of your own", min_length=1)
    count: Whole = field(..., "Number of agents", unit="agents", ge=0, le=10_000_000)
    scaled: bool = field(
        True, "Whether `populations.scale` applies; off for those who are few by nature, as liquidators"
    )
    source: str = source_field()
    _parameters: BaseModel | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The kind's own parameters as they stand in the scenario, defaults of the kind included once it is known."""
        return FrozenDict(self.__pydantic_extra__ or {})

    @property
    def parameters(self) -> Any:
        """The validated `Parameters` of the kind; None when the scenario was loaded without the registry of kinds."""
        return self._parameters


class Populations(Section):
    """All populations by name, and one scale for their number."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Population]

    scale: float = field(
        1.0, "Multiplies every count and divides every size, so that the book's totals stay", gt=0, le=10_000
    )

    @property
    def tables(self) -> Mapping[str, Population]:
        """The populations by name, in the order of the file."""
        return FrozenDict(self.__pydantic_extra__)

    def scaled_count(self, name: str) -> int:
        """Agents of a population after scaling: count x scale, rounded half up, at least 1 (0 stays 0)."""
        return self.scaled(name, self.tables[name].count)

    def scaled(self, name: str, number: int) -> int:
        """A number of agents of a population after scaling, as `scaled_count`."""
        if not self.tables[name].scaled:
            return number
        return max(1, int(number * self.scale + 0.5)) if number else 0
