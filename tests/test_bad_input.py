"""Bad input and broken-off runs, from the command to the folder: what is told, what is left, what is not touched."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import pytest

from sim.cli import main
from sim.economy import Economy
from sim.ledger import Ledger, LedgerImbalance
from sim.results import load

QUIET = ["--set", "prices.shocks=[]", "--set", "run.horizon_seconds=1200", "--no-report", "--out", "results"]
STEPS = 20


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    """Every file below a folder with its bytes and time of change."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def told_once(told):
    """The one message on stderr, for people: no trace, and nothing on stdout."""
    assert told.out == ""
    assert "Traceback" not in told.err
    assert told.err.count("undertow: ") == 1
    return told.err.partition("undertow: ")[2]


# ---------------------------------------------------------------------- bad scenarios and data
HOURS = [f"2020-03-12T{hour:02}:00Z" for hour in range(4)]


def path_file(*rows):
    return {
        "own.csv": "time,eth_open,eth_high,eth_low,eth_close\n" + "\n".join(rows) + "\n",
        "bad.toml": 'extends = "demo"\n[run]\nstart = "2020-03-12T00:00:00Z"\nhorizon_seconds = 7200\n'
        '[prices]\nprocess = "historical"\nfile = "own.csv"\ncolumns = { WETH = "eth" }\nshocks = []\n',
    }


def demo_with(text):
    return {"bad.toml": f'extends = "demo"\n{text}\n'}


#: A population of a class of one's own, whose name is to be filled in, and a module of such classes.
OWN = '[populations.own]\nkind = "{}"\ncount = 1'
KINDS = {
    "bad_kinds_of_a_test.py": "from agents.base import AgentParameters, EconomicAgent\n"
    "from scenarios.schema.base import Section\nclass Plain: pass\nclass NoAgent:\n    Parameters = AgentParameters\n"
    "class NoParameters(EconomicAgent):\n    Parameters = Section\n"
}
FARMER = (
    '[populations.f]\nkind = "farmer"\ncount = 1\ndebt_usd_median = 1e4\nemode = 1\ncollateral = { wstETH = 1.0 }\n'
)

#: what: (files, arguments, the file named, lines that the message must hold)
BAD = {
    "unknown key": (
        demo_with("[run]\nhorizn_seconds = 5"),
        ["bad.toml"],
        "bad.toml",
        ["run.horizn_seconds: is not a known field; did you mean 'horizon_seconds'?", "given:   5", "allowed: start, "],
    ),
    "unknown key on the command line": (
        {},
        ["demo", "--set", "run.horizn_seconds=5"],
        "--set",
        ["run.horizn_seconds: is not a known field; did you mean 'horizon_seconds'?", "given:   5", "allowed: start, "],
    ),
    "out of range": (
        demo_with("[run]\nstep_seconds = 0"),
        ["bad.toml"],
        "bad.toml",
        ["run.step_seconds: is out of range", "given:   0", "allowed: whole number, 1 to 86,400"],
    ),
    "LTV above LT": (
        demo_with("[pool.reserves.WETH]\nltv = 0.84"),
        ["bad.toml"],
        "bad.toml",
        ["pool.reserves.WETH.ltv: is above", "given:   0.84", "allowed: below liquidation_threshold (0.83)"],
    ),
    "LT x (1 + bonus) above 1": (
        demo_with("[pool.reserves.WETH]\nliquidation_bonus = 0.21"),
        ["bad.toml"],
        "bad.toml",
        ["pool.reserves.WETH.liquidation_bonus: 0.83 x (1 + 0.21) = 1.0043", "given:   0.21", "so at most 0.2048"],
    ),
    "negative price": (
        demo_with("[assets.WETH]\nprice_usd = -1.0"),
        ["bad.toml"],
        "bad.toml",
        ["assets.WETH.price_usd: is out of range", "given:   -1.0", "allowed: number, above 0"],
    ),
    "price that is no number": (
        demo_with("[assets.WETH]\nprice_usd = nan"),
        ["bad.toml"],
        "bad.toml",
        ["assets.WETH.price_usd: is not a finite number", "given:   nan", "allowed: number, above 0"],
    ),
    "gap in a path file": (
        path_file(f"{HOURS[0]},10,12,9,11", f"{HOURS[2]},11,12,9,10"),
        ["bad.toml"],
        "own.csv",
        ["row 3, column time", "given:   2020-03-12T02:00Z (7200 s after", "allowed: 3600 s after the row before"],
    ),
    "disorder in a path file": (
        path_file(f"{HOURS[1]},10,12,9,11", f"{HOURS[0]},11,12,9,10", f"{HOURS[2]},11,12,9,10"),
        ["bad.toml"],
        "own.csv",
        ["row 3, column time", "given:   2020-03-12T00:00Z (earlier", "allowed: times in ascending order"],
    ),
    "prices in a path file": (
        path_file(f"{HOURS[0]},10,12,-9,11", f"{HOURS[1]},11,12,9,nan"),
        ["bad.toml"],
        "own.csv",
        ["row 2, column eth_low", "given:   '-9'", "row 3, column eth_close", "given:   'nan'", "above 0"],
    ),
    "a path file too short for the run": (
        path_file(f"{HOURS[0]},10,12,9,11"),
        ["bad.toml"],
        "own.csv",
        ["given:   ", "allowed: "],
    ),
    "unknown scenario": ({}, ["demoo"], "demoo", ["there is no scenario 'demoo'; did you mean 'demo'?", "allowed: "]),
    "missing file": ({}, ["nowhere.toml"], "nowhere.toml", ["the file nowhere.toml does not exist", "allowed: a file"]),
    "empty file": ({"bad.toml": ""}, ["bad.toml"], "bad.toml", ["is empty", "allowed: at least [assets]"]),
    "binary file": ({"bad.toml": "\x89PNG\0\1"}, ["bad.toml"], "bad.toml", ["is a binary file", "allowed: a TOML"]),
    "extends that loops": (
        {"a.toml": 'extends = "b.toml"', "b.toml": 'extends = "a.toml"'},
        ["a.toml"],
        "b.toml",
        ["extends: goes round: a.toml -> b.toml -> a.toml", "given:   a.toml", "allowed: a chain of files that ends"],
    ),
    "more debt than supply": (
        demo_with("[populations.rest]\ncount = 0"),
        ["bad.toml"],
        "bad.toml",
        [
            "pool.reserves.USDC: is borrowed more than is supplied",
            "given:   debts of 36,",
            "allowed: at most what is supplied, 22,",
        ],
    ),
    "nothing to choose": (
        demo_with("[populations.holders.debt]\nUSDC = 0\nUSDT = 0"),
        ["bad.toml"],
        "bad.toml",
        ["populations.holders.debt: leaves nothing to choose", "given:   weights that add to 0", "allowed: at least"],
    ),
    "a pool that cannot be opened": (
        demo_with("[amms.WETH-USDC]\nliquidity_usd = 1e-9"),
        ["bad.toml"],
        "bad.toml",
        ["amms.WETH-USDC: cannot be opened", "given:   liquidity worth 1e-09 USD", "allowed: liquidity of at least"],
    ),
    "depth of nothing": (
        demo_with("[assets.WETH]\ndepth_2pct = 0.0"),
        ["bad.toml"],
        "bad.toml",
        ["assets.WETH.depth_2pct: is out of range", "given:   0.0", "allowed: number, above 0"],
    ),
    "negative depth of a pool": (
        demo_with("[amms.WETH-USDC]\nliquidity_usd = -5.0"),
        ["bad.toml"],
        "bad.toml",
        ["amms.WETH-USDC.liquidity_usd: is out of range", "given:   -5.0", "allowed: number, above 0"],
    ),
    "negative volatility": (
        demo_with("[prices.volatility_per_year]\nWETH = -0.3"),
        ["bad.toml"],
        "bad.toml",
        ["prices.volatility_per_year.WETH: is out of range", "given:   -0.3", "allowed: "],
    ),
    "a kind that does not exist": (
        demo_with('[populations.holders]\nkind = "holdr"'),
        ["bad.toml"],
        "bad.toml",
        ["there is no kind 'holdr'; did you mean 'holder'?", 'given:   "holdr"', "allowed: arbitrageur, "],
    ),
    "a class whose module is missing": (
        demo_with(OWN.format("no_such_module:Thing")),
        ["bad.toml"],
        "bad.toml",
        ["'no_such_module' cannot be imported: ModuleNotFoundError", 'given:   "no_such_module:Thing"', "allowed: "],
    ),
    "a class that is missing": (
        demo_with(OWN.format("bad_kinds_of_a_test:Plainn")) | KINDS,
        ["bad.toml"],
        "bad.toml",
        ["bad_kinds_of_a_test has no 'Plainn'; did you mean 'Plain'?", "given:   ", "allowed: "],
    ),
    "a class without parameters": (
        demo_with(OWN.format("bad_kinds_of_a_test:Plain")) | KINDS,
        ["bad.toml"],
        "bad.toml",
        ["bad_kinds_of_a_test:Plain has no pydantic class `Parameters`", "given:   ", "allowed: "],
    ),
    "a module that raises": (
        demo_with(OWN.format("raising_kinds_of_a_test:Plain"))
        | {"raising_kinds_of_a_test.py": "raise OSError('no licence')"},
        ["bad.toml"],
        "bad.toml",
        ["'raising_kinds_of_a_test' cannot be imported: OSError: no licence", "given:   ", "allowed: "],
    ),
    "a class that is no agent": (
        demo_with(OWN.format("bad_kinds_of_a_test:NoAgent")) | KINDS,
        ["bad.toml"],
        "bad.toml",
        ["is not derived from agents.base.EconomicAgent", 'given:   "bad_kinds_of_a_test:NoAgent"', "allowed: a reg"],
    ),
    "parameters that are not an agent's": (
        demo_with(OWN.format("bad_kinds_of_a_test:NoParameters")) | KINDS,
        ["bad.toml"],
        "bad.toml",
        ["are not derived from agents.base.AgentParameters", "given:   ", "allowed: "],
    ),
    "feeds that form a loop": (
        demo_with('[oracle.feeds.WETH]\nkind = "ratio"\nbase = "wstETH"\nratio = 1.0'),
        ["bad.toml"],
        "bad.toml",
        ["oracle.feeds.WETH.base: goes round: WETH -> wstETH -> WETH", "given:   wstETH", "allowed: a chain that"],
    ),
    "a pool whose asset has no price": (
        demo_with(
            '[assets.NEW]\n[oracle.feeds.NEW]\n[amms.NEW-USDC]\nkind = "concentrated"\ntoken0 = "NEW"\n'
            'token1 = "USDC"\nliquidity_usd = 1e6'
        ),
        ["bad.toml"],
        "bad.toml",
        ["assets.NEW.price_usd: is needed", "given:   nothing", "allowed: a price in USD above 0"],
    ),
    "a pool of one token": (
        demo_with('[amms.WETH-USDC]\ntoken1 = "WETH"'),
        ["bad.toml"],
        "bad.toml",
        ["amms.WETH-USDC.token1: is the same as token0", "given:   WETH", "allowed: an asset other than token0"],
    ),
    "a decision about an unknown reserve": (
        demo_with('[[governance]]\nat_seconds = 60\nreserve = "WBTCC"\nfrozen = true'),
        ["bad.toml"],
        "bad.toml",
        ["governance.0.reserve: there is no reserve of the pool 'WBTCC'; did you mean 'WBTC'?", "given:   WBTCC"],
    ),
    "a whale that sells for nothing": (
        demo_with('[populations.w]\nkind = "whale"\ncount = 1\naction = "sell"\nasset = "WETH"'),
        ["bad.toml"],
        "bad.toml",
        ["populations.w.into: is what 'sell' needs", "given:   nothing", "allowed: wstETH, WBTC, USDC"],
    ),
    "a whale that borrows what nobody lends": (
        demo_with(
            '[assets.NEW]\nprice_usd = 1.0\n[oracle.feeds.NEW]\n[populations.w]\nkind = "whale"\ncount = 1\n'
            'action = "borrow"\nasset = "NEW"'
        ),
        ["bad.toml"],
        "bad.toml",
        ["populations.w.asset: is no reserve of the pool", "given:   NEW", "allowed: WETH, wstETH, WBTC, USDC"],
    ),
    "a farmer whose debt is not the base": (
        demo_with(FARMER + "debt = { USDC = 1.0 }"),
        ["bad.toml"],
        "bad.toml",
        ["populations.f.debt: is not what the collateral is redeemed for", "given:   USDC, against", "base of wstETH"],
    ),
    "a farmer with the queue of another asset": (
        demo_with(
            FARMER + 'debt = { WETH = 1.0 }\nqueue = "other"\n[redemptions.other]\nasset = "xETH"\n'
            '[oracle.feeds.xETH]\nkind = "ratio"\n[assets.xETH]\nkind = "ratio"\nbase = "WETH"\nratio = 1.1'
        ),
        ["bad.toml"],
        "bad.toml",
        ["populations.f.queue: redeems another asset", "given:   other, which redeems xETH", "a queue of wstETH"],
    ),
    "provision to a pool without ranges": (
        demo_with(
            '[amms.WETH-USDC]\nkind = "constant_product"\ntoken0 = "WETH"\ntoken1 = "USDC"\n'
            'liquidity_usd = 1e8\n[populations.p]\n'
            'kind = "liquidity_provider"\ncount = 1\npool = "WETH-USDC"\nvalue_usd = 1e6'
        ),
        ["bad.toml"],
        "bad.toml",
        ["populations.p.pool: is no concentrated pool", "given:   WETH-USDC", "allowed: WETH-USDT, WBTC-WETH, wst"],
    ),
    "a queue named as another market": (
        demo_with('[redemptions.pool]\nasset = "wstETH"'),
        ["bad.toml"],
        "bad.toml",
        ["redemptions.pool: is the name of another market", "given:   pool", "allowed: any name but pool, venues"],
    ),
    "a pool named as another market": (
        {},
        ["demo", "--set", 'amms.pool={kind="concentrated",token0="WETH",token1="USDC",fee_pips=500,liquidity_usd=1e6}'],
        "--set",
        ["amms.pool: is the name of another market", "given:   pool", "allowed: any name but pool, venues"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_65_and_told_with_file_field_given_and_allowed(case, here, capsys, monkeypatch):
    files, arguments, named, lines = BAD[case]
    for name, text in files.items():
        (here / name).write_bytes(text.encode("latin-1"))
    before = contents(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert main(["run", *arguments, "--out", "results"]) == 65
    message = told_once(capsys.readouterr())
    assert message.startswith(f"{named}: ")
    for line in lines:
        assert line in message
    assert contents(here) == before
    assert main(["scenario", "validate", *arguments]) == 65
    assert capsys.readouterr().err.strip() == message.strip(), "validation says what the run says"
    for name in [name for name in sys.modules if name.endswith("_kinds_of_a_test")]:
        del sys.modules[name]


def test_all_errors_of_a_file_and_of_those_it_extends_are_told_at_once(here, capsys):
    (here / "above.toml").write_text('extends = "demo"\n[run]\nsede = 1\n[assets.WBTC]\nprice_usd = -5.0\n')
    (here / "bad.toml").write_text(
        'extends = "above.toml"\n[run]\nstep_seconds = 0\n[pool.reserves.WETH]\nltv = 0.9\n[pool.reserves.wstETH]\n'
        'liquidation_bonus = 0.9\n[gas]\nordering = "privat"\n[populations.holders]\ndebt_usd_medain = 1.0\n'
    )
    assert main(["run", "bad.toml", "--set", "prices.correlation=2"]) == 65
    message = told_once(capsys.readouterr())
    assert [line for line in message.splitlines() if not line.startswith(" ")] == [
        "bad.toml: 5 problems",
        "above.toml: 2 problems",
        "--set: 1 problem",
    ]
    for field in (
        "run.sede", "assets.WBTC.price_usd", "run.step_seconds", "pool.reserves.WETH.ltv",
        "pool.reserves.wstETH.liquidation_bonus", "gas.ordering", "populations.holders.debt_usd_medain",
        "prices.correlation",
    ):  # fmt: skip
        assert f"\n  {field}: " in f"\n{message}"
    assert message.count("given: ") == message.count("allowed: ") == 8
    assert sorted(contents(here)) == ["above.toml", "bad.toml"]


def test_all_problems_of_building_are_told_at_once(here, capsys):
    sets = ["populations.rest.count=0", "populations.stable_loopers.collateral.sUSDe=0"]
    sets += ["populations.loopers.collateral.wstETH=0"]
    assert main(["run", "demo", *(word for change in sets for word in ("--set", change))]) == 65
    message = told_once(capsys.readouterr())
    assert message.startswith("--set: 4 problems")
    assert not contents(here)


# ---------------------------------------------------------------------- a folder that holds something else
def test_a_folder_with_another_run_is_left_as_it_is(here, capsys):
    assert main(["run", "demo", *QUIET]) == 0
    before = contents(here / "results")
    capsys.readouterr()
    for other in (["--seed", "2"], ["--set", "gas.tip_gwei=1.0"]):
        assert main(["run", "demo", *QUIET, *other]) == 65
        message = told_once(capsys.readouterr())
        assert "results holds another run of 'demo', seed 1" in message
        assert "nothing was changed" in message
        assert contents(here / "results") == before
    assert sorted(path.name for path in here.iterdir()) == ["results"]


def test_a_file_in_the_place_of_the_folder_is_left_as_it_is(here, capsys):
    (here / "results").write_text("mine")
    assert main(["run", "demo", *QUIET]) == 65
    assert "is a file, not a folder" in told_once(capsys.readouterr())
    assert (here / "results").read_text() == "mine"


def test_the_same_run_again_replaces_itself_with_the_same(here):
    assert main(["run", "demo", *QUIET]) == 0
    first = load(here / "results").manifest["content_hash"]
    (here / "results" / "notes.txt").write_text("mine")
    assert main(["run", "demo", *QUIET]) == 0
    assert load(here / "results").manifest["content_hash"] == first
    assert (here / "results" / "notes.txt").read_text() == "mine"


# ---------------------------------------------------------------------- Ctrl-C
def stop_after(monkeypatch, steps, stop):
    """Let a run's steps go on, and do something in the step after so many."""
    step = Economy._execute

    def patched(self, *arguments):
        result = step(self, *arguments)
        if self.clock.step == steps + 1:
            stop()
        return result

    monkeypatch.setattr(Economy, "_execute", patched)


def interrupt():
    raise KeyboardInterrupt


def check_interrupted(folder, steps):
    run = load(folder)
    assert run.manifest["state"] == "interrupted"
    assert run.manifest["content_hash"] == run.content_hash()
    assert run.metrics["step"].tolist() == list(range(1, steps + 1))
    assert json.loads((folder / "progress.json").read_text())["state"] == "interrupted"
    assert run.manifest["audit"]["ok"]
    return run


@pytest.mark.parametrize("steps", [0, 1, 7])
def test_an_interrupted_run_keeps_what_was_recorded(steps, here, monkeypatch, capsys):
    stop_after(monkeypatch, steps, interrupt)
    assert main(["run", "demo", *QUIET]) == 130
    told = capsys.readouterr()
    assert "interrupted: what was recorded is in" in told.err
    assert "Traceback" not in told.err
    run = check_interrupted(here / "results", steps)
    assert (run.events["step"] <= steps + 1).all()
    if not steps:
        assert main(["report", "results"]) == 0


def test_what_is_kept_equals_the_beginning_of_the_whole_run(here, monkeypatch):
    assert main(["run", "demo", *QUIET]) == 0
    whole = load(here / "results").metrics
    stop_after(monkeypatch, 7, interrupt)
    assert main(["run", "demo", *QUIET[:-1], "part"]) == 130
    part = check_interrupted(here / "part", 7).metrics
    assert part.equals(whole.iloc[:7])


def test_an_interruption_inside_a_transaction_loses_no_token(here, monkeypatch):
    """In the middle of a swap, between the two sides of a transfer's books."""
    transfer = Ledger.transfer
    calls = 0

    def patched(self, token, sender, receiver, amount):
        nonlocal calls
        calls += 1
        if calls == 30:
            self.journal.put(self.balances[token], sender, self.balances[token][sender] - amount)
            raise KeyboardInterrupt
        transfer(self, token, sender, receiver, amount)

    monkeypatch.setattr(Ledger, "transfer", patched)
    assert main(["run", "demo", *QUIET]) == 130
    run = load(here / "results")
    assert run.manifest["state"] == "interrupted"
    assert 0 < len(run.metrics) < STEPS


def test_ctrl_c_waits_for_the_end_of_the_step_and_a_second_one_does_not(here, monkeypatch):
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT)
    stop_after(monkeypatch, 4, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert main(["run", "demo", *QUIET]) == 130
    check_interrupted(here / "results", 5)
    monkeypatch.undo()
    monkeypatch.chdir(here)
    stop_after(monkeypatch, 4, lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(2)])
    assert main(["run", "demo", *QUIET[:-1], "twice"]) == 130
    check_interrupted(here / "twice", 4)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_interruption_while_the_world_is_built_leaves_nothing(here, monkeypatch, capsys):
    monkeypatch.setattr("sim.economy.build", lambda *arguments: interrupt())
    assert main(["run", "demo", *QUIET]) == 130
    assert "Traceback" not in capsys.readouterr().err
    assert not contents(here)


# ---------------------------------------------------------------------- failures
def test_a_run_that_fails_while_building_leaves_no_folder(here, monkeypatch, capsys):
    def broken(*arguments):
        raise RuntimeError("a defect")

    monkeypatch.setattr("sim.economy.build", broken)
    monkeypatch.delenv("UNDERTOW_DEBUG", raising=False)
    assert main(["run", "demo", *QUIET]) == 1
    assert "unexpected RuntimeError: a defect" in told_once(capsys.readouterr())
    assert not contents(here)


def test_a_run_that_fails_while_building_leaves_earlier_results_as_they_are(here, monkeypatch):
    assert main(["run", "demo", *QUIET]) == 0
    before = contents(here)
    monkeypatch.setattr("sim.economy.build", lambda *arguments: 1 // 0)
    assert main(["run", "demo", *QUIET]) == 1
    assert contents(here) == before


def fail():
    raise LedgerImbalance("WETH: balances 1, inflows - outflows 0")


def test_a_run_that_fails_on_the_way_keeps_what_was_recorded_and_says_so(here, monkeypatch, capsys):
    stop_after(monkeypatch, 7, fail)
    monkeypatch.delenv("UNDERTOW_DEBUG", raising=False)
    assert main(["run", "demo", *QUIET]) == 1
    assert "unexpected LedgerImbalance: WETH" in told_once(capsys.readouterr())
    run = load(here / "results")
    assert run.manifest["state"] == "failed"
    assert run.metrics["step"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert json.loads((here / "results" / "progress.json").read_text())["state"] == "failed"


def test_a_run_whose_last_audit_fails_is_marked_failed(here, monkeypatch):
    monkeypatch.setattr(Economy, "audit", lambda self: fail())
    assert main(["run", "demo", *QUIET, "--set", "run.audit_every_steps=0"]) == 1
    run = load(here / "results")
    assert (run.manifest["state"], len(run.metrics)) == ("failed", STEPS)
