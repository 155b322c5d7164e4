"""Replay of recorded Uniswap V3 traces and arithmetic tables through `ConcentratedPool`."""

from __future__ import annotations

from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.conformance.compare import Tally
from sim.ledger import Ledger
from sim.markets.amm.concentrated.liquidity_amounts import liquidity_for_amounts
from sim.markets.amm.concentrated.pool import ConcentratedPool
from sim.markets.amm.concentrated.sqrt_price_math import (
    amount0_rounding_down,
    amount0_rounding_up,
    amount1_rounding_down,
    amount1_rounding_up,
)
from sim.markets.amm.concentrated.swap_math import step_exact_in, step_exact_out
from sim.markets.amm.concentrated.tick_math import sqrt_ratio_at_tick, tick_at_sqrt_ratio


def replay(document: dict[str, Any]) -> Tally:
    """Replay one trace: outcome, reason, result, position and every number of the state after every step."""
    return _Replay(document).run()


def replay_math(document: dict[str, Any]) -> Tally:
    """Compare every row of the tables of TickMath, SqrtPriceMath, LiquidityAmounts and SwapMath."""
    tally = Tally()
    for tick, expected in document["sqrt_ratio_at_tick"]:
        _row(tally, f"sqrt_ratio_at_tick({tick})", expected, sqrt_ratio_at_tick, int(tick))
    for price, expected in document["tick_at_sqrt_ratio"]:
        _row(tally, f"tick_at_sqrt_ratio({price})", expected, tick_at_sqrt_ratio, int(price))
    deltas = (amount0_rounding_down, amount0_rounding_up, amount1_rounding_down, amount1_rounding_up)
    for a, b, liquidity, *expected_amounts in document["amount_deltas"]["rows"]:
        for function, expected in zip(deltas, expected_amounts, strict=True):
            _row(
                tally, f"{function.__name__}({a}, {b}, {liquidity})", expected, function, int(a), int(b), int(liquidity)
            )
    for *arguments, expected in document["liquidity_for_amounts"]["rows"]:
        numbers = [int(argument) for argument in arguments]
        _row(tally, f"liquidity_for_amounts({numbers})", expected, liquidity_for_amounts, *numbers)
    for price, target, liquidity, remaining, fee, expected in document["swap_step"]["rows"]:
        amount = int(remaining)
        step = step_exact_in if amount >= 0 else step_exact_out
        path = f"swap_step({price}, {target}, {liquidity}, {remaining}, {fee})"
        _row(tally, path, expected, step, int(price), int(target), int(liquidity), abs(amount), int(fee))
    return tally


def _row(tally: Tally, path: str, expected: Any, function: Any, *arguments: int) -> None:
    tally.operations += 1
    try:
        got = function(*arguments)
    except Revert as refusal:
        got = f"revert:{refusal.reason}"
    tally.compare_tree(path, expected, list(got) if isinstance(got, tuple) else got)


class _Replay:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.tally = Tally()
        self.clock = Clock(int(document["start_timestamp"]))
        self.ledger = Ledger()
        self.tokens = (
            self.ledger.add_token("token0", int(document["decimals0"])),
            self.ledger.add_token("token1", int(document["decimals1"])),
        )
        self.users: list[str] = document["users"]
        self.accounts = dict(zip(self.users, self.ledger.open_accounts(list(self.users)), strict=True))
        initial = document["initial_state"]
        for user, account in self.accounts.items():
            for token, key in zip(self.tokens, ("token0", "token1"), strict=True):
                self.ledger.inflow(token, account, int(initial["users"][user][key]))
        self.pool = ConcentratedPool(
            document["name"],
            self.ledger,
            self.clock,
            *self.tokens,
            fee_pips=int(document["fee_pips"]),
            tick_spacing=int(document["tick_spacing"]),
            fee_protocol=int(document["fee_protocol"]),
        )
        self.pool.initialize(int(initial["sqrt_price_x96"]))

    def run(self) -> Tally:
        name = self.document["name"]
        self._state(f"{name} initial", self.document["initial_state"])
        for step in self.document["steps"]:
            self._step(f"{name} step {step['i']} ({step['op']['op']})", step)
        for closing in self.document["closing"]:
            self._close(f"{name} closing position {closing['position']}", closing)
        self._state(f"{name} final", self.document["final_state"])
        return self.tally

    def _step(self, path: str, step: dict[str, Any]) -> None:
        tally = self.tally
        tally.operations += 1
        self.clock.timestamp = int(step["timestamp"])
        error: dict[str, Any] | None = None
        result: dict[str, Any] = {}
        crossed = 0
        try:
            with self.ledger.journal.atomic():
                result, crossed = self._apply(step["op"])
        except Revert as refusal:
            error = _error(refusal.reason)
        tally.compare(f"{path} ok", step["ok"], error is None)
        tally.compare_tree(f"{path} error", step["error"], error)
        tally.compare_tree(f"{path} result", step["result"], result)
        if "position_after" in step:
            wanted = step["position_after"]
            tally.compare_tree(f"{path} position", wanted, self._position(int(wanted["id"])))
        if "ticks_crossed" in step:
            tally.compare(f"{path} ticks_crossed", step["ticks_crossed"], crossed)
        self._state(path, step["state"])
        self.ledger.journal.clear()

    def _apply(self, op: dict[str, Any]) -> tuple[dict[str, Any], int]:
        pool, kind, sender = self.pool, op["op"], self.accounts[op["user"]]
        if kind in ("swap_exact_in", "swap_exact_out"):
            token, limit = self.tokens[int(op["token_in"])], int(op["sqrt_price_limit_x96"])
            if kind == "swap_exact_in":
                swap = pool.swap_exact_in(sender, token, int(op["amount_in"]), int(op.get("min_out", 0)), limit)
            else:
                most = int(op["max_in"]) if "max_in" in op else None
                swap = pool.swap_exact_out(sender, token, int(op["amount_out"]), most, limit)
            return {"amount_in": swap.amount_in, "amount_out": swap.amount_out}, swap.ticks_crossed
        if kind == "mint":
            ticks = int(op["tick_lower"]), int(op["tick_upper"])
            change = pool.mint(sender, *ticks, int(op["amount0_desired"]), int(op["amount1_desired"]))
            return change._asdict(), 0
        position = int(op["position"])
        if kind == "increase":
            change = pool.increase(sender, position, int(op["amount0_desired"]), int(op["amount1_desired"]))
            return {"liquidity": change.liquidity, "amount0": change.amount0, "amount1": change.amount1}, 0
        if kind == "decrease":
            change = pool.decrease(sender, position, int(op["liquidity"]))
            return {"amount0": change.amount0, "amount1": change.amount1}, 0
        if kind == "collect":
            collected = pool.collect(sender, position)
            return {"amount0": collected.amount0, "amount1": collected.amount1}, 0
        raise ValueError(f"unknown operation {kind!r}")

    def _close(self, path: str, closing: dict[str, Any]) -> None:
        """Empty and collect one position, as the recording did at its end."""
        self.tally.operations += 1
        pool, position, owner = self.pool, int(closing["position"]), self.accounts[closing["owner"]]
        held = pool.positions[position]
        principal = (0, 0)
        if held.liquidity:
            change = pool.decrease(owner, position, held.liquidity)
            principal = change.amount0, change.amount1
        collected = (0, 0)
        if pool.positions[position].tokens_owed0 or pool.positions[position].tokens_owed1:
            paid = pool.collect(owner, position)
            collected = paid.amount0, paid.amount1
        got = {
            "position": position,
            "owner": self.users[list(self.accounts.values()).index(held.owner)],
            "tick_lower": held.tick_lower,
            "tick_upper": held.tick_upper,
            "liquidity_removed": held.liquidity,
            "principal0": principal[0],
            "principal1": principal[1],
            "collected0": collected[0],
            "collected1": collected[1],
        }
        self.tally.compare_tree(path, closing, got)

    def _position(self, position: int) -> dict[str, Any] | None:
        held = self.pool.positions.get(position)
        if held is None:
            return None
        values = held._asdict()
        del values["owner"]
        return {"id": position, **values}

    def _state(self, path: str, expected: dict[str, Any]) -> None:
        state = self.pool.state
        balances = self.ledger.balances
        names = ("sqrt_price_x96", "tick", "liquidity", "fee_growth_global0_x128", "fee_growth_global1_x128")
        got: dict[str, Any] = {name: getattr(state, name) for name in (*names, "protocol_fees0", "protocol_fees1")}
        got["pool_balance0"], got["pool_balance1"] = self.pool.reserves()
        got["users"] = {
            user: {"token0": balances[self.tokens[0]][account], "token1": balances[self.tokens[1]][account]}
            for user, account in self.accounts.items()
        }
        self.tally.compare_tree(f"{path} state", expected, got)


def _error(reason: str) -> dict[str, str]:
    if reason == "":
        return {"kind": "empty", "code": "", "name": ""}
    return {"kind": "error", "code": reason, "name": reason}
