"""Synthetic results with the columns of a real run, so that files, summary, report and page can be tested without one.

A price falls by a quarter within an hour, liquidations follow and push it further, and it half recovers.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np

from sim.results import Recorder, new_manifest, write_run

ASSETS = ("WETH", "wstETH", "WBTC", "USDC")
START_PRICES = {"WETH": 2500.0, "wstETH": 3050.0, "WBTC": 60000.0, "USDC": 1.0}
KINKS = {"WETH": 0.9, "wstETH": 0.8, "WBTC": 0.8, "USDC": 0.92}
THRESHOLDS = {"WETH": 0.83, "wstETH": 0.81, "WBTC": 0.78, "USDC": 0.78}
CAUSES = ("liquidation", "deleveraging", "trading", "arbitrage")
START = 1_583_971_200
STEP_SECONDS = 60
SCENARIO_TOML = 'name = "crash-sample"\ntitle = "A quarter off in an hour"\n[run]\nseed = 7\n'


def scenario(steps: int = 600) -> dict[str, Any]:
    reserves = {
        asset: {
            "ltv": THRESHOLDS[asset] - 0.025,
            "liquidation_threshold": THRESHOLDS[asset],
            "liquidation_bonus": 0.05,
            "optimal_utilisation": KINKS[asset],
            "reserve_factor": 0.15,
        }
        for asset in ASSETS
    }
    assets: dict[str, Any] = {
        asset: {"price_usd": START_PRICES[asset], "depth_2pct": 8e7, "kind": "market"} for asset in ASSETS
    }
    assets["wstETH"] = {"kind": "ratio", "base": "WETH", "ratio": 1.22}
    feeds = {asset: {"kind": "market", "deviation_ratio": 0.005, "heartbeat_seconds": 3600} for asset in ASSETS}
    feeds["USDC"] = {"kind": "fixed", "price_usd": 1.0}
    return {
        "name": "crash-sample",
        "title": "A quarter off in an hour",
        "why": "Shows what a fall of a quarter does to a book of loans.",
        "source": "made up for tests",
        "run": {
            "start": "2020-03-12T00:00:00Z",
            "horizon_seconds": steps * STEP_SECONDS,
            "step_seconds": STEP_SECONDS,
            "block_seconds": 12,
            "seed": 7,
        },
        "assets": assets,
        "outside": {"permanent_share": 0.05, "fast_seconds": 120},
        "oracle": {"latency_blocks": 1, "feeds": feeds},
        "gas": {"block_gas_limit": 45_000_000, "demand_elasticity": 1.0},
        "pool": {"rules": "3.6", "reserves": reserves},
        "amms": {"weth-usdc": {"kind": "concentrated", "token0": "WETH", "token1": "USDC", "fee_pips": 500}},
        "populations": {"scale": 1.0, "holders": {"kind": "holder", "count": 240}},
        "mechanisms": {"liquidation_impact": True},
    }


def origins(resolved: dict[str, Any]) -> dict[str, str]:
    found = dict.fromkeys(paths(resolved), "default")
    found["run.horizon_seconds"] = found["assets.WETH.depth_2pct"] = "set"
    found["populations.holders.count"] = "overridden"
    return found


def paths(value: Any, before: str = "") -> list[str]:
    if not isinstance(value, dict):
        return [before]
    return [path for key, inner in value.items() for path in paths(inner, f"{before}.{key}" if before else key)]


FIELDS = {
    "outside.permanent_share": {"unit": "", "source": "fitted to the square-root law", "assumption": True},
    "outside.fast_seconds": {"unit": "s", "source": "fitted to the square-root law", "assumption": True},
    "assets.WETH.depth_2pct": {
        "unit": "USD",
        "source": "market-maker post on ETH liquidity, 2025",
        "assumption": False,
    },
    "run.horizon_seconds": {"unit": "s", "source": "", "assumption": False},
}


@functools.cache
def sample(steps: int = 600, accounts: int = 240, calm: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tables and manifest of one synthetic run (do not change them: they are shared)."""
    world = _World(steps, accounts, calm)
    resolved = scenario(steps)
    command = ["undertow", "run", "crash-sample"]
    manifest = new_manifest(resolved, 7, origins=origins(resolved), fields=FIELDS, command=command)
    manifest["wall_seconds"] = 3.2
    manifest["audit"] = {"checks": 12, "tokens": 5, "residual": 0, "ok": True}
    return world.tables(), manifest


def write_sample(folder: Path, *, state: str = "done", **options: Any) -> Path:
    tables, manifest = sample(**options)
    write_run(folder, tables=tables, manifest=manifest, scenario_toml=SCENARIO_TOML, state=state)
    return folder


class _World:
    def __init__(self, steps: int, accounts: int, calm: bool) -> None:
        self.rng = np.random.default_rng(5)
        self.steps, self.accounts, self.calm = steps, accounts, calm
        self.asked = self._asked()
        rng = self.rng
        self.debt = np.exp(rng.normal(11.0, 1.8, accounts))
        factor = 1.03 + np.exp(rng.normal(math.log(0.6), 0.8, accounts))
        volatile = np.array([("WETH", "wstETH", "WBTC")[k] for k in rng.choice(3, accounts, p=[0.6, 0.25, 0.15])])
        self.collateral_asset = volatile
        loop = (volatile == "wstETH") & (rng.random(accounts) < 0.6)
        self.debt_asset = np.where(loop, "WETH", "USDC")
        threshold = np.array([THRESHOLDS[asset] for asset in volatile])
        self.collateral = self.debt * factor / threshold
        self.health = factor

    def _asked(self) -> dict[str, np.ndarray]:
        n = self.steps
        x = np.arange(n) / n
        noise = np.cumsum(self.rng.normal(0, 0.0009, n))
        noise -= noise[-1] * x
        fall = 0.0 if self.calm else 0.26
        shape = -fall / (1 + np.exp(-(x - 0.42) * 40)) + 0.45 * fall / (1 + np.exp(-(x - 0.7) * 25))
        eth = np.exp(shape + noise)
        return {
            "WETH": START_PRICES["WETH"] * eth,
            "wstETH": START_PRICES["wstETH"] * eth * (1 + 1e-5 * x),
            "WBTC": START_PRICES["WBTC"] * eth**0.8,
            "USDC": np.ones(n),
        }

    def tables(self) -> dict[str, Any]:
        columns = self._columns()
        recorder = Recorder(columns, self.steps)
        impact = dict.fromkeys(CAUSES, 0.0)
        oracle = dict(START_PRICES)
        health = self.health.copy()
        alive = np.ones(self.accounts, bool)
        worst, event, total, debt_now = -1.0, 0, 0.0, self.debt.copy()
        for step in range(self.steps):
            decay = 0.97
            impact = {cause: value * decay for cause, value in impact.items()}
            impact["trading"] += self.rng.normal(0, 0.0004)
            outside = {a: self.asked[a][step] * math.exp(-sum(impact.values()) if a != "USDC" else 0.0) for a in ASSETS}
            for asset in ASSETS:
                if abs(outside[asset] / oracle[asset] - 1) > 0.005:
                    oracle[asset] = outside[asset]
                    recorder.reports.add(
                        event_id=event,
                        feed=asset,
                        read_at=START + step * STEP_SECONDS,
                        effective_at=START + (step + 1) * STEP_SECONDS,
                        price_usd=oracle[asset],
                        ln_exogenous=math.log(self.asked[asset][step]),
                        basis=0.0,
                        error=0.0,
                        **{f"ln_impact.{cause}": -value for cause, value in impact.items()},
                    )
                    event += 1
            ratio = np.array([oracle[a] / START_PRICES[a] for a in self.collateral_asset])
            ratio /= np.array([oracle[a] / START_PRICES[a] for a in self.debt_asset])
            health = np.where(alive, self.health * ratio * self.debt / np.maximum(debt_now, 1.0), 9.0)
            under = np.flatnonzero((health < 1.0) & alive)
            liquidatable = float(debt_now[under].sum())
            if liquidatable > worst:
                worst = liquidatable
                recorder.positions.put("worst", **self._positions("worst", step, health, debt_now))
            if step == 0:
                recorder.positions.put("first", **self._positions("first", step, health, debt_now))
            liquidated, count = 0.0, 0
            for row in under[:6]:
                event += 1
                repaid = float(debt_now[row] * 0.5)
                ok = bool(self.rng.random() > 0.15)
                recorder.add_event(
                    event_id=event,
                    cause_id=event - 1,
                    step=step,
                    block=9_650_000 + step * 5,
                    timestamp=START + step * STEP_SECONDS,
                    kind="liquidation",
                    sender=1000 + int(row) % 4,
                    owner=f"liquidators:{int(row) % 4}",
                    ok=ok,
                    reason=None if ok else "HealthFactorNotBelowThreshold",
                    gas_used=500_000,
                    gas_paid_eth=0.011,
                    account=int(row),
                    market="pool",
                    collateral_asset=str(self.collateral_asset[row]),
                    debt_asset=str(self.debt_asset[row]),
                    debt_repaid=repaid / oracle[str(self.debt_asset[row])] if ok else None,
                    debt_repaid_usd=repaid if ok else None,
                    collateral_seized=repaid * 1.05 / oracle[str(self.collateral_asset[row])] if ok else None,
                    collateral_usd=repaid * 1.05 if ok else None,
                    bonus_usd=repaid * 0.05 if ok else None,
                    protocol_fee=repaid * 0.005 if ok else None,
                    health_factor_before=float(health[row]),
                    profit_usd=repaid * 0.03 - 25 if ok else -25.0,
                )
                if ok:
                    debt_now[row] *= 0.45
                    liquidated += repaid
                    count += 1
                    impact["liquidation"] += 4e-9 * repaid
            total += liquidated
            impact["deleveraging"] += 0.00006 if not self.calm and 0.35 < step / self.steps < 0.55 else 0.0
            recorder.row(
                step, self._row(step, outside, oracle, impact, total, liquidatable, len(under), liquidated, count)
            )
        recorder.positions.put("last", **self._positions("last", self.steps - 1, health, debt_now))
        recorder.agents = self._agents(total)
        return recorder.tables()

    def _columns(self) -> list[str]:
        names = ["block", "timestamp", "base_fee_gwei", "block_fullness_ratio"]
        for asset in ASSETS:
            names += [f"{what}.{asset}" for what in ("exogenous_usd", "outside_usd", "oracle_usd")]
            names += [f"impact.{asset}.{cause}" for cause in CAUSES]
        names += ["amm_price.weth-usdc", "amm_depth_usd.weth-usdc"]
        for asset in ASSETS:
            names += [f"{what}.{asset}" for what in ("cash", "debt", "supply", "utilisation")]
            names += [f"{what}.{asset}" for what in ("borrow_rate", "supply_rate")]
            names += [f"{what}.{asset}" for what in ("liquidity_index", "debt_index", "deficit", "solvency_gap")]
        names += [
            "liquidatable_usd",
            "liquidatable_accounts",
            "liquidated_usd",
            "liquidations",
            "waiting_withdrawals_usd",
        ]
        return [*names, "transactions", "reverted"]

    def _row(
        self,
        step: int,
        outside: dict[str, float],
        oracle: dict[str, float],
        impact: dict[str, float],
        total: float,
        liquidatable: float,
        under: int,
        liquidated: float,
        count: int,
    ) -> list[float]:
        stress = 0.0 if self.calm else math.exp(-(((step / self.steps) - 0.47) ** 2) / 0.004)
        row = [
            9_650_000 + step * 5,
            START + step * STEP_SECONDS,
            12 + 180 * stress + abs(self.rng.normal(0, 2)),
            0.5 + 0.45 * stress,
        ]
        for asset in ASSETS:
            moved = asset != "USDC"
            row += [self.asked[asset][step], outside[asset], oracle[asset]]
            row += [impact[cause] if moved else 0.0 for cause in CAUSES]
        row += [outside["WETH"] * (1 + self.rng.normal(0, 0.001)), 6e6 * (1 - 0.5 * stress)]
        for place, asset in enumerate(ASSETS):
            supply = 2e8 / START_PRICES[asset]
            used = min(0.995, 0.35 + 0.12 * place + (0.35 * stress if asset == "USDC" else 0.05 * stress))
            kink = KINKS[asset]
            rate = 0.05 * used / kink if used < kink else 0.05 + 0.6 * (used - kink) / (1 - kink)
            written_off = 42_000.0 * max(0.0, min(1.0, (step / self.steps - 0.45) * 12))
            deficit = 0.0 if self.calm or asset != "USDC" else written_off
            row += [supply * (1 - used), supply * used, supply, used, rate, rate * used * 0.9]
            row += [1 + 1e-7 * step, 1 + 2e-7 * step, deficit, 1e-3 * step]
        waiting = 3e6 * max(0.0, stress - 0.6)
        return [*row, liquidatable, float(under), liquidated, float(count), waiting, 20.0 + count, float(under > 6)]

    def _positions(self, when: str, step: int, health: np.ndarray, debt: np.ndarray) -> dict[str, Any]:
        columns: dict[str, Any] = {
            "when": when,
            "step": step,
            "account": np.arange(self.accounts),
            "population": "holders",
            "kind": "holder",
            "health_factor": health.copy(),
            "collateral_usd": self.collateral * debt / self.debt,
            "debt_usd": debt.copy(),
            "emode": np.where(self.debt_asset == "WETH", 1, 0),
        }
        for asset in ASSETS:
            price = START_PRICES[asset]
            columns[f"supply.{asset}"] = np.where(self.collateral_asset == asset, self.collateral / price, 0.0)
            columns[f"debt.{asset}"] = np.where(self.debt_asset == asset, debt / START_PRICES[asset], 0.0)
        return columns

    def _agents(self, total: float) -> dict[str, Any]:
        kinds = (
            ["holder"] * self.accounts + ["lender"] * 40 + ["liquidator"] * 4 + ["arbitrageur"] * 2 + ["trader"] * 20
        )
        n = len(kinds)
        kind = np.array(kinds)
        start = np.where(kind == "holder", np.resize(self.collateral - self.debt, n), 5e6)
        price = np.where(kind == "holder", -0.12 * start, 0.0)
        liquidation = np.zeros(n)
        liquidation[kind == "liquidator"] = total * 0.04 * np.array([0.6, 0.25, 0.1, 0.05])
        liquidation[: self.accounts] = -total * 0.05 * self.debt / self.debt.sum()
        gas = np.where(kind == "liquidator", -total * 0.002, np.where(kind == "holder", -12.0, -300.0))
        interest = np.where(kind == "holder", -40.0, np.where(kind == "lender", 310.0, 0.0))
        trading = np.where(kind == "arbitrageur", 45_000.0, np.where(kind == "trader", -3_000.0, 0.0))
        profit = price + liquidation + gas + interest + trading
        return {
            "account": np.arange(n),
            "population": [f"{k}s" for k in kinds],
            "kind": kinds,
            "start_usd": start,
            "end_usd": start + profit,
            "profit_usd": profit,
            "interest_usd": interest,
            "gas_usd": gas,
            "liquidation_usd": liquidation,
            "trading_usd": trading,
            "price_usd": price,
            "other_usd": np.zeros(n),
        }
