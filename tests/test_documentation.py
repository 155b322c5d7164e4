"""The documentation is true: what is made from the code is up to date, and references lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from agents.registry import kinds
from scenarios import field_table
from sim.cli import main
from sim.cli.documentation import BLOCKS, ROOT, library_assumptions, renewed, schema_assumptions, steady, table
from sim.results.columns import TABLES
from sim.results.reading import TABLE_NAMES

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


def committed_texts() -> list[Path]:
    """Every text file of the project."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a clone")
    kept = (".py", ".toml", ".md", ".cff")
    return [path for name in done.stdout.splitlines() if (path := ROOT / name).suffix in kept and path.exists()]


@pytest.mark.parametrize("file", BLOCKS)
def test_what_is_made_from_the_code_is_up_to_date(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text == renewed(text, BLOCKS[file]), "make docs renews it"


def test_a_page_without_its_block_is_refused():
    with pytest.raises(ValueError, match="begin tables"):
        renewed("nothing", {"tables": str})


def test_cells_keep_their_bars():
    assert table(("a", "b"), [("|x|", 1)]) == "| a | b |\n| --- | --- |\n| \\|x\\| | 1 |\n"


def test_output_without_what_differs_between_machines():
    assert (
        steady("Took     0.4 s, 9 blocks a second\nFiles  /home/me/out/demo-1\n") == "Took     …\nFiles  out/demo-1\n"
    )
    assert steady("Content hash  0123abc\nTaken     3\n") == "Content hash  …\nTaken     3\n"


# ---------------------------------------------------------------------- references
def headings(page: Path) -> list[str]:
    text = re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
    return [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, part = target.partition("#")
        there = (page.parent / file) if file else page
        assert there.exists(), target
        if part:
            assert part in map(anchor, headings(there)), target


def test_sections_of_the_model_that_the_code_names_exist():
    sections = {heading.split()[0] for heading in headings(ROOT / "docs/model.md")[1:]}
    named = [
        (path.name, number)
        for path in committed_texts()
        for number in re.findall(r"docs/model\.md[ ,]+(?:section )?(\d+(?:\.\d+)?)", path.read_text(encoding="utf-8"))
    ]
    assert len(named) > 10
    assert not [(name, number) for name, number in named if number not in sections]


def test_nothing_refers_to_notes_that_are_not_here():
    """Every source is a page, a paper, a contract, or a section of docs/model.md."""
    private = re.compile(r"\bMODEL(?: \d|\.md| section|,)|\bDESIGN\b|facts/|\bfacts V\d|\bfrom recollection")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in committed_texts()
        if path.name != Path(__file__).name
        for line in path.read_text(encoding="utf-8").splitlines()
        if private.search(line) and "results/facts" not in line
    ]
    assert not found


# ---------------------------------------------------------------------- parameters, assumptions, results
def test_every_parameter_of_every_kind_is_listed():
    text = (ROOT / "docs/parameters.md").read_text(encoding="utf-8")
    assert [row.path for row in field_table(kinds()) if f"| `{row.path.rpartition('.')[2]}` |" not in text] == []
    assert all(f'kind = "{kind}"' in text for kind in kinds())


def test_every_assumption_has_a_range_and_a_reason():
    rows = [
        line.split(" | ")
        for line in (schema_assumptions(field_table(kinds())) + library_assumptions()).splitlines()
        if line.startswith("| `")
    ]
    assert len(rows) > 100
    for field, value, limits, _, _, reason in rows:
        path = field.strip("|` ")
        if path.startswith("populations.POSITION") or path.endswith(".kind"):
            continue
        assert limits.strip(), path
        assert reason.strip(" |"), path
        assert "no source found" not in reason, path
        assert value is not None


def test_ranges_that_a_scenario_states_hold_its_values():
    number = re.compile(r"^([\d.,]+)([MBk]?)$")
    scale = {"": 1.0, "k": 1e3, "M": 1e6, "B": 1e9}
    checked = 0
    for line in library_assumptions().splitlines():
        cells = line.split(" | ")
        if not line.startswith("| `") or " to " not in cells[2]:
            continue
        ends = [number.match(end) for end in cells[2].split(" to ")]
        value = number.match(cells[1])
        if value is None or None in ends:
            continue
        low, high = (float(end[1].replace(",", "")) * scale[end[2]] for end in ends)
        assert low <= float(value[1].replace(",", "")) <= high, line
        checked += 1
    assert checked > 30


def test_results_page_names_every_table_and_every_key_of_the_manifest(tmp_path):
    text = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    assert set(TABLES) == set(TABLE_NAMES)
    assert (
        main(["run", "demo", "--no-report", "--out", str(tmp_path / "run"), "--set", "run.horizon_seconds=5400"]) == 0
    )
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    listed = set(re.findall(r"`(\w+)`", text[text.index("## Manifest") : text.index("## What is reproducible")]))
    assert not set(manifest) - listed
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert not [name for name in files if f"`{name}`" not in text]


def test_one_version_everywhere():
    from sim import __version__

    for file in ("CITATION.cff", "pyproject.toml"):
        assert re.search(rf'(?m)^version\s*[:=]\s*"?{re.escape(__version__)}"?$', (ROOT / file).read_text()), file
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
