"""The shells of steps, as GitHub's runner calls them. A step's script is a file, whose place is `{0}`."""

from __future__ import annotations

from collections.abc import Mapping
from shlex import quote

DEFAULT = "bash -e {0}"
IN_CONTAINER = "sh -e {0}"
_SHELLS: Mapping[str, str] = {
    "bash": "bash --noprofile --norc -e -o pipefail {0}",
    "sh": IN_CONTAINER,
    "python": "python {0}",
}
_NOT_HERE = frozenset({"pwsh", "powershell", "cmd"})


def called(name: str | None, *, in_container: bool) -> tuple[str, str]:
    """The command line for a `shell:`, and what is wrong with it as the end of a sentence, else empty."""
    if name is None or not name.strip():
        return (IN_CONTAINER if in_container else DEFAULT), ""
    name = name.strip()
    if name.split()[0] in _NOT_HERE:
        return "", f"the shell '{name}', which the sandbox does not have"
    if name in _SHELLS:
        return _SHELLS[name], ""
    if "{0}" not in name:
        return "", f"the shell '{name}', which says with no {{0}} where the script goes"
    return name, ""


def printed(shell: str | None) -> tuple[str, str]:
    """As `called`, for the shell that a log shows: with the full path of the program on the runner's own disk."""
    if not shell or "{0}" not in shell:
        return DEFAULT, ""
    program, _, rest = shell.partition(" ")
    name = program.rsplit("/", 1)[-1]
    return called(f"{name} {rest}", in_container=False)


def tolerant(shell: str) -> str:
    """The same shell, whose failing does not end the job: for a step with `continue-on-error`."""
    return f"sh -c {quote(f'{shell} || true')}"
