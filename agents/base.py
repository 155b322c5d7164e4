"""What all agents have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import mesa
from pydantic import Field

from scenarios.schema.base import Section, field
from sim.chain.transaction import Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View

#: Amounts, weights and values in tables: none is negative.
NonNegative = Annotated[float, Field(ge=0)]


def gas_eth_field(default_eth: float) -> Any:
    """The field of ETH for gas, with the default of a kind."""
    return field(
        default_eth,
        "ETH in the wallet at the start, to pay for gas",
        unit="ETH",
        source="assumption: so much that gas is a cost and not a limit",
        plausible=(1.0, 1000.0),
        ge=0,
        le=1e9,
    )


class AgentParameters(Section):
    """Parameters that every kind has; `kind` itself and `count` are read by the scenario."""

    gas_eth: float = gas_eth_field(5.0)


class EconomicAgent(mesa.Agent):
    """An agent with an account. Its numbers live in the ledger, the markets and its population's columns.

    `wake` names what makes the world look at a kind at all: "never"; "calendar" (a time drawn ahead); "alarm" (health
    factor under the owner's own trigger, then a time of looking); "book" (something is liquidatable); "step" (every
    step, cheap `due`). Waking is necessary, never sufficient: `act` first evaluates `due` on its own row, so waking
    everybody every step gives the same run.
    """

    kind: ClassVar[str] = ""
    wake: ClassVar[str] = "never"
    #: Purposes with times of their own (`sim.timetable`), and those of them that follow a trigger above.
    timetables: ClassVar[tuple[str, ...]] = ()
    above: ClassVar[tuple[str, ...]] = ()
    #: The field of `[mechanisms]` that freezes the kind when it is off; empty: none does.
    mechanism: ClassVar[str] = ""
    #: Whether its rows may wait for a withdrawal: columns `goal.<asset>`, whole tokens they want to be left with.
    queues: ClassVar[bool] = False
    #: Whether, in a step of several blocks, it decides anew after each block that left something to do.
    every_block: ClassVar[bool] = False
    #: Whether `noticed` is asked every step.
    notices: ClassVar[bool] = False
    Parameters: ClassVar[type[AgentParameters]] = AgentParameters

    def __init__(self, model: Any, population: Population, row: int) -> None:
        super().__init__(model)
        self.population = population
        self.row = row

    @property
    def identity(self) -> int:
        """What this agent's draws are keyed by: its population's name and its row, whoever else there is."""
        return self.population.key + self.row

    @property
    def account(self) -> int:
        """This agent's account in the ledger and in every market."""
        return self.population.first + self.row

    @property
    def parameters(self) -> Any:
        """The frozen parameters of this agent's population."""
        return self.population.parameters

    # ------------------------------------------------------------------ what a kind defines
    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Endow the population: balances, positions and its columns."""

    @classmethod
    def balance(cls, population: Population, founding: Founding) -> None:
        """Endow what depends on all other populations; called once everybody has been founded."""

    @classmethod
    def settle(cls, population: Population, world: Any) -> None:
        """Wallets and lending positions are loaded: open positions in other markets, take note of the world."""

    @classmethod
    def opened(cls, population: Population, pool: Any, now: int) -> None:
        """The world stands and nothing has happened yet: take note of opening rates and balances."""

    @classmethod
    def purposes(cls, population: Population) -> tuple[str, ...]:
        """Those timetables that this population needs."""
        return cls.timetables

    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Mean time to a row's next appointment of a purpose in `timetables`; infinite for none."""
        return float("inf")

    @classmethod
    def noticed(cls, population: Population, pool: Any, now: int) -> tuple[str, Sequence[int]]:
        """What everybody of the kind notices at the start of a step: (purpose, rows that will look sooner now)."""
        return "", ()

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Those of `rows` that have a reason to act now."""
        return []

    def act(self, view: View) -> list[Transaction]:
        """The transactions this agent wants; empty unless `due` says so for its own row."""
        return []

    def is_due(self, view: View) -> bool:
        """`due` on this agent's own row."""
        return bool(type(self).due(self.population, (self.row,), view))
