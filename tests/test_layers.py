"""The source keeps its rules: imports go down the layers, and nothing irreproducible is used. The checker is tested."""

from __future__ import annotations

import ast

import pytest
from source_rules import INTEGER_SUMS, LAYERS, REPRODUCIBLE_ENOUGH, layer_of, module_of, sources, violations

SOURCES = sources()


def test_the_source_keeps_the_rules():
    found = [str(violation) for path, source in SOURCES.items() for violation in violations(path, source)]
    assert not found, "\n".join(found)


def test_every_module_has_a_layer():
    assert len(SOURCES) > 100
    for path in SOURCES:
        try:
            layer_of(module_of(path))
        except KeyError:
            pytest.fail(f"{path} is in no layer: add it to LAYERS and to docs/developing.md")


def test_no_exception_outlives_its_reason():
    """What is on a list of exceptions must still be there, or the list would excuse the next one."""
    for path, sums in INTEGER_SUMS.items():
        texts = {
            ast.unparse(node.args[0])
            for node in ast.walk(ast.parse(SOURCES[path]))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum"
        }
        assert sums <= texts, path
    for path, used in REPRODUCIBLE_ENOUGH:
        assert used.replace("@", " @ ") in SOURCES[path], path
    for module in LAYERS:
        home = module.replace(".", "/")
        if module not in ("sim.cascade", "sim.inputs"):  # later
            assert f"{home}.py" in SOURCES or f"{home}/__init__.py" in SOURCES, module


PLANTED = {
    "view imports economy": ("sim/view.py", "from sim.economy import Economy", "layer 2 imports sim.economy"),
    "for types only": (
        "sim/ledger.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from agents.base import EconomicAgent",
        "layer 2 imports agents.base",
    ),
    "inside a function": ("agents/base.py", "def f():\n    import sim.run", "layer 3 imports sim.run"),
    "by name": ("sim/chain/gas.py", "from sim import building", "layer 2 imports sim.building"),
    "relative": ("sim/chain/gas.py", "from ..economy import Economy", "layer 2 imports sim.economy"),
    "relative, by name": ("sim/chain/gas.py", "from .. import economy", "layer 2 imports sim.economy"),
    "relative, from a package": ("sim/prices/__init__.py", "from ..cli import app", "layer 2 imports sim.cli"),
    "as text": ("sim/prices/bridge.py", "import importlib\nimportlib.import_module('sim.cli')", "imports sim.cli"),
    "scenarios import a kind": ("scenarios/kinds.py", "import agents.registry", "layer 1 imports agents.registry"),
    "results import the page": ("sim/results/reading.py", "import ui.frames", "layer 4 imports ui.frames"),
    "random": ("agents/trader.py", "import random", "the module `random`"),
    "from random": ("agents/trader.py", "from random import choice", "the module `random`"),
    "np.random": ("sim/prices/jumps.py", "import numpy as np\nx = np.random.default_rng(1)", "np.random"),
    "np.random by name": ("sim/prices/jumps.py", "from numpy.random import default_rng", "numpy.random"),
    "a model's generator": ("agents/trader.py", "def act(self):\n    return self.model.random.random()", "keyed draw"),
    "a model's rng": ("agents/trader.py", "def act(self):\n    return self.rng.normal()", "keyed draw"),
    "shuffle_do": ("sim/economy.py", "def step(self):\n    self.agents.shuffle_do('act')", "shuffle_do"),
    "order of a set": ("sim/waking.py", "def f(x):\n    return [y for y in set(x)]", "the order of a set"),
    "order of set algebra": ("sim/waking.py", "def f(x, y):\n    return list({*x} - {*y})", "the order of a set"),
    "hash": ("sim/chain/mempool.py", "def f(x):\n    return hash(x)", "differs from process to process"),
    "sum of floats": ("sim/metrics.py", "def f(x):\n    return sum(v * 0.1 for v in x)", "math.fsum"),
    "another sum": ("sim/ledger.py", "def f(x):\n    return sum(x)", "math.fsum"),
    "np.exp": ("agents/trader.py", "import numpy as np\nx = np.exp(1.0)", "np.exp differs"),
    "np.log by its long name": ("sim/metrics.py", "import numpy\nx = numpy.log(2.0)", "np.log differs"),
    "log by name": ("sim/metrics.py", "from numpy import log", "np.log differs"),
    "np.linalg": ("sim/screening/bounds.py", "import numpy as np\nx = np.linalg.norm([1.0])", "np.linalg differs"),
    "matrix product": ("sim/snapshots.py", "def f(a, b):\n    return a @ b", "@ differs"),
    "matrix product in place": ("sim/snapshots.py", "def f(a, b):\n    a @= b", "@ differs"),
    "time": ("sim/economy.py", "import time\nnow = time.time()", "no wall clock"),
    "time by name": ("sim/economy.py", "from time import perf_counter as tick\nnow = tick()", "no wall clock"),
    "datetime": ("agents/base.py", "from datetime import datetime\nnow = datetime.now()", "no wall clock"),
    "date": ("sim/markets/venues.py", "import datetime\nnow = datetime.date.today()", "no wall clock"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_violation_is_caught(case):
    path, planted, message = PLANTED[case]
    before = violations(path, SOURCES[path])
    found = violations(path, SOURCES[path].replace("from __future__ import annotations", planted, 1))
    new = [violation.message for violation in found if violation.message not in {v.message for v in before}]
    assert any(message in text for text in new), found


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("sim/economy.py", "from sim.results import Recorder\nimport agents.registry\nfrom sim.chain import gas"),
        ("sim/randomness.py", "import numpy as np\nx = np.random.Generator(np.random.Philox(1))"),
        ("sim/prices/jumps.py", "import numpy as np\ndef f(g: np.random.Generator) -> float:\n    return g.random()"),
        ("sim/prices/jumps.py", "def f(randomness):\n    return randomness.stream('a').random(3)"),
        ("sim/metrics.py", "import math, numpy as np\nx = math.log(2.0) + np.sqrt(2.0) + math.fsum([0.1])"),
        ("sim/metrics.py", "import functools\n@functools.cache\ndef f(x): return x"),
        ("sim/metrics.py", "def f(x, y):\n    return [z for z in sorted(set(x)) if z in {*y}]"),
        ("sim/run.py", "import time\nbegan = time.perf_counter()"),
    ],
)
def test_what_is_allowed_is_not_reported(path, fine):
    assert not violations(path, fine)
