"""The same scenario and seed give the same tables: in any process, with any hash seed, on any kind of processor."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import whole_cast_fixture as whole_cast

from sim.economy import Economy
from sim.results.hashing import content_hash
from sim.results.tables import to_arrow

#: What the golden run is, and the first digits of the hash of each of its tables.
SHORT = {"run.horizon_seconds": 7_200}
GOLDEN = {
    "agents": "05f090174bff340a",
    "events": "e49ed4938e1cbe69",
    "metrics": "4435f1df58c5ef76",
    "positions": "b81c399989086879",
    "reports": "2e4e9133b789ee10",
}

#: exp and pow where C libraries differ in the last bit (glibc with and without fused multiply-add, and others).
LAST_BITS = (
    (math.exp, (-0.3455171706257336,), 0.7078541774003543),
    (math.exp, (-0.4353194409093537,), 0.6470579372849251),
    (math.pow, (37.39168662865777, -0.36), 0.27151947177359254),
    (math.pow, (28.08970295536545, -0.36), 0.3009698745261246),
)

SCRIPT = """
import sys
sys.path.insert(0, "tests")
from test_determinism import disabled, everything
assert not disabled(), disabled()
print(*everything())
"""


def tables(scenario, seed=1, **overrides):
    with Economy(scenario, seed=seed, overrides=overrides) as economy:
        economy.run()
        return {name: to_arrow(name, table) for name, table in economy.finish().items()}


def digest(scenario, seed=1, **overrides):
    return content_hash(tables(scenario, seed, **overrides))


def hashes(scenario, **overrides):
    """First digits of the hash of every table on its own."""
    found = tables(scenario, **overrides)
    return {name: content_hash({name: found[name]})[:16] for name in sorted(found)}


def everything():
    """Hashes of a small market, of the cascade by hand, and of everybody in one economy under either ordering."""
    whole = [whole_cast.digest(whole_cast.tables_of(ordering)) for ordering in whole_cast.ORDERINGS]
    return [digest("demo"), *hashes("cascade-by-hand").values(), *whole]


def features():
    """NumPy's optional instruction sets that this processor has."""
    core = getattr(np, "_core", None) or np.core
    module = core._multiarray_umath
    return [name for name in module.__cpu_dispatch__ if module.__cpu_features__.get(name)]


def disabled():
    """Instruction sets that were to be switched off and are still on."""
    return sorted(set(os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split()) & set(features()))


def elsewhere(**environment):
    """Hashes from a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def here():
    """Hashes from this process, in which other runs have gone before."""
    digest("demo", 2, **SHORT)
    return everything()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
        {"PYTHONHASHSEED": "4294967295", "OPENBLAS_NUM_THREADS": "1"},
    ],
    ids=["hash seed 1, another time zone", "hash seed 2^32 - 1, one thread"],
)
def test_a_fresh_process_gives_the_same_tables(environment, here):
    assert elsewhere(**environment) == here


@pytest.mark.skipif(not features(), reason="NumPy uses no optional instruction set of this processor")
def test_a_processor_without_avx_gives_the_same_tables(here):
    """Wide vectors add and multiply in another order only where that changes nothing."""
    assert elsewhere(NPY_DISABLE_CPU_FEATURES=" ".join(features())) == here


def test_another_scenario_seed_or_length_gives_other_tables(here):
    assert len({here[0], digest("demo", 2), digest("demo", **SHORT), digest("calm", **SHORT)}) == 4


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    short, whole = tables("demo", **SHORT), tables("demo")
    for name in ("metrics", "events", "reports"):
        assert short[name].num_rows > 100 or name == "reports"
        beginning = whole[name].slice(0, short[name].num_rows)
        assert beginning.equals(short[name]) or _alike(beginning, short[name]), name


def _alike(one, other):
    """Columns of causes that appear later are missing in the shorter table, and empty there in the longer one."""
    return all(
        one[name].equals(other[name]) if name in other.column_names else one[name].null_count == one.num_rows
        for name in one.column_names
    )


@pytest.mark.skipif(
    [function(*arguments) for function, arguments, _ in LAST_BITS] != [value for _, _, value in LAST_BITS],
    reason="this C library rounds exp or pow otherwise: prices differ in their last bit",
)
def test_the_golden_run_has_not_changed():
    """Guards against accidental change, and is no proof of correctness: equations, traces and invariants are.

    A change that is meant to change results changes this as well: run this file as a program, `python
    tests/test_determinism.py`, which writes the new hashes into it, and say in the changelog what a user will notice.
    """
    assert hashes("demo", **SHORT) == GOLDEN


def renew():
    """Write the hashes of the golden run as it is now into this file."""
    file = Path(__file__)
    found = "".join(f'    "{name}": "{value}",\n' for name, value in hashes("demo", **SHORT).items())
    text = re.sub(r"^GOLDEN = \{.*?\}\n", f"GOLDEN = {{\n{found}}}\n", file.read_text(), count=1, flags=re.M | re.S)
    file.write_text(text)
    print(found, end="")


if __name__ == "__main__":
    renew()
