"""Replay of recorded Aave V3.6 traces through `LendingPool`: outcome, reason, result and all state of every step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.conformance.compare import Tally
from sim.conformance.documents import Document
from sim.ledger import Ledger
from sim.markets.lending.constants import MAX
from sim.markets.lending.pool import LendingPool
from sim.markets.lending.rates import TwoSlopeRates
from sim.markets.lending.records import EModeParameters, ReserveParameters

#: A method and the arguments to call it with.
Bound = tuple[Callable[..., Any], tuple[Any, ...]]


def replay(document: Document) -> Tally:
    """Apply every step at its time and compare every recorded number."""
    tally = Tally()
    trace = Trace(document)
    tally.compare_tree("initial_state", document["initial_state"], trace.state())
    for i, step in enumerate(document["steps"]):
        trace.clock.timestamp = int(step["timestamp"])
        op = step["op"]
        path = f"steps[{i}] {op['op']}"
        if "borrower_health_factor_before" in step:
            factor = trace.pool.health_factor(trace.accounts[op["borrower"]])
            tally.compare(f"{path} borrower_health_factor_before", step["borrower_health_factor_before"], factor)
        ok, reason, result = trace.apply(op)
        tally.operations += 1
        tally.compare(f"{path} ok", step["ok"], ok)
        tally.compare(f"{path} error", step["error"]["name"] if step["error"] else None, reason)
        tally.compare_tree(f"{path} result", step["result"], result)
        tally.compare_tree(f"{path} state", step["state"], trace.state())
    return tally


class Trace:
    """The market of a recording, rebuilt, with its users and their wallets."""

    def __init__(self, document: Document) -> None:
        market = document["market"]
        reserves = market["reserves"]
        self.symbols = [reserve["symbol"] for reserve in reserves]
        self.assets = {symbol: asset for asset, symbol in enumerate(self.symbols)}
        self.ledger = Ledger()
        self.clock = Clock(int(document["start_timestamp"]))
        self.prices = [int(reserve["initial_price"]) for reserve in reserves]
        self.pool = LendingPool("pool", self.ledger, self.clock, prices=self.prices)
        for reserve in reserves:
            token = self.ledger.add_token(reserve["symbol"], int(reserve["decimals"]))
            self.pool.add_reserve(_parameters(token, reserve))
        for emode in market["emodes"]:
            self.pool.add_emode(_emode(emode, reserves))
        names = document["users"]
        self.accounts = dict(zip(names, self.ledger.open_accounts(names), strict=True))
        for name, user in document["initial_state"]["users"].items():
            for symbol, position in user["positions"].items():
                self.ledger.inflow(self._token(symbol), self.accounts[name], int(position["wallet"]))
        self.ledger.journal.clear()

    def apply(self, op: dict[str, Any]) -> tuple[bool, str | None, dict[str, int]]:
        """Run one operation as a transaction of its own: (succeeded, reason of the refusal, result)."""
        operation, arguments = self.call(op)
        pool = self.pool
        collateral = self.assets[op["collateral_asset"]] if op["op"] == "liquidate" else None
        treasury_before = 0 if collateral is None else pool.atoken_balance(collateral, pool.treasury)
        journal = self.ledger.journal
        try:
            with journal.atomic():
                done = operation(*arguments)
        except Revert as refusal:
            return False, refusal.reason, {}
        finally:
            journal.clear()
        if collateral is not None:
            growth = pool.atoken_balance(collateral, pool.treasury) - treasury_before
            return True, None, {
                "debt_repaid": done.debt_repaid,
                "collateral_to_liquidator": done.collateral_to_liquidator,
                "protocol_fee": growth,
            }  # fmt: skip
        return True, None, {"amount": done.amount} if op["op"] in _WITH_AMOUNT else {}

    def call(self, op: dict[str, Any]) -> Bound:
        """The method and the arguments that a recorded operation stands for."""
        build = getattr(self, f"_{op['op']}", None)
        if build is None:
            raise ValueError(f"unknown operation {op['op']!r}")
        return build(op)

    def _token(self, symbol: str) -> int:
        return self.pool.reserves[self.assets[symbol]].token

    def _who(self, op: dict[str, Any], key: str = "user") -> int:
        return self.accounts[op[key]]

    def _asset(self, op: dict[str, Any], key: str = "asset") -> int:
        return self.assets[op[key]]

    def _behalf(self, op: dict[str, Any]) -> int | None:
        name = op.get("on_behalf_of")
        return None if name is None else self.accounts[name]

    # ------------------------------------------------------------------ operations of the pool
    def _supply(self, op: dict[str, Any]) -> Bound:
        return self.pool.supply, (self._who(op), self._asset(op), _amount(op["amount"]), self._behalf(op))

    def _withdraw(self, op: dict[str, Any]) -> Bound:
        return self.pool.withdraw, (self._who(op), self._asset(op), _amount(op["amount"]))

    def _borrow(self, op: dict[str, Any]) -> Bound:
        return self.pool.borrow, (self._who(op), self._asset(op), _amount(op["amount"]))

    def _repay(self, op: dict[str, Any]) -> Bound:
        return self.pool.repay, (self._who(op), self._asset(op), _amount(op["amount"]), self._behalf(op))

    def _repay_with_atokens(self, op: dict[str, Any]) -> Bound:
        return self.pool.repay_with_atokens, (self._who(op), self._asset(op), _amount(op["amount"]))

    def _set_collateral(self, op: dict[str, Any]) -> Bound:
        return self.pool.set_collateral, (self._who(op), self._asset(op), bool(op["enabled"]))

    def _set_emode(self, op: dict[str, Any]) -> Bound:
        return self.pool.set_emode, (self._who(op), int(op["category"]))

    def _transfer_atoken(self, op: dict[str, Any]) -> Bound:
        amount = _amount(op["amount"])
        return self.pool.transfer_atoken, (self._who(op), self._asset(op), self._who(op, "to"), amount)

    def _mint_to_treasury(self, op: dict[str, Any]) -> Bound:
        return self.pool.mint_to_treasury, (self.pool.treasury, [self.assets[symbol] for symbol in op["assets"]])

    def _liquidate(self, op: dict[str, Any]) -> Bound:
        return self.pool.liquidate, (
            self._who(op),
            self._asset(op, "collateral_asset"),
            self._asset(op, "debt_asset"),
            self._who(op, "borrower"),
            _amount(op["debt_to_cover"]),
            bool(op["receive_atoken"]),
        )

    def _admin_set(self, op: dict[str, Any]) -> Bound:
        field, value = op["field"], op["value"]
        values = value if isinstance(value, list) else [value]
        if field not in _BOOLEAN_FIELDS:
            values = [int(part) for part in values]
        return getattr(self.pool, _SETTERS[field]), (self.pool.treasury, self._asset(op), *values)

    # ------------------------------------------------------------------ the world around it
    def _donate(self, op: dict[str, Any]) -> Bound:
        token = self._token(op["asset"])
        return self.ledger.transfer, (token, self._who(op), self.pool.account, _amount(op["amount"]))

    def _mint_wallet(self, op: dict[str, Any]) -> Bound:
        return self.ledger.inflow, (self._token(op["asset"]), self._who(op), _amount(op["amount"]))

    def _set_price(self, op: dict[str, Any]) -> Bound:
        return self.ledger.journal.put, (self.prices, self._asset(op), int(op["price"]))

    def _time_jump(self, op: dict[str, Any]) -> Bound:
        return dict, ()

    # ------------------------------------------------------------------ state
    def state(self) -> dict[str, Any]:
        """The whole state in the recording's words."""
        return {
            "reserves": {symbol: self._reserve_state(asset) for symbol, asset in self.assets.items()},
            "users": {name: self._user_state(account) for name, account in self.accounts.items()},
        }

    def _reserve_state(self, asset: int) -> dict[str, int]:
        pool = self.pool
        totals = pool.totals(asset)
        return {
            "price": self.prices[asset],
            "liquidity_index": totals.liquidity_index,
            "variable_borrow_index": totals.borrow_index,
            "liquidity_rate": totals.liquidity_rate,
            "variable_borrow_rate": totals.borrow_rate,
            "last_update_timestamp": totals.last_update_timestamp,
            "normalized_income": pool.normalized_income(asset),
            "normalized_variable_debt": pool.normalized_debt(asset),
            "atoken_total_supply": pool.total_supply(asset),
            "atoken_scaled_total_supply": totals.scaled_supply,
            "variable_debt_total_supply": pool.total_debt(asset),
            "variable_debt_scaled_total_supply": totals.scaled_debt,
            "available_liquidity": self.ledger.balance(pool.reserves[asset].token, pool.account),
            "accrued_to_treasury_scaled": totals.accrued_to_treasury_scaled,
            "treasury_atoken_balance": pool.atoken_balance(asset, pool.treasury),
            "deficit": totals.deficit,
            "virtual_underlying_balance": totals.virtual_balance,
        }

    def _user_state(self, account: int) -> dict[str, Any]:
        pool = self.pool
        data = pool.account_data(account)
        return {
            "total_collateral_base": data.total_collateral_base,
            "total_debt_base": data.total_debt_base,
            "available_borrows_base": data.available_borrows_base,
            "liquidation_threshold_bps": data.liquidation_threshold_bps,
            "ltv_bps": data.ltv_bps,
            "health_factor": data.health_factor,
            "emode": pool.emode_of[account],
            "positions": {symbol: self._position(asset, account) for symbol, asset in self.assets.items()},
        }

    def _position(self, asset: int, account: int) -> dict[str, int | bool]:
        pool = self.pool
        return {
            "atoken_balance": pool.atoken_balance(asset, account),
            "variable_debt": pool.debt_balance(asset, account),
            "scaled_atoken": pool.scaled_supplies[asset][account],
            "scaled_debt": pool.scaled_debts[asset][account],
            "wallet": self.ledger.balance(pool.reserves[asset].token, account),
            "is_collateral": pool.is_collateral(asset, account),
            "is_borrowing": pool.is_borrowing(asset, account),
        }


#: Recorded name of a parameter -> setter of the pool.
_SETTERS = {
    "supply_cap_tokens": "set_supply_cap",
    "borrow_cap_tokens": "set_borrow_cap",
    "reserve_factor_bps": "set_reserve_factor",
    "liquidation_protocol_fee_bps": "set_liquidation_protocol_fee",
    "frozen": "set_frozen",
    "paused": "set_paused",
    "borrowing_enabled": "set_borrowing_enabled",
    "collateral_params": "set_collateral_params",
    "rate_params": "set_rate_params",
}
#: Operations whose recorded result is the amount really moved.
_WITH_AMOUNT = frozenset({"withdraw", "repay", "repay_with_atokens"})
_BOOLEAN_FIELDS = frozenset({"frozen", "paused", "borrowing_enabled"})


def _amount(text: str) -> int:
    return MAX if text == "max" else int(text)


def _parameters(token: int, reserve: dict[str, Any]) -> ReserveParameters:
    rates = ("optimal_usage_ray", "base_rate_ray", "slope1_ray", "slope2_ray")
    return ReserveParameters(
        token=token,
        rate_model=TwoSlopeRates(*(int(reserve[name]) for name in rates)),
        ltv_bps=int(reserve["ltv_bps"]),
        liquidation_threshold_bps=int(reserve["liquidation_threshold_bps"]),
        liquidation_bonus_bps=int(reserve["liquidation_bonus_bps"]),
        reserve_factor_bps=int(reserve["reserve_factor_bps"]),
        liquidation_protocol_fee_bps=int(reserve["liquidation_protocol_fee_bps"]),
        supply_cap_tokens=int(reserve["supply_cap_tokens"]),
        borrow_cap_tokens=int(reserve["borrow_cap_tokens"]),
        borrowing_enabled=bool(reserve["borrowing_enabled"]),
    )


def _emode(emode: dict[str, Any], reserves: list[dict[str, Any]]) -> EModeParameters:
    """In the recordings every reserve of a category is both collateral and borrowable in it."""
    members = tuple(asset for asset, reserve in enumerate(reserves) if reserve["emode_category"] == emode["id"])
    return EModeParameters(
        category=int(emode["id"]),
        ltv_bps=int(emode["ltv_bps"]),
        liquidation_threshold_bps=int(emode["liquidation_threshold_bps"]),
        liquidation_bonus_bps=int(emode["liquidation_bonus_bps"]),
        collateral=members,
        borrowable=members,
        label=emode["label"],
    )
