"""The commands and their options. What they do stands in a module each, imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="undertow",
    help="Simulate a DeFi protocol economy, agent by agent and block by block.",
    epilog="First: undertow run demo. Then: undertow scenario list.",
    context_settings=SETTINGS,
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)
scenarios_app = typer.Typer(
    help="List, show and check scenarios; their schema.",
    context_settings=SETTINGS,
    invoke_without_command=True,
)
app.add_typer(scenarios_app, name="scenario")

ScenarioName = Annotated[
    str, typer.Argument(metavar="SCENARIO", help="A name from `undertow scenario list`, or a TOML file.")
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", help="Change a field, as in run.horizon_seconds=3600. May be repeated."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes.", show_default="one a processor")]
Dask = Annotated[str | None, typer.Option("--dask", metavar="ADDRESS", help="A Dask scheduler, as tcp://HOST:8786.")]
MaxMinutes = Annotated[float | None, typer.Option("--max-minutes", min=0.0, help="Begin no run after that.")]
FirstSeed = Annotated[int | None, typer.Option("--seed0", min=0, help="First seed.")]
Resume = Annotated[bool, typer.Option("--resume", help="Run what the folder does not hold yet.")]


def _help_without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.callback()
def _undertow(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from sim import __version__

        print(f"undertow {__version__}")
        raise typer.Exit()
    _help_without_command(context)


@scenarios_app.callback()
def _scenario(context: typer.Context) -> None:
    _help_without_command(context)


@app.command()
def run(
    scenario: ScenarioName,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Seed of all randomness; the scenario's own if left out.")
    ] = None,
    sets: Sets = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder of the results.", show_default="out/<name>-<seed>"),
    ] = None,
    as_json: Json = False,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html as well.")] = True,
) -> int:
    """Run a scenario, write its results, print a summary.

    Ctrl-C ends the run after the step in progress and keeps what was recorded.
    """
    from sim.cli.running import run_command

    return run_command(scenario, seed, sets or [], out, as_json, report)


@app.command()
def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Recordings, or folders of *.json.gz; those shipped if left out."),
    ] = None,
    as_json: Json = False,
) -> int:
    """Compare the markets with recorded contract traces.

    Every recorded operation is replayed through the market classes; every value must be equal to the last unit.
    """
    from sim.cli.verifying import verify_command

    return verify_command(paths or [], as_json)


@app.command()
def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run or a study.")]) -> int:
    """Write report.html of a run or a study (one file, offline)."""
    from sim.cli.running import report_command

    return report_command(folder)


StudyFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")]


@app.command()
def summary(folder: StudyFolder, as_json: Json = False) -> int:
    """What a study says, each figure with its interval."""
    from sim.cli.study_reading import summary_command

    return summary_command(folder, as_json)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="Folder of a study.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Folder of another, or of the same.")],
    points: Annotated[
        str, typer.Option("--points", metavar="I,J", help="Which design point of A, and which of B.")
    ] = "0,0",
    as_json: Json = False,
) -> int:
    """Compare two studies seed by seed.

    Parameters that differ, what difference they make, and what the change alone makes liquidatable on day one.
    """
    from sim.cli.study_reading import compare_command

    return compare_command(first, second, points, as_json)


@app.command()
def gate(
    folder: StudyFolder,
    fail_if: Annotated[
        list[str],
        typer.Option("--fail-if", metavar="EXPR", help="As in 'var95(deficit_usd) > 400000'. May be repeated."),
    ],
    cautious: Annotated[
        bool, typer.Option("--cautious", help="Fail as soon as the interval cannot exclude the condition.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Exit with 4 if a condition holds in a study.

    Any of its cases counts; 0 if it holds in none.
    A figure that takes more runs than there are is an error (65), never a pass.
    """
    from sim.cli.study_reading import gate_command

    return gate_command(folder, fail_if, cautious, as_json)


@app.command()
def batch(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A scenario, or a TOML file that has a [study] table as well.")
    ],
    runs: Annotated[
        int | None, typer.Option("--runs", min=1, help="Runs of each design point, a seed each.", show_default="100")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the study.", show_default="out/<name>-study")
    ] = None,
    resume: Resume = False,
    grid: Annotated[
        list[str] | None,
        typer.Option("--grid", metavar="FIELD=LOW:HIGH:STEP", help="Or FIELD=A,B,C. Repeated: all combinations."),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="FIELD[=LOW:HIGH]", help="A field to sample; add :log for its logarithm."),
    ] = None,
    lhs: Annotated[int | None, typer.Option("--lhs", min=1, help="Points of a Latin hypercube of --vary.")] = None,
    sobol: Annotated[int | None, typer.Option("--sobol", min=1, help="Points of a Sobol sequence of --vary.")] = None,
    assumptions: Annotated[
        int | None,
        typer.Option("--assumptions", min=1, metavar="K", help="Each point also with K sets of the assumed figures."),
    ] = None,
    sets: Sets = None,
    seed0: FirstSeed = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", help="Of metrics,events,positions,agents.", show_default="metrics,events"),
    ] = None,
    workers: Workers = None,
    dask: Dask = None,
    max_minutes: MaxMinutes = None,
    as_json: Json = False,
) -> int:
    """Run a scenario many times: seeds, and variants of its fields.

    Ctrl-C ends after the runs in progress, twice at once; --resume goes on. Exit status 3 if runs failed.
    """
    from sim.cli.studying import Flags, Work, batch_command

    flags = Flags(runs, grid or [], vary or [], lhs, sobol, assumptions, seed0, keep)
    return batch_command(study, sets or [], flags, Work(out, resume, workers, dask, max_minutes), as_json)


@app.command()
def sensitivity(
    study: Annotated[
        str, typer.Argument(metavar="STUDY", help="A scenario, a file with [study.ranges], or a folder made before.")
    ],
    vary: Annotated[
        list[str] | None,
        typer.Option("--vary", metavar="FIELD[=LOW:HIGH]", help="A field to vary; add :log for its logarithm."),
    ] = None,
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="Vary every field whose figure is an assumption.")
    ] = False,
    method: Annotated[str, typer.Option("--method", help="morris (screening) or sobol (variance).")] = "morris",
    samples: Annotated[
        int | None,
        typer.Option("--samples", min=1, help="Trajectories, or base samples.", show_default="20, sobol 64"),
    ] = None,
    runs: Annotated[
        int | None, typer.Option("--runs", min=1, help="Seeds of each point.", show_default="16, sobol 32")
    ] = None,
    seed_factor: Annotated[bool, typer.Option("--seed-factor", help="The seed as an input (sobol).")] = False,
    of: Annotated[
        list[str] | None,
        typer.Option("--of", help="Outcome or statistic.", show_default="deficit_usd, liquidated_usd"),
    ] = None,
    sets: Sets = None,
    seed0: FirstSeed = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the study.", show_default="out/<name>-sensitivity")
    ] = None,
    resume: Resume = False,
    workers: Workers = None,
    dask: Dask = None,
    max_minutes: MaxMinutes = None,
    as_json: Json = False,
) -> int:
    """Which fields move an outcome, and how surely.

    Elementary effects first, Sobol indices for the few fields that matter; each with its interval.
    """
    from sim.cli.searching import Sample, sensitivity_command
    from sim.cli.studying import Work

    sample = Sample(vary or [], assumptions, method, samples, runs, seed0, seed_factor)
    work = Work(out, resume, workers, dask, max_minutes)
    return sensitivity_command(study, sets or [], sample, of or [], work, as_json)


@app.command()
def recommend(
    scenario: ScenarioName,
    vary: Annotated[
        str, typer.Option("--vary", metavar="FIELD[=LOW:HIGH[:STEP]]", help="The field; without range one change.")
    ],
    limit: Annotated[str, typer.Option("--limit", help="Such as 'var95(deficit_usd) <= 400000'.")],
    sets: Sets = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Seeds of the values that decide.")] = 200,
    first: Annotated[
        int | None, typer.Option("--first", min=1, help="Seeds of the others.", show_default="a quarter")
    ] = None,
    step: Annotated[
        float | None, typer.Option("--step", help="Resolution of the search.", show_default="by kind of field")
    ] = None,
    seed0: FirstSeed = None,
    workers: Workers = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of its runs.", show_default="out/<name>-recommend")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Use the runs that the folder holds.")] = False,
    as_json: Json = False,
) -> int:
    """The value of a field that keeps a limit on an outcome.

    The confidence bound keeps it, not only the figure; says so where nothing does, or too few runs tell.
    """
    from sim.cli.searching import recommend_command

    return recommend_command(
        scenario, sets or [], vary, limit, (runs, first), step, seed0, workers, out, resume, as_json
    )


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")],
    run: Annotated[int, typer.Option("--run", min=0, help="Number of the run.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for its results.", show_default="DIR/replays/<run>")
    ] = None,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html as well.")] = True,
    as_json: Json = False,
) -> int:
    """Run one member of a study again, with everything kept.

    Its tables are compared with the study's; exit status 1 if they differ.
    """
    from sim.cli.studying import replay_command

    return replay_command(folder, run, out, report, as_json)


@app.command()
def doctor(as_json: Json = False) -> int:
    """Check this installation.

    Versions, optional parts, the shipped scenarios, and a first comparison with recorded contract traces.
    """
    from sim.cli.doctor import doctor_command

    return doctor_command(as_json)


@scenarios_app.command("list")
def scenario_list(as_json: Json = False) -> int:
    """The scenarios that are shipped."""
    from sim.cli.scenario_commands import list_command

    return list_command(as_json)


@scenarios_app.command("show")
def scenario_show(
    scenario: ScenarioName,
    sets: Sets = None,
    values: Annotated[bool, typer.Option("--values", help="Every value with its unit, origin and source.")] = False,
    toml: Annotated[bool, typer.Option("--toml", help="The resolved scenario as a TOML file of its own.")] = False,
    as_json: Json = False,
) -> int:
    """What a scenario is made of, with everything it inherits."""
    from sim.cli.scenario_commands import show_command

    return show_command(scenario, sets or [], values, toml, as_json)


@scenarios_app.command("validate")
def scenario_validate(
    scenarios: Annotated[list[str], typer.Argument(metavar="SCENARIO...", help="Names or TOML files.")],
    sets: Sets = None,
    as_json: Json = False,
) -> int:
    """Check scenarios and their price paths, and build their worlds as a run would.

    All problems of a file are told at once; the exit status is 65 if there is one.
    """
    from sim.cli.scenario_commands import validate_command

    return validate_command(scenarios, sets or [], as_json)


@scenarios_app.command("schema")
def scenario_schema(
    table: Annotated[bool, typer.Option("--table", help="A table of all fields instead of JSON Schema.")] = False,
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="A table of the fields whose figures are assumptions.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table in Markdown.")] = False,
) -> int:
    """All fields: JSON Schema, or a table."""
    from sim.cli.scenario_commands import schema_command

    return schema_command(table or assumptions or markdown, assumptions, markdown)
