"""The recorded Uniswap V2 and V3 traces and tables replay without a difference, and a wrong digit is noticed."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from sim.conformance import univ2, univ3
from sim.conformance.documents import load_document

VECTORS = Path(univ2.__file__).parent / "vectors"
TRACES_V2 = sorted((VECTORS / "univ2").glob("trace_*.json.gz"))
TRACES_V3 = sorted((VECTORS / "univ3").glob("trace_*.json.gz"))


def test_the_recordings_are_shipped() -> None:
    assert [path.name for path in TRACES_V2] == [f"trace_v2_p{i}.json.gz" for i in (1, 2, 3)]
    assert [path.name for path in TRACES_V3] == [f"trace_v3_p{i}.json.gz" for i in (1, 2, 3)]


@pytest.mark.parametrize("path", TRACES_V2, ids=lambda path: path.name)
def test_every_recorded_v2_operation_replays_to_the_unit(path: Path) -> None:
    tally = univ2.replay(load_document(path))
    assert tally.first_difference is None
    assert tally.operations == 200
    assert tally.compared > 200 * 24


@pytest.mark.parametrize("path", TRACES_V3, ids=lambda path: path.name)
def test_every_recorded_v3_operation_replays_to_the_unit(path: Path) -> None:
    document = load_document(path)
    tally = univ3.replay(document)
    assert tally.first_difference is None
    assert tally.operations == len(document["steps"]) + len(document["closing"])
    assert tally.compared > tally.operations * 20


def test_the_v3_tables_hold() -> None:
    tally = univ3.replay_math(load_document(VECTORS / "univ3" / "math.json.gz"))
    assert tally.first_difference is None
    assert tally.operations == 195 + 227 + 4 * 150 + 150 + 300


def _first(document: dict[str, Any], ok: bool, op: str) -> dict[str, Any]:
    return next(step for step in document["steps"] if step["ok"] is ok and step["op"]["op"] == op)


def _off_by_one(number: str) -> str:
    return str(int(number) + 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: _first(d, True, "swap_exact_in")["result"].update(amount_out="1"),
        lambda d: _first(d, False, "swap_exact_in")["error"].update(code="UniswapV2: K"),
        lambda d: _first(d, True, "swap_exact_out").update(ok=False),
        lambda d: d["steps"][40]["state"].update(reserve0=_off_by_one(d["steps"][40]["state"]["reserve0"])),
        lambda d: d["steps"][40]["state"]["users"]["lp1"].update(lp="7"),
        lambda d: d["steps"][199]["state"].update(price0_cumulative_last="0"),
        lambda d: d["initial_state"].update(k_last="1"),
    ],
)
def test_a_wrong_digit_in_a_v2_trace_is_noticed(spoil: Any) -> None:
    document = copy.deepcopy(load_document(TRACES_V2[0]))
    spoil(document)
    assert univ2.replay(document).differences >= 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: _first(d, True, "mint")["result"].update(liquidity="1"),
        lambda d: _first(d, True, "swap_exact_in").update(ticks_crossed="99"),
        lambda d: _first(d, True, "decrease")["position_after"].update(tokens_owed0="1"),
        lambda d: _first(d, False, "swap_exact_out")["error"].update(kind="error"),
        lambda d: d["steps"][100]["state"].update(fee_growth_global1_x128="5"),
        lambda d: d["closing"][2].update(collected0="5"),
        lambda d: d["final_state"].update(pool_balance1="5"),
    ],
)
def test_a_wrong_digit_in_a_v3_trace_is_noticed(spoil: Any) -> None:
    document = copy.deepcopy(load_document(TRACES_V3[1]))
    spoil(document)
    assert univ3.replay(document).differences >= 1


@pytest.mark.parametrize(("table", "row"), [("sqrt_ratio_at_tick", 7), ("tick_at_sqrt_ratio", 9)])
def test_a_wrong_digit_in_a_v3_table_is_noticed(table: str, row: int) -> None:
    document = copy.deepcopy(load_document(VECTORS / "univ3" / "math.json.gz"))
    document[table][row][1] = _off_by_one(document[table][row][1])
    tally = univ3.replay_math(document)
    assert tally.differences == 1
    assert table in str(tally.first_difference)


@pytest.mark.parametrize(("module", "path"), [(univ2, TRACES_V2[0]), (univ3, TRACES_V3[0])])
def test_an_unknown_operation_is_an_error(module: Any, path: Path) -> None:
    document = copy.deepcopy(load_document(path))
    document["steps"] = document["steps"][:1]
    document["steps"][0]["op"] |= {"op": "teleport", "position": "1"}
    with pytest.raises(ValueError, match="teleport"):
        module.replay(document)
