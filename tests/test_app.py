from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest
from results_fixture import write_sample
from streamlit.testing.v1 import AppTest

from sim.results import ResultsError, load, new_manifest, summarise, write_run
from ui import frames
from ui.run_page import plain

HOME = Path(__file__).parents[1]
DEAD_PID = 2**22 + 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("made") / "crash-7", steps=240)


@pytest.fixture
def out(tmp_path, monkeypatch, made):
    """A results folder with one run in it, which the app is pointed at."""
    root = tmp_path / "out"
    shutil.copytree(made, root / "crash-7")
    monkeypatch.setenv("UNDERTOW_OUT", str(root))
    return root


def opened(**query):
    page = AppTest.from_file(str(HOME / "app.py"), default_timeout=60)
    for name, value in query.items():
        page.query_params[name] = value
    return page.run()


def words(page):
    return "\n".join(str(element.value) for kind in ("title", "markdown", "subheader") for element in page.get(kind))


def unescaped(text):
    return text.replace("\\", "")


# -- the page -------------------------------------------------------------------------------------------------------


def test_the_newest_run_is_shown_with_its_summary_and_charts(out):
    page = opened()
    assert not page.exception
    assert [title.value for title in page.title] == ["A quarter off in an hour"]
    summary = summarise(load(out / "crash-7"))
    assert summary.headline in unescaped(words(page))
    assert "crash-7" in page.selectbox[0].options
    assert {metric.label for metric in page.metric} >= {"Fall of WETH", "Bad debt", "Base fee, gwei"}
    drawn = [json.loads(chart.proto.spec) for chart in page.get("vega_lite_chart")]
    assert len(drawn) == len(page.subheader) >= 12
    assert all("background" not in specification for specification in drawn)
    assert len(page.get("download_button")) == len(drawn)


def test_money_is_not_taken_for_a_formula(out):
    text = words(opened())
    assert "\\$" in text
    assert not [line for line in text.splitlines() if line.replace("\\$", "").count("$")]


def test_a_link_names_the_run(out, made):
    shutil.copytree(made, out / "older")
    os.utime(out / "older" / "manifest.json", (1, 1))
    page = opened(run="older")
    assert page.selectbox[0].value == "older"
    assert not page.info
    assert opened().selectbox[0].value == "crash-7"


@pytest.mark.parametrize("name", ["../../etc", "/etc", "nothing", "a/b", "..", "crash-7/../..", "\0", "<script>"])
def test_a_bad_link_shows_the_newest_run_and_says_so(out, name):
    page = opened(run=name)
    assert not page.exception
    assert page.selectbox[0].value == "crash-7"
    assert "not here" in page.info[0].value


def test_the_report_can_be_taken_along(out):
    (out / "crash-7" / "report.html").write_text("<!DOCTYPE html>")
    labels = [button.proto.label for button in opened().get("download_button")]
    assert "Report (HTML, offline)" in labels


# -- empty, damaged, unfinished -------------------------------------------------------------------------------------


def test_without_runs_the_page_says_how_to_make_one(tmp_path, monkeypatch):
    for root in (tmp_path / "missing", tmp_path):
        monkeypatch.setenv("UNDERTOW_OUT", str(root))
        page = opened()
        assert not page.exception
        assert page.code[0].value == "undertow run demo"
        assert [button.label for button in page.button] == ["Look again"]


def test_a_damaged_run_is_an_explanation_without_path_or_traceback(out):
    os.truncate(out / "crash-7" / "metrics.parquet", 500)
    page = opened()
    assert not page.exception
    message = unescaped(page.error[0].value)
    assert "crash-7/metrics.parquet cannot be read, it is damaged or cut off" in message
    assert str(out) not in message
    assert "Traceback" not in message
    assert "Other runs are not affected" in words(page)


def test_an_interrupted_run_says_so(tmp_path, monkeypatch):
    write_sample(tmp_path / "stopped", steps=60, state="interrupted")
    monkeypatch.setenv("UNDERTOW_OUT", str(tmp_path))
    page = opened()
    assert "interrupted" in page.warning[0].value
    assert page.get("vega_lite_chart")


def started(root, pid, progress=None):
    folder = root / "now"
    folder.mkdir(parents=True)
    manifest = new_manifest({"name": "now"}, 1) | {"pid": pid}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    if progress is not None:
        (folder / "progress.json").write_text(progress)


def test_a_running_run_shows_how_far_it_is(out):
    started(out, os.getpid(), json.dumps({"done": 60, "total": 240, "unit": "steps", "seconds_left": 12.3}))
    page = opened()
    assert not page.exception
    assert page.selectbox[0].value == "now"
    bar = page.get("progress")[0].proto
    assert bar.value == 25
    assert "60 of 240 steps, about 12 s left" in unescaped(bar.text)
    assert "goes on when this page is closed" in words(page)


@pytest.mark.parametrize("progress", [None, "{", "[]", "{}", '{"done": 1, "total": 0}'])
def test_progress_that_cannot_be_read_is_a_beginning(out, progress):
    started(out, os.getpid(), progress)
    page = opened()
    assert not page.exception
    assert "starting" in page.get("progress")[0].proto.text


def test_a_killed_run_is_not_waited_for(out):
    started(out, DEAD_PID)
    page = opened()
    assert "stopped before it could keep anything" in page.warning[0].value
    assert not page.get("progress")


def test_a_run_of_almost_nothing_is_no_error(tmp_path, monkeypatch):
    manifest = new_manifest({"name": "bare"}, 1)
    write_run(tmp_path / "bare", tables={"metrics": {"step": []}}, manifest=manifest, scenario_toml="")
    monkeypatch.setenv("UNDERTOW_OUT", str(tmp_path))
    page = opened()
    assert not page.exception
    assert "nobody was liquidated" in unescaped(words(page)).lower()


def test_a_scenario_cannot_put_markup_on_the_page(tmp_path, monkeypatch):
    title = "**bold** $x^2$ [link](http://example.org) :red[red] <b>b</b>"
    manifest = new_manifest({"name": "bare", "title": title}, 1)
    write_run(tmp_path / "bare", tables={"metrics": {"step": [0]}}, manifest=manifest, scenario_toml="")
    monkeypatch.setenv("UNDERTOW_OUT", str(tmp_path))
    shown = opened().title[0].value
    assert shown == plain(title)
    assert unescaped(shown) == title


# -- which folders ----------------------------------------------------------------------------------------------------


def test_only_runs_directly_inside_the_root_are_listed(out, tmp_path, made):
    shutil.copytree(made, tmp_path / "outside")
    (out / "link").symlink_to(tmp_path / "outside")
    (out / "notes").mkdir()
    (out / "study").mkdir()
    (out / "study" / "manifest.json").write_text('{"kind": "study"}')
    (out / "broken").mkdir()
    (out / "broken" / "manifest.json").write_text("{")
    shutil.copytree(made, out / ".crash-7.12.partial")
    (out / "file").write_text("x")
    assert frames.run_names(out) == ["crash-7"]
    assert frames.folder_of(out, "link") is None
    assert frames.folder_of(out, "..") is None
    assert frames.folder_of(out, "crash-7") == (out / "crash-7").resolve()


def test_where_runs_are_looked_for(monkeypatch):
    monkeypatch.delenv("UNDERTOW_OUT", raising=False)
    assert frames.runs_root() == Path("out")
    monkeypatch.setenv("UNDERTOW_OUT", "elsewhere")
    assert frames.runs_root() == Path("elsewhere")


def test_whether_a_process_is_there(tmp_path):
    for pid, alive in ((os.getpid(), True), (DEAD_PID, False), (0, False), ("1", False)):
        (tmp_path / "manifest.json").write_text(json.dumps({"pid": pid}))
        assert frames.is_alive(tmp_path) is alive


def test_messages_lose_the_folders_above(tmp_path):
    message = frames.friendly(ResultsError(f"{tmp_path.resolve()}/run/metrics.parquet cannot be read"), tmp_path)
    assert message == "run/metrics.parquet cannot be read"


def test_times_of_a_folder_without_manifest(tmp_path):
    assert frames.manifest_time(tmp_path, "nothing") == 0
    assert frames.state_of(tmp_path) == ""


# -- safety -----------------------------------------------------------------------------------------------------------


def test_the_server_listens_only_here_and_tells_nobody():
    with (HOME / ".streamlit" / "config.toml").open("rb") as file:
        config = tomllib.load(file)
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "type"
