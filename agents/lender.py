"""Lenders who supply and stay."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from agents.base import AgentParameters, EconomicAgent, NonNegative
from scenarios.schema.base import Table, empty_table, field
from sim.founding import Founding
from sim.population import Population


class LenderParameters(AgentParameters):
    """Supply by lenders, and how unequal they are."""

    supply_usd: Table[str, NonNegative] = field(
        None,
        "Expected total supply of the whole population, by asset, at the opening price",
        unit="USD",
        plausible=(0.0, 5e9),
        source="assumption: no record of totals, only of idle cash",
        refers_to="reserve",
        factory=empty_table,
    )
    opening_utilisation: Table[str, Annotated[float, Field(gt=0, le=1)]] = field(
        None,
        "Utilisation at which a reserve opens: this population, in equal parts, supplies what the others leave missing",
        unit="ratio",
        plausible=(0.5, 0.98),
        source="assumption: near the kink (USDC on Aave V3 Polygon: within 2 points of it 93 % of 14-17 Aug 2023)",
        refers_to="reserve",
        factory=empty_table,
    )
    pareto_alpha: float = field(
        1.1,
        "Tail exponent of lenders' sizes",
        unit="1",
        source="assumption: single exits of 5 to 15 % of a reserve (WETH, July 2025)",
        plausible=(1.05, 2.0),
        gt=1.0,
        le=10.0,
    )
    largest_share_ratio: float = field(
        0.15,
        "Largest share of the population's supply of an asset that one lender holds; the tail is cut there",
        unit="ratio",
        source="assumption: single exits of 5 to 15 % of a reserve (WETH, July 2025)",
        plausible=(0.05, 0.3),
        gt=0.0,
        le=1.0,
    )


class Lender(EconomicAgent):
    """A steady lender: supplies at the start, earns, never leaves."""

    kind = "lender"
    wake = "never"
    Parameters: ClassVar[type[AgentParameters]] = LenderParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Sizes follow a Pareto law cut at `largest_share_ratio`, with the stated expected total.

        A row's size depends on the total and on the *planned* number of lenders only through their ratio, which
        `populations.scale` leaves alone.
        """
        parameters = population.parameters
        for symbol, total_usd in parameters.supply_usd.items():
            sizes = pareto_sizes(population, founding, symbol, total_usd)
            founding.supply(population, symbol, [founding.amount(symbol, s) for s in sizes], collateral=False)

    @classmethod
    def balance(cls, population: Population, founding: Founding) -> None:
        """Supply what brings each named reserve to its opening utilisation, in equal parts."""
        for symbol, utilisation in population.parameters.opening_utilisation.items():
            each = missing_supply(founding, symbol, utilisation, len(population))
            founding.supply(population, symbol, [each] * len(population), collateral=False)


def missing_supply(founding: Founding, symbol: str, utilisation: float, suppliers: int) -> int:
    """What each of `suppliers` adds for an opening utilisation: (debt / U - supply of everybody else) / suppliers.

    Rounded up, so that a reserve that opens at a utilisation of 1 has lent what it has, and not a unit more.
    """
    supplied, borrowed = founding.totals(symbol)
    missing = max(0, max(borrowed, int(borrowed / utilisation)) - supplied)
    return -(-missing // max(1, suppliers))


def pareto_sizes(population: Population, founding: Founding, symbol: str, total_usd: float) -> list[float]:
    """One size a row in USD: Pareto, cut at `largest_share_ratio` of the total, with that expected total."""
    p = population.parameters
    draws = founding.randomness.stratified_array(f"{population.name}.{symbol}.size", range(len(population))).tolist()
    mean_usd = total_usd / len(population)
    # Too few lenders for that share: all hold the same.
    cap = max(p.largest_share_ratio * total_usd, mean_usd)
    least = _least(p.pareto_alpha, mean_usd, cap)
    return [min(least * (1.0 - u) ** (-1.0 / p.pareto_alpha), cap) for u in draws]


def _least(alpha: float, mean_usd: float, cap_usd: float) -> float:
    """Smallest size of a Pareto law cut (by min) at `cap_usd` whose mean is `mean_usd`.

    E[min(X, c)] = m * (alpha - (m / c)^(alpha - 1)) / (alpha - 1); increasing in m, solved by bisection.
    """
    if cap_usd <= mean_usd:
        return mean_usd
    low, high = 0.0, mean_usd
    for _ in range(80):
        m = 0.5 * (low + high)
        mean = m * (alpha - (m / cap_usd) ** (alpha - 1.0)) / (alpha - 1.0)
        if mean < mean_usd:
            low = m
        else:
            high = m
    return 0.5 * (low + high)
