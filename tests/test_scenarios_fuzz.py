"""Whatever a file holds: a scenario, or a `ScenarioError` with a message; never another exception."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from scenario_samples import DATA, KINDS

from scenarios import ScenarioError, load
from scenarios.writing import leaves

WORDS = st.sampled_from(
    ["", "ETH", "x", "ratio", "paths/may_2021.csv", "a.b", "historical", "2020-01-01", "watcher", "json:loads"]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def places(data, above=()):
    """The keys to every value, table and entry."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*above, key)
        yield from places(value, (*above, key))


FULL = load(DATA, kinds=KINDS).as_dict()
PLACES = list(places(FULL))
PATHS = list(leaves(FULL))


def attempt(*arguments, **options):
    scenario, refusal = None, None
    try:
        scenario = load(*arguments, **options)
    except ScenarioError as error:
        refusal = error
    if refusal is not None:
        assert refusal.problems
        assert all(problem.message and problem.file for problem in refusal.problems)
        assert str(refusal)
        return
    assert scenario.to_toml()
    assert load(scenario.as_dict(), kinds=options["kinds"]).as_dict() == scenario.as_dict()


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=4))
def test_any_value_anywhere(changes):
    data = copy.deepcopy(FULL)
    for keys, value in changes:
        here = data
        try:
            for key in keys[:-1]:
                here = here[key]
            here[keys[-1]] = value
        except (KeyError, IndexError, TypeError):  # an earlier change took this place away
            continue
    attempt(data, kinds=KINDS)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(PATHS) | WORDS | st.text(max_size=8), JUNK, min_size=1, max_size=3))
def test_any_override(overrides):
    attempt(DATA, overrides, kinds=KINDS)


@settings(max_examples=50)
@given(st.dictionaries(st.sampled_from([*FULL, "extends", "x"]), JUNK, max_size=4))
def test_any_file(data):
    attempt(data, kinds=KINDS)
