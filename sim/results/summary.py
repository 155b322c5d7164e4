"""The summary of a run: the same figures for the terminal, for `--json`, for the report and for the page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.results import wording as w
from sim.results.facts import facts


@dataclass(frozen=True)
class Section:
    """A titled block of rows; `headers` is empty where a row is a name and its value."""

    key: str
    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """What happened in one run: `headline` in a sentence or two, `sections` in words, `values` as numbers."""

    headline: str
    sections: tuple[Section, ...]
    values: dict[str, Any] = field(repr=False)

    def section(self, key: str) -> Section | None:
        """The section of that key, or None if the run has nothing to say there."""
        return next((section for section in self.sections if section.key == key), None)

    def to_json(self) -> dict[str, Any]:
        """The machine form: the headline and every figure, unrounded."""
        return {"headline": self.headline} | self.values

    def to_text(self) -> str:
        """Plain text, columns aligned."""
        blocks = [self.headline]
        for section in self.sections:
            table = [section.headers, *section.rows] if section.headers else list(section.rows)
            widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))] if table else []
            lines = [section.title]
            for row in table:
                cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
                lines.append(("  " + "  ".join(cells)).rstrip())
            blocks.append("\n".join([*lines, f"  {section.note}"] if section.note else lines))
        return "\n\n".join(blocks)


def summarise(run: Any, manifest: Mapping[str, Any] | None = None, *, folder: str | os.PathLike[str] = "") -> Summary:
    """Summary of a `Run`, or of the tables of one that is still in memory with its manifest."""
    if manifest is None:
        frames = {name: run.frame(name) for name in run.tables}
        manifest, folder = run.manifest, folder or run.folder
    else:
        from sim.results.reading import frames_of

        frames = frames_of(run)
    values = facts(frames, manifest)
    values["folder"] = str(folder)
    values["files"] = sorted(entry.name for entry in Path(folder).iterdir()) if folder and Path(folder).is_dir() else []
    built = (
        _identity(values),
        _prices(values),
        _liquidations(values),
        _deficit(values),
        _utilisation(values),
        _gas(values),
        _people(values),
        _kinds(values),
        _trust(values),
    )
    return Summary(headline(values), tuple(section for section in built if section.rows), values)


def headline(values: Mapping[str, Any]) -> str:
    """What happened, in one or two sentences."""
    said = []
    worst = worst_asset(values)
    if worst:
        entry = values["prices"][worst]
        text = f"{worst} fell {w.percent(entry['asked_drawdown_ratio'])} as the scenario asks"
        if "outside_drawdown_ratio" in entry:
            text += f" and {w.percent(entry['outside_drawdown_ratio'])} with this economy's own trades"
        said.append(text)
    done = values["liquidations"]
    if done["count"]:
        said.append(f"{w.count(done['count'], 'liquidation')} repaid {w.usd(done['debt_repaid_usd'])} of debt")
    else:
        said.append("nobody was liquidated")
    lost = values["deficit"]["total_usd"]
    said.append(f"{w.usd(lost)} of bad debt is left" if lost > 0 else "no bad debt is left")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."


def worst_asset(values: Mapping[str, Any]) -> str | None:
    """The asset that fell most from an earlier high, as asked by the scenario; None if none fell by 0.1 %."""
    falls = {asset: entry["asked_drawdown_ratio"] for asset, entry in values["prices"].items()}
    worst = max(falls, key=lambda asset: falls[asset], default=None)
    return worst if worst is not None and falls[worst] >= 0.001 else None


@dataclass(frozen=True)
class KeyFigure:
    """One figure that stands out: what it is, its value in words, and what to compare it with."""

    label: str
    value: str
    note: str


def key_figures(values: Mapping[str, Any]) -> list[KeyFigure]:
    """The six figures to look at first."""
    done, found = values["liquidations"], []
    worst = worst_asset(values)
    if worst:
        entry = values["prices"][worst]
        reached = entry.get("outside_drawdown_ratio", entry["asked_drawdown_ratio"])
        found.append(
            KeyFigure(f"Fall of {worst}", w.percent(reached), f"asked {w.percent(entry['asked_drawdown_ratio'])}")
        )
    if done["count"]:
        found.append(KeyFigure("Debt repaid", w.usd(done["debt_repaid_usd"]), w.count(done["count"], "liquidation")))
    else:
        found.append(KeyFigure("Liquidations", "0", "nobody was liquidated"))
    found.append(KeyFigure("Bad debt", w.usd(values["deficit"]["total_usd"]), "deficit of all reserves"))
    used = values["utilisation"]
    if used:
        top = max(used, key=lambda name: used[name]["peak_ratio"])
        when = f"peak, {w.clock(used[top]['peak_at'])}"
        found.append(KeyFigure(f"Utilisation, {top}", w.percent(used[top]["peak_ratio"]), when))
        dear = max(used, key=lambda name: used[name].get("peak_borrow_rate_per_year") or 0.0)
        rate = used[dear].get("peak_borrow_rate_per_year")
        found.append(KeyFigure(f"Borrow rate, {dear}", w.percent(rate), "peak, a year"))
    if "peak_base_fee_gwei" in values["gas"]:
        median, peak = w.gwei(values["gas"]["median_base_fee_gwei"]), w.gwei(values["gas"]["peak_base_fee_gwei"])
        found.append(KeyFigure("Base fee, gwei", peak.removesuffix(" gwei"), f"peak, median {median}"))
    return found


def caption_line(manifest: Mapping[str, Any]) -> str:
    """Which run this is, in one line: scenario, one run, seed, version, when, hash."""
    version = (manifest.get("versions") or {}).get("undertow", "?")
    when = str(manifest.get("started_at") or "").replace("T", " ").replace("Z", " UTC")
    parts = [manifest.get("name"), "one run", f"seed {manifest.get('seed')}", f"undertow {version}", when]
    digest = manifest.get("content_hash")
    parts.append(f"hash {digest[:12]}" if digest else "")
    return " · ".join(str(part) for part in parts if part)


def _identity(values: Mapping[str, Any]) -> Section:
    run = values["run"]
    name = f"{run['name']}: {run['title']}" if run["title"] else str(run["name"])
    rows = [("Scenario", name), ("Runs", f"one run, seed {run['seed']}")]
    if run["from"] is not None:
        length = f"{w.seconds(run['seconds'])} in {w.count(run['blocks'], 'block')}"
        rows.append(("Simulated", f"{w.moment(run['from'])} to {w.moment(run['to'])} ({length})"))
    if run["wall_seconds"]:
        speed = f", {w.number(round(run['blocks_per_second']))} blocks a second"
        rows.append(("Took", w.seconds(run["wall_seconds"]) + speed))
    if run["state"] not in ("done", "running"):
        rows.append(("State", f"{run['state']}: the figures cover {w.count(run['steps'], 'step')} only"))
    return Section("run", "Run", (), tuple(rows))


def _prices(values: Mapping[str, Any]) -> Section:
    rows = []
    for asset, entry in values["prices"].items():
        cells = [asset, w.price(entry["start_usd"])]
        for word in ("asked", "outside", "oracle"):
            low, fall = entry.get(f"{word}_low_usd"), entry.get(f"{word}_drawdown_ratio")
            cells.append(f"{w.price(low)} ({_fall(fall)})" if low is not None else w.MISSING)
        extra = entry.get("extra_drawdown_ratio")
        cells.append(_points(extra))
        rows.append(tuple(cells))
    headers = ("Asset", "Start", "Asked: low (fall)", "Reached outside", "Reached in oracle", "Further fall")
    note = "Fall: largest from an earlier high. Further fall: outside market less asked, in percentage points."
    return Section("prices", "Prices asked and reached", headers, tuple(rows), note)


def _fall(ratio: float | None) -> str:
    return w.MISSING if ratio is None else w.percent(0.0 if abs(ratio) < 5e-6 else -ratio)


def _points(ratio: float | None) -> str:
    return w.MISSING if ratio is None else f"{ratio * 100:+.2f} points"


def _liquidations(values: Mapping[str, Any]) -> Section:
    done = values["liquidations"]
    rows = [("Liquidations", w.number(done["count"]))]
    if done["count"]:
        rows.append(("Debt repaid", w.usd(done["debt_repaid_usd"])))
        if "collateral_usd" in done:
            bonus = f", of it bonus {w.usd(done['bonus_usd'])}" if done["bonus_usd"] else ""
            rows.append(("Collateral seized", w.usd(done["collateral_usd"]) + bonus))
            rows.append(("Accounts touched", w.number(done["accounts"])))
    if done.get("reverted"):
        reasons = ", ".join(f"{reason} {times}" for reason, times in list(done["reverted_reasons"].items())[:3])
        rows.append(("Reverted attempts", f"{w.number(done['reverted'])} ({reasons})"))
    if "largest" in done:
        one = done["largest"]
        text = f"{w.usd(one['debt_repaid_usd'])} {one.get('debt_asset')} against {one.get('collateral_asset')}"
        rows.append(("Largest", f"{text}, account {one.get('account')}, {w.moment(one.get('timestamp'))}"))
    for pair in done.get("by_pair", [])[:6]:
        what = f"{pair['collateral_asset']} for {pair['debt_asset']}"
        rows.append((what, f"{w.usd(pair['debt_repaid_usd'])} in {w.count(pair['count'], 'liquidation')}"))
    if done.get("peak_liquidatable_usd"):
        at = w.moment(done["peak_liquidatable_at"])
        rows.append(("Liquidatable at the worst moment", f"{w.usd(done['peak_liquidatable_usd'])}, {at}"))
    return Section("liquidations", "Liquidations", (), tuple(rows))


def _deficit(values: Mapping[str, Any]) -> Section:
    entries = values["deficit"]["by_reserve"]
    rows = [(reserve, f"{w.number(entry['tokens'])} ({w.usd(entry['usd'])})") for reserve, entry in entries.items()]
    rows.append(("Total", w.usd(values["deficit"]["total_usd"])))
    return Section("deficit", "Bad debt (deficit)", (), tuple(rows))


def _utilisation(values: Mapping[str, Any]) -> Section:
    rows = []
    for reserve, entry in values["utilisation"].items():
        bend, above = entry["kink_ratio"], entry["seconds_above_kink"]
        kink = w.MISSING if bend is None else f"{w.percent(bend)} ({w.seconds(above) if above else 'never'} above)"
        rate = entry.get("peak_borrow_rate_per_year")
        rows.append(
            (reserve, w.percent(entry["peak_ratio"]), w.moment(entry["peak_at"]), kink, f"{w.percent(rate)} a year")
        )
    headers = ("Reserve", "Peak utilisation", "When", "Kink", "Peak borrow rate")
    return Section("utilisation", "Utilisation and rates", headers, tuple(rows))


def _gas(values: Mapping[str, Any]) -> Section:
    gas, rows = values["gas"], []
    if "median_base_fee_gwei" in gas:
        rows.append(("Base fee, median", w.gwei(gas["median_base_fee_gwei"])))
        rows.append(("Base fee, highest", f"{w.gwei(gas['peak_base_fee_gwei'])}, {w.moment(gas['peak_base_fee_at'])}"))
    if "paid_eth" in gas:
        dollars = f" ({w.usd(gas['paid_usd'])})" if "paid_usd" in gas else ""
        rows.append(("Paid by agents", f"{w.number(gas['paid_eth'])} ETH{dollars}"))
    return Section("gas", "Gas", (), tuple(rows))


def _people(values: Mapping[str, Any]) -> Section:
    rows = []
    for word, people in (("won", values["agents"]["winners"]), ("lost", values["agents"]["losers"])):
        for one in people:
            parts = [f"{name} {w.usd(one[key])}" for key, name in _PARTS if abs(one.get(key) or 0.0) >= 0.5]
            who = f"{one['kind']}, account {one['account']}"
            rows.append((who, f"{word} {w.usd(abs(one['earned_usd']))}", ", ".join(parts)))
    note = "By liquidations, trades, interest and gas; changes in the price of what they held are left out."
    return Section("people", "Winners and losers", (), tuple(rows), note if rows else "")


_PARTS = (
    ("liquidation_usd", "liquidations"),
    ("trading_usd", "trades"),
    ("interest_usd", "interest"),
    ("gas_usd", "gas"),
)


def _kinds(values: Mapping[str, Any]) -> Section:
    rows = []
    for kind, entry in values["agents"]["by_kind"].items():
        parts = [w.usd(entry.get(key)) for key, _ in _PARTS]
        rest = (w.usd(entry.get("price_usd")), w.usd(entry.get("other_usd")))
        cells = (kind, w.number(entry["agents"]), *parts, w.usd(entry["earned_usd"]), *rest)
        rows.append(cells)
    headers = ("Kind", "Agents", *(name.capitalize() for _, name in _PARTS), "Together", "Prices", "Rest")
    note = "Prices: what they held at the start changed in price. Rest: price and interest of what they held later."
    return Section("kinds", "Profit and loss by kind of agent", headers, tuple(rows), note if rows else "")


def _trust(values: Mapping[str, Any]) -> Section:
    rows = [("Conservation audit", audit_words(values["audit"]))]
    if values["content_hash"]:
        rows.append(("Content hash", values["content_hash"]))
    if values["folder"]:
        rows.append(("Files", values["folder"]))
    return Section("trust", "Can it be trusted", (), tuple(rows))


def audit_words(audit: Any) -> str:
    """The result of the conservation audit in words."""
    if not isinstance(audit, Mapping):
        return "not recorded"
    if not audit.get("ok", False):
        return f"FAILED: {audit.get('residual', 'a difference')} not accounted for"
    checks = audit.get("checks")
    return "every token accounted for, to the unit" + (f" ({w.count(checks, 'full check')})" if checks else "")
