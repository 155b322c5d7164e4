"""Sorted arrays of accounts, ordered by (group, key), merged and never sorted as a whole again.

A key is a lower bound of an account's health factor relative to its trigger, at the base factors of its group. Group
and key stand in one 64-bit *code*: the group above, below it the key as a 32-bit float, rounded down. The bit
pattern of a positive float grows with its value, so codes sort as (group, key) do, and rounding down only means that
an account may be looked at a little early.
"""

from __future__ import annotations

import numpy as np

_SHIFT = np.uint64(32)
_KEY = np.uint64(0xFFFFFFFF)
_LARGEST = 3e38  # of a key; limits may be a little larger and still fit 32 bits
#: Stands in the place of an entry that was taken out; the account after the last one, which is never live.
NOBODY = -1
#: Head of a group without entries: large, but finite when multiplied.
EMPTY = 1e250


def codes_of(groups: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Codes of entries; a key that is not positive becomes 0: always looked at."""
    rounded = np.minimum(keys, _LARGEST) * (1.0 - 2.0**-23)
    rounded = np.where(rounded > 1e-30, rounded, 0.0)
    return (groups.astype(np.uint64) << _SHIFT) | rounded.astype(np.float32).view(np.uint32)


def limits_of(groups: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Codes such that every entry of the group whose key is below its limit has a smaller code."""
    raised = np.minimum(np.maximum(limits * (1.0 + 2.0**-22), 1e-30), 1.1 * _LARGEST)
    return (groups.astype(np.uint64) << _SHIFT) | raised.astype(np.float32).view(np.uint32)


def keys_of(codes: np.ndarray) -> np.ndarray:
    """The keys in the codes."""
    return (codes & _KEY).astype(np.uint32).view(np.float32).astype(np.float64)


def spans(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The positions start, start + 1, ... of every span, one span after the other."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)


class Level:
    """One sorted array: entries of group g stand in [start[g], end[g]); what is taken out leaves from the front.

    An entry is live while `level_of[account]` is this level's number; others are dropped when met, or when merged.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.codes = np.empty(0, dtype=np.uint64)
        self.accounts = np.empty(0, dtype=np.int32)
        self.start = np.empty(0, dtype=np.int64)
        self.end = np.empty(0, dtype=np.int64)
        self.heads = np.empty(0)  # smallest key of each group

    def __len__(self) -> int:
        return len(self.codes)

    def take_live(self, level_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes and accounts of the live entries, in order."""
        live = level_of.take(self.accounts) == self.number
        return self.codes[live], self.accounts[live]

    def merge(self, codes: np.ndarray, accounts: np.ndarray, groups: int, level_of: np.ndarray) -> None:
        """Merge sorted entries in, in time linear in both, and drop what is not live; the new ones become live."""
        own_codes, own_accounts = self.take_live(level_of)
        total = len(own_codes) + len(codes)
        places = own_codes.searchsorted(codes) + np.arange(len(codes))
        mine = np.ones(total, dtype=bool)
        mine[places] = False
        self.codes = np.empty(total, dtype=np.uint64)
        self.accounts = np.empty(total, dtype=np.int32)
        self.codes[places] = codes
        self.codes[mine] = own_codes
        self.accounts[places] = accounts
        self.accounts[mine] = own_accounts
        level_of[accounts] = self.number
        self._index(groups)

    def clear(self, groups: int) -> None:
        """Forget all entries."""
        self.codes = self.codes[:0]
        self.accounts = self.accounts[:0]
        self._index(groups)

    def _index(self, groups: int) -> None:
        edges = self.codes.searchsorted(np.arange(groups + 1, dtype=np.uint64) << _SHIFT)
        self.start, self.end = edges[:-1].copy(), edges[1:].copy()
        self.heads = np.full(groups, EMPTY)
        self._read_heads(np.arange(groups))

    def widen(self, groups: int) -> None:
        """New groups were opened: they are empty here."""
        more = groups - len(self.start)
        if more:
            self.start = np.concatenate([self.start, np.full(more, len(self.codes), dtype=np.int64)])
            self.end = np.concatenate([self.end, np.full(more, len(self.codes), dtype=np.int64)])
            self.heads = np.concatenate([self.heads, np.full(more, EMPTY)])

    def _read_heads(self, groups: np.ndarray) -> None:
        start = self.start[groups]
        filled = start < self.end[groups]
        self.heads[groups[~filled]] = EMPTY
        self.heads[groups[filled]] = keys_of(self.codes[start[filled]])

    def drop(self, groups: np.ndarray, counts: np.ndarray, live: np.ndarray) -> None:
        """Of the first `counts` entries of each group keep those marked live, in order."""
        starts = self.start[groups]
        positions = spans(starts, counts)
        kept = np.add.reduceat(live, np.cumsum(counts) - counts, dtype=np.int64)
        begin = starts + counts - kept
        source = positions[live]
        target = spans(begin, kept)
        self.codes[target] = self.codes[source]
        self.accounts[target] = self.accounts[source]
        gone = spans(starts, counts - kept)
        self.codes[gone] = np.repeat(groups.astype(np.uint64) << _SHIFT, counts - kept)
        self.accounts[gone] = NOBODY
        self.start[groups] = begin
        self._read_heads(groups)

    def replace(self, group: int, codes: np.ndarray, accounts: np.ndarray) -> None:
        """Put sorted entries in the place of all of a group's; there must not be more of them."""
        end = int(self.end[group])
        begin = end - len(codes)
        gone = slice(int(self.start[group]), begin)
        self.codes[gone] = np.uint64(group) << _SHIFT
        self.accounts[gone] = NOBODY
        self.codes[begin:end] = codes
        self.accounts[begin:end] = accounts
        self.start[group] = begin
        self._read_heads(np.array([group]))
