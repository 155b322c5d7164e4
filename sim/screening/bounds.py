"""How far the health factors of a group of accounts can have fallen since the group was sorted.

A *group* holds the accounts with the same collateral assets, debt assets and e-mode. Let c_r and d_r be the
collateral and debt factors now and c0_r, d0_r those of the group's base (when it was last sorted). For every account
of the group, whatever its balances,

    HF >= HF0 * min over its collateral of (c_r / c0_r) / max over its debt of (d_r / d0_r).

With one asset on either side this is an equality. Triggers from above exchange numerator and denominator.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sim.screening.columns import BAD_FACTOR

#: Stands for a base factor of zero in a denominator: the asset counts from the moment it is worth anything.
_NOTHING = 1e-200


class Group(NamedTuple):
    """What the accounts of a group have in common: assets as bit masks over the reserves, and the e-mode."""

    collateral_mask: int
    debt_mask: int
    emode: int

    def collateral(self) -> list[int]:
        """Reserve ids of the collateral."""
        return _bits(self.collateral_mask)

    def debt(self) -> list[int]:
        """Reserve ids of the debt."""
        return _bits(self.debt_mask)


def _bits(mask: int) -> list[int]:
    return [bit for bit in range(mask.bit_length()) if mask >> bit & 1]


class _Side:
    """The assets of all groups on one side of the ratio, one entry per (group, asset), group after group."""

    def __init__(self, worst: np.ufunc) -> None:
        self.worst = worst
        self.numerator = worst is np.minimum
        self.place = np.empty(0, dtype=np.int64)  # where the factor stands in the factor vector
        self.read = np.empty(0, dtype=np.int64)  # what is compared with the base: `place`, or the constant 1
        self.base = np.empty(0)
        self.first = np.empty(0, dtype=np.int64)

    def append(self, places: list[list[int]], current: np.ndarray) -> None:
        sizes = np.array([len(group) for group in places], dtype=np.int64)
        new = np.array([place for group in places for place in group], dtype=np.int64)
        start = len(self.place)
        self.first = np.concatenate([self.first, start + np.cumsum(sizes) - sizes])
        self.place = np.concatenate([self.place, new])
        self.read = np.concatenate([self.read, new])
        self.base = np.concatenate([self.base, np.empty(len(new))])
        self.set_base(slice(start, len(self.place)), current)

    def entries(self, group: int) -> slice:
        end = self.first[group + 1] if group + 1 < len(self.first) else len(self.place)
        return slice(int(self.first[group]), int(end))

    def set_base(self, entries: slice, current: np.ndarray) -> None:
        """An asset worth nothing at the base bounds no numerator, and any denominator once it is worth something."""
        place = self.place[entries]
        base = current[place]
        nothing = base <= 0.0
        if self.numerator:
            self.read[entries] = np.where(nothing, len(current) - 1, place)
            self.base[entries] = np.where(nothing, 1.0, base)
        else:
            self.read[entries] = place
            self.base[entries] = np.where(nothing, _NOTHING, base)

    def ratios(self, current: np.ndarray) -> np.ndarray:
        ratio = current.take(self.read)
        ratio /= self.base
        result: np.ndarray = self.worst.reduceat(ratio, self.first)
        return result


class GroupTable:
    """All groups seen so far: their ids, base factors and bounds."""

    def __init__(self, side: str, margin: float, single_margin: float) -> None:
        self.side = side
        self.reach_several = 1.0 + margin
        self.reach_single = 1.0 + single_margin
        self.groups: list[Group] = []
        self.reach = np.empty(0)
        self.collateral_base = np.empty((0, 0))  # [group, reserve]
        self.debt_base = np.empty((0, 0))
        self._ids: dict[tuple[int, int, int], int] = {}
        self._collateral = _Side(np.minimum if side == "below" else np.maximum)
        self._debt = _Side(np.maximum if side == "below" else np.minimum)
        self._shape = (0, 0)
        self.current = np.ones(1)  # collateral factors by e-mode and reserve, debt factors, and a constant 1

    def __len__(self) -> int:
        return len(self.groups)

    # ------------------------------------------------------------------ factors
    def set_factors(self, collateral_factors: np.ndarray, debt_factors: np.ndarray) -> None:
        """Take the factors of this look; `ValueError` if one is negative or not a number."""
        if collateral_factors.shape != self._shape:
            self._reshape(*collateral_factors.shape)
        current, size = self.current, collateral_factors.size
        current[:size] = collateral_factors.ravel()
        current[size:-1] = debt_factors
        if not np.minimum.reduce(current) >= 0.0:
            raise ValueError(BAD_FACTOR)

    def _reshape(self, emodes: int, reserves: int) -> None:
        """Reserves or e-modes were added: the factor vector gets another layout."""
        if reserves > 62:
            raise ValueError(f"{reserves} reserves; the screen's asset masks hold at most 62")
        self._shape = (emodes, reserves)
        self.current = np.ones(emodes * reserves + reserves + 1)
        for side, places in ((self._collateral, self._places(True)), (self._debt, self._places(False))):
            constant = side.read != side.place
            side.place = np.array([place for group in places for place in group], dtype=np.int64)
            side.read = np.where(constant, len(self.current) - 1, side.place)
        self.collateral_base = _widened(self.collateral_base, len(self.groups), reserves)
        self.debt_base = _widened(self.debt_base, len(self.groups), reserves)

    def _places(self, collateral: bool, first: int = 0) -> list[list[int]]:
        emodes, reserves = self._shape
        constant = [len(self.current) - 1]  # of a group without assets on this side
        if collateral:
            return [[g.emode * reserves + r for r in g.collateral()] or constant for g in self.groups[first:]]
        return [[emodes * reserves + r for r in g.debt()] or constant for g in self.groups[first:]]

    # ------------------------------------------------------------------ groups
    def ids(self, collateral_masks: list[int], debt_masks: list[int], emodes: list[int]) -> np.ndarray:
        """The group of each account; groups not seen before are opened with the factors of this look as base."""
        known = self._ids
        first = len(self.groups)
        result = []
        for key in zip(collateral_masks, debt_masks, emodes, strict=True):
            group = known.get(key)
            if group is None:
                group = known[key] = len(self.groups)
                self.groups.append(Group(*key))
            result.append(group)
        if len(self.groups) > first:
            self._open(first)
        return np.array(result, dtype=np.int64)

    def _open(self, first: int) -> None:
        emodes, reserves = self._shape
        for group in self.groups[first:]:
            if group.emode >= emodes:
                raise ValueError(f"e-mode {group.emode} has no factors; there are {emodes}")
        self._collateral.append(self._places(True, first), self.current)
        self._debt.append(self._places(False, first), self.current)
        single = np.array([len(group.collateral()) <= 1 for group in self.groups[first:]])
        self.reach = np.concatenate([self.reach, np.where(single, self.reach_single, self.reach_several)])
        self.collateral_base = _widened(self.collateral_base, len(self.groups), reserves)
        self.debt_base = _widened(self.debt_base, len(self.groups), reserves)
        for group_id in range(first, len(self.groups)):
            self._copy_factors(group_id)

    def rebase(self, group: int) -> None:
        """Make the factors of this look the base of a group."""
        for side in (self._collateral, self._debt):
            side.set_base(side.entries(group), self.current)
        self._copy_factors(group)

    def _copy_factors(self, group: int) -> None:
        emodes, reserves = self._shape
        start = self.groups[group].emode * reserves
        self.collateral_base[group] = self.current[start : start + reserves]
        self.debt_base[group] = self.current[emodes * reserves : -1]

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Per group, at most how far the numerator has fallen and the denominator risen, as ratios to the base."""
        collateral, debt = self._collateral.ratios(self.current), self._debt.ratios(self.current)
        return (collateral, debt) if self.side == "below" else (debt, collateral)


def _widened(array: np.ndarray, rows: int, columns: int) -> np.ndarray:
    if array.shape == (rows, columns):
        return array
    result: Any = np.zeros((rows, columns))
    result[: array.shape[0], : array.shape[1]] = array
    return result
