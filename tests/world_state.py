"""The whole state of an economy's markets as plain values, so that two moments can be compared with `==`.

The walk visits everything that hangs on ledger, pool, AMMs, venues, outside market, oracle, queues and provision,
integers and float columns alike, whatever it is called: state added later is compared without a change here. Left out
by name is what decides nothing: what is only remembered and checked before use, and lists of accounts to look at again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np

#: Attribute -> why it is not state.
NOT_STATE = {
    "journal": "the list of writes itself",
    "touched": "accounts to look at again; once too often is harmless",
    "_accrued": "totals remembered by the identity of what they were worked out from",
    "_incomes": "indexes remembered likewise",
    "_debt_indexes": "indexes remembered likewise",
    "_seen": "a stable pool's invariant, remembered with the balances it was worked out from",
    "_priced": "a stable pool's prices, remembered likewise",
    "_used": "reserves of every pattern of flags, a table that only grows",
    "_routes": "routes between tokens, a table that only grows",
    "_watchers": "functions",
    "randomness": "draws are keyed; it remembers the keys",
}

#: Registers whose entries are removed, so that undoing puts an entry back at the end; nobody asks for their order
#: where it could matter (sums of integers, and look-ups).
UNORDERED = ("ticks", "positions", "requests", "held")

_PLAIN = (int, float, str, bytes, bool, type(None), frozenset)
_NUMBERS = {int, float, str, bool, type(None)}


def state_of(economy: Any) -> dict[str, Any]:
    """Everything that a transaction could write."""
    roots = ("ledger", "pool", "amms", "venues", "outside", "oracle", "gas", "clock")
    seen: dict[int, Any] = {}
    found = {name: _picture(getattr(economy, name), seen) for name in roots}
    world = economy.world
    return found | {name: _picture(getattr(world, name), seen) for name in ("queues", "provision", "ratios", "loops")}


def difference(before: Any, after: Any, path: str = "") -> str:
    """Where two pictures first differ, in words; empty if they do not."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            if key not in before or key not in after:
                return f"{path}.{key}: only {'before' if key in before else 'after'}"
            found = difference(before[key], after[key], f"{path}.{key}")
            if found:
                return found
        if any(f".{name}" in path for name in UNORDERED):
            return ""
        return "" if list(before) == list(after) else f"{path}: order of keys {list(before)} -> {list(after)}"
    if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            found = difference(one, other, f"{path}[{place}]")
            if found:
                return found
        return ""
    return "" if before == after and type(before) is type(after) else f"{path}: {before!r} -> {after!r}"


def _picture(value: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, memoryview):
        return value.format, value.tobytes()
    if callable(value) and not hasattr(value, "__dict__"):
        return "function"
    if isinstance(value, tuple) and set(map(type, value)) <= _NUMBERS:
        return tuple(value)
    if id(value) in seen:
        return "seen"
    seen[id(value)] = value  # kept alive, so that no other object gets its id meanwhile
    if isinstance(value, Mapping):
        return {key: _picture(item, seen) for key, item in value.items()}
    if isinstance(value, list | tuple | deque):
        if set(map(type, value)) <= _NUMBERS:
            return tuple(value)
        return tuple(_picture(item, seen) for item in value)
    if isinstance(value, set):
        return frozenset(value)
    return {name: _picture(item, seen) for name, item in _attributes(value).items()}


def _attributes(value: Any) -> dict[str, Any]:
    names = [name for cls in type(value).__mro__ for name in getattr(cls, "__slots__", ())]
    found = {name: getattr(value, name) for name in names if hasattr(value, name)} | getattr(value, "__dict__", {})
    return {name: item for name, item in found.items() if name not in NOT_STATE and not callable(item)}
