"""How a command ends: its exit codes, and one clear line for everything that a person can mend.

0 done (fixed and verified), 1 ended in another outcome, 2 wrong use or configuration, 3 the environment lacks
something. Data goes to standard output, everything else to standard error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

FIXED, OTHER_OUTCOME, WRONG_USE, ENVIRONMENT = 0, 1, 2, 3


def note(text: str) -> None:
    """Say something beside the data."""
    typer.echo(text, err=True)


def end(code: int, text: str) -> NoReturn:
    """End the command with one clear line, free of secrets and of what steers a terminal."""
    from workers.messages.markup import visible
    from workers.redact import redact

    typer.echo(f"heal: {visible(redact(text))}", err=True)
    raise typer.Exit(code)


@contextmanager
def explained() -> Iterator[None]:
    """One clear line and the contract's exit code for everything a person can mend."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from sandbox import explain
    from sandbox.errors import SandboxError
    from workers import telemetry
    from workers.errors import Retryable, UsageError
    from workers.redact import Redactor

    telemetry.configure(Redactor(), logging.WARNING)
    try:
        yield
    except (UsageError, SettingsError) as error:
        end(WRONG_USE, str(error))
    except ValidationError as error:
        end(WRONG_USE, "; ".join(f"{_variable(e['loc'])}{e['msg']}" for e in error.errors()))
    except SandboxError as error:
        end(ENVIRONMENT, explain.error(error))
    except Retryable as error:
        end(ENVIRONMENT, f"{error.blame}: {error}")
    except OSError as error:  # a folder or file of the settings: not there, not ours, full
        end(ENVIRONMENT, str(error))
    except KeyboardInterrupt:
        end(130, "stopped")


def _variable(place: tuple[int | str, ...]) -> str:
    """The environment variable a wrong value came from."""
    name = str(place[0]) if place else ""
    return f"{name if name.isupper() else f'HEAL_{name.upper()}'}: " if name else ""
