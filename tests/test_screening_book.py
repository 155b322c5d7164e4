"""The book of liquidatable accounts: worked examples, and agreement with a sorted dictionary."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.screening import Entry, LiquidationBook


def test_order_from_the_top_and_ties_by_account() -> None:
    book = LiquidationBook()
    for account, worth in ((7, 50.0), (3, 120.0), (9, 50.0), (1, 0.5), (4, -2.0)):
        book.add(account, worth, since_step=account)
    assert [entry.account for entry in book.top(-math.inf)] == [3, 7, 9, 1, 4]
    assert list(book.top(50.0)) == [Entry(3, 120.0, 3), Entry(7, 50.0, 7), Entry(9, 50.0, 9)]
    assert [entry.account for entry in book.top()] == [3, 7, 9, 1]
    assert list(book.top(120.1)) == []
    assert (len(book), book.total_worth_usd) == (5, 218.5)
    assert book.accounts() == [1, 3, 4, 7, 9]


def test_only_those_noticed() -> None:
    book = LiquidationBook()
    for account in range(5):
        book.add(account, 10.0 * account, since_step=account)
    assert [entry.account for entry in book.top(since_at_most=2)] == [2, 1, 0]


def test_adding_again_keeps_the_step_and_taking_out_forgets_it() -> None:
    book = LiquidationBook()
    book.add(5, 10.0, since_step=1)
    book.add(5, 20.0, since_step=8)
    assert book.entry(5) == Entry(5, 20.0, 1)
    assert book.discard(5)
    assert not book.discard(5)
    book.add(5, 20.0, since_step=8)
    assert book.entry(5) == Entry(5, 20.0, 8)
    assert 5 in book
    assert 6 not in book


def test_total_does_not_drift() -> None:
    book = LiquidationBook()
    for account in range(1000):
        book.add(account, 0.1, 0)
    assert book.total_worth_usd == 100.0
    for account in range(1, 1000):
        book.discard(account)
    assert book.total_worth_usd == 0.1


def test_wrong_use_is_refused() -> None:
    book = LiquidationBook()
    for worth in (math.nan, math.inf):
        with pytest.raises(ValueError, match="account 2"):
            book.add(2, worth, 0)
    for read in (book.entry, lambda account: book.update(account, 1.0)):
        with pytest.raises(KeyError):
            read(2)
    book.add(2, 1.0, 0)
    book.add(3, 1.0, 0)
    reading = book.top()
    book.discard(next(reading).account)
    with pytest.raises(RuntimeError, match="changed"):
        next(reading)
    assert len(book) == 1


def test_reading_the_top_costs_what_it_yields() -> None:
    """Among 100,000 standing positions, the three that pay are found without looking at the others."""
    book = LiquidationBook()
    compared = 0

    class Worth(float):
        def __neg__(self) -> Worth:
            return Worth(-float(self))

        def __le__(self, other: float) -> bool:
            nonlocal compared
            compared += 1
            return float(self) <= float(other)

    for account in range(1000):
        book.add(account, Worth(account), 0)
    book._heap = [(Worth(worth), account) for worth, account in book._heap]
    assert [entry.account for entry in book.top(997.0)] == [999, 998, 997]
    assert compared == 4


operations = st.lists(
    st.tuples(
        st.sampled_from(["add", "update", "discard", "top"]),
        st.integers(0, 30),
        st.sampled_from([0.0, 1.0, 2.0, 5.5, 100.0]) | st.floats(-10.0, 1e6),
        st.integers(0, 9),
    ),
    max_size=120,
)


@given(operations)
def test_agrees_with_a_sorted_dictionary(steps: list[tuple[str, int, float, int]]) -> None:
    book = LiquidationBook()
    model: dict[int, tuple[float, int]] = {}
    for operation, account, worth, step in steps:
        if operation == "add":
            book.add(account, worth, step)
            model[account] = (worth, model[account][1] if account in model else step)
        elif operation == "update" and account in model:
            book.update(account, worth)
            model[account] = (worth, model[account][1])
        elif operation == "discard":
            assert book.discard(account) == (model.pop(account, None) is not None)
        ordered = sorted((-value[0], key) for key, value in model.items())
        expected = [Entry(key, model[key][0], model[key][1]) for _, key in ordered]
        assert list(book.top(-math.inf)) == expected
        assert list(book.top(worth, step)) == [e for e in expected if e.worth_usd >= worth and e.since_step <= step]
        assert list(itertools.islice(book.top(-math.inf), 2)) == expected[:2]
        assert len(book) == len(model)
        assert book.total_worth_usd == sum(round(value[0] * 10**8) for value in model.values()) / 10**8
