"""`heal bench`: measures how well Heal heals on sets of red builds, and says it as a table, as JSON and as a chart."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.choices import ENGINE_HELP, EngineChoice
from bot.exits import OTHER_OUTCOME, explained

if TYPE_CHECKING:
    from workers.bench.case import Suite
    from workers.bench.row import Row

app = typer.Typer(
    help="Measure the repair on sets of red builds.\n\nPlausible, verified, correct and overfit apart, with intervals.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Dataset = Annotated[Path | None, typer.Option(help="A clone of the data set's repository, bare or not.")]
Engine = Annotated[EngineChoice, typer.Option(help=ENGINE_HELP)]
Model = Annotated[str | None, typer.Option(help="As provider:name; beats HEAL_MODEL.")]
Jobs = Annotated[int, typer.Option(help="Cases side by side.", min=1, max=64)]
Only = Annotated[list[str] | None, typer.Option(help="The id of a case; repeat it for more. Default: all.")]
Results = Annotated[
    Path | None,
    typer.Option(help="The file that results are kept in; a bench that was stopped goes on there.", dir_okay=False),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever was measured before.")]
Out = Annotated[Path | None, typer.Option(help="A folder for report.json, report.md and chart.svg.", file_okay=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")]
Gold = Annotated[
    bool, typer.Option("--gold", help="Try the developers' own fix instead: whether the verifier takes what is right.")
]
Seed = Annotated[int, typer.Option(help="What is drawn by chance is drawn from this number.")]


@dataclass(frozen=True)
class Asked:
    """The options that every suite has."""

    engine: EngineChoice
    model: str | None
    jobs: int
    only: list[str] | None
    results: Path | None
    fresh: bool
    out: Path | None
    as_json: bool
    gold: bool = False


@app.command()
def quixbugs(
    dataset: Dataset = None,
    seed: Seed = 1,
    engine: Engine = EngineChoice.OFFLINE,
    model: Model = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Results = None,
    fresh: Fresh = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """40 small Python programs with one wrong line each (in-sample).

    Judged against the correct programs on 400 inputs each.
    """

    def suite() -> Suite:
        from workers.bench.quixbugs import QuixBugs

        return QuixBugs(dataset, seed)

    _measure(suite, Asked(engine, model, jobs, only, results, fresh, out, as_json))


@app.command()
def refactory(
    dataset: Dataset = None,
    sample: Annotated[int, typer.Option(help="How many programs are drawn; 0: all 1,783 of them.", min=0)] = 200,
    seed: Seed = 1,
    engine: Engine = EngineChoice.OFFLINE,
    model: Model = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Results = None,
    fresh: Fresh = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Wrong programs of students for five exercises (held out).

    Judged against the reference on 300 inputs each.
    """

    def suite() -> Suite:
        from workers.bench.refactory import Refactory

        return Refactory(dataset, sample, seed)

    _measure(suite, Asked(engine, model, jobs, only, results, fresh, out, as_json))


@app.command()
def mutants(
    count: Annotated[int, typer.Option(help="How many wrong statements are drawn.", min=1)] = 30,
    seed: Seed = 1,
    engine: Engine = EngineChoice.OFFLINE,
    model: Model = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Results = None,
    fresh: Fresh = False,
    out: Out = None,
    as_json: AsJson = False,
    gold: Gold = False,
) -> None:
    """Small packages with one statement made wrong (held out).

    Kinds are drawn as often as people make such mistakes, in five packages
    of the package index. Right is what restores the package's own code;
    another patch is unjudged. A new seed makes bugs that nobody has seen.
    """

    def suite() -> Suite:
        from workers.bench.wished import mutants

        return mutants(count, seed)

    _measure(suite, Asked(engine, model, jobs, only, results, fresh, out, as_json, gold))


@app.command()
def jsonl(
    file: Annotated[Path, typer.Argument(help="A task per line, in HumanEval's format.", dir_okay=False)],
    samples: Annotated[int, typer.Option(help="Runs of each task, for pass@k.", min=1, max=200)] = 1,
    in_sample: Annotated[bool, typer.Option("--in-sample", help="The model or Heal may know these tasks.")] = False,
    engine: Engine = EngineChoice.AUTO,
    model: Model = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Results = None,
    fresh: Fresh = False,
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """A function-repair set in HumanEval's format, with pass@k.

    Each line has task_id, prompt, buggy_solution, entry_point, test and
    canonical_solution.
    """

    def suite() -> Suite:
        from workers.bench.jsonl import JsonLines

        return JsonLines(file, samples, in_sample)

    _measure(suite, Asked(engine, model, jobs, only, results, fresh, out, as_json))


@app.command()
def bugsinpy(
    dataset: Dataset = None,
    projects: Annotated[
        str, typer.Option(help="Projects, with commas between.")
    ] = "PySnooper,cookiecutter,thefuck,tqdm",
    sources: Annotated[
        Path | None, typer.Option(help="A folder with clones of the projects, bare or not.", file_okay=False)
    ] = None,
    engine: Engine = EngineChoice.OFFLINE,
    model: Model = None,
    jobs: Jobs = 1,
    only: Only = None,
    results: Results = None,
    fresh: Fresh = False,
    out: Out = None,
    as_json: AsJson = False,
    gold: Gold = False,
) -> None:
    """Real bugs of Python projects, with their tests (held out).

    Right is what is identical to the developers' fix; anything else is
    unjudged, never assumed.
    """

    def suite() -> Suite:
        from workers.bench.bugsinpy import BugsInPy

        return BugsInPy(dataset, sources, tuple(filter(None, projects.split(","))))

    _measure(suite, Asked(engine, model, jobs, only, results, fresh, out, as_json, gold))


def _measure(make: Callable[[], Suite], asked: Asked) -> None:
    """Measure the suite and print its report. Exit code 1 when it was ended before every case had its turn."""
    from bot.cli_fix import interruptible
    from workers.bench import report
    from workers.bench.runner import GOLD
    from workers.bench.wished import BenchRequest, bench

    request = BenchRequest(
        GOLD if asked.gold else asked.engine.value,
        asked.model,
        asked.jobs,
        tuple(asked.only or ()),
        asked.results,
        asked.fresh,
        f"heal {shlex.join(sys.argv[1:])}",
    )
    with explained(), interruptible() as cancelled:
        measured = bench(make(), request, _told, cancelled)
    if asked.out:
        report.write(measured, asked.out)
    typer.echo(json.dumps(report.as_json(measured)) if asked.as_json else report.markdown(measured))
    if not measured.complete:
        typer.echo("heal: ended early; the same command goes on where it stopped", err=True)
        raise typer.Exit(OTHER_OUTCOME)


def _told(row: Row) -> None:
    from bot.cli_fix import harmless

    verdict = {True: "correct", False: "overfit", None: "unjudged"}[row.correct] if row.verified else ""
    words = (f"{row.case:<32}", f"{row.outcome:<14}", f"{row.tier:<8}", f"{row.confidence:<6}", f"{verdict:<8}")
    typer.echo(harmless(f"  {' '.join(words)} {row.seconds:6.1f} s"), err=True)
