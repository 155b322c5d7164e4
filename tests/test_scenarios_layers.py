"""`scenarios` is the lowest layer: it imports neither the simulator nor the agents, and nothing heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import scenarios

FILES = sorted(Path(scenarios.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_file_imports_a_higher_layer(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [str(node.module)]
        assert not {name.split(".")[0] for name in names} & {"sim", "agents", "ui", "app"}


def modules_after(code):
    script = f"import sys\n{code}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing():
    assert not modules_after("import scenarios") & {"pydantic", "numpy", "sim", "agents"}


def test_loading_a_scenario_loads_only_pydantic():
    loaded = modules_after("import scenarios; scenarios.load('march-2020')")
    assert "pydantic" in loaded
    assert not loaded & {"numpy", "pandas", "mesa", "streamlit", "sim", "agents"}


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        scenarios.lod  # noqa: B018
