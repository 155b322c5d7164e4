"""The grouped screen: at each look only the accounts that the movement of prices cannot clear.

Accounts are grouped by (collateral assets, debt assets, e-mode) and kept in the order of their health factor relative
to their trigger, at the base factors of their group. The bound of `sim.screening.bounds` says how far that ratio can
have fallen since; only the accounts before the point where the bound clears everybody are read. A group is sorted
again when the accounts read in vain exceed three times its size.

Accounts whose balances changed collect in a small buffer that is read in full at every look, then in a middle level,
then in the main one; levels are merged, so an account costs a constant number of merges however many there are.

Small positions cost nothing extra. With the slack s of `sim.screening.screen` on either side, an account's key is

    key = (C0 - 4 s) / ((D0 + 4 s) * trigger),

which bounds (C - s) / ((D + s) * trigger) from below as long as the numerator's bound has not fallen to a quarter (the
group is sorted again before it does) and the denominator's is not taken below a quarter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sim.screening.bounds import GroupTable
from sim.screening.columns import Columns, values_usd
from sim.screening.levels import Level, codes_of, limits_of, spans
from sim.screening.screen import Screen, lengthened

_PART = 131_072  # accounts whose balances are gathered at a time
_OUT = -1
_IN_BUFFER = 0
_SLACK_ROOM = 4.0
_NO_LIMIT = 3.2e38
_UNITS = 2.0  # smallest units by which a balance may be off, doubled
_VALUE_ROUNDING_USD = 1e-6  # 62 reserves' values, each rounded to 1e-8 USD, and some more


class _Prefix(NamedTuple):
    """The entries of a level that the bound does not clear: the first `counts` of each of `groups`."""

    level: Level
    groups: np.ndarray
    counts: np.ndarray
    accounts: np.ndarray  # all of them, one group after the other
    live: np.ndarray


class GroupScreen(Screen):
    """Accounts in groups, each in the order in which they can cross."""

    buffer_size = 256  # accounts read in full at every look, at most
    middle_size = 32_768  # entries of the middle level, at most
    waste_ratio = 3  # times a group's size may be read in vain before it is sorted again ...
    waste_floor = 64  # ... and this often besides: sorting a small group costs as much as reading so many accounts

    def __init__(self, columns: Columns, decide: Callable[[int], bool], **settings: Any) -> None:
        super().__init__(columns, decide, **settings)
        self._rounding: np.ndarray | None = None
        if self.units is not None:
            self._rounding = _UNITS * self.units[:, None]
            self.slack_usd = min(self.slack_usd, _VALUE_ROUNDING_USD)
        self._table = GroupTable(self.side, self.margin, self.single_margin)
        self._middle, self._main = self._levels = (Level(1), Level(2))
        self._level_of = np.full(1, _OUT, dtype=np.int8)  # one more than there are accounts: the last is nobody
        self._buffer = np.empty(self.buffer_size, dtype=np.int64)
        self._buffered = 0
        self._heads = np.empty(0)  # smallest key of each group over all levels
        self._wasted = np.empty(0, dtype=np.int64)

    # ------------------------------------------------------------------ a look
    def look(self, collateral_factors: np.ndarray, debt_factors: np.ndarray) -> list[int]:
        """The accounts that have newly crossed, ascending."""
        self._table.set_factors(collateral_factors, debt_factors)
        if self._buffered > self.buffer_size:
            self._empty_buffer()
        hot, limits = self._uncleared()
        if not self._buffered and not len(hot):
            return []
        prefixes = self._prefixes(hot, limits) if len(hot) else []
        buffered = self._buffer[: self._buffered]
        rows = np.concatenate([buffered, *(prefix.accounts[prefix.live] for prefix in prefixes)])
        above, below = self._values(rows, collateral_factors, debt_factors)
        limit = self._limits(rows)
        candidate = above - self.slack_usd < limit * (below + self.slack_usd)
        idle = self._without_denominator(buffered, below)
        candidate[idle] = False
        handed = self._judge(rows[candidate])
        if handed or len(idle):
            self._level_of[buffered[idle]] = _OUT
            self._level_of[handed] = _OUT
            self._tidy_buffer()
        if prefixes:
            room = _SLACK_ROOM * self.slack_usd
            vain = above - room >= limit * (below + room)
            vain[: len(buffered)] = False
            if vain.any():
                self._count_waste(prefixes, vain[len(buffered) :])
            self._tidy_prefixes(prefixes, bool(handed))
            for group in hot[self._wasted[hot] > self._waste_allowed(hot)].tolist():
                self._sort_again(group)
        return handed

    def _values(self, rows: np.ndarray, collateral: np.ndarray, debt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """At least the numerator and at most the denominator of each account, USD, but for `slack_usd`."""
        if self._rounding is None:
            weighted, owed = values_usd(self.columns, rows, collateral, debt)
        else:
            balances = self._rounded(self.columns.collateral_column.take(rows, axis=1), self.side == "above")
            balances *= collateral.T.take(self.columns.emode_column.take(rows), axis=1)
            weighted = np.add.reduce(balances, axis=0)
            balances = self._rounded(self.columns.debt_column.take(rows, axis=1), self.side == "below")
            balances *= debt[:, None]
            owed = np.add.reduce(balances, axis=0)
        return (weighted, owed) if self.side == "below" else (owed, weighted)

    def _rounded(self, balances: np.ndarray, up: bool, reserve: Any = slice(None)) -> np.ndarray:
        """Balances ([reserve, account], or those of one reserve) with what they may be off by, or less that."""
        if self._rounding is not None:
            off = self._rounding[reserve]
            if up:
                balances += off * (balances > 0.0)
            else:
                balances -= off
                np.maximum(balances, 0.0, out=balances)
        return balances

    def _judge(self, candidates: np.ndarray) -> list[int]:
        if not len(candidates):
            return []
        return [account for account in np.sort(candidates).tolist() if self.decide(account)]

    def _uncleared(self) -> tuple[np.ndarray, np.ndarray]:
        """The groups whose first account may have crossed, and the keys up to which theirs may have."""
        table = self._table
        if not len(table):
            return np.empty(0, dtype=np.int64), np.empty(0)
        above, below = table.bounds()
        if np.minimum.reduce(above) < 1.0 / _SLACK_ROOM:
            for group in np.flatnonzero(above < 1.0 / _SLACK_ROOM).tolist():
                self._sort_again(group)
            above, below = table.bounds()
        np.maximum(below, 1.0 / _SLACK_ROOM, out=below)
        below *= table.reach
        hot = (self._heads * above < below).nonzero()[0]
        if not len(hot):
            return hot, _NONE
        return hot, np.minimum(below[hot] / above[hot], _NO_LIMIT)

    def _prefixes(self, hot: np.ndarray, limits: np.ndarray) -> list[_Prefix]:
        found = []
        for level in self._levels:
            mine = level.heads[hot] < limits
            if not mine.any():
                continue
            groups = hot[mine]
            starts = level.start[groups]
            counts = level.codes.searchsorted(limits_of(groups, limits[mine])) - starts
            accounts = level.accounts[spans(starts, counts)]
            found.append(_Prefix(level, groups, counts, accounts, self._level_of.take(accounts) == level.number))
        return found

    def _without_denominator(self, buffered: np.ndarray, below: np.ndarray) -> np.ndarray:
        """Positions in the buffer of accounts without debt: they cannot cross before they are touched."""
        suspects = (below[: len(buffered)] <= 0.0).nonzero()[0]
        if not len(suspects):
            return suspects
        column = self.columns.debt_column if self.side == "below" else self.columns.collateral_column
        return suspects[~column.take(buffered[suspects], axis=1).any(axis=0)]

    # ------------------------------------------------------------------ after a look
    def _tidy_buffer(self) -> None:
        buffered = self._buffer[: self._buffered]
        kept = buffered[self._level_of[buffered] == _IN_BUFFER]
        self._buffered = len(kept)
        self._buffer[: len(kept)] = kept

    def _count_waste(self, prefixes: list[_Prefix], vain: np.ndarray) -> None:
        begin = 0
        for prefix in prefixes:
            of_group = np.repeat(prefix.groups, prefix.counts)[prefix.live]
            here = vain[begin : begin + len(of_group)]
            begin += len(of_group)
            self._wasted += np.bincount(of_group[here], minlength=len(self._wasted))

    def _waste_allowed(self, groups: np.ndarray) -> np.ndarray:
        middle, main = self._middle, self._main
        sizes = main.end[groups] - main.start[groups] + middle.end[groups] - middle.start[groups]
        return self.waste_ratio * sizes + self.waste_floor

    def _tidy_prefixes(self, prefixes: list[_Prefix], some_handed: bool) -> None:
        """Take out who was handed over, and what a touch made void."""
        changed = False
        for prefix in prefixes:
            live = prefix.live
            if some_handed:
                live = self._level_of.take(prefix.accounts) == prefix.level.number
            if not live.all():
                prefix.level.drop(prefix.groups, prefix.counts, live)
                changed = True
        if changed:
            self._read_heads()

    def _read_heads(self) -> None:
        self._heads = np.minimum(self._middle.heads, self._main.heads)

    # ------------------------------------------------------------------ keys and order
    def _keys(self, above: np.ndarray, below: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Lower bounds of health factor / trigger from the values at the base factors."""
        if self.side == "above":
            above, below = below, above
        room = _SLACK_ROOM * self.slack_usd
        trigger = self.triggers[rows] if self.side == "below" else 1.0 / self.triggers[rows]
        result: np.ndarray = (above - room) / ((below + room) * trigger)
        return result

    def _sort_again(self, group: int) -> None:
        """Make the present factors a group's base, and sort it by them."""
        self._table.rebase(group)
        kind = self._table.groups[group]
        weights = self._table.collateral_base[group], self._table.debt_base[group]
        for level in self._levels:
            rows = level.accounts[level.start[group] : level.end[group]]
            rows = rows[self._level_of.take(rows) == level.number]
            collateral, debt = np.zeros(len(rows)), np.zeros(len(rows))
            for reserve in kind.collateral():
                balances = self.columns.collateral_column[reserve].take(rows)
                collateral += self._rounded(balances, self.side == "above", reserve) * weights[0][reserve]
            for reserve in kind.debt():
                balances = self.columns.debt_column[reserve].take(rows)
                debt += self._rounded(balances, self.side == "below", reserve) * weights[1][reserve]
            codes = codes_of(np.full(len(rows), group), self._keys(collateral, debt, rows))
            order = codes.argsort()
            level.replace(group, codes[order], rows[order])
        self._wasted[group] = 0
        self._read_heads()

    def _empty_buffer(self) -> None:
        """Sort the buffer into the middle level, and that into the main one when it is full."""
        rows = self._buffer[: self._buffered]
        parts = [self._coded(rows[begin : begin + _PART]) for begin in range(0, len(rows), _PART)]
        codes = np.concatenate([part[0] for part in parts])
        accounts = np.concatenate([part[1] for part in parts])
        order = codes.argsort()
        groups = len(self._table)
        self._level_of[rows] = _OUT
        self._middle.merge(codes[order], accounts[order], groups, self._level_of)
        self._main.widen(groups)
        if len(self._middle) > self.middle_size:
            self._main.merge(*self._middle.take_live(self._level_of), groups, self._level_of)
            self._middle.clear(groups)
        self._wasted = lengthened(self._wasted, groups, 0)
        self._read_heads()
        self._buffered = 0
        if len(self._buffer) > 2 * self.buffer_size:
            self._buffer = np.empty(self.buffer_size, dtype=np.int64)

    def _coded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes and accounts of those rows that can cross at all, unsorted."""
        collateral = self.columns.collateral_column.take(rows, axis=1)
        debt = self.columns.debt_column.take(rows, axis=1)
        present = (debt if self.side == "below" else collateral).any(axis=0)
        if not present.all():
            rows, collateral, debt = rows[present], collateral[:, present], debt[:, present]
        table = self._table
        groups = table.ids(_masks(collateral), _masks(debt), self.columns.emode_column.take(rows).tolist())
        collateral = self._rounded(collateral, self.side == "above")
        debt = self._rounded(debt, self.side == "below")
        collateral *= table.collateral_base.T.take(groups, axis=1)
        debt *= table.debt_base.T.take(groups, axis=1)
        keys = self._keys(np.add.reduce(collateral, axis=0), np.add.reduce(debt, axis=0), rows)
        return codes_of(groups, keys), rows

    # ------------------------------------------------------------------ armed accounts
    def _enter(self, rows: np.ndarray) -> None:
        rows = rows[self._level_of[rows] != _IN_BUFFER]
        begin, end = self._buffered, self._buffered + len(rows)
        if end > len(self._buffer):
            self._buffer = lengthened(self._buffer, max(end, 2 * len(self._buffer)), 0)
        self._buffer[begin:end] = rows
        self._buffered = end
        self._level_of[rows] = _IN_BUFFER

    def _leave(self, rows: np.ndarray) -> None:
        was_buffered = bool((self._level_of[rows] == _IN_BUFFER).any())
        self._level_of[rows] = _OUT
        if was_buffered:
            self._tidy_buffer()

    def _extend(self, size: int) -> None:
        super()._extend(size)
        self._level_of = lengthened(self._level_of, size + 1, _OUT)


_NONE = np.empty(0)


def _masks(balances: np.ndarray) -> list[int]:
    """Which reserves each account has a balance in, as bit masks."""
    masks = np.zeros(balances.shape[1], dtype=np.int64)
    for reserve, column in enumerate(balances):
        masks |= (column != 0.0).astype(np.int64) << reserve
    result: list[int] = masks.tolist()
    return result
