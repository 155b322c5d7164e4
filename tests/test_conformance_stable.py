"""The recorded StableSwap arithmetic replays without a difference, and a wrong digit is noticed."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sim.conformance import stable, verify
from sim.conformance.documents import load_document

FILE = Path(stable.__file__).parent / "vectors" / "stable" / "stablemath.json.gz"


def test_every_recorded_row_replays_to_the_unit() -> None:
    document = load_document(FILE)
    tally = stable.replay(document)
    assert tally.first_difference is None
    assert (tally.operations, tally.compared) == (540, 630)
    kinds = Counter(row["function"] for row in document["rows"])
    assert len(kinds) == 8
    assert min(kinds.values()) == 60
    assert sum(str(row["result"]).startswith("revert:") for row in document["rows"]) == 26


def test_the_verifier_knows_the_file() -> None:
    (result,) = verify([FILE])
    assert (result.kind, result.protocol, result.supported) == ("stableswap arithmetic", "StableSwap", True)
    assert (result.operations, result.values_compared, result.differences) == (540, 630, 0)


@pytest.mark.parametrize("function", sorted(stable._FUNCTIONS))
def test_a_wrong_digit_is_noticed(function: str) -> None:
    document: dict[str, Any] = copy.deepcopy(load_document(FILE))
    row = next(r for r in document["rows"] if r["function"] == function and not str(r["result"]).startswith("revert"))
    if isinstance(row["result"], list):
        row["result"][1] = str(int(row["result"][1]) - 1)
    else:
        row["result"] = str(int(row["result"]) - 1)
    tally = stable.replay(document)
    assert tally.differences == 1
    assert function in str(tally.first_difference)


def test_a_missing_refusal_is_noticed() -> None:
    document: dict[str, Any] = copy.deepcopy(load_document(FILE))
    row = next(r for r in document["rows"] if r["result"] == "revert:BAL#322")
    row["result"] = "1"
    assert stable.replay(document).differences == 1


def test_an_unknown_function_is_an_error() -> None:
    document: dict[str, Any] = {"rows": [{"function": "spotPrice", "args": [], "result": "1"}]}
    with pytest.raises(KeyError, match="spotPrice"):
        stable.replay(document)
