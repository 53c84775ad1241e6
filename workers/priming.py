"""What a step fetches while it runs is fetched in the set-up: the check itself has no network.

A step that installs and checks is cut in two; a tool that installs by itself is asked to do just that (`tox run
--notest`); where neither is possible the whole step is tried once in the set-up, whatever comes of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.spec import Step
from workers import scripts, wheelhouse
from workers.scripts import Invocation, invocations
from workers.text_files import TextFiles

_TRY_S = 600
"""How long a step that is only tried in the set-up may take."""
_UVX = "/env/uvx"
_UVX_READY = f"find {_UVX} -maxdepth 2 -type f -delete && find {_UVX} -name '*.lock' -delete || true"
_MARK = "HEAL_END_OF_STEP"
_UV_VALUES = frozenset(
    ("--extra", "--group", "--only-group", "--no-group", "--python", "-p", "--with", "--with-editable", "--package",
     "--directory", "--project", "--index", "--index-url", "--extra-index-url", "--env-file", "--with-requirements",
     "--from", "--constraints", "-c")
)  # fmt: skip
"""Options of `uv run` and `uvx` that take a value."""
_TRIES: tuple[tuple[str, str], ...] = (
    ("mvn", "-Dmaven.test.failure.ignore=true"),
    ("mvnw", "-Dmaven.test.failure.ignore=true"),
    ("gradle", "--continue"),
    ("gradlew", "--continue"),
)
"""Tools that fetch what they need as they go: only the command itself, tried once, brings all of it."""
_COMPILED: tuple[tuple[str, str, str], ...] = (
    ("go", "go mod download", "go test -run '^$' ./..."),
    ("cargo", "cargo fetch", "cargo test --no-run"),
)
"""Languages that fetch by one command; compiling once beforehand saves it in each check, and may fail."""
_RUN_BY = (("make", ("Makefile", "GNUmakefile", "makefile")), ("just", ("justfile", "Justfile", ".justfile")),
           ("task", ("Taskfile.yml", "Taskfile.yaml")), ("invoke", ("tasks.py",)), ("inv", ("tasks.py",)))  # fmt: skip
_FETCHES = re.compile(
    r"\bpip3? install\b|\buvx?\b|\bpipx\b|\btox\b|\bnox\b|\bpre-commit\b|\bpoetry install\b|\bpdm (install|sync)\b"
    r"|\bhatch\b|\bnpm (ci|i|install)\b|\b(yarn|pnpm)\b|\bnpx\b|\bgo (test|build|vet|mod|run|install)\b|\bcargo\b"
    r"|\bmvnw?\b|\bgradlew?\b"
)


_AGAIN = re.compile(r"\b(tox|nox)\b")


@dataclass(frozen=True)
class Primed:
    """`setup` goes before, `step` is what is left (None when nothing is), `note` says it to people."""

    setup: tuple[Step, ...]
    step: Step | None
    note: str = ""


def prime(step: Step, files: TextFiles) -> Primed:
    """Move what the step fetches to the set-up, as far as its script shows it."""
    cut = scripts.split(step.script)
    if cut.whole:
        note = f"'{step.name}' installs inside a longer script: it is tried in the set-up, the check has no network"
        return _offline(step, (_tried(step),), note)
    if cut.install:
        prepared = replace(step, name=f"{step.name} (install)", script=cut.install)
        if not scripts.commands(cut.check) or scripts.only_installs(step.script):
            return Primed((prepared,), None)
        rest = prime(replace(step, script=cut.check), files)
        note = f"the installing part of '{step.name}' runs in the set-up"
        return Primed((prepared, *rest.setup), rest.step, "; ".join(filter(None, [note, rest.note])))
    if (primer := command(step.script)) is not None:
        script = "\n".join([*scripts.preparing(step.script), primer])
        prepared = replace(step, name=f"{step.name} (prime)", script=script)
        note = f"'{step.name}' is primed: {first_line(primer)}"
        return _offline(step, (prepared,), note)
    if caller := _fetching_file(step.script, files):
        note = f"'{step.name}' may fetch packages through {caller}: the set-up tries it, the check has no network"
        return _offline(step, (_tried(step),), note, files.text(caller))
    return Primed((), step)


def command(script: str) -> str | None:
    """What lets a self-installing tool (tox, nox, cargo, maven, ...) fetch what it needs, or None."""
    found: dict[str, None] = {}
    for tool, primers in _PRIMERS:
        for call in invocations(script, tool):
            found.update(dict.fromkeys(filter(None, [primers(call)])))
    return "\n".join(found) or None


def _offline(step: Step, setup: tuple[Step, ...], note: str, told: str = "") -> Primed:
    """Tools that install again in each run get the wheels of what they installed; `told` is what the script calls."""
    if not _AGAIN.search(step.script) and not _AGAIN.search(told):
        return Primed(setup, step, note)
    return Primed((*setup, wheelhouse.keep()), replace(step, env={**wheelhouse.OFFERED, **step.env}), note)


def _tried(step: Step) -> Step:
    """The step as one whose end does not matter, in its own shell."""
    file = '"$RUNNER_TEMP/tried"'
    script = step.script.replace(_MARK, "")
    lines = [
        'mkdir -p "$RUNNER_TEMP"',
        f"cat >{file} <<'{_MARK}'\n{script}\n{_MARK}",
        f"timeout -k 5 {_TRY_S} {step.shell.replace('{0}', file)} || true",
    ]
    return Step(f"{step.name} (try)", "\n".join(lines), "sh -e {0}", step.env, step.workdir)


def _fetching_file(script: str, files: TextFiles) -> str:
    """The file whose targets the script calls, where it calls something that fetches packages."""
    for tool, names in _RUN_BY:
        for name in names if invocations(script, tool) else ():
            if _FETCHES.search(files.text(name)):
                return name
    return ""


def _tox(call: Invocation) -> str:
    return shlex.join([*call.prefix, call.tool, "run", "--notest", *_chosen(call.args)])


def _nox(call: Invocation) -> str:
    return shlex.join([*call.prefix, call.tool, "--install-only", *_chosen(call.args)])


def _pre_commit(call: Invocation) -> str:
    return shlex.join([*call.prefix, call.tool, "install-hooks"])


def _hatch(call: Invocation) -> str:
    """`hatch run env:script`, `hatch test` and `hatch fmt` make their environments when they are first used."""
    if call.args[:1] == ("test",):
        return call.command("env", "create", "hatch-test")
    if call.args[:1] == ("fmt",):
        return call.command("env", "create", "hatch-static-analysis")
    chosen = next((word for word in call.args[1:] if not word.startswith("-")), "") if call.args[:1] == ("run",) else ""
    environment = chosen.partition(":")[0].lstrip("+") if ":" in chosen else ""
    return call.command("env", "create", *filter(None, [environment])) if call.args[:1] == ("run",) else ""


def _uv(call: Invocation) -> str:
    """`uv run` makes the project's environment; with a command that does nothing it only does that."""
    if call.args[:1] == ("run",):
        options, _ = _uv_options(call.args[1:])
        primer = call.command("run", *options, "true")
        return _kept(primer) if any(option.startswith("--with") for option in options) else primer
    if call.args[:2] == ("tool", "run"):
        return _uvx(Invocation(call.prefix, "uvx", call.args[2:]))
    return ""


def _uvx(call: Invocation) -> str:
    """The tool is fetched into a cache that stays, without the files that uv insists on writing to."""
    options, rest = _uv_options(call.args)
    return _kept(shlex.join([*call.prefix, call.tool, *options, *rest[:1], "--version"])) if rest else ""


def _kept(fetching: str) -> str:
    return f"UV_CACHE_DIR={_UVX} {fetching} || true\n{_UVX_READY}"


def _uv_options(args: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(options before the command, the command and its own)."""
    at = 0
    while at < len(args) and args[at].startswith("-") and args[at] != "--":
        at += 2 if args[at] in _UV_VALUES else 1
    return args[:at], args[at + (args[at : at + 1] == ("--",)) :]


def _compiled(fetch: str, attempt: str) -> Callable[[Invocation], str]:
    return lambda call: "" if call.args[:1] == ("fmt",) else f"{fetch}\n{attempt} || true"


def _attempt(option: str) -> Callable[[Invocation], str]:
    return lambda call: f"{call.command(*call.args, option)} || true"


_PRIMERS: tuple[tuple[str, Callable[[Invocation], str]], ...] = (
    ("tox", _tox),
    ("nox", _nox),
    ("pre-commit", _pre_commit),
    ("hatch", _hatch),
    ("uv", _uv),
    ("uvx", _uvx),
    *((tool, _compiled(fetch, attempt)) for tool, fetch, attempt in _COMPILED),
    *((tool, _attempt(option)) for tool, option in _TRIES),
)


def _chosen(args: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments of tox and nox that choose environments, and the file they are in."""
    kept: list[str] = []
    for option, value in zip(args, (*args[1:], ""), strict=False):
        if option in ("-e", "-s", "-c", "-f", "-p", "--session", "--sessions", "--tags", "-t"):
            kept += [option, value]
    return tuple(kept)


def first_line(script: str) -> str:
    """A script in one line for people: its first, and how many more there are."""
    lines = [line.strip() for line in script.strip().split("\n") if line.strip()]
    return (lines[0] if lines else "(empty)") + (f" (+{len(lines) - 1} lines)" if len(lines) > 1 else "")
