"""The command line: what there is to type. Heavy parts load when they run; `bot.exits` says how a command ends."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import cli_bench, cli_groups
from bot.choices import ENGINE_HELP, REPO_HELP, EngineChoice
from bot.exits import ENVIRONMENT, FIXED, OTHER_OUTCOME, WRONG_USE, end, explained

app = typer.Typer(
    name="heal",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: boxes cost 0.25 s per call and make errors five lines long
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_groups.lessons, name="lessons")
app.add_typer(cli_groups.images, name="images")
app.add_typer(cli_groups.config, name="config")
app.add_typer(cli_groups.sandbox, name="sandbox")
app.add_typer(cli_groups.database, name="db")
app.add_typer(cli_bench.app, name="bench")


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"heal {version('heal-bot')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turns red builds green, with proof."""


@app.command()
def fix(
    path: Annotated[Path, typer.Argument(help="A git checkout; its HEAD commit is healed.")] = Path(),
    check: Annotated[str | None, typer.Option(help="The command that is red; default: what the workflow runs.")] = None,
    job: Annotated[
        str | None, typer.Option(help="The workflow's job; default: the first that checks something.")
    ] = None,
    engine: Annotated[EngineChoice, typer.Option(help=ENGINE_HELP)] = EngineChoice.AUTO,
    model: Annotated[str | None, typer.Option(help="As provider:name, such as openai:gpt-5; beats HEAL_MODEL.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the verified patch to the checkout.")] = False,
    branch: Annotated[str | None, typer.Option(help="Commit the verified patch to this new branch.")] = None,
    good: Annotated[
        str | None, typer.Option(help="An earlier commit that was green: the one that broke it is looked for.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="A bug report in a text file: a failing test is made of it.", dir_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Heal a local checkout, without GitHub or a queue.

    The patch goes to standard output, the story to standard error. Nothing is changed without --apply or --branch.

    Exit codes: 0 fixed and verified, 1 another outcome, 2 wrong use, 3 the environment lacks something.
    """
    from bot.cli_fix import Progress, interruptible, present
    from workers.wiring import LocalRequest, heal_locally

    if apply and branch:
        end(WRONG_USE, "--apply and --branch exclude each other")
    request = LocalRequest(path, check, job, engine.value, model, apply, branch, good, report)
    with explained():
        with Progress(quiet=as_json and not sys.stderr.isatty()) as progress, interruptible() as cancelled:
            ended = heal_locally(request, progress, cancelled)
        fixed = ended.outcome == "FIXED"
        if cancelled.is_set() and not fixed:
            raise KeyboardInterrupt
        present(ended, as_json)
        raise typer.Exit(FIXED if fixed else OTHER_OUTCOME)


@app.command()
def plan(
    path: Annotated[Path, typer.Argument(help="A git checkout; the job is planned for its HEAD commit.")] = Path(),
    job: Annotated[str, typer.Option(help="The job; default: the first that checks something.")] = "",
    check: Annotated[str | None, typer.Option(help="The command that is red, in place of the job's.")] = None,
    workflow: Annotated[Path | None, typer.Option(help="A workflow file, committed or not.", dir_okay=False)] = None,
    log: Annotated[Path | None, typer.Option(help="The raw log of the red job.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as one JSON object.")] = False,
) -> None:
    """Show how a job would be run here, without running anything.

    Image, steps, environment, services, and what is left out and why. Needs no engine.

    Exit codes: 0 there is a plan, 1 it cannot run here (the reason is told), 2 wrong use.
    """
    from bot.cli_plan import present
    from workers.plans import PlanRequest, plan_locally

    with explained():
        planned = plan_locally(PlanRequest(path, job, check, workflow, log))
        present(planned, as_json)
        raise typer.Exit(FIXED if planned.plan else OTHER_OUTCOME)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
) -> None:
    """Receive webhooks and show the pages."""
    import uvicorn

    from bot.app import create_app
    from bot.connections import SERVER, allow_connections
    from bot.memory import give_back_large_blocks
    from bot.settings import BotSettings
    from workers import telemetry
    from workers.hardening import forbid_core_dumps
    from workers.redact import Redactor
    from workers.store.schema import require

    forbid_core_dumps()
    allow_connections()
    give_back_large_blocks()
    with explained():
        settings = BotSettings()
        telemetry.configure(Redactor(*settings.secrets()))
        require(settings.database_url)
        uvicorn.run(
            create_app(settings),
            host=host,
            port=port,
            log_config=None,  # its lines go the way of ours
            log_level="warning",
            **SERVER,
        )


@app.command()
def worker(
    concurrency: Annotated[int | None, typer.Option(help="Runs at once; default: HEAL_SLOTS.", min=1)] = None,
) -> None:
    """Work on runs until told to stop."""
    from workers.tasks import main

    with explained():
        main(concurrency)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what is missing and how to get it.

    Exit code 3 when something needed is missing; a warning is no reason.
    """
    from workers.doctor import examine

    with explained():
        findings = examine()
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            good = typer.style("warn", fg="yellow") if finding.warning else typer.style("ok  ", fg="green")
            mark = good if finding.ok else typer.style("MISS", fg="red")
            typer.echo(f"{mark}  {finding.what}: {finding.detail}")
            if (finding.warning or not finding.ok) and finding.repair:
                typer.echo(f"      repair: {finding.repair}")
    raise typer.Exit(FIXED if all(finding.ok for finding in findings) else ENVIRONMENT)


@app.command()
def replay(
    run: Annotated[str, typer.Argument(help="The run's id, as its page and the log name it.")],
    prompts: Annotated[bool, typer.Option("--prompts", help="Print what the models were told, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, with all of it.")] = False,
) -> None:
    """Show how a run came to its candidates, from the database.

    Each answer of a model with its prompt's hash and its bill, each command of the agent
    and what it saw, each candidate and its verdict. Nothing is asked or run again.

    Exit codes: 0 shown, 2 there is no such run.
    """
    from bot import cli_replay

    with explained():
        cli_replay.replay(run, as_json, prompts)


EVERYTHING_HELP = "Everywhere."
INSTALLATION_HELP = "For one installation, by its id."


@app.command()
def pause(
    everything: Annotated[bool, typer.Option("--all", help=EVERYTHING_HELP)] = False,
    installation: Annotated[int | None, typer.Option(help=INSTALLATION_HELP, min=1)] = None,
    repo: Annotated[str | None, typer.Option(help=REPO_HELP)] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long, as 12h or 7d; default: until resumed.")] = None,
    why: Annotated[str, typer.Option(help="Told to people who ask.")] = "",
) -> None:
    """Switch Heal off.

    Runs at work end within seconds, and none begins."""
    from bot import cli_switch

    with explained():
        cli_switch.pause(everything, installation, repo, lasts, why)


@app.command()
def resume(
    everything: Annotated[bool, typer.Option("--all", help=EVERYTHING_HELP)] = False,
    installation: Annotated[int | None, typer.Option(help=INSTALLATION_HELP, min=1)] = None,
    repo: Annotated[str | None, typer.Option(help=REPO_HELP)] = None,
) -> None:
    """Switch Heal on again."""
    from bot import cli_switch

    with explained():
        cli_switch.resume(everything, installation, repo)


@app.command()
def switches(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Show where Heal is switched off, until when, by whom and why."""
    from bot import cli_switch

    with explained():
        cli_switch.switches(as_json)


@app.command()
def deliver(
    file: Annotated[Path, typer.Argument(help="A saved payload (JSON).", exists=True, dir_okay=False)],
    event: Annotated[str, typer.Option(help="The X-GitHub-Event header, such as check_run.")],
    url: Annotated[str, typer.Option(help="Where the receiver listens.")] = "http://127.0.0.1:8080/webhook",
) -> None:
    """Post a saved payload to the receiver.

    It is signed with HEAL_WEBHOOK_SECRET, as GitHub would.
    """
    import httpx

    from bot.settings import BotSettings
    from bot.webhook import signed_headers

    with explained():
        body = file.read_bytes()
        headers = signed_headers(BotSettings().webhook_secret.get_secret_value(), event, body)
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=15)
        except httpx.HTTPError as error:
            end(ENVIRONMENT, f"no receiver answers at {url} ({error}); start one with: heal serve")
    typer.echo(f"{answer.status_code} {answer.text}")
    raise typer.Exit(FIXED if answer.is_success else OTHER_OUTCOME)


@app.command("settings")
def show_settings() -> None:
    """Print all environment variables as a table."""
    from bot.settings import table as bot_table
    from workers.settings import table as worker_table

    typer.echo(f"## Receiver\n\n{bot_table()}\n\n## Worker\n\n{worker_table()}")


def main() -> None:
    """The entry point of the `heal` command."""
    app()


if __name__ == "__main__":
    main()
