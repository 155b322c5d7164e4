"""The rules that the source must keep, read from its syntax trees: who may import whom, and what may not be used.

`violations(path, source)` is a pure function of the text, so that the tests can plant a violation and see it caught.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent

#: Layer of every module, by its longest known prefix. A module imports its own layer or a lower one.
LAYERS: dict[str, int] = {"sim": 1} | {  # the package itself: a version and nothing else
    module: layer
    for layer, modules in {
        1: "scenarios",
        2: "sim.handing_on "
        "sim.ledger sim.randomness sim.screening sim.view sim.chain sim.markets sim.prices sim.population "
        "sim.founding sim.normal sim.distress sim.timetable",
        3: "agents",
        4: "sim.economy sim.auditing sim.building sim.building_amms sim.building_chain sim.building_prices sim.opening "
        "sim.screens sim.refusals sim.events sim.metrics "
        "sim.yield_metrics sim.standing_debts sim.snapshots "
        "sim.pictures sim.waking sim.governance sim.liquidatable sim.run sim.cascade "
        "sim.results sim.conformance sim.studies sim.inputs sim.memory",
        5: "sim.cli ui app",
    }.items()
    for module in modules.split()
}

#: NumPy's functions whose last bit depends on the processor: transcendental ones and those that go through BLAS.
NOT_REPRODUCIBLE = frozenset(
    (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "power", "float_power", "cbrt", "hypot",
        "logaddexp", "logaddexp2", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh",
        "tanh", "arcsinh", "arccosh", "arctanh", "dot", "vdot", "inner", "outer", "matmul", "tensordot", "einsum",
        "linalg", "cov", "corrcoef", "polyfit", "convolve", "correlate",
    )
)  # fmt: skip

#: Where they are used all the same, and why that decides, records and hashes nothing.
REPRODUCIBLE_ENOUGH = {
    ("sim/results/report/frames.py", "np.log"): "a point of a chart",
    ("sim/results/report/ladder.py", "@"): "a point of a chart",
    ("sim/prices/correlation.py", "np.linalg"): "a number in an error message",
}

#: Built-in sums, all over integers. Sums of floats are `math.fsum` or NumPy: Python 3.12 changed `sum` of floats.
INTEGER_SUMS = {
    "sim/ledger.py": {"amounts", "column"},
    "sim/markets/redemption.py": {"(request.amount for request in self.requests.values())"},
    "sim/markets/routes.py": {
        "weights",
        "rest",
        "(quoted(place, amount) for place, amount in zip(order, amounts, strict=True))",
    },
    "sim/markets/venues.py": {"parts"},
    "agents/farmer.py": {"(request.base_amount for request in ready)"},
    "agents/turnover.py": {"(call.gas for call in calls)"},
    "sim/founding.py": {
        "amounts",
        "(sum(amounts) for _, amounts, _ in self.supplies.get(reserve, []))",
        "(sum(amounts) for _, amounts in self.debts.get(reserve, []))",
    },
    "sim/chain/transaction.py": {"(call.gas for call in calls)"},
    "sim/memory.py": {"agents.values()", "agents_of(scenario).values()"},
    "sim/markets/periphery.py": {"repaid"},
    "sim/markets/lending/constants.py": {"(1 << 2 * reserve for reserve in range(MAX_RESERVES))"},
    "sim/markets/lending/standing.py": {"column"},
    "sim/markets/lending/loading.py": {"scaled_supplies", "scaled_debts"},
    "sim/results/recorder.py": {"(block()[0] for block in self._blocks.values())"},
    "sim/results/report/style.py": {"(1 for n in names[:len(given)] if not fixed or n not in fixed)"},
    "agents/manager.py": {"(call.gas for call in calls)"},
    "sim/studies/lanes.py": {"threads.values()"},
}

#: Folders whose sums are integers throughout: exact pool arithmetic, and counts that are printed.
INTEGER_FOLDERS = ("sim/markets/amm/stableswap/", "sim/cli/")

#: Readers of the wall clock, and the places that may use them: times of files, progress, time taken.
CLOCKS = frozenset(
    (
        "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
        "time.perf_counter_ns", "time.localtime", "time.gmtime", "time.strftime", "datetime.now", "datetime.utcnow",
        "datetime.today", "date.today",
    )
)  # fmt: skip
MAY_READ_THE_CLOCK = ("sim/results/", "sim/cli/", "sim/run.py", "sim/studies/", "ui/", "app.py")

#: Names under which Mesa keeps its generators: `model.random`, `self.rng`, `self.model.random`.
OF_A_MODEL = frozenset(("self", "cls", "model", "economy"))


class Violation(NamedTuple):
    """One line that breaks a rule."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


def sources() -> dict[str, str]:
    """Text of every module of the program, by its path from the project's folder."""
    files = [path for folder in ("sim", "agents", "scenarios", "ui") for path in sorted((ROOT / folder).rglob("*.py"))]
    files += [path for path in (ROOT / "app.py",) if path.exists()]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files}


def module_of(path: str) -> str:
    """Dotted name of the module in a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def layer_of(module: str) -> int | None:
    """Layer of a module by its longest known prefix; None outside the program, KeyError for one without a layer."""
    parts = module.split(".")
    if parts[0] not in ("sim", "agents", "scenarios", "ui", "app"):
        return None
    if len(parts) > 1 and parts[0] == "sim":
        return LAYERS[".".join(parts[:2])]
    return LAYERS[parts[0]]


def violations(path: str, source: str) -> list[Violation]:
    """Everything in a file that breaks a rule, in the order of its lines."""
    tree = ast.parse(source, path)
    numpy = _numpy_names(tree)
    found = [Violation(path, line, message) for rule in RULES for line, message in rule(path, tree, numpy)]
    return sorted(found, key=lambda violation: violation.line)


# ---------------------------------------------------------------------- imports
def imported(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Modules that a file imports anywhere, also inside functions, under TYPE_CHECKING and by `import_module`."""
    package = module_of(path).split(".")
    if not path.endswith("__init__.py"):
        package = package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            home = ".".join([*above, *([node.module] if node.module else [])])
            if home == "sim":  # `from sim import prices` imports a module of another layer than `sim`
                for alias in node.names:
                    yield node.lineno, f"sim.{alias.name}" if f"sim.{alias.name}" in LAYERS else "sim"
            else:
                yield node.lineno, home
        elif isinstance(node, ast.Call) and _dotted(node.func).split(".")[-1] in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def _upward(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    own = layer_of(module_of(path))
    assert own is not None
    for line, module in imported(path, tree):
        layer = layer_of(module)
        if layer is not None and layer > own:
            yield line, f"layer {own} imports {module}, which is of layer {layer}"


# ---------------------------------------------------------------------- what may not be used
def _randomness(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    for line, module in imported(path, tree):
        if module.split(".")[0] == "random":
            yield line, "the module `random`: use sim.randomness"
        if module.startswith("numpy.random") and path != "sim/randomness.py":
            yield line, "numpy.random: use sim.randomness"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = _dotted(node.value)
        if node.attr == "random" and owner in numpy and path != "sim/randomness.py" and not _is_a_type(node, tree):
            yield node.lineno, "np.random: use sim.randomness"
        elif node.attr in ("random", "rng") and owner.split(".")[-1] in OF_A_MODEL:
            yield node.lineno, f"{owner}.{node.attr}: an agent's randomness is a keyed draw"
        elif node.attr in ("shuffle_do", "shuffle"):
            yield node.lineno, f"{node.attr}: order comes from keyed draws"


def _is_a_type(node: ast.Attribute, tree: ast.AST) -> bool:
    """Whether `np.random` is only named as the home of `np.random.Generator`, the type of a stream."""
    return any(
        isinstance(outer, ast.Attribute) and outer.value is node and outer.attr == "Generator"
        for outer in ast.walk(tree)
    )


def _hash_order(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        looped = [node.iter] if isinstance(node, ast.For | ast.comprehension) else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("list", "tuple", "enumerate", "zip", "map", "iter", "next"):
                looped = node.args
            elif node.func.id == "hash":
                yield node.lineno, "hash(): differs from process to process"
        for over in looped:
            if _is_a_set(over):
                yield over.lineno, f"the order of a set, {ast.unparse(over)}: sort it"


def _is_a_set(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_a_set(node.left) or _is_a_set(node.right)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")
    return isinstance(node, ast.Set | ast.SetComp)


def _float_sums(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    if path.startswith(INTEGER_FOLDERS):
        return
    allowed = INTEGER_SUMS.get(path, set())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "sum":
            text = ast.unparse(node.args[0]) if node.args else ""
            if text not in allowed:
                yield node.lineno, f"sum({text}): math.fsum for floats; a sum of integers is listed in INTEGER_SUMS"


def _numpy_maths(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in NOT_REPRODUCIBLE and _dotted(node.value) in numpy:
            used = f"np.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in ("numpy", "numpy.linalg"):
            names = [alias.name for alias in node.names if alias.name in NOT_REPRODUCIBLE]
            used = f"np.{names[0]}" if names else "np.linalg" if node.module == "numpy.linalg" else ""
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.MatMult):
            used = "@"
        else:
            continue
        if used and (path, used) not in REPRODUCIBLE_ENOUGH:
            yield node.lineno, f"{used} differs between processors by a bit: use math, or say in the list why it may"


def _wall_clock(path: str, tree: ast.AST, numpy: set[str]) -> Iterator[tuple[int, str]]:
    if path.startswith(MAY_READ_THE_CLOCK):
        return
    from_time = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ".".join(_dotted(node).split(".")[-2:])
        elif isinstance(node, ast.Name) and node.id in from_time:
            name = f"time.{from_time[node.id]}"
        else:
            continue
        if name in CLOCKS:
            yield node.lineno, f"{name}: no wall clock in what is simulated"


RULES = (_upward, _randomness, _hash_order, _float_sums, _numpy_maths, _wall_clock)


def _dotted(node: ast.AST) -> str:
    """`a.b.c` of nested attributes; an empty string where something else stands at the bottom."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *names[::-1]])


def _numpy_names(tree: ast.AST) -> set[str]:
    """Names under which a file knows NumPy."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "numpy"
    }
