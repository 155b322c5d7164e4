"""One small economy with everybody and everything in it: each registered kind, each kind of pool, a redemption queue,
decisions of governance, a freeze, a faulty feed, a crash and a recovery in four hours of 60 s steps.

Times of looking, hurdles and rates are set so that everybody has reason to act within these hours; they claim nothing
about markets.
"""

from __future__ import annotations

from typing import Any

from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.results.tables import to_arrow

ASSETS = ("WETH", "wstETH", "WBTC", "USDC")

BORROWERS = {
    "populations.holders": {
        "kind": "holder", "count": 30, "slots": 60, "life_seconds": 14_400.0, "debt_usd_median": 150_000.0,
        "debt_usd_log_sd": 1.2, "health_factor_median_excess": 0.4,
        "collateral": {"WETH": 0.5, "WBTC": 0.3, "wstETH": 0.2}, "debt": {"USDC": 1.0},
    },
    "populations.managers": {
        "kind": "manager", "count": 25, "slots": 40, "life_seconds": 28_800.0, "debt_usd_median": 150_000.0,
        "debt_usd_log_sd": 1.2, "health_factor_median_excess": 0.4, "look_seconds_alarm": 300.0,
        "collateral": {"WETH": 0.6, "wstETH": 0.4}, "debt": {"USDC": 1.0},
    },
    "populations.levered": {
        "kind": "looper", "count": 15, "slots": 30, "life_seconds": 28_800.0, "debt_usd_median": 80_000.0,
        "debt_usd_log_sd": 0.8, "health_factor_median_excess": 0.4, "collateral": {"WETH": 1.0}, "debt": {"USDC": 1.0},
        "look_seconds_alarm": 300.0, "lever_above_target": 0.03, "lever_seconds": 600.0,
    },
    "populations.comparing": {
        "kind": "rate_sensitive", "count": 15, "slots": 30, "life_seconds": 28_800.0, "debt_usd_median": 100_000.0,
        "debt_usd_log_sd": 0.8, "collateral": {"WETH": 0.7, "WBTC": 0.3}, "debt": {"USDC": 1.0},
        "rate_look_seconds": 1_800.0, "look_seconds_alarm": 300.0, "reference_rate_per_year": {"USDC": 0.07},
    },
    "populations.selling": {
        "kind": "rate_sensitive", "count": 10, "debt_usd_median": 100_000.0, "debt_usd_log_sd": 0.8,
        "collateral": {"WETH": 1.0}, "debt": {"USDC": 1.0}, "rate_look_seconds": 1_800.0,
        "rate_adjustment_seconds": 7_200.0, "reference_rate_per_year": {"USDC": 0.02}, "repays_from": "collateral",
    },
    "populations.known": {
        "kind": "position", "count": 3, "supply_tokens": {"WETH": 100.0, "wstETH": 10.0},
        "debt_tokens": {"USDC": 180_000.0},
    },
    "populations.farmers": {
        "kind": "farmer", "count": 20, "debt_usd_median": 150_000.0, "debt_usd_log_sd": 1.0,
        "collateral": {"wstETH": 1.0}, "debt": {"WETH": 1.0}, "emode": 1, "queue": "stETH",
        "look_seconds": 1_800.0, "look_seconds_alarm": 600.0, "outside_share_ratio": 0.3,
        "horizon_days_median": 90.0, "spare_share_ratio": 0.3, "hurdle_per_year": 0.0,
    },
}  # fmt: skip

LENDERS = {
    "populations.lenders": {"kind": "lender", "count": 5, "supply_usd": {"USDC": 5e6, "WBTC": 1e6, "wstETH": 1e6}},
    "populations.rest": {
        "kind": "elastic_lender", "count": 25, "opening_utilisation": {"USDC": 0.86, "WETH": 0.85},
        "look_seconds": 1_800.0, "look_seconds_alarm": 600.0, "retry_seconds": 300.0, "adjustment_seconds": 14_400.0,
        "rumour_usd": {"WETH": 200_000.0}, "rumour_at_seconds": 5_000.0, "rumour_for_seconds": 3_000.0,
        "return_seconds": 7_200.0,
    },
    "populations.leaving": {
        "kind": "whale", "count": 1, "action": "withdraw", "asset": "WETH", "supply_tokens": {"WETH": 400.0},
        "at_seconds": 3_000, "over_seconds": 1_200,
    },
    "populations.selling-whale": {
        "kind": "whale", "count": 1, "action": "sell", "asset": "wstETH", "into": "WETH",
        "wallet_tokens": {"wstETH": 400.0}, "at_seconds": 6_000, "over_seconds": 1_800,
    },
    "populations.outside-whale": {
        "kind": "whale", "count": 1, "action": "sell", "asset": "WBTC", "into": "USDC", "venue": "outside",
        "wallet_tokens": {"WBTC": 10.0}, "at_seconds": 2_400,
    },
    "populations.borrowing-whale": {
        "kind": "whale", "count": 1, "action": "borrow", "asset": "WETH", "amount_tokens": 60.0, "collateral": True,
        "supply_tokens": {"USDC": 500_000.0}, "at_seconds": 4_200, "over_seconds": 600,
    },
    "populations.depositing-whale": {
        "kind": "whale", "count": 1, "action": "deposit", "asset": "wstETH", "into": "USDC",
        "wallet_tokens": {"wstETH": 100.0}, "at_seconds": 1_800,
    },
}  # fmt: skip

MARKET_MAKERS = {
    "populations.liquidators": {
        "kind": "liquidator", "count": 6, "latency_log_sd": 1.2, "uptime_ratio": 0.8, "pairs_share": 0.8,
        "silent_share": 0.2,
    },
    "populations.funded": {
        "kind": "liquidator", "count": 2, "funding": "capital", "sale": "outside", "latency_blocks_median": 1.0,
        "capital_usd": {"USDC": 300_000.0, "WETH": 300_000.0},
    },
    "populations.arbitrageurs": {
        "kind": "arbitrageur", "count": 2, "between_pools": True,
        "capital_usd": dict.fromkeys(ASSETS, 3e6),
    },
    "populations.redeemers": {
        "kind": "redeemer", "count": 3, "queue": "stETH", "capital_usd": 500_000.0, "min_profit_usd": 1.0,
    },
    "populations.providers": {
        "kind": "liquidity_provider", "count": 12, "pool": "WETH-USDC", "value_usd": 5e6, "width_ratio_median": 0.05,
        "look_seconds": 1_800.0, "gas_seconds": 604_800.0,
    },
    "populations.traders": {"kind": "trader", "count": 10, "trades_per_day": 60.0, "size_usd_median": 5_000.0},
}  # fmt: skip

WORLD = {
    "run.horizon_seconds": 14_400,
    "run.step_seconds": 60,
    "run.audit_every_steps": 20,
    "results.positions_every_seconds": 3_600,
    "prices.volatility_per_year": {"WETH": 0.9, "WBTC": 0.6},
    "prices.shocks": [
        {"asset": "WETH", "at_seconds": 1_200, "change_ratio": 0.12, "over_seconds": 1_200},
        {"asset": "WETH", "at_seconds": 6_000, "change_ratio": -0.35, "over_seconds": 1_800},
        {"asset": "WBTC", "at_seconds": 6_000, "change_ratio": -0.25, "over_seconds": 1_800},
        {"asset": "WETH", "at_seconds": 9_000, "change_ratio": 0.15, "over_seconds": 1_800},
    ],
    "oracle.feeds.WETH.faults": [{"kind": "stale", "at_seconds": 7_200, "for_seconds": 300}],
    "oracle.feeds.WBTC.faults": [
        {"kind": "factor", "at_seconds": 4_800, "for_seconds": 300, "factor": 0.9},
        {"kind": "venue", "at_seconds": 9_600, "for_seconds": 300, "factor": 1.02},
    ],
    "governance": [
        {"at_seconds": 3_600, "reserve": "WBTC", "ltv": 0.7, "liquidation_threshold": 0.74},
        {"at_seconds": 5_400, "reserve": "WETH", "slope1_per_year": 0.12},
        {"at_seconds": 8_400, "reserve": "WBTC", "frozen": True},
        {"at_seconds": 10_800, "reserve": "WBTC", "frozen": False},
        {"at_seconds": 12_000, "emode": 1, "liquidation_bonus": 0.012},
    ],
    "redemptions.stETH": {
        "asset": "wstETH", "churn_tokens_per_day": 57_600.0, "delay_days_least": 0.01, "delay_days_most": 0.03,
    },
    "amms.WETH-USDC.liquidity_usd": 40_000_000.0,
    "amms.wstETH-WETH-stable": {
        "kind": "stableswap", "token0": "wstETH", "token1": "WETH", "fee_pips": 400, "amplification": 50,
        "liquidity_usd": 3_000_000.0,
    },
    "amms.WETH-USDC-product": {
        "kind": "constant_product", "token0": "WETH", "token1": "USDC", "fee_pips": 3_000,
        "liquidity_usd": 10_000_000.0,
    },
}  # fmt: skip

EVERYBODY: dict[str, Any] = WORLD | BORROWERS | LENDERS | MARKET_MAKERS

ORDERINGS = ("private", "public")

#: What each population is known by: kinds of event that it must have sent, and that were executed, in either ordering.
TYPICAL = {
    "holders": {"arrival", "exit"},
    "managers": {"deleveraging", "top_up", "arrival", "exit"},
    "levered": {"leveraging", "deleveraging"},
    "comparing": {"rate_entry"},
    "selling": {"rate_exit"},
    "farmers": {"loop_entry", "loop_exit", "redemption_request", "redemption_claim"},
    "rest": {"supply", "withdrawal"},
    "leaving": {"whale"},
    "selling-whale": {"whale"},
    "outside-whale": {"whale"},
    "borrowing-whale": {"whale"},
    "depositing-whale": {"whale"},
    "liquidators": {"liquidation"},
    "funded": {"liquidation"},
    "arbitrageurs": {"arbitrage"},
    "redeemers": {"redemption", "redemption_claim"},
    "providers": {"liquidity_withdraw", "liquidity_provide", "liquidity_move"},
    "traders": {"trading"},
}

#: Populations that never send anything: what happens to them is that they are lent out, or liquidated.
PASSIVE = {"known", "lenders"}


def economy_of(ordering: str = "private", seed: int = 1, **overrides: Any) -> Economy:
    """The economy of everybody."""
    return Economy("demo", seed=seed, overrides=EVERYBODY | {"gas.ordering": ordering} | overrides)


def tables_of(ordering: str = "private", seed: int = 1, **overrides: Any) -> dict[str, Any]:
    """Its tables after a whole run."""
    with economy_of(ordering, seed, **overrides) as economy:
        economy.run()
        return economy.finish()


def digest(tables: dict[str, Any]) -> str:
    """The content hash of tables."""
    return content_hash({name: to_arrow(name, table) for name, table in tables.items()})
