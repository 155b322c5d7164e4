"""A screen hands over exactly what the integers say, in the same block; a screen with a planted mistake is caught."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screening_fixture import SIDES, World, first_difference

from sim.screening import GroupScreen, PlainScreen, Screen
from sim.screening.bounds import GroupTable
from sim.screening.levels import Level

#: Histories that every planted mistake is tried on.
SEEDS = range(8)


class Hurried(GroupScreen):
    """The grouped screen with small levels, so that short histories merge and sort again often."""

    buffer_size = 6
    middle_size = 30
    waste_floor = 2


def caught(kind: type[Screen], side: str = "below", **setting: Any) -> str | None:
    for seed in SEEDS:
        difference = first_difference(lambda world: kind(world, world.decide, side=side, **setting), seed, side)
        if difference is not None:
            return difference
    return None


# ---------------------------------------------------------------------- the screens as they are
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", [PlainScreen, GroupScreen, Hurried])
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_a_screen_hands_over_what_the_integers_say(kind: type[Screen], side: str, seed: int) -> None:
    assert first_difference(lambda world: kind(world, world.decide, side=side), seed, side) is None


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("kind", [PlainScreen, Hurried])
def test_the_histories_of_the_planted_mistakes_are_passed_without_them(kind: type[Screen], side: str) -> None:
    assert caught(kind, side) is None


def test_one_collateral_needs_only_a_fine_margin() -> None:
    assert caught(PlainScreen, single_margin=1e-6) is None
    assert caught(Hurried, single_margin=1e-6) is None


def test_histories_exercise_every_path() -> None:
    """Merging into both levels, sorting again, dropping and thousands of hand-overs all happen in them."""
    counts: dict[str, int] = {}

    class Counting(Hurried):
        def _empty_buffer(self) -> None:
            super()._empty_buffer()
            counts["merged"] = counts.get("merged", 0) + 1
            counts["main"] = max(counts.get("main", 0), len(self._main))
            counts["groups"] = len(self._table)

        def _sort_again(self, group: int) -> None:
            super()._sort_again(group)
            counts["sorted"] = counts.get("sorted", 0) + 1

        def look(self, *factors: np.ndarray) -> list[int]:
            handed = super().look(*factors)
            counts["handed"] = counts.get("handed", 0) + len(handed)
            return handed

    assert caught(Counting) is None
    assert counts["merged"] > 150
    assert counts["main"] > 30
    assert counts["groups"] > 50
    assert counts["sorted"] > 50
    assert counts["handed"] > 2000


# ---------------------------------------------------------------------- mistakes in the margin
class WithoutMarginPlain(PlainScreen):
    def _limits(self, rows: np.ndarray) -> np.ndarray:
        return super()._limits(rows) / (1.0 + self.margin)


class WithoutMargin(Hurried):
    def _limits(self, rows: np.ndarray) -> np.ndarray:
        return super()._limits(rows) / (1.0 + self.margin)


class MarginOnTheWrongSide(Hurried):
    def _limits(self, rows: np.ndarray) -> np.ndarray:
        return super()._limits(rows) / (1.0 + self.margin) ** 2


class BoundWithoutMargin(Hurried):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._table = GroupTable(self.side, -self.margin, -self.margin)


class AverageInsteadOfWorst(Hurried):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._table = _AverageTable(self.side, self.margin, self.margin)


class _AverageTable(GroupTable):
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        sides = []
        for side in (self._collateral, self._debt):
            ratio = self.current[side.read] / side.base
            sizes = np.diff(np.append(side.first, len(ratio)))
            sides.append(np.add.reduceat(ratio, side.first) / sizes)
        return sides[0], sides[1]


class DebtNeverGrows(Hurried):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._table = _FixedDebtTable(self.side, self.margin, self.margin)


class _FixedDebtTable(GroupTable):
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        collateral, debt = super().bounds()
        return collateral, np.ones_like(debt)


class NewBaseOldOrder(Hurried):
    def _sort_again(self, group: int) -> None:
        self._table.rebase(group)


class DustLikeTheOthers(Hurried):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.slack_usd = 1e-12


class DustLikeTheOthersPlain(PlainScreen):
    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.slack_usd = 1e-12


# ---------------------------------------------------------------------- mistakes in touched rows
class TouchIgnored(Hurried):
    def touch(self, accounts: Any) -> None:
        pass


class TouchIgnoredPlain(PlainScreen):
    def touch(self, accounts: Any) -> None:
        pass


class LastTouchedForgotten(Hurried):
    def touch(self, accounts: Any) -> None:
        super().touch(list(accounts)[:-1])


class TouchedKeepTheirOldPlace(Hurried):
    def touch(self, accounts: Any) -> None:
        super().touch([account for account in accounts if self._level_of[account] <= 0])


class OldEntriesLiveOn(Hurried):
    """Entries that a touch made void come back to life when the touched account reaches their level."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._middle, self._main = self._levels = (_HoardingLevel(1), _HoardingLevel(2))


class _HoardingLevel(Level):
    def take_live(self, level_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        kept = self.accounts >= 0
        return self.codes[kept], self.accounts[kept]


class MergedOutOfOrder(Hurried):
    def _coded(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes, accounts = super()._coded(rows)
        return codes, accounts[::-1]


class IdleForEver(Hurried):
    """An account without debt when it was read is not armed again by a touch."""

    def _without_denominator(self, buffered: np.ndarray, below: np.ndarray) -> np.ndarray:
        idle = super()._without_denominator(buffered, below)
        self.armed[buffered[idle]] = False
        return idle


# ---------------------------------------------------------------------- mistakes in handing over and arming again
class NotForgotten(Hurried):
    def look(self, *factors: np.ndarray) -> list[int]:
        handed = super().look(*factors)
        self.touch(handed)
        return handed


class ForgottenForEver(Hurried):
    def look(self, *factors: np.ndarray) -> list[int]:
        handed = super().look(*factors)
        self.armed[handed] = False
        return handed


class RearmIgnored(Hurried):
    def rearm(self, accounts: Any) -> None:
        pass


class RearmIgnoredPlain(PlainScreen):
    def rearm(self, accounts: Any) -> None:
        pass


class RearmedOneShort(Hurried):
    def rearm(self, accounts: Any) -> None:
        super().rearm(list(accounts)[1:])


class PausedWokenByTouch(Hurried):
    def pause(self, accounts: Any) -> None:
        super().pause(accounts)
        self.armed[accounts] = True


class OldTriggerKept(Hurried):
    """A new trigger does not move an account that stands in the order already."""

    def arm(self, accounts: Any, triggers: Any = 1.0) -> None:
        placed = [int(a) for a in accounts if a + 1 < len(self._level_of) and self._level_of[a] > 0]
        levels = self._level_of[placed]
        buffered = self._buffered
        super().arm(accounts, triggers)
        added = self._buffer[buffered : self._buffered]
        kept = added[~np.isin(added, placed)]
        self._buffer[buffered : buffered + len(kept)] = kept
        self._buffered = buffered + len(kept)
        self._level_of[placed] = levels


class OutOfOrder(Hurried):
    def look(self, *factors: np.ndarray) -> list[int]:
        return super().look(*factors)[::-1]


MISTAKES = {
    "margin": [
        WithoutMargin,
        WithoutMarginPlain,
        MarginOnTheWrongSide,
        BoundWithoutMargin,
        AverageInsteadOfWorst,
        DebtNeverGrows,
        NewBaseOldOrder,
        DustLikeTheOthers,
        DustLikeTheOthersPlain,
    ],
    "touched": [
        TouchIgnored,
        TouchIgnoredPlain,
        LastTouchedForgotten,
        TouchedKeepTheirOldPlace,
        OldEntriesLiveOn,
        MergedOutOfOrder,
        IdleForEver,
    ],
    "arming": [
        NotForgotten,
        ForgottenForEver,
        RearmIgnored,
        RearmIgnoredPlain,
        RearmedOneShort,
        PausedWokenByTouch,
        OldTriggerKept,
        OutOfOrder,
    ],
}


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(kind, id=f"{where}-{kind.__name__}") for where, kinds in MISTAKES.items() for kind in kinds],
)
def test_a_planted_mistake_is_caught(mistake: type[Screen]) -> None:
    assert caught(mistake) is not None, f"{mistake.__name__} passed all histories"


def test_the_judge_asks_integers_only() -> None:
    """No account is taken without being put before `decide`, and most are never put before it."""
    world = World(1)
    screen = GroupScreen(world, world.decide)
    screen.arm(range(world.accounts), np.array(world.triggers))
    handed = screen.look(*world.factors())
    assert handed
    assert len(handed) <= world.decisions < world.accounts
