"""Undo in a whole economy: real transactions of every kind, stopped at every single write, leave no trace.

An economy runs into its crash. Before a transaction of a kind not yet seen is executed, it is tried and taken back:
once from its end, once from every one of its writes, and once because a further call is refused. Then it is executed,
and must do what it did when it was tried.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from whole_cast_fixture import economy_of
from world_state import NOT_STATE, difference, state_of

from sim.chain.revert import Revert
from sim.chain.transaction import Call
from sim.economy import Economy
from sim.governance import GOVERNANCE
from sim.markets.routes import SplitRoute
from sim.markets.venues import OUTSIDE, Leg

STOPPED = "STOPPED"


class Keeping(list):
    """A journal that remembers its writes after it was cleared."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def append(self, entry):
        super().append(entry)
        self.kept.append(entry)


class Stopping(list):
    """A journal that refuses its n-th write, once."""

    def __init__(self, writes):
        super().__init__()
        self.left = writes

    def append(self, entry):
        if self.left == 0:
            self.left = -1
            raise Revert(STOPPED)
        self.left -= 1
        super().append(entry)


class Trial:
    """Stands in front of an economy's executor and tries transactions before they are executed."""

    def __init__(self, economy):
        self.economy = economy
        self.journal = economy.ledger.journal
        self.execute = economy.executor.execute
        self.tried = Counter()
        self.writes = Counter()
        economy.executor.execute = self

    def __call__(self, transaction, base_fee_wei):
        kinds = kinds_of(transaction, self.economy)
        if all(self.tried[kind] for kind in kinds):
            return self.execute(transaction, base_fee_wei)
        expected = self.try_(transaction)
        if expected.ok:
            self.tried.update(kinds)
        receipt = self.execute(transaction, base_fee_wei)
        assert (receipt.ok, receipt.reason, receipt.results) == (expected.ok, expected.reason, expected.results)
        return receipt

    def missing(self, expected):
        """Those of the expected kinds, named by some of their words, that have not been tried."""
        tried = [set(kind.split()) for kind in self.tried]
        return [kind for kind in expected if not any(set(kind.split()) <= words for words in tried)]

    def try_(self, transaction):
        """Try without paying for gas, and take everything back."""
        free = replace(transaction, tip_gwei=0.0)
        before = state_of(self.economy)
        journal = self.journal
        journal.entries = kept = Keeping()
        receipt = self.execute(free, 0)
        assert not kept, "what was executed is final"
        writes = len(kept.kept)
        if receipt.ok:
            assert writes > 0
            assert difference(before, state_of(self.economy))
            journal.entries = kept.kept
            journal.undo()
        self.expect(before, f"{transaction.kind}: after undoing all of {writes} writes")
        self.writes[transaction.kind] = max(self.writes[transaction.kind], writes if receipt.ok else 0)
        for n in range(writes if receipt.ok else 0):
            journal.entries = stopping = Stopping(n)
            stopped = self.execute(free, 0)
            assert stopping.left == -1, "the stop was reached, under whatever name the market hands it on"
            assert (stopped.ok, stopped.results) == (False, [])
            self.expect(before, f"{transaction.kind}: stopped at write {n + 1} of {writes}")
        journal.entries = []
        if receipt.ok and transaction.kind != GOVERNANCE:  # governance pays for no gas
            self.refuse(transaction, before)
        return receipt

    def refuse(self, transaction, before):
        """All calls go through and a further one is refused for a real reason: nothing is left but the gas."""
        token = self.economy.world.gas_token
        impossible = Call("venues", "swap", ((Leg(OUTSIDE, token, token),), 10**40, 0, "trading"), 21_000)
        failing = replace(transaction, calls=(*transaction.calls, impossible))
        base_fee_wei = 3 * 10**9
        receipt = self.execute(failing, base_fee_wei)
        assert (receipt.ok, receipt.reason) == (False, "TOKEN_NOT_TRADED")
        after = state_of(self.economy)
        if transaction.private:
            assert receipt.gas_used == receipt.fee_wei == 0
            assert not difference(before, after)
            return
        gas = failing.gas if failing.revert_gas < 0 else min(failing.gas, failing.revert_gas)
        assert receipt.gas_used == gas
        tip_wei = int(transaction.tip_gwei * 10**9)
        assert receipt.fee_wei == gas * (base_fee_wei + tip_wei) > 0
        ledger = self.economy.ledger
        ledger.outflows[token] -= gas * base_fee_wei
        ledger.balances[token][transaction.sender] += receipt.fee_wei
        ledger.balances[token][self.economy.executor.builder] -= gas * tip_wei
        self.expect(before, f"{transaction.kind}: refused at its end")

    def expect(self, before, what):
        found = difference(before, state_of(self.economy))
        assert not found, f"{what}: {found}"


def kinds_of(transaction, economy):
    """What is new about a transaction: its motive and the ways it goes."""
    kinds = []
    for market, operation, arguments, _ in transaction.calls:
        kind = f"{transaction.kind}: {market}.{operation}"
        if operation == "liquidate":
            borrower, _, debt, cover, route, _, flash = arguments
            plan = economy.pool.liquidation_preview(borrower, arguments[1], debt, cover)
            kind += " flash" if flash else " capital"
            if isinstance(route, SplitRoute):
                kind += " split"
            else:
                kind += " outside" if route and route[0].venue == OUTSIDE else f" legs-{len(route)}"
            if plan is not None and plan.deficits:
                kind += f" deficits-{len(plan.deficits)}"
        if operation == "arbitrage":
            leg = arguments[0]
            kind += f" {leg.venue} {'down' if leg.token_in == economy.amms[leg.venue].token0 else 'up'}"
        kinds.append(kind)
    return kinds


INSOLVENT = {
    "populations.insolvent": {
        "kind": "position",
        "count": 2,
        "supply_tokens": {"WETH": 10.0},
        "debt_tokens": {"USDC": 30_000.0, "WBTC": 0.3},
    },
    "populations.broke": {
        "kind": "position",
        "count": 2,
        "supply_tokens": {"WBTC": 1.0},
        "debt_tokens": {"USDC": 150_000.0},
    },
}
PAIR = {"kind": "constant_product", "fee_pips": 3_000, "liquidity_usd": 1.5e8, "ranges": []}
RUNS = {
    "flash loans and pools": (
        INSOLVENT,
        [
            "liquidation: periphery.liquidate flash legs-1",
            "liquidation: periphery.liquidate flash legs-2",
            "liquidation: periphery.liquidate flash deficits-1",
            "liquidation: periphery.liquidate flash deficits-2",
            "deleveraging: periphery.deleverage",
            "deleveraging: pool.supply",
            "top_up: pool.supply",
            "arbitrage: periphery.arbitrage WETH-USDC down",
            "arbitrage: periphery.arbitrage WETH-USDC up",
            "trading: venues.swap",
        ],
    ),
    "own capital, public, a constant-product pool": (
        INSOLVENT
        | {
            "populations.liquidators.funding": "capital",
            "populations.liquidators.capital_usd": {"USDC": 5e7, "WETH": 5e7, "WBTC": 5e6},
            "gas.ordering": "public",
            "amms.WETH-USDC": PAIR | {"fee_protocol": 6},
        },
        [
            "liquidation: periphery.liquidate capital legs-1",
            "liquidation: periphery.liquidate capital deficits-1",
            "arbitrage: periphery.arbitrage WETH-USDC up",
            "trading: venues.swap",
        ],
    ),
    "sales outside, older rules": (
        {"populations.liquidators.sale": "outside", "pool.rules": "3.0"},
        ["liquidation: periphery.liquidate flash outside"],
    ),
    "impact off: pools are restored": (
        {"mechanisms.liquidation_impact": False, "amms.WETH-USDC": PAIR},
        ["liquidation: periphery.liquidate flash legs-1"],
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_real_transactions_are_undone_from_every_one_of_their_writes(name):
    overrides, expected = RUNS[name]
    with Economy("demo", overrides=overrides | {"prices.shocks.0.at_seconds": 1_200}) as economy:
        trial = Trial(economy)
        while economy.clock.step < 160 and trial.missing(expected):
            economy.step()
        economy.audit()
        assert not trial.missing(expected), dict(trial.tried)
        assert trial.writes["liquidation"] > 20


def test_a_refusal_for_a_reason_of_the_market_leaves_no_trace():
    """Every composite operation has its own refusal after it has written."""
    with Economy("demo") as economy:
        for _ in range(3):
            economy.step()
        weth, usdc = economy.ledger.token_id("WETH"), economy.ledger.token_id("USDC")
        trader = economy.populations["traders"].first
        arbitrageur = economy.populations["arbitrageurs"].first
        debtor = economy.populations["managers"].first
        pool = economy.pool
        asset = pool.debt_assets(debtor)[0]
        collateral = pool.collateral_assets(debtor)[0]
        leg = Leg("WETH-USDC", weth, usdc)
        attempts = {
            "Too little received": (trader, "venues", "swap", ((leg,), 10**18, 10**15, "trading")),
            "UNPROFITABLE": (arbitrageur, "periphery", "arbitrage", (leg, 10**18, 10**12)),
            "ERC20: transfer amount exceeds balance": (
                (debtor, "periphery", "deleverage", (collateral, asset, 10**6, 1, ()))
            ),
            "HealthFactorNotBelowThreshold": (
                arbitrageur, "periphery", "liquidate", (debtor, collateral, asset, 10**6, (), 0, True)
            ),
        }  # fmt: skip
        before = state_of(economy)
        for reason, (sender, market, operation, arguments) in attempts.items():
            journal = economy.ledger.journal
            with pytest.raises(Revert) as caught, journal.atomic():
                getattr(economy.executor.markets[market], operation)(sender, *arguments)
            assert caught.value.reason == reason
            assert not difference(before, state_of(economy)), reason


# ---------------------------------------------------------------------- the comparison itself
def test_the_comparison_sees_every_kind_of_state():
    with Economy("demo") as economy:
        for _ in range(70):
            economy.step()
        weth = economy.ledger.token_id("WETH")
        amm = economy.amms["WETH-USDC"]
        tick = next(iter(amm.ticks))
        own = economy.outside._own[weth]
        damages = {
            "a balance": (economy.ledger.balances[weth], 20),
            "an inflow": (economy.ledger.inflows, weth),
            "a scaled debt": (economy.pool.scaled_debts[3], 30),
            "flags": (economy.pool.flags, 30),
            "totals": (economy.pool._totals, 0, lambda totals: (*totals[:-1], totals[-1] + 1)),
            "a float column": (economy.pool.columns.debt[3], 30, lambda value: value + 1e-9),
            "a collateral column": (economy.pool.columns.collateral[0], 30, lambda value: value + 1e-9),
            "a reserve's LTV": (vars(economy.pool.reserves[0]), "ltv_bps"),
            "the AMM's price": (vars(amm.state), "sqrt_price_x96"),
            "the AMM's tick": (amm.ticks, tick, lambda info: info._replace(liquidity_gross=1)),
            "an impact": (economy.outside.impacts, weth, lambda value: value + 1e-15),
            "an impact by cause": (own._parts, "trading", lambda parts: (parts[0], parts[1], parts[2] + 1e-15)),
            "an outside price": (economy.outside.prices, weth, lambda value: value + 1e-9),
            "a displacement": (economy.venues.displacements["WETH-USDC"].moves, "trading", lambda value: value + 1e-15),
            "the pool's price": (economy.pool.prices, 0),
        }
        before = state_of(economy)
        assert not difference(before, state_of(economy))
        for what, (container, key, *change) in damages.items():
            old = container[key]
            container[key] = change[0](old) if change else old + 1
            assert difference(before, state_of(economy)), what
            container[key] = old
            assert not difference(before, state_of(economy)), what


def test_what_the_comparison_leaves_out_is_there():
    with economy_of() as economy:
        parts = (economy.pool, economy.venues, economy.outside, economy.ledger, economy.amms["wstETH-WETH-stable"])
        parts += (economy.world.queues["stETH"],)
        names = {name for part in parts for name in vars(part)}
        assert names >= set(NOT_STATE)
