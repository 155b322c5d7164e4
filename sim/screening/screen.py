"""What every screen does: hand over an account once when its health factor crosses its trigger.

An account is *armed* with a trigger and handed over by the first `look` at which it has crossed. Then it is
forgotten until its balances change (`touch`), it is given back (`rearm`), or it gets another trigger (`arm`).
`pause` takes it out altogether, whatever happens to its balances, until `rearm` or `arm`.

The float health factor may only say "look here". With C the weighted collateral and D the debt in USD, an account is
put before `decide` (integers) when

    C - slack < trigger * (1 + margin) * (D + slack),

which holds whenever the integers could say so: the float errs by less than `margin` of its value (1e-3: rules before
Aave V3.6 truncate the average threshold to basis points) plus, on each side, less than `slack_usd` (two smallest units
of the coarsest listed token, two decimals at 1 USD). Under 10 USD the slack is the wider of the two; an account with
collateral of a few cents is put before the integers at every look. Without debt the health factor is infinite.
With one collateral asset nothing is averaged, so `single_margin` may be set much smaller (and so may `margin` where
the rules do not truncate): the integers are then asked only in the block in which the account crosses, not in every
block that it spends within 1e-3 of its trigger.

Where `units` are given (the smallest unit of each reserve's token, in whole tokens) the grouped screen takes two of
them off each asset on the one side and adds two to each on the other, before it weighs them. The slack then follows
prices and is that of the account's own tokens; what is left of `slack_usd` is the rounding of values to 1e-8 USD.

With `side="above"` an account is handed over when its health factor is over its trigger (owners who re-leverage):
the same with D and C, and trigger and 1 / trigger, exchanged; an account without collateral never crosses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np

from sim.screening.columns import Columns

Side = Literal["below", "above"]

#: Below this many accounts a plain pass is as fast as keeping an order (measured: calm blocks, four reserves).
PLAIN_BELOW = 2_000


class Screen(ABC):
    """Accounts and their triggers; subclasses decide how the crossed ones are found.

    `decide(account)` is the exact judgement (True: has crossed); it must depend on the account's balances and on the
    prices of the moment only. `touch` must have been told of every account whose balances changed before `look`.
    """

    def __init__(
        self,
        columns: Columns,
        decide: Callable[[int], bool],
        *,
        side: Side = "below",
        margin: float = 1e-3,
        single_margin: float | None = None,
        slack_usd: float = 0.02,
        units: Sequence[float] | None = None,
    ) -> None:
        if side not in ("below", "above"):
            raise ValueError(f"side is {side!r}; allowed: 'below', 'above'")
        if single_margin is None:
            single_margin = margin
        if not (0.0 < single_margin <= margin < 1.0 and slack_usd > 0.0):
            raise ValueError(
                f"need 0 < single_margin <= margin < 1 and slack_usd > 0, got {single_margin}, {margin}, {slack_usd}"
            )
        self.columns = columns
        self.decide = decide
        self.side: Side = side
        self.margin = margin
        self.single_margin = single_margin
        self.slack_usd = slack_usd
        self.units = None if units is None else np.array(units, dtype=np.float64)
        self.triggers = np.zeros(0)
        self.armed = np.zeros(0, dtype=bool)

    # ------------------------------------------------------------------ what the caller reports
    def arm(self, accounts: Iterable[int] | np.ndarray, triggers: Any = 1.0) -> None:
        """Watch these accounts for this trigger (one for all, or one each), anew also if watched already."""
        if not isinstance(accounts, (np.ndarray, range, list, tuple)):
            accounts = list(accounts)
        rows = np.asarray(accounts, dtype=np.int64)
        values = np.broadcast_to(np.asarray(triggers, dtype=np.float64), rows.shape)
        if not bool((np.isfinite(values) & (values > 0.0)).all()):
            raise ValueError("a trigger must be a finite, positive health factor")
        self._reach()
        self.triggers[rows] = values
        self.armed[rows] = True
        self._enter(ascending(rows))

    def touch(self, accounts: Iterable[int] | np.ndarray) -> None:
        """Balances, flags or e-mode of these accounts changed; those not armed are ignored."""
        rows = self._rows(accounts)
        self._enter(rows[self.armed[rows]])

    def rearm(self, accounts: Iterable[int] | np.ndarray) -> None:
        """Give back accounts that were handed over or paused; each must have been armed before."""
        rows = self._rows(accounts)
        if not bool((self.triggers[rows] > 0.0).all()):
            raise ValueError("an account without a trigger cannot be given back: arm it")
        self.armed[rows] = True
        self._enter(rows)

    def pause(self, accounts: Iterable[int] | np.ndarray) -> None:
        """Do not watch these accounts, touched or not, until `rearm` or `arm`."""
        rows = self._rows(accounts)
        self.armed[rows] = False
        self._leave(rows)

    # ------------------------------------------------------------------ what the caller asks
    @abstractmethod
    def look(self, collateral_factors: np.ndarray, debt_factors: np.ndarray) -> list[int]:
        """The accounts that have newly crossed at these factors ([e-mode, reserve] and [reserve]), ascending."""

    # ------------------------------------------------------------------ for subclasses
    @abstractmethod
    def _enter(self, rows: np.ndarray) -> None:
        """Take up (again) these accounts, unique and armed, whose balances or trigger may be new."""

    @abstractmethod
    def _leave(self, rows: np.ndarray) -> None:
        """Take these accounts out."""

    def _extend(self, size: int) -> None:
        """Lengthen the per-account arrays."""
        self.triggers = lengthened(self.triggers, size, 0.0)
        self.armed = lengthened(self.armed, size, False)

    def _reach(self) -> None:
        size = self.columns.emode_column.shape[0]
        if size > len(self.triggers):
            self._extend(size)

    def _rows(self, accounts: Iterable[int] | np.ndarray) -> np.ndarray:
        self._reach()
        if isinstance(accounts, np.ndarray):
            return ascending(accounts)
        if isinstance(accounts, range):
            return np.arange(accounts.start, accounts.stop, accounts.step, dtype=np.int64)
        return np.array(list(dict.fromkeys(accounts)), dtype=np.int64)

    def _limits(self, rows: np.ndarray) -> np.ndarray:
        """What numerator / denominator must stay below: trigger * (1 + margin), or (1 + margin) / trigger."""
        reach: Any = 1.0 + self.margin
        if self.single_margin < self.margin:
            assets = np.add.reduce(self.columns.collateral_column.take(rows, axis=1) != 0.0, axis=0, dtype=np.int8)
            reach = np.where(assets > 1, reach, 1.0 + self.single_margin)
        limits: np.ndarray = self.triggers.take(rows)
        return limits * reach if self.side == "below" else reach / limits


def ascending(accounts: np.ndarray) -> np.ndarray:
    """The accounts in ascending order, each once (by sorting: `np.unique` is several times slower on a million)."""
    rows = np.sort(accounts).astype(np.int64, copy=False)
    if len(rows) < 2:
        return rows
    fresh = np.empty(len(rows), dtype=bool)
    fresh[0] = True
    np.not_equal(rows[1:], rows[:-1], out=fresh[1:])
    return rows if fresh.all() else rows[fresh]


def lengthened(array: np.ndarray, size: int, fill: Any) -> np.ndarray:
    """A copy of a one-dimensional array with `fill` appended up to `size`."""
    result = np.full(size, fill, dtype=array.dtype)
    result[: len(array)] = array
    return result


def open_screen(
    kind: Literal["groups", "plain", "auto"],
    columns: Columns,
    decide: Callable[[int], bool],
    *,
    expected_accounts: int,
    **settings: Any,
) -> Screen:
    """The screen a scenario asks for; "auto" takes groups from `PLAIN_BELOW` expected accounts on."""
    from sim.screening.groups import GroupScreen
    from sim.screening.plain import PlainScreen

    if kind == "auto":
        kind = "groups" if expected_accounts >= PLAIN_BELOW else "plain"
    if kind == "groups":
        return GroupScreen(columns, decide, **settings)
    if kind == "plain":
        return PlainScreen(columns, decide, **settings)
    raise ValueError(f"screen is {kind!r}; allowed: 'groups', 'plain', 'auto'")
