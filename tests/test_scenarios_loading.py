"""Loading: files, what they extend, overrides, path files, kinds of one's own, and where each value comes from."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
from scenario_samples import DATA, KINDS, sample, toml_of

from scenarios import ScenarioError, library_names, load
from scenarios.merging import merged, parse_assignments, parse_value, with_override

TESTS = Path(__file__).parent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.toml").write_text(toml_of(DATA))
    return tmp_path


def problems_of(*arguments, **options):
    with pytest.raises(ScenarioError) as caught:
        load(*arguments, **options)
    assert str(caught.value)
    assert pickle.loads(pickle.dumps(caught.value)).problems == caught.value.problems
    return caught.value.problems


# ---------------------------------------------------------------------- finding and reading
def test_a_file_gives_what_the_same_data_give(folder):
    assert load("base.toml", kinds=KINDS).as_dict() == load(DATA, kinds=KINDS).as_dict()
    assert load(folder / "base.toml", kinds=KINDS).as_dict() == load(DATA, kinds=KINDS).as_dict()


def test_a_library_name_wins_over_a_file_beside_it(folder):
    (folder / "demo").write_text("x = 1")
    (folder / "demo.toml").write_text(toml_of(sample(name="own")))
    assert load("demo").name == "demo"
    assert load("./demo.toml", kinds=KINDS).name == "own"


def test_the_folder_of_a_run_can_be_loaded_again(folder):
    run = folder / "out" / "sample-1"
    run.mkdir(parents=True)
    original = load("base.toml", kinds=KINDS)
    (run / "scenario.toml").write_text(original.to_toml())
    assert load(run, kinds=KINDS).as_dict() == original.as_dict()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dem", "did you mean 'demo'"),
        ("MARCH2020", "did you mean 'march-2020'"),
        ("qqqq", "there is no scenario 'qqqq'"),
        ("", "is not the name of a scenario"),
        ("nowhere.toml", "does not exist"),
        ("elsewhere/demo.toml", "the library has 'demo'"),
        ("a\0b", "is not the name of a scenario"),
    ],
)
def test_unknown_scenario(folder, name, message):
    (problem,) = problems_of(name)
    assert message in problem.message
    assert "march-2020" in problem.allowed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# nothing but words\n", "is empty"),
        (b"a\0b", "is a binary file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is a binary file"),
        (b'title = "caf\xe9"', "is not UTF-8 text"),
        (b"title = ", "is not valid TOML"),
        (b"a = 1\na = 2", "is not valid TOML"),
        (b"x = " + b"[" * 5_000, "is not valid TOML"),
        (b"#" * 5_000_000, "too large"),
    ],
)
def test_files_that_are_no_scenario(folder, content, message):
    (folder / "bad.toml").write_bytes(content)
    (problem,) = problems_of("bad.toml")
    assert problem.file == "bad.toml"
    assert message in problem.message
    assert problem.allowed


def test_a_folder_and_an_unreadable_file(folder):
    assert "is a folder" in problems_of(str(folder))[0].message
    (folder / "link.toml").symlink_to("link.toml")
    assert "link.toml" in str(problems_of("link.toml")[0])


def test_a_byte_order_mark_is_no_problem(folder):
    (folder / "bom.toml").write_bytes(b"\xef\xbb\xbf" + toml_of(DATA).encode())
    assert load("bom.toml", kinds=KINDS).name == "sample"


# ---------------------------------------------------------------------- extends
def test_extends_merges_tables_and_replaces_the_rest(folder):
    (folder / "child.toml").write_text(
        'extends = "base.toml"\n[pool.reserves.ETH]\nltv = 0.5\n[[amms.ETH-USD.ranges]]\nwidth_ratio = 2\nshare = 1'
    )
    scenario = load("child.toml", kinds=KINDS)
    assert scenario.pool.reserves["ETH"].ltv == 0.5
    assert scenario.pool.reserves["ETH"].liquidation_threshold == 0.83
    assert len(scenario.amms["ETH-USD"].ranges) == 1
    assert scenario.extends is None


def test_name_title_and_why_are_not_inherited(folder):
    (folder / "parent.toml").write_text('extends = "base.toml"\ntitle = "Parent"\nwhy = "For tests."\nsource = "Here."')
    (folder / "child.toml").write_text('extends = "parent.toml"')
    scenario = load("child.toml", kinds=KINDS)
    assert (scenario.name, scenario.title, scenario.why, scenario.source) == ("child", "", "", "Here.")
    assert scenario.label == "child"
    assert load("parent.toml", kinds=KINDS).label == "Parent"


def test_extends_is_relative_to_the_file_that_says_it(folder):
    (folder / "inner").mkdir()
    (folder / "inner" / "child.toml").write_text('extends = "../base.toml"')
    assert load("inner/child.toml", kinds=KINDS).run.horizon_seconds == 600


def test_extending_the_library(folder):
    (folder / "mine.toml").write_text('extends = "demo"\n[run]\nseed = 9')
    scenario = load("mine.toml")
    assert (scenario.name, scenario.run.seed, scenario.run.steps) == ("mine", 9, 240)
    assert load({"extends": "demo", "run": {"seed": 9}}).run.seed == 9


def test_another_kind_replaces_the_inherited_table(folder):
    (folder / "child.toml").write_text(
        'extends = "base.toml"\n[amms.ETH-USD]\nkind = "constant_product"\ntoken0 = "ETH"\ntoken1 = "USD"\n'
        'liquidity_usd = 5e6\n[populations.watchers]\nkind = "pair"\ncount = 1'
    )
    scenario = load("child.toml", kinds=KINDS)
    assert scenario.amms["ETH-USD"].ranges == ()
    assert dict(scenario.populations.tables["watchers"].settings) == {"low": 0.0, "high": 1.0}


def test_a_loop_of_extends_names_its_members(folder):
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a")):
        (folder / f"{name}.toml").write_text(f'extends = "{parent}.toml"')
    (problem,) = problems_of("a.toml")
    assert problem.path == "extends"
    assert problem.file == "c.toml"
    assert "a.toml -> b.toml -> c.toml -> a.toml" in problem.message


def test_a_file_that_extends_itself(folder):
    (folder / "a.toml").write_text('extends = "./a.toml"')
    assert "goes round" in problems_of("a.toml")[0].message


@pytest.mark.parametrize("parent", ["5", '"demoo"', '"nowhere.toml"', "[]"])
def test_extends_of_nothing(folder, parent):
    (folder / "a.toml").write_text(f"extends = {parent}")
    (problem,) = problems_of("a.toml")
    assert (problem.file, problem.path) == ("a.toml", "extends")
    assert problem.given
    assert "demo" in problem.allowed


def test_each_problem_is_told_for_the_file_it_comes_from(folder):
    (folder / "parent.toml").write_text('extends = "base.toml"\n[run]\nsede = 1')
    (folder / "child.toml").write_text('extends = "parent.toml"\n[pool.reserves.ETH]\nliquidation_threshold = 0.7')
    problems = problems_of("child.toml", {"gas.ordering": "x"}, KINDS)
    assert {(problem.file, problem.path) for problem in problems} == {
        ("parent.toml", "run.sede"),
        ("child.toml", "pool.reserves.ETH.ltv"),
        ("--set", "gas.ordering"),
    }


# ---------------------------------------------------------------------- overrides
def test_overrides():
    scenario = load(DATA, {"run.seed": 7, "pool.emodes.1.ltv": 0.9, "populations.watchers.look_seconds": 60.0}, KINDS)
    assert (scenario.run.seed, scenario.pool.emodes[1].ltv) == (7, 0.9)
    assert scenario.populations.tables["watchers"].parameters.look_seconds == 60.0


def test_overrides_reach_into_lists_and_merge_tables():
    data = sample(prices__shocks=[{"asset": "ETH", "at_seconds": 12, "change_ratio": -0.2}])
    overrides = {"prices.shocks.0.change_ratio": -0.5, "populations.watchers.collateral": {"stETH": 2.0}}
    scenario = load(data, overrides, KINDS)
    assert scenario.prices.shocks[0].change_ratio == -0.5
    assert scenario.populations.tables["watchers"].parameters.collateral == {"ETH": 1.0, "stETH": 2.0}
    assert data["prices"]["shocks"][0]["change_ratio"] == -0.2


def test_a_new_table_by_override():
    scenario = load(DATA, {"prices.volatility_per_year.ETH": 0.8, "prices.process": "gbm"}, KINDS)
    assert scenario.prices.volatility_per_year == {"ETH": 0.8}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("run.sede", "did you mean 'seed'"),
        ("run.horizon_seconds.deeper", "run.horizon_seconds is a value, not a table"),
        ("run..seed", "is not a field"),
        (".", "is not a field"),
        ("amms.ETH-USD.ranges.2.share", "has no entry 2"),
        ("amms.ETH-USD.ranges.x.share", "has no entry x"),
        ("run.seed.deeper", "is not a whole number"),
        ("prices.shocks.0.change_ratio", "is not a list"),
    ],
)
def test_overrides_of_nothing(path, message):
    problems = problems_of(DATA, {path: 5}, KINDS)
    assert {problem.file for problem in problems} == {"--set"}
    assert any(message in problem.message for problem in problems), problems


def test_all_bad_overrides_are_told():
    assert len(problems_of(DATA, {"run.horizon_seconds.x": 1, "a..b": 2}, KINDS)) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e6", 1e6),
        ("45_000_000", 45_000_000),
        ("true", True),
        ('"a b"', "a b"),
        ("private", "private"),
        ("2020-03-12T00:00:00Z", parse_value("2020-03-12T00:00:00Z")),
        ('{ETH = "eth"}', {"ETH": "eth"}),
        ('["a", "b"]', ["a", "b"]),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
        ("nan", parse_value("nan")),
    ],
)
def test_values_of_set_are_toml_or_words(text, value):
    ((path, parsed),) = parse_assignments([f"a.b={text}"]).items()
    assert path == "a.b"
    assert repr(parsed) == repr(value)


def test_set_without_a_field_or_value():
    with pytest.raises(ScenarioError) as caught:
        parse_assignments(["run.seed", "=5", "run.seed=1"])
    assert len(caught.value.problems) == 2


def test_a_later_set_wins():
    assert parse_assignments(["a=1", "b=2", "a=3"]) == {"b": 2, "a": 3}


def test_merging_leaves_its_inputs_alone():
    base, over = {"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}}
    assert merged(base, over) == {"a": {"b": 1, "d": 2}, "c": [1]}
    assert with_override(base, "a.b", 5) == {"a": {"b": 5}, "c": [1]}
    assert (base, over) == ({"a": {"b": 1}, "c": [1]}, {"a": {"d": 2}})


# ---------------------------------------------------------------------- where values come from
def test_origins_and_sources(folder):
    (folder / "child.toml").write_text(
        'extends = "base.toml"\n[gas]\nreference_gwei = 12.0\nsource = "one day"\n'
        '[assets.ETH]\nprice_usd = 5.0\nprice_source = "a feed"\n[run]\nseed = 3'
    )
    scenario = load("child.toml", {"run.horizon_seconds": 1_200}, KINDS)
    assert scenario.origin("run.horizon_seconds") == ("override", "--set run.horizon_seconds", "")
    assert scenario.origin("run.seed") == ("file", "child.toml", "")
    assert scenario.origin("gas.reference_gwei") == ("file", "child.toml", "one day")
    assert scenario.origin("gas.price_asset") == ("file", "base.toml", "")
    assert scenario.origin("assets.ETH.price_usd") == ("file", "child.toml", "a feed")
    assert scenario.origin("gas.tip_gwei").kind == "default"
    assert scenario.origin("populations.watchers.look_seconds").kind == "default"
    assert scenario.origin("populations.watchers.collateral.ETH").kind == "file"


def test_a_table_that_is_overridden_is_an_override_inside():
    changes = {"prices.process": "csv", "prices.file": "paths/may_2021.csv", "prices.columns": {"ETH": "eth_close"}}
    scenario = load(DATA, changes, KINDS)
    assert scenario.origin("prices.columns.ETH").kind == "override"


# ---------------------------------------------------------------------- path files
def test_path_files_are_found_beside_the_file_that_names_them(folder):
    (folder / "inner").mkdir()
    (folder / "inner" / "own.csv").write_text("time,eth\n")
    (folder / "inner" / "parent.toml").write_text(
        'extends = "../base.toml"\n[prices]\nprocess = "csv"\nfile = "own.csv"\ncolumns = { ETH = "eth" }'
    )
    (folder / "child.toml").write_text('extends = "inner/parent.toml"')
    scenario = load("child.toml", kinds=KINDS)
    assert scenario.price_file.resolve() == (folder / "inner" / "own.csv").resolve()
    assert scenario.prices.file == "own.csv"
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "scenario.toml").write_text(scenario.to_toml())
    assert load("elsewhere/scenario.toml", kinds=KINDS).price_file.resolve() == scenario.price_file.resolve()


def test_shipped_paths_are_found_from_everywhere(folder):
    scenario = load("march-2020")
    assert scenario.price_file.name == "black_thursday_2020-03.csv"
    assert 'file = "paths/black_thursday_2020-03.csv"' in scenario.to_toml()
    changes = {"prices.process": "historical", "prices.file": "paths/may_2021.csv", "prices.columns.ETH": "eth"}
    assert load("base.toml", changes, KINDS).price_file.name == "may_2021.csv"


def test_a_path_file_that_is_not_there_is_told_for_the_file_that_names_it(folder):
    (folder / "parent.toml").write_text(
        'extends = "base.toml"\n[prices]\nprocess = "historical"\nfile = "paths/black_thursday.csv"\n'
        'columns = { ETH = "eth" }'
    )
    (folder / "child.toml").write_text('extends = "parent.toml"')
    (problem,) = problems_of("child.toml", kinds=KINDS)
    assert (problem.file, problem.path) == ("parent.toml", "prices.file")
    assert "did you mean 'paths/black_thursday_2020-03.csv'" in problem.message


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", ".", "../../../../etc"])
def test_path_files_that_no_file_can_be(name):
    changes = {"prices.process": "csv", "prices.file": name, "prices.columns.ETH": "eth"}
    assert problems_of(DATA, changes, KINDS)[0].path == "prices.file"


# ---------------------------------------------------------------------- kinds
def test_without_kinds_only_what_all_kinds_share_is_checked():
    scenario = load(sample(populations__watchers__anything=5, populations__pairs__kind="whatever"))
    assert scenario.populations.tables["watchers"].settings["anything"] == 5
    assert scenario.populations.tables["watchers"].parameters is None


def test_kinds_give_parameters_and_defaults():
    table = load(DATA, kinds=KINDS).populations.tables["watchers"]
    assert table.parameters.look_seconds == table.settings["look_seconds"] == 1_800.0
    assert table.count == 10


def test_a_kind_of_ones_own(monkeypatch):
    monkeypatch.syspath_prepend(str(TESTS))
    own = {"kind": "scenario_samples:Agent", "count": 2, "high": 5.0}
    scenario = load(sample(populations__own=own), kinds=KINDS)
    assert scenario.populations.tables["own"].parameters.high == 5.0
    bad = own | {"low": 9.0}
    (problem,) = problems_of(sample(populations__own=bad), kinds=KINDS)
    assert problem.message == "low must not be above high"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no_such_module:Agent", "'no_such_module' cannot be imported: ModuleNotFoundError"),
        ("scenario_samples:Agnt", "did you mean 'Agent'"),
        ("scenario_samples:AgentWithoutParameters", "no pydantic class `Parameters`"),
        ("json:dumps", "no pydantic class `Parameters`"),
        (":", "cannot be imported"),
        ("broken_kind_module:Agent", "cannot be imported: ZeroDivisionError"),
    ],
)
def test_kinds_of_ones_own_that_do_not_work(monkeypatch, tmp_path, kind, message):
    monkeypatch.syspath_prepend(str(TESTS))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_kind_module.py").write_text("1 / 0")
    (problem,) = problems_of(sample(populations__own={"kind": kind, "count": 1}), kinds=KINDS)
    sys.modules.pop("broken_kind_module", None)
    assert problem.path == "populations.own.kind"
    assert message in problem.message
    assert "pair, watcher, or package.module:Class" in problem.allowed


def test_library_names():
    assert {"aave-v3-ethereum", "calm", "demo", "march-2020"} <= set(library_names())
