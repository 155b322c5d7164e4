"""Randomness without order: named streams, and draws keyed by what they are for.

*Streams* (`stream`) serve price paths and the building of populations: a NumPy generator (Philox) whose state
depends only on the seed and a name, never on who asked before.

*Keyed draws* (`uniform`, `exponential`, `normal`) are stateless: a number in (0, 1) that is a pure function of
(seed, purpose, id, counter). They are the only randomness an agent uses, so changing a parameter, or adding an agent
behind the others, leaves everybody else's draws as they were (ids are accounts, numbered in the scenario's order). The
mixing is the finaliser of SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators")
applied over the key's words.

Scalars go through `math`, never through NumPy's transcendental functions, which may differ between CPUs in the last
bit; arrays of ids are mixed with elementwise integer arithmetic, which does not.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.normal import inverse_normal, inverse_normal_array

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_M1 = 0xBF58476D1CE4E5B9
_M2 = 0x94D049BB133111EB


def word(*parts: object) -> int:
    """A 64-bit number for a name: the first eight bytes of the SHA-256 of its text, the same on every machine."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _mix(x: int) -> int:
    x = (x + _GAMMA) & _MASK
    x = ((x ^ (x >> 30)) * _M1) & _MASK
    x = ((x ^ (x >> 27)) * _M2) & _MASK
    return x ^ (x >> 31)


# The same numbers for arrays: arrays of unsigned integers wrap around (single NumPy integers would warn).
_GAMMA_, _M1_, _M2_ = np.uint64(_GAMMA), np.uint64(_M1), np.uint64(_M2)
_27, _30, _31, _12 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(12)


def _mix_array(x: np.ndarray) -> np.ndarray:
    """`_mix` of every element of an array of at least one dimension."""
    x = x + _GAMMA_
    x ^= x >> _30
    x *= _M1_
    x ^= x >> _27
    x *= _M2_
    x ^= x >> _31
    return x


def _uniform_of(bits: np.ndarray) -> np.ndarray:
    result: np.ndarray = ((bits >> _12).astype(np.float64) + 0.5) * 2.0**-52
    return result


class Randomness:
    """All randomness of one run, derived from its seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = word("undertow", seed)
        self._purposes: dict[str, int] = {}

    # ------------------------------------------------------------------ streams
    def stream(self, name: str, *key: object) -> np.random.Generator:
        """A generator of its own for `name` and `key`: asking for others, or in another order, changes nothing."""
        sequence = np.random.SeedSequence([self._root, word(name, *key)])
        return np.random.Generator(np.random.Philox(sequence))

    # ------------------------------------------------------------------ keyed draws
    def _purpose(self, purpose: str) -> int:
        base = self._purposes.get(purpose)
        if base is None:
            base = self._purposes[purpose] = _mix(self._root ^ word(purpose))
        return base

    def bits(self, purpose: str, identity: int, counter: int = 0) -> int:
        """64 random bits for (purpose, identity, counter)."""
        return _mix(_mix(self._purpose(purpose) ^ _mix(identity & _MASK)) ^ (counter & _MASK))

    def bits_array(self, purpose: str, identities: Any, counter: Any = 0) -> np.ndarray:
        """`bits` for many identities (and one or as many counters): element i equals the scalar draw, to the bit."""
        return self._bits_of(np.uint64(self._purpose(purpose)), identities, counter)

    def _bits_of(self, base: Any, identities: Any, counter: Any) -> np.ndarray:
        ids = np.atleast_1d(np.asarray(identities, dtype=np.int64)).view(np.uint64)
        counters = np.atleast_1d(np.asarray(counter, dtype=np.int64)).view(np.uint64)
        return _mix_array(_mix_array(base ^ _mix_array(ids)) ^ counters)

    def uniform(self, purpose: str, identity: int, counter: int = 0) -> float:
        """Uniform on the open interval (0, 1): the centre of one of 2^52 equal cells."""
        return ((self.bits(purpose, identity, counter) >> 12) + 0.5) * 2.0**-52

    def uniform_array(self, purpose: str, identities: Any, counter: Any = 0) -> np.ndarray:
        """`uniform` for many identities."""
        return _uniform_of(self.bits_array(purpose, identities, counter))

    def uniform_arrays(self, purposes: Sequence[str], identities: Any, counter: Any = 0) -> np.ndarray:
        """`uniform` for several purposes at once, one row each."""
        bases = np.array([[self._purpose(purpose)] for purpose in purposes], dtype=np.uint64)
        return _uniform_of(self._bits_of(bases, identities, counter))

    def exponential(self, purpose: str, identity: int, counter: int, mean: float) -> float:
        """Exponential with the given mean, by inversion."""
        return -mean * math.log(self.uniform(purpose, identity, counter))

    def exponential_array(self, purpose: str, identities: Any, counter: Any, mean: Any) -> np.ndarray:
        """`exponential` for many identities, with one mean or as many."""
        uniforms = self.uniform_array(purpose, identities, counter)
        logarithms = np.fromiter(map(math.log, uniforms.tolist()), dtype=np.float64, count=len(uniforms))
        result: np.ndarray = -np.asarray(mean, dtype=np.float64) * logarithms
        return result

    def normal(self, purpose: str, identity: int, counter: int = 0) -> float:
        """Standard normal, by inversion (Wichura 1988, AS 241)."""
        return inverse_normal(self.uniform(purpose, identity, counter))

    def normal_array(self, purpose: str, identities: Any, counter: Any = 0) -> np.ndarray:
        """`normal` for many identities: element i equals the scalar draw, to the bit."""
        return inverse_normal_array(self.uniform_array(purpose, identities, counter))

    def stratified_array(self, purpose: str, rows: Any, base: int = 2) -> np.ndarray:
        """Uniform draws that fill (0, 1) evenly: row i's depends on (seed, purpose, i) only, yet totals vary little.

        Radical inverse of i in `base` (van der Corput 1935), shifted modulo 1 by a keyed draw (Cranley, Patterson
        1976), so that every single row is uniform over seeds. Attributes drawn in different prime bases fill the
        square, the cube … evenly together (Halton 1960); in the same base they would go hand in hand.
        """
        if base < 2:
            raise ValueError(f"base: given {base!r}; allowed: a prime number")
        index = np.asarray(rows, dtype=np.uint64)
        inverse = np.zeros(index.shape, dtype=np.float64)
        radix = np.uint64(base)
        weight = 1.0 / base
        while index.any():
            inverse += weight * (index % radix).astype(np.float64)
            index = index // radix
            weight /= base
        shifted = inverse + self.uniform(purpose + ".shift", 0)
        shifted -= np.floor(shifted)
        return np.clip(shifted, 2.0**-40, 1.0 - 2.0**-40)
