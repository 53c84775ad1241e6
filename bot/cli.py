"""The command line. Every command says in one line what it needs and does not have; heavy parts load when they run.

Exit codes: 0 done (fixed and verified), 1 ended in another outcome, 2 wrong use or configuration, 3 the environment
lacks something, with the command that repairs it. Data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

FIXED, OTHER_OUTCOME, WRONG_USE, ENVIRONMENT = 0, 1, 2, 3

app = typer.Typer(
    name="heal",
    help="Turns red builds green, with proof.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
images = typer.Typer(help="The sandbox images.", no_args_is_help=True)
database = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(images, name="images")
app.add_typer(database, name="db")


class EngineChoice(StrEnum):
    """Which fixers may be asked."""

    AUTO = "auto"
    OFFLINE = "offline"
    LLM = "llm"


@app.command()
def fix(
    path: Annotated[Path, typer.Argument(help="The checkout; its HEAD commit is healed.")] = Path(),
    check: Annotated[str | None, typer.Option(help="The red command; beats the workflow.")] = None,
    job: Annotated[str | None, typer.Option(help="The workflow's job to heal.")] = None,
    engine: Annotated[EngineChoice, typer.Option(help="Which fixers may be asked.")] = EngineChoice.AUTO,
    model: Annotated[str | None, typer.Option(help="provider:model, for example openai:gpt-5-mini.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the verified patch to the checkout.")] = False,
    branch: Annotated[str | None, typer.Option(help="Commit the verified patch to this new branch.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")] = False,
) -> None:
    """Heal a local checkout: no GitHub, no queue, the same pipeline."""
    from bot.cli_fix import present
    from workers.wiring import LocalRequest, heal_locally

    if apply and branch:
        _quit(WRONG_USE, "--apply and --branch exclude each other")
    request = LocalRequest(path, check, job, engine.value, model, apply, branch)
    with _explained():
        report = heal_locally(request, _stage_line)
        present(report, as_json)
        raise typer.Exit(FIXED if report.outcome == "FIXED" else OTHER_OUTCOME)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
) -> None:
    """Receive webhooks and show the pages."""
    import uvicorn

    from bot.app import create_app
    from bot.settings import BotSettings

    with _explained():
        settings = BotSettings()
        uvicorn.run(
            create_app(settings),
            host=host,
            port=port,
            log_level="warning",
            server_header=False,
            limit_concurrency=512,
            timeout_graceful_shutdown=10,
        )


@app.command()
def worker(concurrency: Annotated[int, typer.Option(help="Runs at once.", min=1)] = 1) -> None:
    """Work on runs. The database decides which; Redis only rings."""
    from workers.tasks import run_worker

    with _explained():
        run_worker(concurrency)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False) -> None:
    """Say what is missing and how to get it. Exit code 3 when something needed is."""
    from workers.doctor import examine

    with _explained():
        findings = examine()
    if as_json:
        typer.echo(json.dumps([{"what": f.what, "ok": f.ok, "detail": f.detail, "repair": f.repair} for f in findings]))
    else:
        for finding in findings:
            mark = typer.style("ok  ", fg="green") if finding.ok else typer.style("MISS", fg="red")
            typer.echo(f"{mark}  {finding.what}: {finding.detail}")
            if not finding.ok and finding.repair:
                typer.echo(f"      repair: {finding.repair}")
    raise typer.Exit(FIXED if all(finding.ok for finding in findings) else ENVIRONMENT)


@images.command("build")
def build_images(
    languages: Annotated[list[str] | None, typer.Argument(help="Which; all when none is named.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say something only when there is work to do.")] = False,
) -> None:
    """Make the sandbox images: from official bases, else from Debian's archive."""
    from workers.wiring import build_sandbox_images

    with _explained():
        references = build_sandbox_images(tuple(languages or ()), _note)
    if not quiet:
        for reference in references:
            typer.echo(reference)


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to this version's schema."""
    from workers.settings import StoreSettings
    from workers.store.schema import upgrade

    with _explained():
        upgrade(StoreSettings().database_url)
    _note("database is at this version's schema")


@app.command()
def deliver(
    file: Annotated[Path, typer.Argument(help="A saved payload (JSON).", exists=True, dir_okay=False)],
    event: Annotated[str, typer.Option(help="The X-GitHub-Event header, for example check_run.")],
    url: Annotated[str, typer.Option(help="Where the receiver listens.")] = "http://127.0.0.1:8080/webhook",
) -> None:
    """Post a saved payload to the receiver, signed with HEAL_WEBHOOK_SECRET."""
    import httpx

    from bot.settings import BotSettings
    from bot.webhook import signed_headers

    with _explained():
        body = file.read_bytes()
        headers = signed_headers(BotSettings().webhook_secret.get_secret_value(), event, body)
        try:
            answer = httpx.post(url, content=body, headers=headers, timeout=15)
        except httpx.HTTPError as error:
            _quit(ENVIRONMENT, f"no receiver answers at {url} ({error}); start one with: heal serve")
    typer.echo(f"{answer.status_code} {answer.text}")
    raise typer.Exit(FIXED if answer.is_success else OTHER_OUTCOME)


@app.command("settings")
def show_settings() -> None:
    """Print the table of all environment variables."""
    from bot.settings import table as bot_table
    from workers.settings import table as worker_table

    typer.echo(f"## Receiver\n\n{bot_table()}\n\n## Worker\n\n{worker_table()}")


def main() -> None:
    """The entry point of the `heal` command."""
    app()


def _note(text: str) -> None:
    typer.echo(text, err=True)


def _stage_line(stage: str, seconds: float) -> None:
    typer.echo(f"  {stage:<10} {seconds:6.1f} s", err=True)


def _quit(code: int, text: str) -> NoReturn:
    typer.echo(f"heal: {text}", err=True)
    raise typer.Exit(code)


@contextmanager
def _explained() -> Iterator[None]:
    """One clear line and the contract's exit code for everything a person can mend."""
    from pydantic import ValidationError

    from sandbox.errors import SandboxError
    from workers.errors import Retryable, UsageError

    try:
        yield
    except UsageError as error:
        _quit(WRONG_USE, str(error))
    except ValidationError as error:
        _quit(WRONG_USE, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
    except SandboxError as error:
        _quit(ENVIRONMENT, f"{error}" + (f"; repair: {error.repair}" if error.repair else ""))
    except Retryable as error:
        _quit(ENVIRONMENT, f"{error.blame}: {error}")
    except KeyboardInterrupt:
        _quit(130, "stopped")


if __name__ == "__main__":
    main()
