"""`heal bench`: measures how well Heal heals on sets of red builds, and says it as a table, as JSON and as a chart."""

from __future__ import annotations

import inspect
import json
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.choices import ENGINE_HELP, EngineChoice
from bot.exits import OTHER_OUTCOME, explained

if TYPE_CHECKING:
    from workers.bench.case import Suite
    from workers.bench.row import Row

    MakeSuite = Callable[..., Suite]

app = typer.Typer(
    help="Measure the repair on sets of red builds.\n\nPlausible, verified, correct and overfit apart, with intervals.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Dataset = Annotated[Path | None, typer.Option(help="A clone of the data set's repository, bare or not.")]
Seed = Annotated[int, typer.Option(help="What is drawn by chance is drawn from this number.")]


@dataclass(frozen=True)
class Asked:
    """The options that every suite has, as they are typed and shown."""

    engine: Annotated[EngineChoice, typer.Option(help=ENGINE_HELP)] = EngineChoice.OFFLINE
    model: Annotated[str | None, typer.Option(help="As provider:name; beats HEAL_MODEL.")] = None
    jobs: Annotated[int, typer.Option(help="Cases side by side.", min=1, max=64)] = 1
    only: Annotated[list[str] | None, typer.Option(help="The id of a case; repeat it for more. Default: all.")] = None
    results: Annotated[
        Path | None,
        typer.Option(help="The file that results are kept in; a bench that was stopped goes on there.", dir_okay=False),
    ] = None
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew, whatever was measured before.")] = False
    out: Annotated[
        Path | None, typer.Option(help="A folder for report.json, report.md and chart.svg.", file_okay=False)
    ] = None
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the table.")] = False
    gold: Annotated[
        bool,
        typer.Option("--gold", help="Try the developers' own fix instead: whether the verifier takes what is right."),
    ] = False


def _suite(engine: EngineChoice = EngineChoice.OFFLINE, gold: bool = False) -> Callable[[MakeSuite], MakeSuite]:
    """Makes a command of a function that makes a suite: its options are the function's own, then those of `Asked`.

    `engine` is the default; `gold` says that the suite knows the developers' fixes.
    """

    def add(make: MakeSuite) -> MakeSuite:
        common = inspect.signature(Asked, eval_str=True).parameters
        shared = {name: one for name, one in common.items() if gold or name != "gold"}
        shared["engine"] = shared["engine"].replace(default=engine)
        own = inspect.signature(make, locals={"Suite": object}, eval_str=True).parameters

        def command(**given: Any) -> None:
            asked = Asked(**{name: given[name] for name in shared})
            _measure(lambda: make(**{name: given[name] for name in own}), asked)

        command.__doc__ = make.__doc__
        command.__signature__ = inspect.Signature([*own.values(), *shared.values()])  # type: ignore[attr-defined]
        app.command(make.__name__)(command)
        return make

    return add


@_suite()
def quixbugs(
    dataset: Dataset = None,
    seed: Seed = 1,
) -> Suite:
    """40 small Python programs with one wrong line each (in-sample).

    Judged against the correct programs on 400 inputs each.
    """
    from workers.bench.quixbugs import QuixBugs

    return QuixBugs(dataset, seed)


@_suite()
def ci() -> Suite:
    """Our own red repositories, each with workflow and job log (in-sample): kind of failure by tool, and traps.

    Judged against what a maintainer would call right: who mends it, how the run ends, and what the patch does.
    """
    from workers.bench.ci.suite import Ci

    return Ci()


@_suite()
def refactory(
    dataset: Dataset = None,
    sample: Annotated[int, typer.Option(help="How many programs are drawn; 0: all 1,783 of them.", min=0)] = 200,
    seed: Seed = 1,
) -> Suite:
    """Wrong programs of students for five exercises (held out).

    Judged against the reference on 300 inputs each.
    """
    from workers.bench.refactory import Refactory

    return Refactory(dataset, sample, seed)


@_suite(gold=True)
def mutants(
    count: Annotated[int, typer.Option(help="How many wrong statements are drawn.", min=1)] = 30,
    seed: Annotated[
        int | None, typer.Option(help="What is drawn by chance is drawn from this number. Default: the release's own.")
    ] = None,
) -> Suite:
    """Small packages with one statement made wrong (held out).

    Kinds are drawn as often as people make such mistakes, in five packages
    of the package index. Right is what restores the package's own code;
    another patch is unjudged. Every release has a seed of its own, which
    makes bugs that nobody has seen.
    """
    from workers.bench.wished import mutants

    return mutants(count, seed)


@_suite(engine=EngineChoice.AUTO)
def jsonl(
    file: Annotated[Path, typer.Argument(help="A task per line, in HumanEval's format.", dir_okay=False)],
    samples: Annotated[int, typer.Option(help="Runs of each task, for pass@k.", min=1, max=200)] = 1,
    in_sample: Annotated[bool, typer.Option("--in-sample", help="The model or Heal may know these tasks.")] = False,
) -> Suite:
    """A function-repair set in HumanEval's format, with pass@k.

    Each line has task_id, prompt, buggy_solution, entry_point, test and
    canonical_solution.
    """
    from workers.bench.jsonl import JsonLines

    return JsonLines(file, samples, in_sample)


@_suite(gold=True)
def bugsinpy(
    dataset: Dataset = None,
    projects: Annotated[
        str, typer.Option(help="Projects, with commas between.")
    ] = "PySnooper,cookiecutter,thefuck,tqdm",
    sources: Annotated[
        Path | None, typer.Option(help="A folder with clones of the projects, bare or not.", file_okay=False)
    ] = None,
) -> Suite:
    """Real bugs of Python projects, with their tests (held out).

    Right is what is identical to the developers' fix; anything else is
    unjudged, never assumed.
    """
    from workers.bench.bugsinpy import BugsInPy

    return BugsInPy(dataset, sources, tuple(filter(None, projects.split(","))))


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
