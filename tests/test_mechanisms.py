"""Switches of `[mechanisms]`: each does exactly what it says, and nothing is left of what it switches off."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.economy import Economy

OVERRIDES = {"run.horizon_seconds": 7_200}


def stepping(**overrides):
    with Economy("demo", overrides={**OVERRIDES, **overrides}) as economy:
        for _ in range(economy.steps_planned):
            economy.step()
            yield economy


# ---------------------------------------------------------------------- liquidation impact
def test_without_impact_liquidations_leave_no_trace_in_any_market():
    liquidated = 0.0
    for economy in stepping(**{"mechanisms.liquidation_impact": False}):
        liquidated += economy.events.liquidated_usd
        for token in range(len(economy.world.symbols)):
            assert economy.outside.impact_by_cause(token).get("liquidation", 0.0) == 0.0
    assert liquidated > 0.0


@pytest.mark.parametrize("impact", [True, False])
def test_the_sale_executes_at_its_quoted_cost_and_the_pool_is_restored(impact):
    """The first liquidation sale of a step gets what its route quoted; without impact the pool is as it was after."""
    with Economy("demo", overrides={**OVERRIDES, "mechanisms.liquidation_impact": impact}) as economy:
        venues, seen = economy.venues, []
        plain = venues.swap

        def watched(sender, route, amount_in, min_out, cause):
            if cause != "liquidation":
                return plain(sender, route, amount_in, min_out, cause)
            legs = [leg for leg in getattr(route, "legs", route) if getattr(leg, "venue", "") in economy.amms]
            before = [economy.amms[leg.venue].price() for leg in legs]
            quoted = venues.quote(route, amount_in)
            sale = plain(sender, route, amount_in, min_out, cause)
            after = [economy.amms[leg.venue].price() for leg in legs]
            seen.append((quoted, sale.amount_out, before, after))
            return sale

        venues.swap = watched
        economy.run()
        economy.audit()
    assert seen
    for quoted, received, before, after in seen:
        assert received == quoted
        moved = [abs(math.log(b / a)) for a, b in zip(before, after, strict=True)]
        if impact:
            assert max(moved, default=1.0) > 1e-6
        else:
            assert max(moved, default=0.0) < 1e-9


# ---------------------------------------------------------------------- oracle lag
def test_without_lag_every_price_is_that_of_the_market_each_block():
    with Economy("demo", overrides={**OVERRIDES, "mechanisms.oracle_lag": False}) as economy:
        look, seen = economy.liquidatable.look, []

        def watched(step, factors):
            market = economy.outside.prices
            for token, price in enumerate(economy.oracle.prices):
                if step in seen:  # a later block of the step, in which no feed reads
                    break
                if economy.settings.oracle.feeds[economy.world.symbols[token]].kind == "market":
                    assert price == math.floor(market[token] * 1e8 + 0.5)
            seen.append(step)
            return look(step, factors)

        economy.liquidatable.look = watched
        economy.run()
    assert len(set(seen)) == economy.steps_planned


# ---------------------------------------------------------------------- gas
def test_without_gas_nothing_is_paid_and_nothing_waits():
    full = [{"at_seconds": 0, "for_seconds": 7_200, "demand_ratio": 1_000.0}]
    for economy in stepping(**{"mechanisms.gas": False, "gas.surges": full}):
        assert economy.gas.base_fee_wei == 0
        assert len(economy.mempool) == 0
        assert economy.oracle.pending(0) <= 1  # on its way for a block, never kept out
    gas_token = economy.world.gas_token
    assert economy.ledger.outflows[gas_token] == 0
    assert economy.ledger.balances[gas_token][economy.executor.builder] == 0
    assert all(not receipt.fee_wei for receipt in economy.receipts)


def test_with_gas_a_thousandfold_demand_keeps_public_transactions_and_reports_out():
    full = [{"at_seconds": 0, "for_seconds": 7_200, "demand_ratio": 1_000.0}]
    waiting = [economy.oracle.pending(0) + len(economy.mempool) for economy in stepping(**{"gas.surges": full})]
    assert max(waiting) > 3


# ---------------------------------------------------------------------- interest
def test_without_interest_indexes_and_debts_stand_still():
    for economy in stepping(**{"mechanisms.interest": False}):
        for asset in range(len(economy.pool.reserves)):
            totals = economy.pool.totals_now(asset)
            assert (totals.borrow_rate, totals.liquidity_rate) == (0, 0)
            assert totals.borrow_index == 10**27


def test_the_price_path_is_the_same_with_every_switch():
    paths = []
    for switch in ("liquidation_impact", "oracle_lag", "gas", "interest"):
        with Economy("demo", overrides={**OVERRIDES, f"mechanisms.{switch}": False}) as economy:
            paths.append(np.array(economy.world.exogenous))
    assert all((path == paths[0]).all() for path in paths)
