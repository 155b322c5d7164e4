"""What liquidators share is kept, and is at every step what each would draw for himself."""

from __future__ import annotations

import math

import pytest

from agents.prospects import LARGEST_COST_SHARE, NEVER, at_work, kept_shares, noticed_blocks, serves
from sim.economy import Economy

L = "populations.liquidators."


@pytest.mark.parametrize(
    "overrides",
    [
        {L + "pairs_share": 0.4, L + "uptime_ratio": 0.6, L + "uptime_spell_seconds": 120.0, L + "silent_share": 0.2},
        {L + "cost_opportunity_log_sd": 0.0, L + "pairs_share": 1.0, L + "uptime_ratio": 1.0},
        {"run.step_seconds": 60},
    ],
)
def test_what_is_kept_equals_the_draws_one_by_one(overrides):
    met = 0
    with Economy("demo", overrides={L + "count": 7, L + "latency_blocks_median": 30.0, **overrides}) as economy:
        population, view, draw = economy.populations["liquidators"], economy.view, economy.randomness
        p, columns = population.parameters, population.columns
        rows = range(len(population))
        for _ in range(120):
            economy.step()
            entries = list(view.book.top(0.0))[:10]
            noticed = noticed_blocks(population, view, entries)
            kept = kept_shares(population, view, [entry.account for entry in entries])
            for entry, blocks, shares in zip(entries, noticed, kept, strict=True):
                borrower = economy.ledger.identity(entry.account)
                moment = draw.bits("notice", borrower, entry.since_step) >> 2
                log_sd = p.latency_log_sd * math.sqrt(1.0 - p.latency_persistent_share)
                for row in rows:
                    identity = population.key + row
                    wait = p.latency_blocks_median * columns["speed"][row]
                    wait = int(wait * math.exp(log_sd * draw.normal("latency", identity, moment)))
                    first = entry.since_step * view.blocks_per_step
                    assert blocks[row] == first + (NEVER if columns["silent"][row] else wait)
                    cost = float(columns["cost_share"][row])
                    if p.cost_opportunity_log_sd:
                        own = draw.normal("cost of a position", identity, borrower)
                        cost *= math.exp(p.cost_opportunity_log_sd * own)
                    assert shares[row] == 1.0 - min(cost, LARGEST_COST_SHARE)
                    met += 1
            spell = int(view.timestamp // p.uptime_spell_seconds)
            for row in rows:
                identity = population.key + row
                present = draw.uniform("uptime", identity, spell) < p.uptime_ratio and not columns["silent"][row]
                assert at_work(population, view)[row] == present
                for pair in ((0, 3), (2, 3), (1, 0)):
                    does = draw.uniform("pair served", identity, pair[0] << 16 | pair[1]) < p.pairs_share
                    assert serves(population, view, *pair)[row] == does
    assert met > 100
