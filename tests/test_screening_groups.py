"""What the grouped screen reads, and what it does not: cost follows events, not existence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.screening import GroupScreen, PlainScreen, Screen, groups, health_factors, open_screen, values_usd
from sim.screening.bounds import Group, GroupTable
from sim.screening.levels import codes_of, keys_of, limits_of, spans

PRICES = np.array([2000.0, 60_000.0, 1.0])
THRESHOLD = 0.8


class Book:
    """Columns of three reserves (ETH, BTC, USDC) without e-mode, and the float as judge."""

    def __init__(self, accounts: int) -> None:
        self.collateral_column = np.zeros((3, accounts))
        self.debt_column = np.zeros((3, accounts))
        self.emode_column = np.zeros(accounts, dtype=np.int16)
        self.prices = PRICES.copy()
        self.trigger = 1.0
        self.asked = 0

    def position(self, account: int, shares: list[float], debt_usd: float, health_factor: float) -> None:
        """Collateral split by `shares` over the reserves at the first prices, debt in USDC."""
        value = debt_usd * health_factor / THRESHOLD
        self.collateral_column[:, account] = value * np.array(shares) / PRICES
        self.debt_column[2, account] = debt_usd

    def factors(self) -> tuple[np.ndarray, np.ndarray]:
        return (self.prices * THRESHOLD)[None, :], self.prices

    def decide(self, account: int) -> bool:
        self.asked += 1
        return bool(health_factors(self, np.array([account]), *self.factors())[0] < self.trigger)


def settled(book: Book, count: int, **settings: Any) -> GroupScreen:
    """A screen that has sorted everybody."""
    screen = GroupScreen(book, book.decide, **settings)
    screen.buffer_size = 0
    screen.arm(range(count))
    screen.look(*book.factors())
    return screen


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many accounts each look has read."""
    sizes: list[int] = []

    def counting(columns: Any, accounts: np.ndarray, *factors: Any) -> tuple[np.ndarray, np.ndarray]:
        sizes.append(len(accounts))
        return values_usd(columns, accounts, *factors)

    monkeypatch.setattr(groups, "values_usd", counting)
    return sizes


# ---------------------------------------------------------------------- what is read
def test_a_calm_look_reads_nobody(read: list[int]) -> None:
    book = Book(2000)
    for account in range(2000):
        book.position(account, [1, 0, 0], 1000.0, 1.2 + account / 2000)
    screen = settled(book, 2000)
    read.clear()
    for _ in range(20):
        book.prices[0] *= 0.995
        assert screen.look(*book.factors()) == []
    assert read == []


def test_with_one_collateral_only_those_in_reach_are_read_and_nothing_is_sorted_again(
    read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Book(1000)
    for account in range(1000):
        book.position(account, [1, 0, 0], 1000.0, 1.001 + account / 1000)
    screen = settled(book, 1000)
    monkeypatch.setattr(screen, "_sort_again", lambda group: pytest.fail("sorted again"))
    read.clear()
    handed = []
    for _ in range(65):
        book.prices[0] *= 0.99
        handed += screen.look(*book.factors())
    assert handed == list(range(len(handed)))
    assert 900 < len(handed) < 1000
    assert sum(read) < 1.2 * len(handed)


def test_who_was_handed_over_costs_nothing_more(read: list[int]) -> None:
    book = Book(500)
    for account in range(500):
        book.position(account, [0.5, 0.5, 0], 1000.0, 1.1 + account / 5000)
    screen = settled(book, 500)
    book.prices[:2] *= 0.5
    assert screen.look(*book.factors()) == list(range(500))
    read.clear()
    for _ in range(10):
        book.prices[:2] *= 0.99
        assert screen.look(*book.factors()) == []
    assert read == []


def test_small_healthy_positions_cost_nothing(read: list[int]) -> None:
    book = Book(300)
    for account in range(300):
        book.position(account, [1, 0, 0], 0.5 + account / 50, 1.5)
    screen = settled(book, 300)
    read.clear()
    for _ in range(10):
        book.prices[0] *= 0.99
        assert screen.look(*book.factors()) == []
    assert read == []
    assert book.asked == 0


def test_an_account_without_debt_is_read_once(read: list[int]) -> None:
    book = Book(4)
    book.collateral_column[0] = 1.0
    screen = GroupScreen(book, book.decide)
    screen.arm(range(4))
    assert screen.look(*book.factors()) == []
    assert read == [4]
    assert screen.look(*book.factors()) == []
    assert read == [4]
    book.debt_column[2, 3] = 1600.5
    screen.touch([3])
    assert screen.look(*book.factors()) == [3]


def test_a_group_read_in_vain_is_sorted_again(read: list[int]) -> None:
    """ETH halves: accounts that hold BTC beside a little ETH stay healthy, and are not read at every look for ever."""
    book = Book(200)
    for account in range(200):
        book.position(account, [0.01, 0.99, 0], 1000.0, 1.2 + account / 1000)
    screen = settled(book, 200)
    read.clear()
    book.prices[0] *= 0.5
    for _ in range(1000):
        assert screen.look(*book.factors()) == []
    assert 3 * 200 < sum(read) < 5 * 200


def test_small_positions_stay_sound_when_prices_collapse() -> None:
    """The bound allows for the slack until a price has fallen to a quarter; then the group gets a new base."""
    book = Book(50)
    for account in range(50):
        book.position(account, [1, 0, 0], 1.0, 20.0 + account)
    screen = settled(book, 50)
    plain = PlainScreen(book, book.decide)
    plain.arm(range(50))
    handed: list[int] = []
    for _ in range(100):
        book.prices[0] *= 0.95
        new = screen.look(*book.factors())
        assert new == plain.look(*book.factors())
        handed += new
    assert handed == list(range(50))


def test_rows_in_the_margin_are_asked_again_only_with_the_wide_margin() -> None:
    for margin, asked in ((1e-3, 10), (1e-6, 0)):
        book = Book(1)
        book.position(0, [1, 0, 0], 1e6, 1.0005)
        screen = GroupScreen(book, book.decide, single_margin=margin)
        screen.arm([0])
        for _ in range(10):
            assert screen.look(*book.factors()) == []
        assert book.asked == asked


# ---------------------------------------------------------------------- changes of shape
def test_reserves_and_emodes_may_be_added() -> None:
    book = Book(3)
    for account in range(3):
        book.position(account, [1, 0, 0], 1000.0, 1.05 + account)
    screen = settled(book, 3)
    widths = (4, 3)
    for name in ("collateral_column", "debt_column"):
        new = np.zeros(widths)
        new[:3] = getattr(book, name)
        setattr(book, name, new)
    book.prices = np.array([1800.0, 60_000.0, 1.0, 10.0])
    collateral_factors = np.stack([book.prices * THRESHOLD, book.prices * 0.5])
    book.emode_column[1] = 1
    book.collateral_column[3, 2] = 1.0
    screen.touch([1, 2])
    expected = np.flatnonzero(health_factors(book, np.arange(3), collateral_factors, book.prices) < 1.0).tolist()
    book.factors = lambda: (collateral_factors, book.prices)  # type: ignore[method-assign]
    assert expected == [0]
    assert screen.look(*book.factors()) == expected


def test_columns_may_be_replaced_by_longer_ones() -> None:
    book = Book(2)
    book.position(0, [1, 0, 0], 1000.0, 1.5)
    screen = settled(book, 1)
    longer = Book(100)
    longer.position(0, [1, 0, 0], 1000.0, 1.5)
    longer.position(99, [1, 0, 0], 1000.0, 0.9)
    book.collateral_column, book.debt_column = longer.collateral_column, longer.debt_column
    book.emode_column = longer.emode_column
    screen.arm([99])
    assert screen.look(*book.factors()) == [99]


@pytest.mark.parametrize(("side", "health_factor"), [("below", 1.05), ("above", 0.95)])
def test_an_asset_that_counts_for_nothing_and_then_for_something(side: Any, health_factor: float) -> None:
    """Threshold zero at first: no bound rests on it, and once it counts it helps."""
    book = Book(1)
    book.position(0, [0.5, 0.5, 0], 1000.0, 2 * health_factor)
    sign = 1.0 if side == "below" else -1.0
    weights = np.array([0.0, THRESHOLD, THRESHOLD])

    def factors() -> tuple[np.ndarray, np.ndarray]:
        return (weights * PRICES)[None, :], PRICES

    def decide(account: int) -> bool:
        return bool(sign * health_factors(book, np.array([account]), *factors())[0] < sign)

    screen = GroupScreen(book, decide, side=side)
    screen.buffer_size = 0
    screen.arm([0])
    assert screen.look(*factors()) == []
    weights[0] = 0.1
    assert screen.look(*factors()) == ([0] if side == "above" else [])
    weights[:2] = 0.0, 0.7
    assert screen.look(*factors()) == ([0] if side == "below" else [])


# ---------------------------------------------------------------------- what is refused
@pytest.mark.parametrize("kind", [PlainScreen, GroupScreen])
def test_wrong_use_is_refused(kind: type[Screen]) -> None:
    book = Book(3)
    screen = kind(book, book.decide)
    with pytest.raises(ValueError, match="trigger"):
        screen.arm([0], 0.0)
    with pytest.raises(ValueError, match="trigger"):
        screen.arm([0], float("nan"))
    with pytest.raises(ValueError, match="arm it"):
        screen.rearm([1])
    with pytest.raises(IndexError):
        screen.arm([3])
    with pytest.raises(ValueError, match="side"):
        kind(book, book.decide, side="sideways")
    with pytest.raises(ValueError, match="single_margin"):
        kind(book, book.decide, single_margin=0.1)
    screen.arm([0])
    with pytest.raises(ValueError, match="not a number"):
        screen.look(np.array([[1.0, np.nan, 1.0]]), PRICES)
    with pytest.raises(ValueError, match="not a number"):
        screen.look(np.array([[1.0, -1.0, 1.0]]), PRICES)


def test_an_emode_without_factors_is_refused() -> None:
    book = Book(2)
    book.position(0, [1, 0, 0], 1000.0, 2.0)
    book.emode_column[0] = 2
    screen = GroupScreen(book, book.decide)
    screen.buffer_size = 0
    screen.arm([0])
    with pytest.raises(ValueError, match="e-mode 2"):
        screen.look(*book.factors())


def test_open_screen_takes_the_kind_or_chooses_by_size() -> None:
    book = Book(1)
    assert type(open_screen("auto", book, book.decide, expected_accounts=1_999)) is PlainScreen
    assert type(open_screen("auto", book, book.decide, expected_accounts=2_000)) is GroupScreen
    assert type(open_screen("plain", book, book.decide, expected_accounts=10**6)) is PlainScreen
    screen = open_screen("groups", book, book.decide, expected_accounts=1, side="above", margin=1e-4)
    assert (type(screen), screen.side, screen.margin) == (GroupScreen, "above", 1e-4)
    with pytest.raises(ValueError, match="'groups', 'plain', 'auto'"):
        open_screen("fast", book, book.decide, expected_accounts=1)  # type: ignore[arg-type]


# ---------------------------------------------------------------------- parts
def test_codes_sort_as_group_and_key_and_never_overstate_a_key() -> None:
    keys = np.array([-1.0, 0.0, 1e-40, 1e-9, 0.9999999999, 1.0, 1.0000000001, 7.0, 1e30, 1e300])
    codes = codes_of(np.full(len(keys), 5), keys)
    assert (np.diff(codes.astype(object)) >= 0).all()
    assert (keys_of(codes) <= np.maximum(keys, 0.0)).all()
    assert keys_of(codes)[3:9] == pytest.approx(keys[3:9], rel=3e-7)
    assert codes_of(np.array([6]), np.array([0.0]))[0] > codes[-1]
    limits = limits_of(np.full(len(keys), 5), keys + 1e-12)
    assert (codes[1:-1] < limits[1:-1]).all()
    assert codes[-1] < limits_of(np.array([5]), np.array([1e38 * 3.2]))[0] < codes_of(np.array([6]), np.array([0.0]))[0]


def test_spans() -> None:
    assert spans(np.array([3, 10, 20]), np.array([2, 0, 3])).tolist() == [3, 4, 20, 21, 22]
    assert spans(np.array([], dtype=np.int64), np.array([], dtype=np.int64)).tolist() == []


def test_bound_by_hand() -> None:
    """ETH and BTC against USDC, ETH down by a tenth, BTC up, debt index up by 1 %: at most 0.9 / 1.01."""
    table = GroupTable("below", 1e-3, 1e-4)
    table.set_factors(np.array([[1600.0, 48_000.0, 0.8]]), PRICES)
    assert table.ids([0b011, 0b001], [0b100, 0b100], [0, 0]).tolist() == [0, 1]
    assert table.groups[0] == Group(0b011, 0b100, 0)
    assert (table.groups[0].collateral(), table.groups[0].debt()) == ([0, 1], [2])
    assert table.reach.tolist() == [1.001, 1.0001]
    table.set_factors(np.array([[1440.0, 50_000.0, 0.8]]), np.array([2000.0, 60_000.0, 1.01]))
    fallen, risen = table.bounds()
    assert fallen.tolist() == [0.9, 0.9]
    assert risen.tolist() == [1.01, 1.01]
    table.rebase(0)
    fallen, risen = table.bounds()
    assert (fallen.tolist(), risen.tolist()) == ([1.0, 0.9], [1.0, 1.01])


def test_no_more_than_62_reserves() -> None:
    with pytest.raises(ValueError, match="62"):
        GroupTable("below", 1e-3, 1e-3).set_factors(np.ones((1, 63)), np.ones(63))
