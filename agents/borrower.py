"""What all borrowers of the lending pool share: how a book of positions comes into being."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from agents.base import AgentParameters, EconomicAgent, NonNegative
from agents.turnover import TurnoverParameters, appointment, appointment_seconds, turns_over
from scenarios.schema.base import REQUIRED, Table, Whole, field
from sim.chain.transaction import Transaction
from sim.founding import Founding
from sim.population import Population
from sim.view import View

WAD = 10**18

#: Bases in which a book's attributes are stratified: primes of their own, or they would depend on each other.
SIZE, COLLATERAL, HEALTH, DEBT = 2, 3, 5, 7


class BorrowerParameters(TurnoverParameters):
    """Sizes, health factors and composition of a book of positions (docs/model.md 10)."""

    debt_usd_median: float = field(
        REQUIRED,
        "Median debt of a position",
        unit="USD",
        source="assumption: sizes of liquidation calls of Aave V2, median 5,200, are the only proxy",
        plausible=(5000.0, 200000.0),
        gt=0,
        le=1e12,
    )
    debt_usd_log_sd: float = field(
        2.1,
        "Standard deviation of the logarithm of debt sizes",
        unit="1",
        source="11,378 liquidation calls of Aave V2, as a proxy for positions",
        plausible=(1.7, 2.5),
        ge=0,
        le=5,
    )
    debt_usd_largest: float = field(
        2e8,
        "Largest debt of a position; the tail is cut there",
        unit="USD",
        source="assumption: so that one draw does not decide a run",
        plausible=(5e7, 5e8),
        gt=0,
        le=1e12,
    )
    health_factor_median_excess: float = field(
        0.8,
        "Median of health factor - 1",
        unit="1",
        source="assumption: fits the share of a book liquidated on 10 Oct 2025 (docs/model.md 10)",
        plausible=(0.4, 1.6),
        gt=0,
        le=100,
    )
    health_factor_log_sd: float = field(
        0.7,
        "Standard deviation of the logarithm of (health factor - 1)",
        unit="1",
        source="assumption: fits the share of a book liquidated on 10 Oct 2025 (docs/model.md 10)",
        plausible=(0.4, 1.0),
        ge=0,
        le=5,
    )
    health_factor_least_excess: float = field(
        0.005,
        "Smallest health factor - 1 at the start",
        unit="1",
        source="assumption: a position at 1 would be liquidated in the first block",
        plausible=(0.0, 0.03),
        ge=0,
        le=10,
    )
    collateral: Table[str, NonNegative] = field(
        REQUIRED,
        "Weights of the collateral assets; each position has one",
        unit="weight",
        plausible=(0.0, 1.0),
        source="assumption: no record of positions, of liquidated collateral in 2021 WETH was 56 %, WBTC 19 %",
        refers_to="reserve",
        min_length=1,
    )
    debt: Table[str, NonNegative] = field(
        REQUIRED,
        "Weights of the debt assets; each position has one",
        unit="weight",
        plausible=(0.0, 1.0),
        source="assumption: 97 to 98.5 % of liquidated debt is stablecoins (Chaos Labs, governance.aave.com/t/17360)",
        refers_to="reserve",
        min_length=1,
    )
    emode: Whole = field(
        0,
        "E-mode category of the population, 0 for none",
        unit="id",
        source="pool.emodes",
        refers_to="emode",
        ge=0,
        le=255,
    )
    spare_share_ratio: float = field(
        0.1,
        "Spare collateral tokens in the wallet, as a share of the collateral",
        unit="ratio",
        source="assumption: no record of what borrowers keep in reserve",
        plausible=(0.0, 0.3),
        ge=0,
        le=10,
    )


class Borrower(EconomicAgent):
    """Somebody with collateral and debt in the lending pool."""

    Parameters: ClassVar[type[AgentParameters]] = BorrowerParameters

    @classmethod
    def found(cls, population: Population, founding: Founding) -> None:
        """Draw size, health factor, collateral and debt asset of every row and hand the position over.

        Collateral value = debt * HF / LT, so that the health factor holds at the opening prices; such positions may
        be closer to liquidation than a fresh borrow could bring them.
        """
        p = population.parameters
        sizes = founding.log_normal(
            population, "debt", p.debt_usd_median * population.size_ratio, p.debt_usd_log_sd, SIZE
        )
        largest = p.debt_usd_largest * population.size_ratio
        excess = founding.log_normal(
            population, "health_factor", p.health_factor_median_excess, p.health_factor_log_sd, HEALTH
        )
        collateral = founding.choose(population, "collateral", p.collateral, COLLATERAL)
        debt = founding.choose(population, "debt", p.debt, DEBT)
        health = 1.0 + np.maximum(np.array(excess), p.health_factor_least_excess)
        debt_usd = np.minimum(np.array(sizes), largest)
        debt_usd[population.present :] = 0.0
        for number, symbol in enumerate(p.collateral):
            if not (collateral == number).any():
                continue
            threshold = founding.threshold(population, symbol, p.emode)
            mine = np.where(collateral == number, debt_usd, 0.0)
            collateral_usd = mine * health / threshold
            founding.supply(population, symbol, founding.amounts(symbol, collateral_usd))
            founding.hold(population, symbol, founding.amounts(symbol, collateral_usd * p.spare_share_ratio))
        for number, symbol in enumerate(p.debt):
            founding.borrow(population, symbol, founding.amounts(symbol, np.where(debt == number, debt_usd, 0.0)))
        if p.emode:
            founding.enter_emode(population, p.emode)
        cls.add_columns(population, founding, health)

    @classmethod
    def add_columns(cls, population: Population, founding: Founding, health_factors: np.ndarray) -> None:
        """Motives of the kind, given every row's opening health factor."""

    # ------------------------------------------------------------------ coming and going
    @classmethod
    def opened(cls, population: Population, pool: Any, now: int) -> None:
        """The borrow rates that newcomers, and those who compare, hold the present ones against."""
        stated = getattr(population.parameters, "reference_rate_per_year", {})
        population.memory["reference"] = {
            asset: stated.get(reserve.symbol, pool.borrow_rate(asset) * 1e-27)
            for asset, reserve in enumerate(pool.reserves)
        }

    @classmethod
    def purposes(cls, population: Population) -> tuple[str, ...]:
        """The kind's own reasons to look, and appointments for coming and going where there are slots."""
        return (*cls.timetables, "life") if turns_over(population) else cls.timetables

    @classmethod
    def look_mean_seconds(cls, population: Population, purpose: str, row: int) -> float:
        """Time between appointments for coming and going."""
        return appointment_seconds(population) if purpose == "life" else math.inf

    @classmethod
    def due(cls, population: Population, rows: Sequence[int], view: View) -> list[int]:
        """Rows with an appointment for coming or going."""
        life_at = population.columns.get("life_at")
        if life_at is None:
            return []
        now = view.timestamp
        return [row for row in rows if life_at[row] <= now]

    def act(self, view: View) -> list[Transaction]:
        """Come or go; empty unless this row has an appointment."""
        return appointment(self, view) if Borrower.due(self.population, (self.row,), view) else []

    def settle_in(self, health_factor: float) -> None:
        """A newcomer takes this row: his motives replace his predecessor's."""

    # ------------------------------------------------------------------ what an owner sees
    @property
    def health_factor(self) -> float:
        """Health factor at the pool's present prices and indexes; infinite without debt."""
        health = self.model.pool.health_factor(self.account)
        return math.inf if health >= 2**255 else health / WAD

    @property
    def debt_usd(self) -> float:
        """Total debt at the pool's prices, USD."""
        return float(self.model.pool.account_data(self.account).total_debt_base * 1e-8)

    @property
    def collateral_usd(self) -> float:
        """Total collateral at the pool's prices, USD."""
        return float(self.model.pool.account_data(self.account).total_collateral_base * 1e-8)
