"""The inverse of the normal distribution, for one number and for arrays, equal to the bit.

Wichura 1988, algorithm AS 241 (PPND16): for |p - 1/2| <= .425 a quotient of two polynomials in .425^2 - (p - 1/2)^2,
worked out with + - * / alone, so that every CPU gives the same; the tails, which need a logarithm, go through
`statistics.NormalDist` one by one.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np

Numbers = TypeVar("Numbers", float, np.ndarray)

_TAIL = NormalDist().inv_cdf
_CENTRE = 0.425
_NUMERATOR = (
    2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
    13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.3871328727963666080,
)  # fmt: skip
_DENOMINATOR = (
    5226.4952788528545610, 28729.085735721942674, 39307.895800092710610, 21213.794301586595867,
    5394.1960214247511077, 687.18700749205790830, 42.313330701600911252, 1.0,
)  # fmt: skip


def inverse_normal(p: float) -> float:
    """The z with P(Z <= z) = p, 0 < p < 1."""
    q = p - 0.5
    return _centre(q) if -_CENTRE <= q <= _CENTRE else _TAIL(p)


def inverse_normal_array(p: Any) -> np.ndarray:
    """`inverse_normal` of every element."""
    uniforms = np.asarray(p, dtype=np.float64)
    q = uniforms - 0.5
    result = _centre(q)
    tail = np.abs(q) > _CENTRE
    result[tail] = [_TAIL(u) for u in uniforms[tail].tolist()]
    return result


def _centre(q: Numbers) -> Numbers:
    r = 0.180625 - q * q
    return _polynomial(_NUMERATOR, r) * q / _polynomial(_DENOMINATOR, r)


def _polynomial(coefficients: tuple[float, ...], r: Numbers) -> Numbers:
    """Horner's scheme, the highest power first."""
    value = coefficients[0] * r + coefficients[1]
    for coefficient in coefficients[2:]:
        value = value * r + coefficient
    return value
