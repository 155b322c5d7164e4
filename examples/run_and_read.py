"""Run a scenario, write its results, and read them."""

import scenarios
from agents.registry import kinds
from sim.results import load
from sim.run import run_scenario

scenario = scenarios.load("demo", {"run.seed": 3}, kinds())
folder = run_scenario(scenario, seed=3, out="out/example", report=False).folder

run = load(folder)
print(run.manifest["title"], "-", run.manifest["state"])
lowest = run.metrics.loc[run.metrics["oracle_usd.WETH"].idxmin()]
print(f"the oracle's lowest price of WETH: {lowest['oracle_usd.WETH']:,.2f} USD in step {lowest['step']:.0f}")
print(run.events.query("kind == 'liquidation' and ok")[["step", "account", "debt_asset", "debt_repaid_usd"]].head())
print(run.sql("select kind, count(*) as n, sum(profit_usd) as profit_usd from agents group by kind order by kind"))
