"""Prospects: what the liquidators of one population work out together, once for all of them.

Draws are keyed by (liquidator, pair), (liquidator, position) and (liquidator, position, moment), so it makes no
difference who asks first or whether they are kept: what never changes is drawn once and remembered.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from agents.planning import Plan, all_plans
from sim.population import Population
from sim.view import View

#: Blocks until a liquidator who never acts notices a position.
NEVER = 1 << 60

#: Largest share of the gross profit that doing business costs.
LARGEST_COST_SHARE = 0.95


class Prospect(NamedTuple):
    """A position that pays, and how every liquidator stands to it; the arrays have one value a row.

    `served[k][row]` says whether a row serves the pair of `plans[k]`, `noticed[row]` is the block (from the start of
    the run) at which it notices the position, `kept[row]` the share of the gross profit that it would keep.
    """

    plans: tuple[Plan, ...]
    served: tuple[Sequence[bool], ...]
    noticed: Sequence[int]
    kept: Sequence[float]


def prospects(population: Population, view: View) -> list[Prospect]:
    """Plans for the most worthwhile positions, the best first.

    Worked out once a step for the whole population; positions that nobody has noticed yet are not planned for.
    """
    key = ("prospects", population.name)
    found: list[Prospect] | None = view.cache.get(key)
    if found is None:
        found = view.cache[key] = []
        p = population.parameters
        left = p.plans_per_step
        last_block = (view.step + 1) * view.blocks_per_step
        entries = view.book.top(view.gas_usd(view.operations.liquidation) + p.min_profit_usd)
        paying: list[tuple[int, tuple[Plan, ...], Sequence[int]]] = []
        while left and (chunk := list(islice(entries, left))):
            for entry, noticed in zip(chunk, noticed_blocks(population, view, chunk), strict=True):
                if min(noticed) >= last_block:
                    continue
                left -= 1
                plans = all_plans(view, entry.account, p.funding == "flash", p.sale == "outside")
                if plans:
                    paying.append((entry.account, plans, noticed))
        shares = kept_shares(population, view, [borrower for borrower, _, _ in paying])
        for (_, plans, noticed), kept in zip(paying, shares, strict=True):
            served = tuple(serves(population, view, plan.collateral_asset, plan.debt_asset) for plan in plans)
            found.append(Prospect(plans, served, noticed, kept))
    return found


def noticed_blocks(population: Population, view: View, entries: Sequence[Any]) -> list[Sequence[int]]:
    """For every entry of the book the block at which each row notices it: a log-normal time after it appeared."""
    memory = population.memory.setdefault("noticed", {})
    fresh = [e for e in entries if (known := memory.get(e.account)) is None or known[0] != e.since_step]
    if fresh:
        p = population.parameters
        rows = len(population)
        identity = view.ledger.identity
        keys = [view.randomness.bits("notice", identity(e.account), e.since_step) >> 2 for e in fresh]
        whose = np.tile(np.arange(rows) + population.key, len(fresh))
        draws = view.randomness.normal_array("latency", whose, np.repeat(np.array(keys, dtype=np.int64), rows)).tolist()
        log_sd = p.latency_log_sd * math.sqrt(1.0 - p.latency_persistent_share)
        columns = population.columns
        medians = [
            math.inf if silent else p.latency_blocks_median * speed
            for speed, silent in zip(columns["speed"].tolist(), columns["silent"].tolist(), strict=True)
        ]
        for place, entry in enumerate(fresh):
            first = entry.since_step * view.blocks_per_step
            own = draws[place * rows : (place + 1) * rows]
            waits = [int(min(median * math.exp(log_sd * z), NEVER)) for median, z in zip(medians, own, strict=True)]
            memory[entry.account] = entry.since_step, array("q", [first + wait for wait in waits])
    return [memory[entry.account][1] for entry in entries]


def kept_shares(population: Population, view: View, borrowers: Sequence[int]) -> list[Sequence[float]]:
    """For each borrower and row 1 less the row's cost of doing business, times what is peculiar to it and him."""
    memory = population.memory.setdefault("kept", {})
    fresh = [borrower for borrower in borrowers if borrower not in memory]
    if fresh:
        rows = len(population)
        log_sd = population.parameters.cost_opportunity_log_sd
        identities = np.array([view.ledger.identity(borrower) for borrower in fresh], dtype=np.int64)
        whose = np.tile(np.arange(rows) + population.key, len(fresh))
        draws = view.randomness.normal_array("cost of a position", whose, np.repeat(identities, rows)).tolist()
        costs = population.columns["cost_share"].tolist()
        for place, borrower in enumerate(fresh):
            own = draws[place * rows : (place + 1) * rows]
            shares = [
                1.0 - min(cost * math.exp(log_sd * z), LARGEST_COST_SHARE) for cost, z in zip(costs, own, strict=True)
            ]
            memory[borrower] = array("d", shares)
    return [memory[borrower] for borrower in borrowers]


def serves(population: Population, view: View, collateral_asset: int, debt_asset: int) -> Sequence[bool]:
    """Which rows serve a pair of reserves."""
    memory = population.memory.setdefault("pairs", {})
    pair = collateral_asset << 16 | debt_asset
    known: Sequence[bool] | None = memory.get(pair)
    if known is None:
        share = population.parameters.pairs_share
        if share >= 1.0:
            known = [True] * len(population)
        else:
            whose = np.arange(len(population)) + population.key
            known = (view.randomness.uniform_array("pair served", whose, pair) < share).tolist()
        memory[pair] = known
    return known


def at_work(population: Population, view: View) -> Sequence[bool]:
    """Which rows are at work in the present spell; silent ones never are."""
    p = population.parameters
    spell = int(view.timestamp // p.uptime_spell_seconds)
    known: tuple[int, Sequence[bool]] | None = population.memory.get("at work")
    if known is None or known[0] != spell:
        present = ~population.columns["silent"]
        if p.uptime_ratio < 1.0:
            whose = np.arange(len(population)) + population.key
            present &= view.randomness.uniform_array("uptime", whose, spell) < p.uptime_ratio
        known = population.memory["at work"] = spell, present.tolist()
    return known[1]
