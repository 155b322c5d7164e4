"""Replay of recorded StableSwap arithmetic through `sim.markets.amm.stableswap`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.chain.revert import Revert
from sim.conformance.compare import Tally
from sim.conformance.documents import Document
from sim.markets.amm.stableswap import share_math, swap_math
from sim.markets.amm.stableswap.invariant import invariant

#: The contract's name of a function -> ours; both take the same arguments in the same order.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "invariant": invariant,
    "outGivenIn": swap_math.out_given_in,
    "inGivenOut": swap_math.in_given_out,
    "bptOutGivenExactTokensIn": share_math.shares_out_given_tokens_in,
    "tokenInGivenExactBptOut": share_math.token_in_given_shares_out,
    "bptInGivenExactTokensOut": share_math.shares_in_given_tokens_out,
    "tokenOutGivenExactBptIn": share_math.token_out_given_shares_in,
    "tokensOutGivenExactBptIn": share_math.tokens_out_given_shares_in,
}


def replay(document: Document) -> Tally:
    """Every row: the number or numbers that a function gives, or the reason for which it reverts."""
    tally = Tally()
    for i, row in enumerate(document["rows"]):
        got: Any
        try:
            got = _FUNCTIONS[row["function"]](*(_argument(value) for value in row["args"]))
        except Revert as refusal:
            got = f"revert:{refusal.reason}"
        tally.operations += 1
        tally.compare_tree(f"rows[{i}] {row['function']}({row['args']})", row["result"], got)
    return tally


def _argument(value: Any) -> Any:
    """Integers are recorded as decimal strings, balances as lists of them, flags as booleans."""
    if isinstance(value, list):
        return [int(number) for number in value]
    return value if isinstance(value, bool) else int(value)
