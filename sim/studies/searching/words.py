"""A recommendation in words: the answer in sentences, and tables of what it rests on."""

from __future__ import annotations

from sim.results import wording as w
from sim.results.summary import Section, Summary
from sim.studies.cases import shown
from sim.studies.measures import interval, written
from sim.studies.searching.recommending import BORROWED, Cost, Recommendation
from sim.studies.searching.search import ALL, NOISE, NONE, notes_of


def told(one: Recommendation) -> Summary:
    """The recommendation as a summary: headline, tables, figures."""
    sections = (_answer(one), _tested(one), _cost(one.cost), _refused(one))
    return Summary(headline(one), tuple(section for section in sections if section.rows), one.to_json())


def headline(one: Recommendation) -> str:
    """The answer in a few sentences."""
    found, field, limit = one.found, one.choice.field, one.limit.text
    said = []
    if found.state == NONE:
        said.append(
            f"No value of {field} from {_range(one)} keeps {limit}: even the lower bound of the safest breaks it."
        )
    elif found.state == NOISE:
        said.append(_noise(one))
    else:
        said += _recommended(one)
    if not found.monotone:
        said.append(
            f"Caution: the figure does not only {'rise' if found.rises else 'fall'} with {field}"
            f" (p = {found.monotone_p:.3f}), so values between those tested may break the limit."
        )
    if len(one.changes) > 1:
        said.append(f"That takes {len(one.changes)} changes: {', '.join(shown(value) for value in one.changes)}.")
    return " ".join(said)


def _recommended(one: Recommendation) -> list[str]:
    found, field = one.found, one.choice.field
    assert found.answer is not None
    assert one.value is not None
    if one.value == one.choice.present:
        said = [f"Keep {field} at {shown(one.value)}."]
    else:
        said = [f"Set {field} to {shown(one.value)} (now {shown(one.choice.present)})."]
    if not found.moves:
        return [*said, f"{field} makes no difference to {one.limit.measure} from {_range(one)}."]
    if one.value != found.answer:
        side = "down" if found.riskier < 0 else "up"
        said.append(f"The limit {one.limit.text} holds {side} to {shown(found.answer)}; no change is needed for it.")
    said.append(_kept(one))
    if found.state == ALL:
        said.append("Every value in the range keeps the limit: it ends before the limit is met.")
    else:
        middle = "" if found.break_even is None else f" near {shown(_rounded(found.break_even))},"
        said.append(f"The limit is met exactly{middle} between {_interval(one)} with 95 % confidence.")
    return said


def _range(one: Recommendation) -> str:
    values = [value for value in one.choice.values if value not in one.refused]
    return f"{shown(values[0])} to {shown(values[-1])}"


def _opt(value: float | None) -> str:
    return w.MISSING if value is None else shown(value)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _interval(one: Recommendation) -> str:
    low = "below " if one.found.open_low else ""
    high = "above " if one.found.open_high else ""
    return f"{low}{shown(one.found.low)} and {high}{shown(one.found.high)}"


def _kept(one: Recommendation) -> str:
    here = next(tested for tested in one.found.tested if tested.value == one.found.answer)
    assert here.estimate is not None
    name = here.estimate.name
    side = "upper" if one.limit.operator in ("<=", "<") else "lower"
    end = here.estimate.high if side == "upper" else here.estimate.low
    figure = f"At {shown(here.value)}, {name} is {written(name, here.estimate.value)}"
    if end is None:
        return f"{figure} in every run."
    return f"{figure}, and its {side} bound {written(name, end)} keeps the limit of {written(name, one.limit.bound)}."


def _noise(one: Recommendation) -> str:
    runs = one.seeds[1] - one.seeds[0] + 1
    if one.found.answer is not None:
        return f"{w.count(runs, 'run')} a value are too few: the limit may be met anywhere from {_range(one)}."
    said = (
        f"{w.count(runs, 'run')} a value are too few: the bound of no value from {_range(one)} keeps {one.limit.text}"
    )
    if one.found.needed is not None:
        said += f", although the figure itself does; with about {one.found.needed:,} runs the bound of the safest would"
    return f"{said}."


# ---------------------------------------------------------------------- tables
def _answer(one: Recommendation) -> Section:
    found = one.found
    present = one.present
    rows = [
        ("Recommended", _opt(one.value)),
        ("Limit holds up to" if found.riskier > 0 else "Limit holds down to", _opt(found.answer)),
        ("Where it is met, interval", _interval(one)),
        ("Present value", f"{shown(one.choice.present)}: {present.name} {written(present.name, present.value)}"
         f" ({interval(present.name, present)})"),
        ("Outcome", f"{'rises' if found.rises else 'falls'} with the parameter, {'' if found.monotone else 'not '}"
         f"monotone as far as can be told (p = {found.monotone_p:.2g})"),
    ]  # fmt: skip
    if found.answers is not None:
        rows.append(
            ("Searches on resampled seeds", f"answer {shown(found.answers[0])} to {shown(found.answers[1])} in 95 %")
        )
    if found.without > 0.0:
        rows.append(("… without an answer", w.percent(found.without)))
    if one.changes:
        rows.append(("Changes", ", then ".join(shown(value) for value in one.changes)))
    limit = one.choice.limit
    most = (
        "no limit known" if limit.most is None else f"at most {'a factor of ' if limit.relative else ''}{limit.most:g}"
    )
    rows.append(("Steps", f"{limit.kind}: {limit.step:.4g}, {most} a change"))
    rows.append(("Runs", f"{one.runs:,} made" + (f", {one.reused:,} found in the folder" if one.reused else "")))
    rows.append(("Seeds", f"{one.seeds[0]} to {one.seeds[1]}, the same for every value"))
    return Section("answer", "Recommendation", (), tuple(rows), f"Source of the steps: {limit.source}.")


def _tested(one: Recommendation) -> Section:
    name = one.limit.measure
    rows = []
    for tested in one.found.tested:
        within = w.MISSING if tested.estimate is None else interval(name, tested.estimate)
        verdict = "keeps" if tested.keeps else "does not"
        rows.append((shown(tested.value), f"{tested.runs:,}", written(name, tested.figure), within, verdict))
    headers = ("Value", "Runs", name, "95 % interval", "Bound keeps the limit")
    note = "Without interval: the first runs left no doubt, so no more were made. " + notes_of(one.found)
    return Section("tested", "Values tested", headers, tuple(rows), note.strip())


def _cost(cost: Cost | None) -> Section:
    if cost is None:
        return Section("cost", "", (), ())
    rows = []
    words = ("Debt at the start of the runs", "Debt at the end of the runs")
    for name, label in zip(BORROWED, words, strict=True):
        one = cost.borrowed[name]
        rows.append((label, w.MISSING, w.MISSING, written(name, one.value), interval(name, one)))
    for key, label in (
        ("power_usd", "Borrowing power of the opening book"),
        ("carried_usd", "Debt at which it would be liquidated"),
        ("cap_usd", "Room under the cap"),
    ):
        own, then = getattr(cost.present, key), getattr(cost.recommended, key)
        if own is not None and then is not None:
            rows.append((label, w.usd(own), w.usd(then), w.usd(then - own), w.MISSING))
    moved = cost.day_one
    rows.append(
        (
            "Made liquidatable by the change alone",
            w.MISSING,
            w.MISSING,
            w.usd(moved.newly_debt_usd),
            w.count(moved.newly_accounts, "account"),
        )
    )
    headers = ("What it costs", "Present", "Recommended", "Difference", "95 % interval")
    note = "Debts: means over the same seeds. The book is that of the first seed, at its opening prices."
    return Section("cost", "Cost in borrowing capacity", headers, tuple(rows), note)


def _refused(one: Recommendation) -> Section:
    values = sorted(one.refused)
    groups: dict[str, list[float]] = {}
    for value in values:
        groups.setdefault(one.refused[value].partition(":")[0], []).append(value)
    rows = []
    for those in groups.values():
        ends = shown(those[0]) if len(those) == 1 else f"{shown(those[0])} to {shown(those[-1])}"
        rows.append((ends, one.refused[those[0]]))
    return Section("refused", "Values that make no valid scenario", ("Values", "Why"), tuple(rows))
