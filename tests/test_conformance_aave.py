"""Recorded Aave runs: no value differs, a change in any of them is found and named, bad files say what is wrong."""

from __future__ import annotations

import copy
import dataclasses
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sim.conformance import DocumentError, Tally, kind_of, load_document, verify
from sim.conformance.aave36 import replay
from sim.conformance.verification import REPLAYERS, SHIPPED
from sim.markets.lending import liquidation, rates, state
from sim.markets.lending.health import AccountHealth

TRACES = sorted((SHIPPED / "aave36").glob("*.json.gz"))
EDGE = SHIPPED / "aave36" / "trace_edge36_public.json.gz"


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name)
def test_recorded_trace_replays_without_a_difference(path):
    (result,) = verify([path])
    assert result.supported
    assert result.protocol == "Aave V3.6"
    assert (result.differences, result.first_difference) == (0, None)
    assert result.operations >= 187
    assert result.values_compared > 65_000


def test_recorded_arithmetic_has_no_difference():
    interest, wadray = verify([SHIPPED / "aave"])
    assert (interest.kind, interest.values_compared, interest.differences) == ("aave interest factors", 600, 0)
    assert (wadray.kind, wadray.values_compared, wadray.differences) == ("aave wad and ray arithmetic", 360, 0)


def test_without_arguments_the_shipped_recordings_are_replayed_in_order():
    paths = [Path(result.path) for result in verify()]
    assert paths == sorted(SHIPPED.rglob("*.json.gz"))


# ---------------------------------------------------------------------- a difference is found and named
def _step(document: dict[str, Any], name: str, ok: bool = True) -> int:
    return next(i for i, s in enumerate(document["steps"]) if s["op"]["op"] == name and s["ok"] is ok)


def _change(document: dict[str, Any], what: str) -> str:
    """Change one recorded value; returns the path under which the difference must be reported."""
    steps = document["steps"]
    if what == "outcome":
        i = _step(document, "supply")
        steps[i]["ok"] = False
        return f"steps[{i}] supply ok"
    if what == "reason":
        i = _step(document, "borrow", ok=False)
        steps[i]["error"]["name"] = "SomethingElse"
        return f"steps[{i}] borrow error"
    if what == "result":
        i = _step(document, "withdraw")
        steps[i]["result"]["amount"] = str(int(steps[i]["result"]["amount"]) + 1)
        return f"steps[{i}] withdraw result.amount"
    if what == "flag":
        i = _step(document, "set_collateral")
        position = steps[i]["state"]["users"]["lp0"]["positions"]["WETH"]
        position["is_collateral"] = not position["is_collateral"]
        return f"steps[{i}] set_collateral state.users.lp0.positions.WETH.is_collateral"
    if what == "reserve":
        i = _step(document, "repay")
        reserve = steps[i]["state"]["reserves"]["USDC"]
        reserve["variable_borrow_rate"] = str(int(reserve["variable_borrow_rate"]) + 1)
        return f"steps[{i}] repay state.reserves.USDC.variable_borrow_rate"
    i = _step(document, "time_jump")
    del steps[i]["state"]["reserves"]["WBTC"]["price"]
    return f"steps[{i}] time_jump state.reserves.WBTC.price"


@pytest.fixture(scope="module")
def edge():
    return load_document(EDGE)


@pytest.mark.parametrize("what", ["outcome", "reason", "result", "flag", "reserve", "missing"])
def test_one_changed_value_is_one_difference_and_named(edge, what):
    document = copy.deepcopy(edge)
    path = _change(document, what)
    tally = replay(document)
    assert tally.differences == 1
    assert tally.first_difference is not None
    assert tally.first_difference.startswith(path)
    assert "recorded" in tally.first_difference
    assert "computed" in tally.first_difference


def _round_income_down(monkeypatch):
    monkeypatch.setattr(state, "grown_linearly", lambda i, r, s: i + i * r * s // (31_536_000 * 10**27))


def _simple_debt(monkeypatch):
    monkeypatch.setattr(state, "grown_compounded", state.grown_linearly)


def _with_rules(monkeypatch, **changes):
    rules = liquidation.LIQUIDATION_RULES["3.6"]
    monkeypatch.setitem(liquidation.LIQUIDATION_RULES, "3.6", dataclasses.replace(rules, **changes))


def _no_dust_rule(monkeypatch):
    _with_rules(monkeypatch, min_leftover_base=0)


def _close_factor_of_the_chosen_debt(monkeypatch):
    _with_rules(monkeypatch, of_total_debt=False)


def _no_deficit(monkeypatch):
    _with_rules(monkeypatch, books_deficit=False)


def _free_reserve(monkeypatch):
    original = rates.TwoSlopeRates.rates
    monkeypatch.setattr(rates.TwoSlopeRates, "rates", lambda self, d, c, x, f: original(self, d, c, x, max(f - 1, 0)))


def _no_ltv_check(monkeypatch):
    monkeypatch.setattr(AccountHealth, "_require_covered", AccountHealth._require_healthy)


@pytest.mark.parametrize(
    "mistake",
    [
        _round_income_down,
        _simple_debt,
        _no_dust_rule,
        _close_factor_of_the_chosen_debt,
        _no_deficit,
        _free_reserve,
        _no_ltv_check,
    ],
    ids=lambda mistake: mistake.__name__.strip("_"),
)
def test_planted_mistakes_are_noticed(edge, monkeypatch, mistake):
    mistake(monkeypatch)
    assert replay(edge).differences > 0


# ---------------------------------------------------------------------- comparing
def test_tally_compares_numbers_flags_and_absence():
    tally = Tally()
    assert tally.compare("a", "12", 12)
    assert tally.compare("b", True, True)
    assert tally.compare("c", None, None)
    assert tally.compare("d", "ReservePaused", "ReservePaused")
    assert (tally.compared, tally.differences, tally.first_difference) == (4, 0, None)
    assert not tally.compare("e", True, 1)
    assert not tally.compare("f", "0012", 12)
    assert not tally.compare("g", "12", 13)
    assert (tally.compared, tally.differences) == (7, 3)
    assert tally.first_difference == "e: recorded True, computed 1"


def test_tally_reports_keys_and_elements_of_one_side_only():
    tally = Tally()
    assert tally.compare_tree("x", {"a": ["1", "2"]}, {"a": [1, 2]})
    assert not tally.compare_tree("x", {"a": ["1", "2"]}, {"a": [1], "b": 0})
    assert tally.differences == 2
    assert tally.first_difference == "x.a[1]: recorded '2', computed '(missing)'"


# ---------------------------------------------------------------------- files
def _write(path: Path, document: object) -> Path:
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return path


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ({"format": "aave-v3-trace/1", "contracts": "@aave-dao/aave-v3-origin 3.6.0 (npm)"}, "aave 3.6 trace"),
        ({"format": "aave-v3-trace/1", "contracts": "@aave/core-v3 1.19.3 (npm)"}, "aave 3.0 trace"),
        ({"format": "aave-v3-rates/1"}, "aave interest rate curves"),
        ({"format": "aave-v3-interest/1"}, "aave interest factors"),
        ({"format": "aave-v3-wadray/1"}, "aave wad and ray arithmetic"),
        ({"format": "uniswap-v2-trace/1"}, "uniswap v2 trace"),
        ({"format": "uniswap-v3-trace/1"}, "uniswap v3 trace"),
        ({"format": "uniswap-v3-math/1"}, "uniswap v3 arithmetic"),
        ({"format": "stablemath/1"}, "stableswap arithmetic"),
        ({"format": "morpho-blue-trace/1"}, "morpho blue trace"),
    ],
)
def test_every_kind_of_recording_is_known_by_name(header, name):
    kind = kind_of(header)
    assert kind is not None
    assert kind.name == name


@pytest.mark.parametrize("header", [{}, {"format": "other/1"}, {"format": 3}, {"format": "aave-v3-trace/1"}])
def test_an_unknown_kind_is_reported_and_not_replayed(tmp_path, header):
    assert kind_of(header) is None
    (result,) = verify([_write(tmp_path / "x.json.gz", header)])
    assert not result.supported
    assert result.kind.startswith("unknown")
    assert result.values_compared == 0


def test_a_known_kind_without_a_replayer_is_named_as_unsupported(tmp_path, monkeypatch):
    monkeypatch.delitem(REPLAYERS, "stableswap arithmetic", raising=False)
    (result,) = verify([_write(tmp_path / "m.json.gz", {"format": "stablemath/1"})])
    assert (result.supported, result.kind, result.protocol) == (False, "stableswap arithmetic", "StableSwap")


def test_in_a_folder_only_gzipped_json_counts_and_in_order(tmp_path):
    (tmp_path / "b").mkdir()
    shutil.copy(SHIPPED / "aave" / "wadray.json.gz", tmp_path / "b" / "z.json.gz")
    shutil.copy(SHIPPED / "aave" / "interest.json.gz", tmp_path / "b" / "a.json.gz")
    (tmp_path / "notes.txt").write_text("not a recording")
    assert [Path(result.path).name for result in verify([tmp_path])] == ["a.json.gz", "z.json.gz"]


def _broken(tmp_path: Path, how: str) -> Path:
    path = tmp_path / f"{how}.json.gz"
    whole = (SHIPPED / "aave" / "wadray.json.gz").read_bytes()
    if how == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif how == "damaged":
        path.write_bytes(whole[:200] + bytes(64) + whole[264:])
    elif how == "plain":
        path.write_text('{"format": "aave-v3-wadray/1", "rows": []}')
    elif how == "binary":
        path.write_bytes(gzip.compress(bytes(range(256))))
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "list":
        _write(path, [1, 2])
    elif how == "header-only":
        _write(path, {"format": "aave-v3-wadray/1"})
    elif how == "wrong-rows":
        _write(path, {"format": "aave-v3-interest/1", "rows": [{"rate_ray": "x"}]})
    elif how == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    "how",
    ["missing", "truncated", "damaged", "plain", "binary", "empty", "list", "header-only", "wrong-rows", "folder"],
)
def test_a_file_that_is_no_recording_is_refused_by_name(tmp_path, how):
    path = _broken(tmp_path, how)
    with pytest.raises(DocumentError, match=str(path)):
        verify([path])
