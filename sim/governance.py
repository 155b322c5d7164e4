"""Governance: the scenario's changes of the pool's parameters, as transactions of an account of its own."""

from __future__ import annotations

from typing import Any

from scenarios import Scenario
from scenarios.schema import Change, bps
from sim.chain.transaction import Call, Transaction

#: Name of governance's account, and the kind of its transactions.
GOVERNANCE = "governance"

_RATES = ("optimal_utilisation", "base_rate_per_year", "slope1_per_year", "slope2_per_year")
_RISK = ("ltv", "liquidation_threshold", "liquidation_bonus")

#: Fields with a setter of their own: operation of the pool, and whether the value is a ratio that it wants in bps.
_SETTERS: tuple[tuple[str, str, bool], ...] = (
    ("liquidation_protocol_fee", "set_liquidation_protocol_fee", True),
    ("reserve_factor", "set_reserve_factor", True),
    ("supply_cap_tokens", "set_supply_cap", False),
    ("borrow_cap_tokens", "set_borrow_cap", False),
    ("borrowing_enabled", "set_borrowing_enabled", False),
    ("flash_loan_enabled", "set_flash_loan_enabled", False),
    ("paused", "set_paused", False),
    ("frozen", "set_frozen", False),
)


class Governance:
    """Changes in order of time; each becomes one transaction through the pool's admin operations, free of gas."""

    def __init__(self, scenario: Scenario, pool: Any, account: int) -> None:
        self.pool = pool
        self.account = account
        self.start = scenario.run.start_timestamp
        self.interest = scenario.mechanisms.interest
        # What each reserve and e-mode stands at, as the scenario says it; changes are laid over it.
        self._reserves = {name: reserve.model_dump() for name, reserve in scenario.pool.reserves.items()}
        self._emodes = {number: emode.model_dump() for number, emode in scenario.pool.emodes.items()}
        self._waiting = sorted(scenario.governance, key=lambda change: change.at_seconds, reverse=True)

    def due(self, timestamp: int) -> list[Transaction]:
        """The decisions that take effect at `timestamp`, in order."""
        waiting = self._waiting
        found: list[Transaction] = []
        while waiting and self.start + waiting[-1].at_seconds <= timestamp:
            calls = self._calls(waiting.pop())
            found.append(Transaction(self.account, tuple(Call("pool", *call, 0) for call in calls), GOVERNANCE))
        return found

    def _calls(self, change: Change) -> list[tuple[str, tuple[Any, ...]]]:
        given = {name: value for name, value in change.model_dump().items() if value is not None}
        if change.emode is not None:
            state = self._emodes[change.emode]
            state.update((name, given[name]) for name in _RISK if name in given)
            return [("set_emode_params", (change.emode, *_risk(state)))]
        assert change.reserve is not None
        asset = self.pool.asset(change.reserve)
        state = self._reserves[change.reserve]
        thawing = state["frozen"] and given.get("frozen") is False
        before = dict(state)
        state.update((name, value) for name, value in given.items() if name in state and name != "source")
        calls: list[tuple[str, tuple[Any, ...]]] = []
        if any(name in given for name in _RISK):
            calls.append(("set_collateral_params", (asset, *_risk(state))))
        for name, operation, ratio in _SETTERS:
            if name in given and not (name == "frozen" and given[name] == before[name]):
                calls.append((operation, (asset, bps(given[name]) if ratio else given[name])))
        if thawing and state["ltv"]:
            # Freezing has put the LTV aside; what the scenario calls unfreezing brings it back as well.
            calls.append(("set_ltv_zero", (asset, False)))
        if thawing:
            for number, emode in self._emodes.items():
                if change.reserve in emode["collateral"]:
                    calls.append(("set_emode_ltv_zero", (number, asset, False)))
        if any(name in given for name in _RATES):
            kink, *rates = (bps(state[name]) * 10**23 for name in _RATES)
            on = 1 if self.interest else 0
            calls.append(("set_rate_params", (asset, kink, *(on * rate for rate in rates))))
        return calls


def _risk(state: dict[str, Any]) -> tuple[int, int, int]:
    """LTV, threshold and bonus in bps as the pool stores them (a bonus of 5 % is 10,500)."""
    threshold = bps(state["liquidation_threshold"])
    return bps(state["ltv"]), threshold, 10_000 + bps(state["liquidation_bonus"]) if threshold else 0
