"""What a change of parameters makes liquidatable before anything has happened."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from scenarios import Scenario
from scenarios.schema import bps
from sim.building import World, build

WAD = 10**18


@dataclass(frozen=True)
class DayOne:
    """Accounts of one book with a health factor under 1, by the book's own parameters and by those of another world.

    Debts in USD at the book's own opening prices; `newly_*` are those that only the other parameters put under 1.
    """

    accounts: int
    debt_usd: float
    newly_accounts: int
    newly_debt_usd: float
    healed_accounts: int

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def day_one(book: Scenario, other: Scenario, seed: int) -> DayOne:
    """The opening positions of `book` at `seed`, judged by the LTVs, thresholds and e-mode terms of `other`.

    Positions, prices and e-mode membership stay the book's own: a population that is drawn relative to a threshold
    would else move with it and hide the change. A reserve or e-mode that `other` lacks keeps its terms.
    """
    world = build(book, seed)
    own = _under_one(world)
    take_terms(world, other)
    then = _under_one(world)
    newly = then.keys() - own.keys()
    return DayOne(
        accounts=len(own),
        debt_usd=math.fsum(own.values()),
        newly_accounts=len(newly),
        newly_debt_usd=math.fsum(then[account] for account in sorted(newly)),
        healed_accounts=len(own.keys() - then.keys()),
    )


def _under_one(world: World) -> dict[int, float]:
    """Debt in USD of every account with a health factor under 1."""
    pool = world.pool
    found = {}
    for account in range(world.first_agent_account, len(world.ledger.owners)):
        if pool.health_factor(account) < WAD:
            found[account] = pool.account_data(account).total_debt_base * 1e-8
    return found


def take_terms(world: World, other: Scenario) -> None:
    """Give the pool the collateral terms of another scenario, as its governance would.

    A threshold of 0 is 0.01 % here: the pool refuses to end a reserve's use as collateral while it has suppliers.
    """
    pool = world.pool
    for symbol, reserve in other.pool.reserves.items():
        if symbol in world.scenario.pool.reserves:
            asset = pool.asset(symbol)
            held = pool.reserves[asset]
            terms = _terms(reserve)
            if terms[1:] == (held.liquidation_threshold_bps, held.liquidation_bonus_bps) or not (
                terms[1] or held.liquidation_threshold_bps
            ):
                continue
            pool.set_collateral_params(0, asset, *(terms if terms[1] else (0, 1, 10_001)))
    for category, emode in other.pool.emodes.items():
        if category in world.scenario.pool.emodes:
            pool.set_emode_params(0, category, *_terms(emode))
    pool.journal.clear()


def _terms(of: Any) -> tuple[int, int, int]:
    """LTV, threshold and bonus in bps as the pool stores them (a bonus of 5 % is 10,500)."""
    threshold = bps(of.liquidation_threshold)
    return bps(of.ltv), threshold, 10_000 + bps(of.liquidation_bonus) if threshold else 0
