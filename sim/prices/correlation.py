"""Correlated normal draws of several assets: one common factor, or a given correlation matrix."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.prices.errors import PathError, PathProblem
from sim.randomness import Randomness

#: A number for one common factor, or asset -> asset -> correlation.
Correlation = float | Mapping[str, Mapping[str, float]]

#: Rounding allowed when a matrix is tested for being positive semidefinite.
_TOLERANCE = 1e-9


class Mixing(NamedTuple):
    """Shock of asset i = common[i] F + sum over j of own[i][j] Z_j, F and every Z independent standard normals."""

    symbols: tuple[str, ...]
    common: tuple[float, ...]
    own: tuple[tuple[float, ...], ...]


def mixing(correlation: Correlation, symbols: Sequence[str], known: Sequence[str]) -> Mixing:
    """The weights that give `symbols` the correlation asked for.

    A number rho (0 to 1) is one factor common to all: shock = sqrt(rho) F + sqrt(1 - rho) Z_i, and an asset more
    leaves the others' shocks as they were. A matrix names each pair of its assets at least once (twice: alike); it
    must be positive semidefinite, and the shocks are its Cholesky factor's, so an asset leaves those before it as
    they were. Assets that it does not name are independent. `known` are the assets that it may name.
    """
    if isinstance(correlation, Mapping):
        return Mixing(tuple(symbols), (0.0,) * len(symbols), _cholesky(_matrix(correlation, symbols, known), symbols))
    if not 0.0 <= correlation <= 1.0:
        raise ValueError(
            f"correlation: given {correlation!r}; allowed: 0 to 1 (one common factor), or a matrix by asset and asset"
        )
    own = math.sqrt(1.0 - correlation)
    places = range(len(symbols))
    rows = tuple(tuple(own if column == row else 0.0 for column in places) for row in places)
    return Mixing(tuple(symbols), (math.sqrt(correlation),) * len(symbols), rows)


class CorrelatedNormals:
    """Standard normals by asset, correlated as a `Mixing` says: consecutive draws continue the same streams."""

    def __init__(self, randomness: Randomness, purpose: str, mix: Mixing) -> None:
        self._mix = mix
        self._common = randomness.stream("prices", f"common {purpose}")
        self._own = [randomness.stream("prices", purpose, asset) for asset in mix.symbols]

    def draw(self, count: int) -> dict[str, np.ndarray]:
        """The next `count` shocks of every asset."""
        mix = self._mix
        factor = self._common.standard_normal(count) if any(mix.common) else None
        own = [generator.standard_normal(count) for generator in self._own]
        drawn = {}
        for place, asset in enumerate(mix.symbols):
            shocks = np.zeros(count) if factor is None else mix.common[place] * factor
            for weight, normals in zip(mix.own[place], own, strict=True):
                if weight:
                    shocks = shocks + weight * normals
            drawn[asset] = shocks
        return drawn


def read_correlation(file: str | Path, columns: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """A correlation matrix by asset from a CSV table whose first row and first column name its entries.

    `columns` maps each asset to its name in the table. Raises `PathError` for a table that cannot be used.
    """
    name = str(file)
    try:
        rows = list(csv.reader(Path(file).read_text(encoding="utf-8-sig").splitlines()))
    except OSError as error:
        given = error.strerror or "an unreadable file"
        raise PathError([PathProblem(name, 0, "", given, "a readable CSV file")]) from None
    except UnicodeDecodeError:
        raise PathError([PathProblem(name, 0, "", "a binary file", "CSV text in UTF-8")]) from None
    heads = [cell.strip() for cell in rows[0]] if rows else []
    lines = {row[0].strip(): (line, row) for line, row in enumerate(rows[1:], start=2) if row}
    named = ", ".join(heads[1:]) or "a table with names"
    problems = [
        PathProblem(name, 1, entry, "no such entry", f"one of {named}")
        for entry in columns.values()
        if entry not in heads[1:] or entry not in lines
    ]
    if problems:
        raise PathError(problems)
    found: dict[str, dict[str, float]] = {}
    for asset, entry in columns.items():
        line, row = lines[entry]
        found[asset] = {}
        for other, column in columns.items():
            place = heads.index(column)
            value = _number(row[place]) if place < len(row) else None
            if value is None:
                given = repr(row[place]) if place < len(row) else "nothing"
                problems.append(PathProblem(name, line, column, given, "a number from -1 to 1"))
            else:
                found[asset][other] = value
    if problems:
        raise PathError(problems)
    return found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -1.0 <= value <= 1.0 else None


def _matrix(
    given: Mapping[str, Mapping[str, float]], symbols: Sequence[str], known: Sequence[str]
) -> list[list[float]]:
    """The full matrix of `symbols`, checked entry by entry."""
    named = list(dict.fromkeys([*given, *(other for row in given.values() for other in row)]))
    for asset in named:
        if asset not in known:
            raise ValueError(f"correlation: given asset {asset}; allowed: {', '.join(known)}")
    for asset, row in given.items():
        for other, value in row.items():
            _check_entry(asset, other, value, given.get(other, {}).get(asset, value))
    return [[_entry(given, named, asset, other) for other in symbols] for asset in symbols]


def _check_entry(asset: str, other: str, value: float, mirrored: float) -> None:
    pair = f"correlation of {asset} and {other}"
    if not -1.0 <= value <= 1.0:
        raise ValueError(f"{pair}: given {value!r}; allowed: -1 to 1")
    if value != mirrored:
        raise ValueError(f"{pair}: given {value!r} and {mirrored!r}; allowed: one value for both directions")
    if asset == other and value != 1.0:
        raise ValueError(f"{pair}: given {value!r}; allowed: 1")


def _entry(given: Mapping[str, Mapping[str, float]], named: Sequence[str], asset: str, other: str) -> float:
    if asset == other:
        return 1.0
    value = given.get(asset, {}).get(other, given.get(other, {}).get(asset))
    if value is not None:
        return value
    if asset in named and other in named:
        raise ValueError(
            f"correlation of {asset} and {other}: given nothing; allowed: a number from -1 to 1 for every pair of the"
            " matrix's assets"
        )
    return 0.0


def _cholesky(matrix: list[list[float]], symbols: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    """Lower triangular factor in plain Python, equal on every CPU; a pivot of zero leaves its column empty."""
    size = len(matrix)
    factor = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            done = math.fsum(factor[row][k] * factor[column][k] for k in range(column))
            rest = matrix[row][column] - done
            if column < row and factor[column][column] > 0.0:
                factor[row][column] = rest / factor[column][column]
            elif column < row and abs(rest) > math.sqrt(_TOLERANCE):
                _refuse(matrix, symbols)
            elif column == row:
                if rest < -_TOLERANCE:
                    _refuse(matrix, symbols)
                factor[row][row] = math.sqrt(rest) if rest > _TOLERANCE else 0.0
    return tuple(tuple(row) for row in factor)


def _refuse(matrix: list[list[float]], symbols: Sequence[str]) -> None:
    smallest = float(np.linalg.eigvalsh(np.array(matrix))[0])  # for the message alone
    raise ValueError(
        f"correlation: given a matrix of {', '.join(symbols)} with the eigenvalue {smallest:.4g};"
        " allowed: a positive semidefinite matrix (no eigenvalue below 0): these assets cannot all move so at once"
    )
