"""Replay of recorded Uniswap V2 traces through `ConstantProductPool`."""

from __future__ import annotations

from math import isqrt
from typing import Any

from sim.chain.clock import Clock
from sim.chain.revert import Revert
from sim.conformance.compare import Tally
from sim.ledger import Ledger
from sim.markets.amm.constant_product import ConstantProductPool
from sim.markets.amm.reasons import INVALID_OPCODE


def replay(document: dict[str, Any]) -> Tally:
    """Replay one trace: outcome, reason, result and every number of the state after every step."""
    return _Replay(document).run()


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
        users: list[str] = document["users"]
        self.accounts = dict(zip(users, self.ledger.open_accounts(list(users)), strict=True))
        initial = document["initial_state"]
        for user, account in self.accounts.items():
            for token, key in zip(self.tokens, ("token0", "token1"), strict=True):
                self.ledger.inflow(token, account, int(initial["users"][user][key]))
        self.pool = ConstantProductPool(
            document["name"],
            self.ledger,
            self.clock,
            *self.tokens,
            fee_bps=int(document["fee_bps"]),
            protocol_fee_on=bool(document["protocol_fee_on"]),
        )

    def run(self) -> Tally:
        name = self.document["name"]
        self._state(f"{name} initial", self.document["initial_state"])
        for step in self.document["steps"]:
            self._step(f"{name} step {step['i']} ({step['op']['op']})", step)
        return self.tally

    def _step(self, path: str, step: dict[str, Any]) -> None:
        tally = self.tally
        tally.operations += 1
        self.clock.timestamp = int(step["timestamp"])
        error: dict[str, str] | None = None
        result: dict[str, int] = {}
        try:
            with self.ledger.journal.atomic():
                result = self._apply(step["op"])
        except Revert as refusal:
            kind = "halt" if refusal.reason == INVALID_OPCODE else "error"
            error = {"kind": kind, "code": refusal.reason, "name": refusal.reason}
        tally.compare(f"{path} ok", step["ok"], error is None)
        tally.compare_tree(f"{path} error", step["error"], error)
        tally.compare_tree(f"{path} result", step["result"], result)
        self._state(path, step["state"])
        self.ledger.journal.clear()

    def _apply(self, op: dict[str, Any]) -> dict[str, int]:
        pool, kind, sender = self.pool, op["op"], self.accounts[op["user"]]
        if kind == "add_liquidity":
            added = pool.add_liquidity(sender, int(op["amount0_desired"]), int(op["amount1_desired"]))
            return {"amount0": added.amount0, "amount1": added.amount1, "lp_minted": added.shares}
        if kind == "remove_liquidity":
            removed = pool.remove_liquidity(sender, int(op["lp"]))
            return {"amount0": removed.amount0, "amount1": removed.amount1}
        if kind in ("swap_exact_in", "swap_exact_out"):
            token = self.tokens[int(op["token_in"])]
            if kind == "swap_exact_in":
                swap = pool.swap_exact_in(sender, token, int(op["amount_in"]), int(op.get("min_out", 0)))
            else:
                most = int(op["max_in"]) if "max_in" in op else None
                swap = pool.swap_exact_out(sender, token, int(op["amount_out"]), most)
            return {"amount_in": swap.amount_in, "amount_out": swap.amount_out}
        if kind == "pair_swap_raw":
            token_in, amount_out = int(op["token_in"]), int(op["amount_out"])
            self.ledger.transfer(self.tokens[token_in], sender, pool.account, int(op["amount_in"]))
            outputs = (amount_out, 0) if token_in else (0, amount_out)
            pool.swap(sender, *outputs)
            return {}
        if kind in ("donate_sync", "donate_skim"):
            self.ledger.transfer(self.tokens[int(op["token"])], sender, pool.account, int(op["amount"]))
            (pool.sync if kind == "donate_sync" else pool.skim)(sender)
            return {}
        raise ValueError(f"unknown operation {kind!r}")

    def _state(self, path: str, expected: dict[str, Any]) -> None:
        pool, balances = self.pool, self.ledger.balances
        state = pool.state
        got: dict[str, Any] = {
            "reserve0": state.reserve0,
            "reserve1": state.reserve1,
            "block_timestamp_last": state.block_timestamp_last,
            "lp_total_supply": state.total_shares,
            "k_last": state.k_last,
            "sqrt_k": isqrt(state.reserve0 * state.reserve1),
            "price0_cumulative_last": state.price0_cumulative_last,
            "price1_cumulative_last": state.price1_cumulative_last,
            "fee_to_lp": pool.shares.get(pool.fee_account, 0),
            "users": {
                user: {
                    "token0": balances[self.tokens[0]][account],
                    "token1": balances[self.tokens[1]][account],
                    "lp": pool.shares.get(account, 0),
                }
                for user, account in self.accounts.items()
            },
        }
        self.tally.compare_tree(f"{path} state", expected, got)
