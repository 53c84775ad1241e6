"""The commands that come in groups: images, sandbox, config, lessons, db. Heavy parts load when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.choices import REPO_HELP
from bot.exits import FIXED, OTHER_OUTCOME, WRONG_USE, end, explained, note

images = typer.Typer(help="Make and list the sandbox images.", no_args_is_help=True, rich_markup_mode=None)
database = typer.Typer(help="Upgrade, copy and clear the database.", no_args_is_help=True, rich_markup_mode=None)
sandbox = typer.Typer(help="See and clear what the sandbox keeps.", no_args_is_help=True, rich_markup_mode=None)
config = typer.Typer(help="Check heal.yml, and see what counts.", no_args_is_help=True, rich_markup_mode=None)
lessons = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@images.command("build")
def build_images(
    languages: Annotated[
        list[str] | None,
        typer.Argument(help="Languages, or services such as service-postgres; default: every language."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make them anew, from today's bases and packages.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say something only when there is work to do.")] = False,
) -> None:
    """Make the sandbox images where they are missing.

    From the official base images where a registry answers, else from Debian's archive and the Python package index.
    Images of older versions that nothing uses are removed.
    """
    from workers.wiring import build_sandbox_images

    with explained():
        references = build_sandbox_images(tuple(languages or ()), note, fresh)
    if not quiet:
        for reference in references:
            typer.echo(reference)


@images.command("list")
def list_images(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False) -> None:
    """Show the sandbox images.

    Which are there, with which versions, from what base, how large, and what is missing.
    """
    from bot.cli_sandbox import show_images
    from workers.upkeep import stocked

    with explained():
        show_images(stocked(), as_json)


@images.command("sbom")
def list_contents(
    folder: Annotated[Path, typer.Argument(help="Where the files go; it is made.", file_okay=False)],
) -> None:
    """Write what each sandbox image holds, as CycloneDX files.

    Debian's packages as the image itself lists them, and the toolchain with its hash.
    """
    from bot.cli_sandbox import write_bills
    from workers.upkeep import bills

    with explained():
        for file in write_bills(bills(), folder):
            typer.echo(file)


@sandbox.command("ls")
def list_sandbox(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show what is kept on the engine for later: environments, trees, package caches, their sizes and last uses."""
    from bot.cli_sandbox import show
    from workers.upkeep import kept

    with explained():
        show(kept(), as_json)


@sandbox.command("prune")
def prune_sandbox(
    everything: Annotated[bool, typer.Option("--all", help="Remove all that no container uses.")] = False,
    to: Annotated[str | None, typer.Option(help="Remove until at most this much is left, such as 5GB.")] = None,
) -> None:
    """Make room on the engine's disk.

    Left-overs of dead workers go, then what was not used for a day and what is over HEAL_SANDBOX_CAP, the least
    recently used first. Nothing in use is touched, and nothing of other installations.
    """
    from bot.cli_sandbox import size_of, told
    from workers.upkeep import make_room

    if everything and to is not None:
        end(WRONG_USE, "--all and --to exclude each other")
    limit = None if to is None else size_of(to)
    if to is not None and limit is None:
        end(WRONG_USE, f"--to: {to} is no size; write it as 5GB or 500MB")
    with explained():
        for line in told(make_room(limit, everything)):
            note(line)


@lessons.callback()
def list_lessons(
    context: typer.Context,
    repo: Annotated[str | None, typer.Option(help=REPO_HELP)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """See and forget what people's decisions taught.

    Each fix, whether it was merged or turned down, by whom, and for which
    failure. A merged one is tried first when the same failure comes back to
    its repository; one that was turned down is not proposed again.
    """
    from bot import cli_lessons

    if context.invoked_subcommand is None:
        with explained():
            cli_lessons.show(repo, as_json)


@lessons.command("forget")
def forget_lesson(
    lesson: Annotated[int, typer.Argument(help="The id, as `heal lessons` shows it.", metavar="ID")],
) -> None:
    """Remove one lesson for good."""
    from bot import cli_lessons

    with explained():
        cli_lessons.forget(lesson)


@config.command("check")
def check_config(
    file: Annotated[str, typer.Argument(help="The file; - reads standard input.")] = ".github/heal.yml",
    policy: Annotated[bool, typer.Option("--policy", help="It is the operator's policy file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON.")] = False,
) -> None:
    """Say everything that is wrong with a heal.yml.

    Each problem with its line and how it is right. Exit code 1 when the file
    cannot be used.
    """
    from bot.cli_config import check

    with explained():
        valid = check(file, as_json, policy)
    raise typer.Exit(FIXED if valid else OTHER_OUTCOME)


@config.command("show")
def show_config(
    repository: Annotated[str, typer.Argument(metavar="OWNER/REPO", help="A repository with the App.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the values as JSON.")] = False,
) -> None:
    """Print what counts for a repository, and who decided it.

    Asks GitHub with the App's key (HEAL_APP_ID, HEAL_PRIVATE_KEY_FILE): the
    organisation's file, the repository's own, then HEAL_POLICY_FILE.
    """
    from bot.cli_config import show

    with explained():
        show(repository, as_json)


@config.command("schema")
def print_schema(
    policy: Annotated[bool, typer.Option("--policy", help="Of the operator's policy file instead.")] = False,
    example: Annotated[bool, typer.Option("--example", help="Print a file with every key instead.")] = False,
) -> None:
    """Print the JSON Schema of heal.yml.

    Editors check the file with it while it is written; `heal serve` has it
    at /schema/heal-v1.json.
    """
    from workers.repo_config import schema
    from workers.repo_config.bounds import Bounds
    from workers.repo_config.model import RepoConfig

    if policy and example:
        end(WRONG_USE, "--policy and --example exclude each other")
    typer.echo(schema.example() if example else schema.schema_text(Bounds if policy else RepoConfig), nl=False)


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to this version's schema."""
    from bot.cli_database import upgrade

    with explained():
        upgrade()
    note("database is at this version's schema")


@database.command("prune")
def prune_database(
    compact: Annotated[bool, typer.Option("--compact", help="Give the room back to the disk; writers wait.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Remove what is old enough.

    What HEAL_KEEP_BODIES_DAYS, HEAL_KEEP_LOGS_DAYS, HEAL_KEEP_RUNS_DAYS and
    HEAL_DATABASE_CAP do not keep. A worker does it every hour. Nothing that has
    not ended is touched, no run whose fix is open, and nothing that was learned.
    """
    from bot.cli_database import prune

    with explained():
        prune(compact, as_json)


@database.command("backup")
def backup_database(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; it must not exist.")],
) -> None:
    """Write a consistent copy of the database.

    While everything runs: SQLite is copied by itself, PostgreSQL by pg_dump.
    Nobody else may read the file.
    """
    from bot.cli_database import backup

    with explained():
        backup(file)
