"""The assumption band: which figures are varied, over which ranges, in which sets, and what is said of it."""

from __future__ import annotations

import json
import math

import pytest

from agents.registry import kinds
from scenarios import ScenarioError, library_names, load
from scenarios.assumed import reason_and_range, stated_range
from scenarios.fields import resolved_table
from scenarios.schema import ASSUMPTION
from sim.cli import main
from sim.studies import StudyError, load_design, open_study
from sim.studies.assumptions import Assumed, assumed, assumption_sets, refuse_none
from sim.studies.cases import cases
from sim.studies.findings import findings

LT = "pool.reserves.WETH.liquidation_threshold"
DEPTH = "assets.WETH.depth_2pct"


def ranges(name, overrides=None, chosen=()):
    return {span.field: span for span in assumed(load(name, overrides or {}, kinds()), chosen).ranges}


# ---------------------------------------------------------------------- ranges in words
@pytest.mark.parametrize(
    ("words", "entry", "ends"),
    [
        ("5 to 70", "", (5, 70)),
        ("1,000 to 5,000", "", (1_000, 5_000)),
        ("100M to 1,100M", "", (1e8, 1.1e9)),
        ("10,000 to 1M", "", (1e4, 1e6)),
        (".5M to 10M each", "WETH", (5e5, 1e7)),
        ("-.60 to -.25", "", (-0.6, -0.25)),
        ("0.5 to 1.2 times these", "USDC", (10.0, 24.0)),
        ("USDC .80 to .95, USDT .60 to .92", "USDT", (0.6, 0.92)),
        ("USDC .80 to .95, USDT .60 to .92", "WETH", None),
        ("any (equal parts)", "", None),
        ("1 (one band)", "", None),
    ],
)
def test_ranges_stated_in_words(words, entry, ends):
    found = stated_range(words, entry, 20.0)
    assert found == (None if ends is None else pytest.approx(ends))


def test_a_source_taken_apart():
    source = "assumption: no record, at all; count 5 to 70; supply_usd 1M to 2M each"
    assert reason_and_range(source, "count") == ("no record, at all", "5 to 70")
    assert reason_and_range(source, "supply_usd") == ("no record, at all", "1M to 2M each")
    assert reason_and_range("assumption", "count") == ("no source found", "")


def test_every_range_of_the_shipped_scenarios_is_understood_and_holds_its_value():
    """A stated range that names two ends is read, and the figure it stands beside lies in it."""
    seen = set()
    for name in library_names():
        for value in resolved_table(load(name, {}, kinds())):
            table = value.field.type.startswith("table")
            path = value.path.rpartition(".")[0] if table else value.path
            _, words = reason_and_range(value.source, path.rpartition(".")[2])
            if not (value.source.startswith(ASSUMPTION) and " to " in words) or words.startswith("any"):
                continue
            entry = value.path.rpartition(".")[2] if table else ""
            ends = stated_range(words, entry, float(value.value))
            assert ends is not None, (name, value.path, words)
            assert ends[0] <= value.value <= ends[1], (name, value.path, words)
            seen.add(words)
    assert len(seen) > 90


# ---------------------------------------------------------------------- which figures
def test_the_scenarios_range_comes_before_the_schemas():
    found = ranges("march-2020")
    assert (found[DEPTH].low, found[DEPTH].high) == (20e6, 120e6)
    assert (found["outside.depth_floor"].low, found["outside.depth_floor"].high) == (0.02, 0.3)
    assert found["outside.depth_floor"].log  # by a factor of ten or more
    assert not found[DEPTH].log
    assert found["populations.liquidators.count"].whole
    assert (found["populations.rest.opening_utilisation.USDT"].low) == 0.6


def test_only_what_the_scenario_reads_is_varied():
    found = ranges("march-2020")
    assert not [field for field in found if field.startswith(("prices.jumps", "prices.bootstrap"))]
    assert "amms.USDT-USDC.amplification" in found
    assert "amms.WETH-USDC.amplification" not in found
    assert "amms.wstETH-WETH.ranges.0.share" in found
    assert "amms.WETH-USDC.ranges.0.share" not in found  # its only band
    assert "populations.loopers.collateral.wstETH" not in found  # its only weight
    assert "populations.holders.collateral.WETH" in found
    assert "populations.loopers.emode" not in found
    assert "gas.offer_margin_ratio" not in found
    free = ranges("march-2020", {"mechanisms.gas": False, "mechanisms.oracle_lag": False})
    assert not [field for field in free if field.startswith(("gas.", "oracle."))]
    assert "populations.holders.gas_eth" not in free
    assert "prices.jumps.per_year" in ranges("demo", {"prices.process": "jump_diffusion"})


def test_what_was_chosen_is_not_varied():
    assert DEPTH not in ranges("march-2020", {DEPTH: 5e7})
    assert DEPTH not in ranges("march-2020", chosen=[DEPTH])
    demo = assumed(load("demo", {}, kinds()))
    assert "prices.shocks.0.change_ratio" in demo.without_range
    with pytest.raises(StudyError, match="no assumed figure with a range"):
        refuse_none(Assumed((), demo.without_range))


# ---------------------------------------------------------------------- sets
def test_sets_are_a_latin_hypercube_and_shares_add_to_one():
    found = ranges("march-2020")
    sets = assumption_sets(8, list(found.values()), 1)
    assert sets == assumption_sets(8, list(found.values()), 1) != assumption_sets(8, list(found.values()), 2)
    span = found[DEPTH]
    assert sorted(int(8 * (one[DEPTH] - span.low) / (span.high - span.low)) for one in sets) == list(range(8))
    for one in sets:
        assert sum(one[f"outside.{part}_share"] for part in ("permanent", "fast", "slow")) == pytest.approx(
            1, abs=1e-12
        )
        bands = [one[f"amms.wstETH-WETH.ranges.{band}.share"] for band in range(3)]
        assert math.fsum(bands) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("name", ["aave-v3-ethereum", "long-run", "thin-liquidity-crash-severe"])
def test_scenarios_with_other_assumptions_can_be_used(name):
    design = load_design(name, runs=1, assumptions=4)
    assert len(design.assumptions) > 60
    for point in design.points:
        design.variant(point.index)


# ---------------------------------------------------------------------- designs
def test_every_case_has_the_same_sets_beside_its_central_point(tmp_path):
    design = load_design("cascade-by-hand", runs=2, grid=[f"{LT}=0.78,0.79"], assumptions=3)
    assert [dict(design.points[index].overrides) for index in (0, 4)] == [{LT: 0.78}, {LT: 0.79}]
    for one, other in zip(design.points[1:4], design.points[5:8], strict=True):
        assert dict(one.overrides) | {LT: 0} == dict(other.overrides) | {LT: 0}
    assert set(design.points[1].overrides) == {LT, *design.assumptions}
    (tmp_path / "study.toml").write_text(design.to_toml())
    again = load_design(tmp_path / "study.toml")
    assert (again.assumptions, again.points) == (design.assumptions, design.points)
    assert again.identity({}) == design.identity({})


def test_a_file_asks_for_assumptions_too(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('extends = "cascade-by-hand"\nname = "mine"\n[study]\nreplicates = 2\nassumptions = 5\n')
    assert len(load_design(file).points) == 6
    assert len(load_design(file, assumptions=2).points) == 3
    file.write_text(
        f'extends = "cascade-by-hand"\n[study]\nassumed = ["{LT}"]\npoints = [{{}}, {{ "run.step_seconds" = 12 }}]'
    )
    with pytest.raises(StudyError, match="a field that the points set"):
        load_design(file)
    with pytest.raises((StudyError, ScenarioError), match="at most 100,000"):
        load_design("cascade-by-hand", assumptions=200_000)


# ---------------------------------------------------------------------- from end to end
def test_the_band_stands_beside_the_interval(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--runs", "6", "--grid", f"{LT}=0.78,0.80", "--assumptions", "3", "--workers", "1", "--out", "S"]
    assert main(["batch", "cascade-by-hand", *options]) == 0
    assert "6 points vary" in capsys.readouterr().err
    study = open_study("S")
    assert [(case.central, case.band) for case in cases(study)] == [(0, (1, 2, 3)), (4, (5, 6, 7))]
    told = json.loads((tmp_path / "S" / "summary.json").read_text())
    one = told["measures"]["mean(liquidated_usd)"]
    means = [float(study.point(point)["liquidated_usd"].mean()) for point in range(4)]
    assert one["value"] == pytest.approx(means[0])
    assert one["assumption_band"] == {"low": pytest.approx(min(means)), "high": pytest.approx(max(means)), "points": 4}
    assert len(set(means)) > 2
    assert {finding.field for finding in findings(study)} == {LT}
    assert main(["summary", "S", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["study"].pop("folder") == "S"
    assert again == told
    assert main(["summary", "S"]) == 0
    assert "Assumption band" in capsys.readouterr().out
    assert main(["batch", "cascade-by-hand", *options]) == 65
    assert main(["batch", "S/study.toml", "--workers", "1", "--resume", "--out", "S"]) == 0
