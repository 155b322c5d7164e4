"""What a change of parameters costs in borrowing capacity, on the book of the opening."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from scenarios import Scenario
from sim.building import build
from sim.studies.day_one import take_terms

_CAP = re.compile(r"pool\.reserves\.([^.]+)\.(supply_cap_tokens|borrow_cap_tokens)")
_USD = 1e-8


@dataclass(frozen=True)
class Capacity:
    """What the opening book may borrow and carry, USD at opening prices.

    `power_usd`: Σ over accounts of collateral x LTV, what could be owed at most when borrowing. `carried_usd`: Σ of
    collateral x liquidation threshold, the debt from which liquidation begins. `cap_usd`: what the varied cap lets in
    (0: no cap), None unless a cap is varied. LTV and threshold are those that apply to the account, e-modes included.
    """

    power_usd: float
    carried_usd: float
    cap_usd: float | None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def capacities(book: Scenario, other: Scenario, field: str, seed: int) -> tuple[Capacity, Capacity]:
    """The opening book of `book` at `seed` under its own terms and under those of `other`."""
    world = build(book, seed)
    own = _capacity(world, book, field)
    take_terms(world, other)
    return own, _capacity(world, other, field)


def _capacity(world: Any, scenario: Scenario, field: str) -> Capacity:
    pool = world.pool
    power = carried = 0
    for account in range(world.first_agent_account, len(world.ledger.owners)):
        data = pool.account_data(account)
        power += data.total_collateral_base * data.ltv_bps
        carried += data.total_collateral_base * data.liquidation_threshold_bps
    cap = None
    found = _CAP.fullmatch(field)
    if found is not None:
        symbol, kind = found.groups()
        price = pool.prices[pool.asset(symbol)] * _USD
        cap = getattr(scenario.pool.reserves[symbol], kind) * price
    return Capacity(power / 10_000 * _USD, carried / 10_000 * _USD, cap)
