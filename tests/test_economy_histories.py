"""Any small scenario: what must hold after every transaction and every step, whatever is switched on or off."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.economy import Economy
from sim.markets.amm.constant_product import ConstantProductPool
from sim.results.tables import to_arrow

WAD = 10**18
EXAMPLES = 80
STEPS = 60

COUNTS = {
    "holders": (0, 12), "managers": (0, 14), "loopers": (0, 8), "lenders": (1, 6), "rest": (1, 3),
    "liquidators": (0, 4), "arbitrageurs": (0, 2), "traders": (0, 5),
}  # fmt: skip

PAIR = {"kind": "constant_product", "fee_pips": 3_000, "ranges": []}


@st.composite
def shocks(draw, horizon):
    made = []
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, 30)) * horizon // 60
        made.append(
            {
                "asset": draw(st.sampled_from(["WETH", "WETH", "WBTC", "USDC"])),
                "at_seconds": at,
                "change_ratio": draw(st.sampled_from([-0.6, -0.6, -0.6, -0.45, -0.3, -0.2, -0.1, 0.3])),
                "over_seconds": draw(st.sampled_from([0, horizon // 6, horizon // 2])),
            }
        )
    return made


@st.composite
def scenarios(draw):
    """Overrides of `demo`: at most 60 agents and 60 steps."""
    step = draw(st.sampled_from([12, 60, 120]))
    horizon = draw(st.integers(20, STEPS)) * step
    changes = {f"populations.{name}.count": draw(st.integers(*bounds)) for name, bounds in COUNTS.items()}
    changes |= {
        "run.step_seconds": step,
        "run.horizon_seconds": horizon,
        "run.audit_every_steps": 1,
        "run.seed": draw(st.integers(0, 2**31)),
        "run.screen": draw(st.sampled_from(["groups", "plain", "auto"])),
        "run.wake": draw(st.sampled_from(["due", "due", "all"])),
        "prices.shocks": draw(shocks(horizon)),
        "pool.rules": draw(st.sampled_from(["3.6", "3.6", "3.0", "2"])),
        "pool.flash_premium_bps": draw(st.sampled_from([0, 5, 9])),
        "gas.ordering": draw(st.sampled_from(["private", "public"])),
        "gas.block_gas_limit": draw(st.sampled_from([1_000_000, 36_000_000])),
        "gas.expiry_blocks": draw(st.sampled_from([1, 25])),
        "oracle.latency_blocks": draw(st.integers(0, 3)),
        "populations.holders.health_factor_median_excess": draw(st.sampled_from([0.05, 0.3])),
        "populations.managers.health_factor_median_excess": draw(st.sampled_from([0.1, 0.4])),
        "populations.managers.look_seconds_alarm": draw(st.sampled_from([30.0, 600.0])),
        "populations.managers.spare_share_ratio": draw(st.sampled_from([0.0, 0.1])),
        "populations.liquidators.sale": draw(st.sampled_from(["amm", "amm", "outside"])),
        "populations.rest.opening_utilisation.USDC": draw(st.sampled_from([0.5, 0.9, 1.0])),
    }
    for mechanism in ("liquidation_impact", "oracle_lag", "gas", "interest"):
        changes[f"mechanisms.{mechanism}"] = draw(st.sampled_from([True, True, False]))
    if draw(st.booleans()):
        changes |= {
            "populations.liquidators.funding": "capital",
            "populations.liquidators.capital_usd": {"USDC": 2e6, "WETH": 2e6, "WBTC": 2e6},
        }
    if draw(st.booleans()):
        changes["amms.WETH-USDC"] = PAIR | {"fee_protocol": draw(st.sampled_from([0, 6]))}
    if draw(st.booleans()):
        changes["prices.volatility_per_year"] = {"WETH": 3.0, "WBTC": 2.0}
    return changes


class Watch:
    """Looks at an economy after every transaction and every step."""

    def __init__(self, economy, met):
        self.economy = economy
        self.pool = economy.pool
        self.met = met
        self.execute = economy.executor.execute
        economy.executor.execute = self
        self.indexes = self.read_indexes()
        self.products = self.read_products()

    def __call__(self, transaction, base_fee_wei):
        receipt = self.execute(transaction, base_fee_wei)
        assert not self.economy.ledger.journal.entries
        if not receipt.ok:
            self.met[receipt.reason] += 1
            assert receipt.results == []
            return receipt
        self.met[transaction.kind] += 1
        if transaction.kind == "deleveraging":
            assert self.pool.health_factor(transaction.sender) >= WAD, "unhealthy right after a withdrawal"
        elif transaction.kind == "liquidation":
            self.liquidation(receipt.results[-1])
        products = self.read_products()
        for name, product in products.items():
            assert product >= self.products[name], f"{name}: the product of the reserves has fallen"
        self.products = products
        return receipt

    def liquidation(self, done):
        pool = self.pool
        assert done.health_factor_before < WAD
        assert done.debt_repaid > 0
        assert done.profit >= 0
        collateral, debts = pool.collateral_assets(done.borrower), pool.debt_assets(done.borrower)
        if pool.rules.books_deficit:
            assert collateral or not debts, "a debt without collateral must be booked as a deficit"
            assert not (collateral and done.deficits), "a deficit although collateral is left"
        else:
            assert not done.deficits
        self.met["deficit"] += len(done.deficits)

    def step(self):
        economy = self.economy
        economy.step()
        indexes = self.read_indexes()
        for before, now in zip(self.indexes, indexes, strict=True):
            assert now[0] >= before[0]
            assert now[1] >= before[1]
        self.indexes = indexes
        outside = economy.outside.prices
        for name, displacement in economy.venues.displacements.items():
            amm = economy.amms[name]
            expected = amm.log_price() - math.log(outside[amm.token0] / outside[amm.token1])
            assert abs(math.fsum(displacement.components().values()) - expected) < 1e-9, name
        booked = [self.pool.deficit(asset) for asset in range(len(self.pool.reserves))]
        assert min(booked) >= 0
        assert any(booked) <= self.pool.rules.books_deficit

    def read_indexes(self):
        pool = self.pool
        return [(pool.normalized_income(asset), pool.normalized_debt(asset)) for asset in range(len(pool.reserves))]

    def read_products(self):
        pairs = {name: amm for name, amm in self.economy.amms.items() if isinstance(amm, ConstantProductPool)}
        return {name: amm.state.reserve0 * amm.state.reserve1 for name, amm in pairs.items()}


def check_reports(reports):
    """Every price that the pool ever read is the sum of its parts."""
    impacts = [name for name in reports if name.startswith("ln_impact.")]
    for k in range(len(reports["feed"])):
        moved = math.fsum(reports[name][k] or 0.0 for name in impacts)
        parts = reports["ln_exogenous"][k] - moved + reports["basis"][k] + reports["error"][k]
        assert abs(math.log(reports["price_usd"][k]) - parts) < 1e-12, reports["feed"][k]


def check_tables(economy, tables):
    metrics = tables["metrics"]
    assert len(metrics["step"]) == economy.steps_planned
    for name, values in metrics.items():
        assert np.isfinite(np.asarray(values, dtype=np.float64)).all(), name
    agents = tables["agents"]
    parts = ("interest_usd", "gas_usd", "liquidation_usd", "trading_usd", "price_usd", "other_usd")
    for k, profit in enumerate(agents["profit_usd"]):
        whole = abs(agents["start_usd"][k]) + abs(agents["end_usd"][k]) + 1.0
        assert abs(math.fsum(agents[part][k] for part in parts) - profit) < 1e-9 * whole
    for name, table in tables.items():
        to_arrow(name, table)


def test_what_must_hold_in_any_history():
    met = Counter()

    @settings(max_examples=EXAMPLES)
    @given(scenarios())
    def history(changes):
        with Economy("demo", overrides=changes) as economy:
            assert len(economy.agents) <= 60
            watch = Watch(economy, met)
            for _ in range(economy.steps_planned):
                watch.step()
            assert economy.audits == economy.steps_planned
            tables = economy.finish()
            check_reports(tables["reports"])
            check_tables(economy, tables)
            met["runs"] += 1

    history()
    # The histories are worth something only if they meet what they are to test.
    assert met["runs"] >= EXAMPLES
    for kind in ("liquidation", "deleveraging", "top_up", "arbitrage", "trading"):
        assert met[kind] >= 10, met
    assert met["deficit"] >= 5, met
