"""Positions given to the unit: for worked examples, for whales, for a book that somebody knows."""

from __future__ import annotations

from typing import ClassVar

from agents.base import AgentParameters, NonNegative
from agents.borrower import Borrower
from scenarios.schema.base import Table, Whole, empty_table, field
from sim.founding import Founding
from sim.population import Population

_NO_CHOICE = "the scenario"


class PositionParameters(AgentParameters):
    """What every row of the population holds, in whole tokens; `populations.scale` does not change it."""

    supply_tokens: Table[str, NonNegative] = field(
        None,
        "Supply as collateral, by asset",
        unit="tokens",
        source=_NO_CHOICE,
        refers_to="reserve",
        factory=empty_table,
    )
    debt_tokens: Table[str, NonNegative] = field(
        None, "Debt, by asset", unit="tokens", source=_NO_CHOICE, refers_to="reserve", factory=empty_table
    )
    wallet_tokens: Table[str, NonNegative] = field(
        None, "Tokens in the wallet, by asset", unit="tokens", source=_NO_CHOICE, refers_to="asset", factory=empty_table
    )
    emode: Whole = field(
        0, "E-mode category, 0 for none", unit="id", source=_NO_CHOICE, refers_to="emode", ge=0, le=255
    )


class Position(Borrower):
    """An owner with a stated position who does not watch it."""

    kind: ClassVar[str] = "position"
    wake: ClassVar[str] = "never"
    Parameters: ClassVar[type[AgentParameters]] = PositionParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Hand over the stated amounts, the same for every row."""
        p = population.parameters
        rows = len(population)
        for tables, hand_over in (
            (p.supply_tokens, founding.supply),
            (p.debt_tokens, founding.borrow),
            (p.wallet_tokens, founding.hold),
        ):
            for symbol, tokens in tables.items():
                hand_over(population, symbol, [round(tokens * founding.assets[symbol].unit)] * rows)
        if p.emode:
            founding.enter_emode(population, p.emode)
