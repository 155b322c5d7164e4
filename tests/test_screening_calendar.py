"""The calendar: worked examples, and agreement with a dictionary of times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.screening import Calendar


def test_what_has_come_up_in_ascending_order_and_once() -> None:
    calendar = Calendar()
    calendar.schedule_many([5, 2, 9, 4], [12.0, 24.0, 12.0, 11.9])
    assert calendar.due(11.0) == []
    assert calendar.due(12.0) == [4, 5, 9]
    assert calendar.due(12.0) == []
    assert calendar.due(100_000.0) == [2]
    assert calendar.time_of(2) is None


def test_the_newest_appointment_counts() -> None:
    calendar = Calendar(page_seconds=100.0)
    calendar.due(0.0)
    calendar.schedule(1, 30.0)
    calendar.schedule(1, 500.0)
    calendar.schedule(2, 500.0)
    calendar.schedule(2, 30.0)
    calendar.schedule(3, 30.0)
    calendar.cancel(3)
    calendar.schedule(4, 30.0)
    calendar.schedule(4, 40.0)
    assert calendar.due(35.0) == [2]
    assert calendar.due(45.0) == [4]
    assert calendar.time_of(1) == 500.0
    assert calendar.due(499.0) == []
    assert calendar.due(500.0) == [1]


def test_a_time_that_has_passed_falls_due_next() -> None:
    calendar = Calendar()
    assert calendar.due(1000.0) == []
    calendar.schedule(3, 5.0)
    calendar.schedule_many(np.array([1]), np.array([1000.0]))
    assert calendar.due(1000.0) == [1, 3]


def test_all_at_the_same_time_again_and_again() -> None:
    calendar = Calendar(page_seconds=12.0)
    everybody = np.arange(10_000)
    for block in range(50):
        calendar.schedule_many(everybody, np.full(10_000, 1.7e9 + 12.0 * block))
        assert len(calendar.due(1.7e9 + 12.0 * block)) == 10_000


def test_cancelling_what_is_not_there() -> None:
    calendar = Calendar()
    calendar.cancel(7)
    calendar.cancel(-1)
    assert calendar.time_of(7) is None
    calendar.schedule_many([], [])
    assert calendar.due(0.0) == []


def test_wrong_use_is_refused() -> None:
    calendar = Calendar()
    with pytest.raises(ValueError, match="page_seconds"):
        Calendar(0.0)
    for time in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite"):
            calendar.schedule(1, time)
        with pytest.raises(ValueError, match="finite"):
            calendar.schedule_many([1], [time])
    with pytest.raises(ValueError, match="negative"):
        calendar.schedule(-1, 5.0)
    with pytest.raises(ValueError, match="one time for each"):
        calendar.schedule_many([1, 2], [1.0])
    calendar.due(10.0)
    with pytest.raises(ValueError, match="back"):
        calendar.due(9.0)
    with pytest.raises(ValueError, match="back"):
        calendar.due(float("nan"))


times = st.integers(-20, 900).map(lambda tenths: tenths / 10)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("one"), st.integers(0, 12), times),
        st.tuples(st.just("many"), st.lists(st.tuples(st.integers(0, 60), times), max_size=15)),
        st.tuples(st.just("cancel"), st.integers(0, 12)),
        st.tuples(st.just("due"), st.sampled_from([0.0, 0.4, 3.0, 12.0, 40.0])),
    ),
    max_size=60,
)


@given(steps, st.sampled_from([0.3, 5.0, 12.0, 1000.0]))
def test_agrees_with_a_dictionary_of_times(history: list[tuple], page_seconds: float) -> None:
    calendar = Calendar(page_seconds)
    model: dict[int, float] = {}
    now = 0.0
    for operation, *arguments in history:
        if operation == "one":
            item, wait = arguments
            calendar.schedule(item, now + wait)
            model[item] = now + wait
        elif operation == "many":
            new = {item: now + wait for item, wait in arguments[0]}
            calendar.schedule_many(list(new), list(new.values()))
            model.update(new)
        elif operation == "cancel":
            calendar.cancel(arguments[0])
            model.pop(arguments[0], None)
        else:
            now += arguments[0]
            expected = sorted(item for item, time in model.items() if time <= now)
            assert calendar.due(now) == expected
            for item in expected:
                del model[item]
    assert all(calendar.time_of(item) == model.get(item) for item in range(61))
