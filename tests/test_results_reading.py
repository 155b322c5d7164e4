from __future__ import annotations

import json
import os
import pickle

import pandas as pd
import pytest
from results_fixture import SCENARIO_TOML, sample, write_sample

from sim.results import ResultsError, load, new_manifest, summarise, write_run
from sim.results import wording as w


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("results") / "crash's sample")


@pytest.fixture(scope="module")
def run(folder):
    return load(folder)


def empty_run(folder, tables):
    manifest = new_manifest({"name": "bare"}, 1)
    write_run(folder, tables=tables, manifest=manifest, scenario_toml="")
    return load(folder)


# -- tables ---------------------------------------------------------------------------------------------------------


def test_tables_come_back_as_frames(run):
    tables, _ = sample()
    assert run.tables == ["agents", "events", "metrics", "positions", "reports"]
    for name in run.tables:
        frame = getattr(run, name)
        assert frame is getattr(run, name)
        assert list(frame.columns) == list(tables[name])
    assert run.metrics["timestamp"].dtype == "int64"
    assert run.events["cause_id"].dtype == "int64"
    assert run.events["ok"].dtype == bool
    assert set(run.positions["when"]) == {"first", "worst", "last"}
    assert "crash-sample seed 7 done" in repr(run)


def test_gaps_and_exact_amounts(tmp_path):
    amount = 123456789012345678901234567890
    tables = {"events": {"cause_id": [1, None], "wei": [amount, None], "ok": [True, None], "gas_paid_eth": [1.5, None]}}
    events = empty_run(tmp_path / "run", tables).events
    assert events["cause_id"].dtype == "Int64"
    assert events["wei"].tolist() == [amount, None]
    assert events["ok"].dtype == "boolean"
    assert pd.isna(events["gas_paid_eth"][1])


def test_sql_sees_every_table_and_reads_nothing_else(run):
    answer = run.sql('select max("cash.USDC") as cash, count(*) as steps from metrics')
    assert answer["steps"].tolist() == [600]
    assert answer["cash"][0] == run.metrics["cash.USDC"].max()
    joined = run.sql("select count(*) as n from events join positions using (account) where \"when\" = 'first'")
    assert joined["n"][0] == len(run.events)
    with pytest.raises(ResultsError, match=r"the query failed: .*nothing.*Views: agents, events, metrics"):
        run.sql("select * from nothing")
    with pytest.raises(ResultsError, match="the query failed"):
        run.sql("selec")


def test_the_hash_can_be_checked_from_the_files(run, tmp_path):
    assert run.content_hash() == run.manifest["content_hash"]
    other = load(write_sample(tmp_path / "other"))
    (other.folder / "agents.parquet").write_bytes((run.folder / "events.parquet").read_bytes())
    assert other.content_hash() != other.manifest["content_hash"]


# -- refusing -------------------------------------------------------------------------------------------------------


def message_of(action):
    with pytest.raises(ResultsError) as caught:
        action()
    assert caught.value.exit_code == 65
    return str(caught.value)


def test_no_such_folder(tmp_path):
    assert "does not exist. A run writes such a folder" in message_of(lambda: load(tmp_path / "none"))


def test_a_file_instead_of_a_folder(folder):
    assert "is a file; give the folder" in message_of(lambda: load(folder / "manifest.json"))


def test_a_folder_without_manifest(tmp_path):
    assert "no manifest.json (it is empty)" in message_of(lambda: load(tmp_path))
    (tmp_path / "holiday.jpg").write_text("x")
    assert "no manifest.json (it holds holiday.jpg)" in message_of(lambda: load(tmp_path))


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not valid JSON"), ("[]", "not the manifest"), ("{}", "not the manifest")]
)
def test_a_broken_manifest(tmp_path, text, message):
    (tmp_path / "manifest.json").write_text(text)
    assert message in message_of(lambda: load(tmp_path))


def test_a_manifest_that_is_binary_or_a_folder(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\x00")
    assert "not valid JSON" in message_of(lambda: load(tmp_path))
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").mkdir()
    assert "cannot be read" in message_of(lambda: load(tmp_path))


def test_a_study_says_where_its_runs_are(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "study", "identity": "x"}))
    assert "holds a study, not a run; its runs are in" in message_of(lambda: load(tmp_path))


@pytest.mark.parametrize("keep", [0, 10, 3000])
def test_a_damaged_table_is_named(tmp_path, keep):
    other = load(write_sample(tmp_path / "run"))
    file = other.folder / "events.parquet"
    os.truncate(file, keep)
    message = message_of(lambda: other.events)
    assert str(file) in message
    assert "damaged or cut off" in message
    assert "\n" not in message
    assert "the query failed" in message_of(lambda: other.sql("select * from events"))
    assert len(other.metrics) == 600


def test_a_pickle_is_not_opened(tmp_path):
    other = load(write_sample(tmp_path / "run"))
    (other.folder / "events.parquet").write_bytes(pickle.dumps({"a": 1}))
    assert "damaged" in message_of(lambda: other.events)


def test_a_missing_table_is_named_with_the_state(tmp_path):
    other = load(write_sample(tmp_path / "run", state="interrupted"))
    (other.folder / "events.parquet").unlink()
    said = message_of(lambda: other.events)
    assert "has no table events; it holds agents, metrics, positions, reports (state: interrupted)" in said


# -- summary --------------------------------------------------------------------------------------------------------


def test_summary_in_words(run):
    summary = summarise(run)
    assert [section.key for section in summary.sections] == [
        "run",
        "prices",
        "liquidations",
        "deficit",
        "utilisation",
        "gas",
        "people",
        "kinds",
        "trust",
    ]
    text = summary.to_text()
    assert "one run, seed 7" in text
    assert "WETH fell 23.2 % as the scenario asks" in summary.headline
    assert "92.0 % (55 min above)" in text
    assert "every token accounted for, to the unit" in text
    assert run.manifest["content_hash"] in text
    assert str(run.folder) in text
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_summary_in_numbers_agrees_with_the_tables(run):
    values = summarise(run).to_json()
    events = run.events
    done = events[events["ok"]]
    assert values["liquidations"]["count"] == len(done)
    assert values["liquidations"]["debt_repaid_usd"] == pytest.approx(done["debt_repaid_usd"].sum())
    assert values["liquidations"]["reverted"] == len(events) - len(done)
    pairs = values["liquidations"]["by_pair"]
    assert sum(pair["count"] for pair in pairs) == len(done)
    assert [pair["debt_repaid_usd"] for pair in pairs] == sorted((p["debt_repaid_usd"] for p in pairs), reverse=True)
    assert values["liquidations"]["largest"]["debt_repaid_usd"] == done["debt_repaid_usd"].max()
    assert values["deficit"] == {"by_reserve": {"USDC": {"tokens": 42000.0, "usd": 42000.0}}, "total_usd": 42000.0}
    assert values["utilisation"]["USDC"]["peak_ratio"] == run.metrics["utilisation.USDC"].max()
    assert values["prices"]["WETH"]["asked_low_usd"] == run.metrics["exogenous_usd.WETH"].min()
    assert "USDC" not in values["prices"]
    assert values["run"]["blocks"] == 3000
    assert json.loads(json.dumps(values, allow_nan=False)) == values


def test_summary_of_tables_in_memory_is_the_same(run):
    tables, _ = sample()
    in_memory = summarise(tables, run.manifest, folder=run.folder)
    assert in_memory == summarise(run)
    assert summarise(tables, run.manifest).values["folder"] == ""


def test_summary_of_a_calm_run():
    tables, manifest = sample(calm=True)
    summary = summarise(tables, manifest)
    assert "obody was liquidated" in summary.headline
    assert "no bad debt is left" in summary.headline
    assert summary.section("deficit").rows == (("Total", "$0"),)


def test_summary_of_an_interrupted_run_says_so():
    tables, manifest = sample()
    summary = summarise(tables, manifest | {"state": "interrupted", "wall_seconds": None})
    assert ("State", "interrupted: the figures cover 600 steps only") in summary.section("run").rows


@pytest.mark.parametrize(
    ("audit", "words"),
    [
        (None, "not recorded"),
        ({"ok": True}, "every token accounted for, to the unit"),
        ({"ok": True, "checks": 1}, "every token accounted for, to the unit (1 full check)"),
        ({"ok": False, "residual": 3}, "FAILED: 3 not accounted for"),
    ],
)
def test_the_audit_in_words(audit, words):
    tables, manifest = sample()
    assert ("Conservation audit", words) in summarise(tables, manifest | {"audit": audit}).section("trust").rows


@pytest.mark.parametrize(
    "metrics",
    [
        {"step": []},
        {"step": [], "timestamp": [], "oracle_usd.WETH": [], "liquidatable_usd": [], "base_fee_gwei": []},
        {"step": [0]},
        {"step": [0], "timestamp": [10], "block": [3], "exogenous_usd.WETH": [1.0], "utilisation.WETH": [0.0]},
        {
            "step": [0, 1],
            "timestamp": [10, 22],
            "exogenous_usd.WETH": [None, None],
            "oracle_usd.WETH": [2.0, None],
            "utilisation.WETH": [None, 0.5],
            "borrow_rate.WETH": [None, None],
            "base_fee_gwei": [None, None],
            "liquidatable_usd": [None, None],
            "deficit.WETH": [None, None],
        },
    ],
)
def test_summary_of_almost_nothing(tmp_path, metrics):
    summary = summarise(empty_run(tmp_path / "run", {"metrics": metrics}))
    assert "obody was liquidated" in summary.headline
    json.dumps(summary.to_json(), allow_nan=False)
    assert summary.to_text()


def test_scenario_text_is_kept_as_it_was_given(folder):
    assert (folder / "scenario.toml").read_text() == SCENARIO_TOML


# -- wording --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (0.0, "$0"),
        (0.001, "$0"),
        (0.5, "$0.50"),
        (12.345, "$12.3"),
        (-45_600, "-$45.6 k"),
        (999_600, "$1.00 M"),
        (1_234_567, "$1.23 M"),
        (190e6, "$190 M"),
        (2.5e9, "$2.50 B"),
        (3e12, "$3.00 T"),
        (None, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_usd(given, text):
    assert w.usd(given) == text


def test_other_words():
    assert [w.percent(x) for x in (0.451, -0.25, 0.0032, 0.0, -0.0, 0.00032, None)] == [
        "45.1 %",
        "-25.0 %",
        "0.32 %",
        "0 %",
        "0 %",
        "0.032 %",
        "–",
    ]
    assert [w.price(x) for x in (2480.151, 0.99871, 60211.4, None)] == ["$2,480.15", "$0.9987", "$60,211", "–"]
    assert [w.seconds(x) for x in (0.0, 3.25, 12, 59.9, 725, 3600, 187_200, None)] == [
        "0 s",
        "3.2 s",
        "12 s",
        "60 s",
        "12 min 5 s",
        "1 h",
        "2 d 4 h",
        "–",
    ]
    assert [w.gwei(x) for x in (196.4, 0.051, None)] == ["196 gwei", "0.051 gwei", "–"]
    assert [w.number(x) for x in (1234567, 0.123456, 1234.5, None)] == ["1,234,567", "0.1235", "1,234", "–"]
    assert [w.count(n, "entry", "entries") for n in (0, 1, 2)] == ["0 entries", "1 entry", "2 entries"]
    assert w.moment(1_583_971_200) == "12 Mar 2020, 00:00 UTC"
    assert w.moment(None) == "–"
    assert [w.clock(at) for at in (1_583_971_200, None)] == ["12 Mar 00:00", "–"]
    assert [w.joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
