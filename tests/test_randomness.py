"""Keyed draws and streams: the same for one and for many, whoever asked before, and as random as they claim."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.randomness import Randomness, _mix, _mix_array, word

SEEDS = st.integers(0, 2**63 - 1)
IDENTITIES = st.integers(-(2**63), 2**63 - 1)
COUNTERS = st.integers(0, 2**62)
DRAWS = ("bits", "uniform", "normal")


def kolmogorov(values):
    """Kolmogorov's distance of a sample from the uniform distribution, times the root of its size."""
    ordered = np.sort(values)
    n = len(ordered)
    steps = np.arange(n)
    return math.sqrt(n) * max((ordered - steps / n).max(), ((steps + 1) / n - ordered).max())


#: Exceeded by one sample in a thousand; all samples below are fixed by their seeds.
ONE_IN_A_THOUSAND = 1.95


# ---------------------------------------------------------------------- the mixing itself
def test_mixing_is_splitmix64():
    """Published outputs of SplitMix64 for the state 1234567, its next states a golden ratio apart."""
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    states = [(1234567 + k * 0x9E3779B97F4A7C15) % 2**64 for k in range(5)]
    assert [_mix(state) for state in states] == expected
    assert _mix_array(np.array(states, dtype=np.uint64)).tolist() == expected


def test_a_name_is_the_same_number_on_every_machine():
    assert word("undertow", 1) == 16466792465512194088
    assert word("look") == 4323996194408762745
    assert len({word("a", "b"), word("ab"), word("b", "a"), word("a", "b", ""), word("a")}) == 5


# ---------------------------------------------------------------------- golden values
def test_draws_have_not_changed():
    """Guards against accidental change only: other numbers would be as random, but old runs could not be repeated."""
    draws = Randomness(1)
    assert draws.bits("look", 7, 3) == GOLDEN["bits"]
    assert draws.uniform("look", 7, 3) == GOLDEN["uniform"]
    assert draws.normal("size", 12) == GOLDEN["normal"]
    assert draws.exponential("look", 7, 3, 1_800.0) == GOLDEN["exponential"]
    assert draws.stratified_array("debt", range(4)).tolist() == GOLDEN["stratified"]
    assert draws.stream("prices", "steps").random(3).tolist() == GOLDEN["stream"]
    assert draws.stream("prices", "steps").standard_normal(3).tolist() == GOLDEN["stream of normals"]


GOLDEN = {
    "bits": 12981172294116572686,
    "uniform": 0.7037107601344913,
    "normal": -2.0727434389781787,
    "exponential": 632.4981467915231,
    "stratified": [0.5655546345938384, 0.06555463459383848, 0.8155546345938384, 0.3155546345938385],
    "stream": [0.7656001568813612, 0.6822648430864348, 0.3873618290997053],
    "stream of normals": [0.12917434591963864, -0.5738671283794393, 0.1332640651620552],
}


# ---------------------------------------------------------------------- one and many
@given(SEEDS, st.sampled_from(DRAWS), st.lists(st.tuples(IDENTITIES, COUNTERS), min_size=1, max_size=20))
def test_an_array_holds_the_scalars_to_the_bit(seed, draw, keys):
    draws = Randomness(seed)
    identities, counters = (list(column) for column in zip(*keys, strict=True))
    many = getattr(draws, f"{draw}_array")
    one = getattr(draws, draw)
    assert many("size", identities, counters).tolist() == [one("size", i, c) for i, c in keys]
    assert many("size", identities, counters[0]).tolist() == [one("size", i, counters[0]) for i in identities]
    assert many("size", identities).tolist() == [one("size", i) for i in identities]


def test_arrays_of_any_kind_of_whole_number_are_alike():
    draws = Randomness(5)
    expected = draws.bits_array("size", list(range(10))).tolist()
    for kind in (np.int64, np.int32, np.uint16):
        assert draws.bits_array("size", np.arange(10, dtype=kind)).tolist() == expected
    assert draws.bits_array("size", range(10)).tolist() == expected
    assert draws.bits_array("size", []).tolist() == []


# ---------------------------------------------------------------------- independence
@given(st.permutations(range(12)))
def test_nothing_depends_on_who_was_asked_before(order):
    keys = [("look", 1, 0), ("look", 1, 1), ("look", 2, 0), ("size", 1, 0), ("size", -1, 0), ("side", 5, 9)] * 2
    fresh = [Randomness(3).uniform(*key) for key in keys]
    shared = Randomness(3)
    drawn = {k: shared.uniform(*keys[k]) for k in order}
    assert [drawn[k] for k in range(12)] == fresh


def test_streams_do_not_disturb_each_other():
    quiet, busy = Randomness(4), Randomness(4)
    first = busy.stream("prices", "WETH")
    for name in ("prices", "WETH", "other"):
        busy.stream(name).random(1_000)
    busy.uniform("look", 1)
    busy.stream("prices", "WETH").random(10)
    assert first.random(5).tolist() == quiet.stream("prices", "WETH").random(5).tolist()


def test_every_part_of_the_key_counts():
    base = Randomness(1).bits("look", 5, 2)
    others = {
        Randomness(2).bits("look", 5, 2),
        Randomness(1).bits("size", 5, 2),
        Randomness(1).bits("look", 6, 2),
        Randomness(1).bits("look", 5, 3),
        Randomness(1).bits("look", 2, 5),
    }
    assert len(others | {base}) == 6
    streams = {
        tuple(Randomness(seed).stream(*key).random(2).tolist())
        for seed, key in ((1, ("a",)), (2, ("a",)), (1, ("b",)), (1, ("a", 1)), (1, ("a", "b")), (1, ("ab",)))
    }
    assert len(streams) == 6


# ---------------------------------------------------------------------- distribution
@pytest.mark.parametrize("along", ["identities", "counters", "seeds", "purposes"])
def test_draws_are_uniform_along_every_part_of_the_key(along):
    n = 4_000
    if along == "identities":
        sample = Randomness(1).uniform_array("look", np.arange(n))
    elif along == "counters":
        sample = Randomness(1).uniform_array("look", np.full(n, 7), np.arange(n))
    elif along == "seeds":
        sample = np.array([Randomness(seed).uniform("look", 7) for seed in range(n)])
    else:
        sample = np.array([Randomness(1).uniform(f"purpose {k}", 7) for k in range(n)])
    assert kolmogorov(sample) < ONE_IN_A_THOUSAND
    assert abs(sample.mean() - 0.5) < 3.3 / math.sqrt(12 * n)
    neighbours = np.corrcoef(sample[:-1], sample[1:])[0, 1]
    assert abs(neighbours) < 3.3 / math.sqrt(n)


def test_every_bit_is_as_often_one_as_zero_and_any_change_of_the_key_turns_half_of_them():
    draws = Randomness(9)
    n = 4_000
    bits = draws.bits_array("look", np.arange(n))
    for shift in range(64):
        ones = int((bits >> np.uint64(shift) & np.uint64(1)).sum())
        assert abs(ones - n / 2) < 4.0 * math.sqrt(n) / 2, shift
    for other in (draws.bits_array("look", np.arange(n) ^ 1), draws.bits_array("look", np.arange(n), 1)):
        turned = np.array([int(x).bit_count() for x in (bits ^ other).tolist()])
        assert abs(turned.mean() - 32.0) < 4.0 * 4.0 / math.sqrt(n)


def test_exponential_and_normal_have_their_moments():
    draws = Randomness(2)
    n = 20_000
    waits = np.array([draws.exponential("look", k, 0, 1_800.0) for k in range(n)])
    assert waits.min() > 0.0
    assert abs(waits.mean() / 1_800.0 - 1.0) < 4.0 / math.sqrt(n)
    assert abs((waits**2).mean() / (2 * 1_800.0**2) - 1.0) < 4.0 * math.sqrt(5.0 / n)
    normal = draws.normal_array("size", np.arange(n))
    assert abs(normal.mean()) < 4.0 / math.sqrt(n)
    assert abs((normal**2).mean() - 1.0) < 4.0 * math.sqrt(2.0 / n)
    assert abs((normal**3).mean()) < 4.0 * math.sqrt(15.0 / n)
    assert abs((normal**4).mean() - 3.0) < 4.0 * math.sqrt(96.0 / n)
    assert kolmogorov(np.array([NormalDist().cdf(z) for z in normal.tolist()])) < ONE_IN_A_THOUSAND


class Extreme(Randomness):
    """Draws whose bits are all the same."""

    def __init__(self, bits):
        super().__init__(0)
        self.chosen = bits

    def bits(self, purpose, identity, counter=0):
        return self.chosen

    def bits_array(self, purpose, identities, counter=0):
        return np.full(len(identities), self.chosen, dtype=np.uint64)


@pytest.mark.parametrize("bits", [0, 2**64 - 1])
def test_the_ends_of_the_interval_are_never_reached(bits):
    draws = Extreme(bits)
    u = draws.uniform("look", 1)
    assert 0.0 < u < 1.0
    assert draws.uniform_array("look", [1]).tolist() == [u]
    assert math.isfinite(draws.normal("look", 1))
    assert 0.0 < draws.exponential("look", 1, 0, 1.0) < math.inf
    stratified = draws.stratified_array("look", range(8))
    assert stratified.min() > 0.0
    assert stratified.max() < 1.0


# ---------------------------------------------------------------------- stratified draws
def test_a_stratified_row_does_not_depend_on_how_many_there_are():
    draws = Randomness(6)
    many = draws.stratified_array("debt", np.arange(1_000))
    for n in (1, 2, 3, 17, 999):
        assert draws.stratified_array("debt", range(n)).tolist() == many[:n].tolist()
    assert draws.stratified_array("debt", [700, 5, 5]).tolist() == [many[700], many[5], many[5]]


@pytest.mark.parametrize("n", [8, 64, 1_024])
def test_stratified_rows_fill_the_interval_evenly(n):
    """The first 2^k rows lie 2^-k apart: no sum over them strays further than one cell."""
    values = np.sort(Randomness(6).stratified_array("debt", range(n)))
    assert np.diff(values) == pytest.approx(1.0 / n, abs=1e-11)
    assert abs(values.mean() - 0.5) <= 0.5 / n + 1e-11


@pytest.mark.parametrize("base", [3, 5, 7])
def test_other_bases_fill_it_as_evenly(base):
    values = np.sort(Randomness(6).stratified_array("debt", range(base**3), base))
    assert np.diff(values) == pytest.approx(1.0 / base**3, abs=1e-11)


@pytest.mark.parametrize("base", [1, 0, -2])
def test_a_base_below_two_is_refused(base):
    with pytest.raises(ValueError, match="a prime number"):
        Randomness(6).stratified_array("debt", range(4), base)


@pytest.mark.parametrize("base", [2, 3])
def test_every_stratified_row_is_uniform_over_seeds(base):
    rows = np.array([Randomness(seed).stratified_array("debt", [0, 1, 77], base) for seed in range(3_000)])
    for row in range(3):
        assert kolmogorov(rows[:, row]) < ONE_IN_A_THOUSAND


def test_stratified_draws_of_two_attributes_are_shifted_differently():
    draws = Randomness(6)
    assert draws.stratified_array("debt", [0])[0] != draws.stratified_array("size", [0])[0]
