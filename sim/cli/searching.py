"""`undertow sensitivity` and `undertow recommend`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sim.cli.console import print_json, remark
from sim.cli.errors import DONE, INTERRUPTED
from sim.cli.running import print_summary
from sim.cli.studying import Work, processors, status_of


class Sample(NamedTuple):
    """The options that make the sample of a sensitivity study."""

    vary: Sequence[str]
    assumptions: bool
    method: str
    samples: int | None
    runs: int | None
    seed0: int | None
    seed_factor: bool


def sensitivity_command(
    study: str,
    sets: Sequence[str],
    sample: Sample,
    of: Sequence[str],
    work: Work,
    as_json: bool,
) -> int:
    """Run the sample of a scenario, or take a folder that holds one, and say which fields move what."""
    from sim.cli.loading import make_own_kinds_importable
    from sim.studies.reading import open_study
    from sim.studies.sensitivity.words import kept_figures, report_of

    make_own_kinds_importable()
    if (Path(study) / "manifest.json").is_file():
        held = open_study(study)
        print_summary(report_of(held, of or kept_figures(held.folder)), as_json)
        return DONE
    folder, status = _sampled(study, sets, sample, of, work)
    if status == INTERRUPTED:
        if as_json:
            print_json({"folder": str(folder), "state": "interrupted"})
        return status
    print_summary(report_of(open_study(folder), of), as_json)
    return status


def _sampled(study: str, sets: Sequence[str], sample: Sample, of: Sequence[str], work: Work) -> tuple[Path, int]:
    """Make the plan, run its study, and say how that ended."""
    import scenarios
    from agents.registry import kinds
    from scenarios.merging import parse_assignments
    from scenarios.writing import leaves
    from sim.cli.loading import check_price_path
    from sim.studies.schema import read_section
    from sim.studies.searching.recommending import KNOWN
    from sim.studies.sensitivity.analysis import figure
    from sim.studies.sensitivity.plan import make_plan

    ranges: dict[str, Any] = dict(leaves(read_section(study).ranges))
    ranges |= {text.partition("=")[0].strip(): text.partition("=")[2].strip() for text in sample.vary}
    scenario = scenarios.load(study, parse_assignments(sets), kinds())
    plan = make_plan(
        scenario,
        ranges,
        method=sample.method,
        count=sample.samples,
        runs=sample.runs,
        seed0=sample.seed0,
        seed_factor=sample.seed_factor,
        assumptions=sample.assumptions,
    )
    for text in of:
        figure(text, KNOWN, plan)
    check_price_path(scenario)
    design = plan.design(scenario)
    folder = work.folder(f"{scenario.name}-sensitivity")
    seeds = len(design.seeds)
    remark(f"{scenario.label}: {len(design):,} runs ({plan.method}, {len(design.points):,} points x {seeds:,} seeds)")
    done = work.execute(design, folder)
    if done.failed and done.state != "interrupted":
        remark(f"{done.failed:,} runs failed, see {folder / 'failures.jsonl'}")
    return folder, status_of(done, len(design) - done.done - done.failed)


def recommend_command(
    scenario: str,
    sets: Sequence[str],
    vary: str,
    limit: str,
    counts: tuple[int, int | None],
    step: float | None,
    seed0: int | None,
    workers: int | None,
    out: Path | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Search for the value and print it with what is known of it."""
    from sim.cli.loading import check_price_path, make_own_kinds_importable
    from sim.studies.server import start_server

    make_own_kinds_importable()
    number = workers or processors()
    if number > 1:
        start_server()
    import scenarios
    from agents.registry import kinds
    from scenarios.merging import parse_assignments
    from sim.results.files import dump_json
    from sim.results.progress import replace_text
    from sim.studies.folder import disk_errors
    from sim.studies.searching.recommending import recommend
    from sim.studies.searching.words import told

    loaded = scenarios.load(scenario, parse_assignments(sets), kinds())
    check_price_path(loaded)
    folder = out if out is not None else Path("out") / f"{loaded.name}-recommend"
    found = recommend(
        loaded,
        vary,
        limit,
        runs=counts[0],
        first=counts[1],
        step=step,
        seed0=seed0,
        workers=number,
        out=folder,
        resume=resume,
        progress=_in_lines(),
    )
    summary = told(found)
    with disk_errors(folder):
        replace_text(folder / "recommendation.json", dump_json(summary.to_json()))
    print_summary(summary, as_json)
    if not as_json:
        remark(f"runs and figures: {folder}")
    return DONE


def _in_lines() -> Callable[[int], None]:
    """A line for every hundred runs: how many a search will take is not known before."""
    told = 0

    def show(runs: int) -> None:
        nonlocal told
        if runs // 100 > told:
            told = runs // 100
            remark(f"  {runs:,} runs")

    return show
