"""A small lending market for tests: WETH, WBTC, USDC and wstETH with an ETH e-mode, and a few accounts with wallets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.ledger import Ledger
from sim.markets.lending import RAY, EModeParameters, LendingPool, ReserveParameters, TwoSlopeRates

WETH, WBTC, USDC, WSTETH = range(4)
DOLLAR = 10**8
START = 1_700_000_000
YEAR = 365 * 24 * 3600


def percent(number: float) -> int:
    """A share in per cent as a ray number, exact for two decimals."""
    return round(number * 100) * RAY // 10_000


def two_slopes(optimal: float, base: float, slope1: float, slope2: float) -> TwoSlopeRates:
    """A rate curve from per cents."""
    return TwoSlopeRates(percent(optimal), percent(base), percent(slope1), percent(slope2))


RESERVES: dict[str, dict[str, Any]] = {
    "WETH": {
        "decimals": 18,
        "price_usd": 2_000,
        "rate_model": two_slopes(80, 0, 3.3, 80),
        "ltv_bps": 8_050,
        "liquidation_threshold_bps": 8_300,
        "liquidation_bonus_bps": 10_500,
        "reserve_factor_bps": 1_500,
        "liquidation_protocol_fee_bps": 1_000,
    },
    "WBTC": {
        "decimals": 8,
        "price_usd": 40_000,
        "rate_model": two_slopes(45, 0, 4, 300),
        "ltv_bps": 7_300,
        "liquidation_threshold_bps": 7_800,
        "liquidation_bonus_bps": 10_500,
        "reserve_factor_bps": 2_000,
        "liquidation_protocol_fee_bps": 1_000,
    },
    "USDC": {
        "decimals": 6,
        "price_usd": 1,
        "rate_model": two_slopes(90, 0, 4, 60),
        "ltv_bps": 7_700,
        "liquidation_threshold_bps": 8_000,
        "liquidation_bonus_bps": 10_450,
        "reserve_factor_bps": 1_000,
        "liquidation_protocol_fee_bps": 1_000,
    },
    "wstETH": {
        "decimals": 18,
        "price_usd": 2_300,
        "rate_model": two_slopes(45, 0.25, 4.5, 80),
        "ltv_bps": 7_850,
        "liquidation_threshold_bps": 8_100,
        "liquidation_bonus_bps": 10_600,
        "reserve_factor_bps": 1_500,
        "liquidation_protocol_fee_bps": 1_000,
    },
}


class Market:
    """A pool, its ledger and clock, and `users` accounts (`users[0]` is meant to lend)."""

    def __init__(self, *, users: int = 5, rules: str = "3.6", wallets: int = 0, **changes: dict[str, Any]) -> None:
        self.ledger = Ledger()
        self.clock = Clock(START)
        self.prices: list[int] = []
        self.pool = LendingPool("pool", self.ledger, self.clock, prices=self.prices, rules=rules)
        for symbol, fields in RESERVES.items():
            values = {**fields, **changes.get(symbol, {})}
            token = self.ledger.add_token(symbol, values.pop("decimals"))
            self.prices.append(round(values.pop("price_usd") * DOLLAR))
            self.pool.add_reserve(ReserveParameters(token=token, **values))
        self.pool.add_emode(
            EModeParameters(1, 9_300, 9_500, 10_100, collateral=(WETH, WSTETH), borrowable=(WETH, WSTETH), label="ETH")
        )
        self.users = list(self.ledger.open_accounts([f"user{i}" for i in range(users)]))
        for asset in range(len(RESERVES)):
            for user in self.users:
                if wallets:
                    self.fund(user, asset, wallets)
        self.ledger.journal.clear()

    def units(self, asset: int, tokens: float) -> int:
        """Whole tokens in smallest units (exact for tokens that are whole or have few decimals)."""
        return round(tokens * 10**6) * self.pool.reserves[asset].unit // 10**6

    def fund(self, user: int, asset: int, tokens: float) -> None:
        """Bring tokens into a wallet from outside."""
        self.ledger.inflow(self.pool.reserves[asset].token, user, self.units(asset, tokens))

    def supply(self, user: int, asset: int, tokens: float) -> None:
        """Fund and supply."""
        self.fund(user, asset, tokens)
        self.pool.supply(user, asset, self.units(asset, tokens))

    def wallet(self, user: int, asset: int) -> int:
        return self.ledger.balance(self.pool.reserves[asset].token, user)

    def price(self, asset: int, price_usd: float) -> None:
        self.prices[asset] = round(price_usd * DOLLAR)

    def attempt(self, operation: Callable[..., Any], *arguments: Any) -> str | None:
        """Run an operation as a transaction: None, or the reason for which it was refused (and undone)."""
        try:
            with self.ledger.journal.atomic():
                operation(*arguments)
        except Revert as refusal:
            return refusal.reason
        finally:
            self.ledger.journal.clear()
        return None


def snapshot(market: Market) -> dict[str, Any]:
    """Everything a transaction may write, copied: ledger, pool, parameters, float columns."""
    ledger, pool = market.ledger, market.pool
    columns = pool.columns
    return {
        "balances": [list(column) for column in ledger.balances],
        "inflows": list(ledger.inflows),
        "outflows": list(ledger.outflows),
        "totals": list(pool._totals),
        "supplies": [list(column) for column in pool.scaled_supplies],
        "debts": [list(column) for column in pool.scaled_debts],
        "flags": list(pool.flags),
        "emodes": list(pool.emode_of),
        "risk": {category: list(row) for category, row in pool._risk.items()},
        "zero LTV": dict(pool._zero_ltv),
        "reserves": [dict(vars(reserve)) for reserve in pool.reserves],
        "categories": {category: dict(vars(emode)) for category, emode in pool.emodes.items()},
        "flash_premium_bps": pool.flash_premium_bps,
        "supply_column": columns.supply.tolist(),
        "debt_column": columns.debt.tolist(),
        "collateral_column": columns.collateral.tolist(),
        "emode_column": columns.emode.tolist(),
        "prices": list(market.prices),
        "readers": [
            (pool.normalized_income(asset), pool.normalized_debt(asset), pool.totals_now(asset))
            for asset in range(len(pool.reserves))
        ],
    }


def assert_mirrors(market: Market) -> None:
    """The float columns are the integers, to the last bit, and nothing beyond the last account."""
    pool = market.pool
    accounts = len(market.ledger.owners)
    for asset, reserve in enumerate(pool.reserves):
        inverse = 1.0 / reserve.unit
        supplies = [scaled * inverse for scaled in pool.scaled_supplies[asset]]
        collateral = [supply if pool.is_collateral(asset, account) else 0.0 for account, supply in enumerate(supplies)]
        padding = [0.0] * (pool.columns.capacity - accounts)
        assert pool.supply_column[asset].tolist() == supplies + padding
        assert pool.collateral_column[asset].tolist() == collateral + padding
        assert pool.debt_column[asset].tolist() == [s * inverse for s in pool.scaled_debts[asset]] + padding
    assert pool.emode_column[:accounts].tolist() == pool.emode_of


def assert_books(market: Market) -> None:
    """Invariants of the pool's books, to the unit."""
    pool = market.pool
    for asset, reserve in enumerate(pool.reserves):
        totals = pool.totals(asset)
        assert sum(pool.scaled_supplies[asset]) == totals.scaled_supply
        assert sum(pool.scaled_debts[asset]) == totals.scaled_debt
        assert min(pool.scaled_supplies[asset]) >= 0
        assert min(pool.scaled_debts[asset]) >= 0
        assert 0 <= totals.virtual_balance <= market.ledger.balance(reserve.token, pool.account)
        for account, flags in enumerate(pool.flags):
            assert pool.is_borrowing(asset, account) == (pool.scaled_debts[asset][account] > 0)
            if flags >> (2 * asset + 1) & 1:
                assert pool.scaled_supplies[asset][account] > 0
    pool.audit()
    market.ledger.audit()
