"""`undertow scenario …`"""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from scenarios import library_names, load
from sim.cli import main

BAD = """
extends = "demo"
[run]
horizn_seconds = 5
[pool.reserves.WETH]
ltv = 0.9
[assets.WETH]
price_usd = nan
[populations.holders]
debt_usd_medain = 1.0
"""


def test_list(capsys):
    assert main(["scenario", "list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in library_names())
    assert main(["scenario", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["demo"]["agents"], rows["demo"]["horizon_seconds"]) == (150, 14_400)


@pytest.mark.parametrize("width", ["60", "80", "120"])
@pytest.mark.parametrize("command", [["list"], ["show", "march-2020"], ["show", "demo", "--values"]])
def test_text_fits_the_terminal(width, command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", width)
    assert main(["scenario", *command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert not [line for line in lines if line != line.rstrip()]
    assert not [line for line in lines if "…" in line]


def test_show(capsys):
    assert main(["scenario", "show", "demo", "--set", "run.seed=77"]) == 0
    told = capsys.readouterr().out
    for words in (
        "A small market",
        "$2,578.46",
        "83.0 %",
        "WETH -30% after 1 h over 30 min",
        "run.seed     77",
    ):
        assert words in told
    assert main(["scenario", "show", "demo", "--values"]) == 0
    assert "liquidation_threshold" in capsys.readouterr().out


def test_show_as_toml_and_json_can_be_loaded_again(tmp_path, capsys):
    assert main(["scenario", "show", "calm", "--toml", "--set", "run.seed=5"]) == 0
    (tmp_path / "copy.toml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert main(["scenario", "show", str(tmp_path / "copy.toml"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert main(["scenario", "show", "calm", "--json", "--set", "run.seed=5"]) == 0
    assert json.loads(capsys.readouterr().out) == again
    assert load(again).as_dict() == again


def test_validate_the_library(capsys):
    assert main(["scenario", "validate", *library_names()]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name}: ok" for name in library_names()]


def test_validate_tells_all_problems_of_all_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text(BAD)
    assert main(["scenario", "validate", "bad.toml", "demo", "nowhere.toml"]) == 65
    told = capsys.readouterr()
    assert told.out == "demo: ok\n"
    for words in (
        "bad.toml: 4 problems",
        "run.horizn_seconds: is not a known field; did you mean 'horizon_seconds'?",
        "pool.reserves.WETH.ltv",
        "assets.WETH.price_usd",
        "did you mean 'debt_usd_median'?",
        "nowhere.toml does not exist",
    ):
        assert words in told.err
    assert main(["scenario", "validate", "bad.toml", "demo", "--json"]) == 65
    first, second = json.loads(capsys.readouterr().out)
    assert (first["scenario"], first["ok"], len(first["problems"])) == ("bad.toml", False, 4)
    assert set(first["problems"][0]) == {"file", "path", "given", "allowed", "message"}
    assert second == {"scenario": "demo", "ok": True, "problems": []}


def path_scenario(folder, rows):
    (folder / "own.csv").write_text("time,eth_open,eth_high,eth_low,eth_close\n" + "\n".join(rows) + "\n")
    (folder / "own.toml").write_text(
        'extends = "demo"\n[run]\nstart = "2020-03-12T00:00:00Z"\nhorizon_seconds = 7200\n'
        '[prices]\nprocess = "historical"\nfile = "own.csv"\ncolumns = { WETH = "eth" }\nshocks = []'
    )
    return str(folder / "own.toml")


GOOD = ["2020-03-12T00:00Z,10,12,9,11", "2020-03-12T01:00Z,11,12,9,10"]


def test_a_path_file_of_ones_own(tmp_path, capsys):
    assert main(["scenario", "validate", path_scenario(tmp_path, GOOD)]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([GOOD[0], "2020-03-12T02:00Z,11,12,9,10"], "3600 s after the row before"),
        (GOOD[::-1], "ascending order"),
        ([GOOD[0], GOOD[0]], "each time once"),
        ([GOOD[0], "2020-03-12T01:00Z,11,12,-9,10"], "above 0"),
        ([GOOD[0], "2020-03-12T01:00Z,11,12,nan,10"], "above 0"),
        ([GOOD[0], "2020-03-12T01:00Z,11,12,9"], "5 cells"),
        ([GOOD[0]], "which the file covers"),
        ([], "without rows"),
    ],
)
def test_a_path_file_that_cannot_be_used(tmp_path, rows, words, capsys):
    assert main(["scenario", "validate", path_scenario(tmp_path, rows)]) == 65
    told = capsys.readouterr().err
    assert "own.csv" in told
    assert words in told
    assert "given:" in told
    assert "allowed:" in told


def test_schema_is_json_schema(capsys):
    assert main(["scenario", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(load("demo").as_dict()))
    assert "Population_holder" in schema["$defs"]


def test_schema_as_tables(capsys):
    assert main(["scenario", "schema", "--table"]) == 0
    table = capsys.readouterr().out
    assert "pool.reserves.SYMBOL.ltv" in table
    assert "populations.HOLDER.debt_usd_median  [USD]" in table
    assert main(["scenario", "schema", "--assumptions", "--markdown"]) == 0
    head, rule, *rows = capsys.readouterr().out.splitlines()
    assert head == "| field | default | range | unit | meaning | why |"
    assert len(rows) > 50
    assert {row.replace("\\|", "").count("|") for row in (head, rule, *rows)} == {7}
    assert main(["scenario", "schema", "--markdown"]) == 0
    told = capsys.readouterr().out
    for words in ("### [pool.reserves.SYMBOL]", "| `ltv` |", '### [populations.NAME] kind = "holder"', "G(s) ="):
        assert words in told


@pytest.mark.parametrize("command", ["show", "validate"])
def test_a_kind_of_ones_own_beside_the_user(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_agents_of_a_test.py").write_text(
        "from agents.holder import Holder\n\nclass Cautious(Holder):\n    kind = 'cautious'\n"
    )
    (tmp_path / "own.toml").write_text(
        'extends = "demo"\n[populations.cautious]\nkind = "own_agents_of_a_test:Cautious"\ncount = 2\n'
        "debt_usd_median = 5.0\ncollateral = { WETH = 1.0 }\ndebt = { USDC = 1.0 }"
    )
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    assert main(["scenario", command, "own.toml"]) == 0, capsys.readouterr().err


def test_a_book_too_large_to_rehearse_is_built_in_fewer_positions(monkeypatch, capsys):
    monkeypatch.setattr("sim.cli.loading.REHEARSED_AGENTS", 100)
    assert main(["scenario", "validate", "demo"]) == 0
    assert capsys.readouterr().out.startswith("demo: ok (built with populations.scale = 0.6")
    assert main(["scenario", "validate", "demo", "--set", "populations.rest.count=0"]) == 65
    assert "pool.reserves.USDC: is borrowed more than is supplied" in capsys.readouterr().err
