"""Reads the shell scripts of steps as far as that is safe: commands, which of them install, where a tool is called.

This is no shell: a script with loops, branches or here-documents is left whole, and its callers are told so.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

_ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")
_CONTROL = re.compile(r"^[ \t]*(if|for|while|until|case|function|select|\{|\()|<<|^[ \t]*\w+[ \t]*\(\)", re.MULTILINE)
_PYTHON = re.compile(r"^python(3(\.\d+)?)?$")
_KEPT_IN_BOTH = frozenset({"cd", "export", "source", ".", "set", "pushd", "popd"})
_INSTALLS: tuple[tuple[str, ...], ...] = (
    ("pip", "install"),
    ("pip3", "install"),
    ("pipx", "install"),
    ("uv", "pip", "install"),
    ("uv", "pip", "sync"),
    ("uv", "sync"),
    ("uv", "venv"),
    ("uv", "tool", "install"),
    ("venv",),
    ("ensurepip",),
    ("poetry", "install"),
    ("poetry", "config"),
    ("pdm", "install"),
    ("pdm", "sync"),
    ("pipenv", "install"),
    ("pipenv", "sync"),
    ("hatch", "env", "create"),
    ("uv", "python", "install"),
    ("pre-commit", "install-hooks"),
    ("playwright", "install"),
    ("npx", "playwright", "install"),
    ("pnpm", "exec", "playwright", "install"),
    ("yarn", "playwright", "install"),
    ("apt-get",),
    ("apt", "install"),
    ("apt", "update"),
    ("npm", "ci"),
    ("npm", "clean-install"),
    ("npm", "install"),
    ("npm", "i"),
    ("pnpm", "install"),
    ("pnpm", "i"),
    ("yarn", "install"),
    ("corepack",),
    ("bun", "install"),
    ("deno", "install"),
    ("go", "mod", "download"),
    ("go", "install"),
    ("go", "get"),
    ("mvn", "dependency:go-offline"),
    ("cargo", "fetch"),
    ("cargo", "install"),
    ("rustup",),
    ("apk", "add"),
    ("dnf", "install"),
    ("yum", "install"),
    ("bundle", "install"),
)
_RESOLVES: tuple[tuple[str, ...], ...] = (
    ("uv", "lock"),
    ("uv", "pip", "compile"),
    ("uv", "export"),
    ("pip-compile",),
    ("poetry", "lock"),
    ("pdm", "lock"),
    ("pipenv", "lock"),
    ("pipenv", "verify"),
    ("go", "mod", "tidy"),
    ("cargo", "update"),
    ("cargo", "generate-lockfile"),
    ("npm", "update"),
    ("npm", "audit"),
)
"""Commands that ask an index which versions there are."""
_LOOKS = _KEPT_IN_BOTH | {"git", "test", "[", "[[", "echo", "cat", "diff", "ls", "cmp", "true"}
"""Commands that only look at files, or prepare the shell."""
_KEYWORDS = frozenset({"then", "do", "else", "!", "time", "if", "{", "("})
_YARN_OPTIONS = frozenset({"--frozen-lockfile", "--immutable", "--non-interactive", "--pure-lockfile", "--silent"})
_SENDS = frozenset({"-X", "--request", "-d", "--data", "--data-binary", "-F", "--form", "-T", "--upload-file"})
_ELSEWHERE = re.compile(r"https?://(?!localhost|127\.|\[::1\]|0\.0\.0\.0)[\w-]{1,63}\.")
_RUNNERS: tuple[tuple[str, ...], ...] = (
    ("uv", "run"),
    ("poetry", "run"),
    ("pdm", "run"),
    ("hatch", "run"),
    ("pipenv", "run"),
    ("uv", "tool", "run"),
    ("uvx",),
    ("npx",),
    ("npm", "exec"),
    ("npm", "x"),
    ("yarn",),
    ("yarn", "run"),
    ("yarn", "exec"),
    ("yarn", "dlx"),
    ("pnpm",),
    ("pnpm", "run"),
    ("pnpm", "exec"),
    ("pnpm", "dlx"),
    ("pnpx",),
    ("bun", "run"),
    ("bun", "x"),
    ("bunx",),
    ("bundle", "exec"),
)
_RUNNER_VALUES = frozenset(
    {"--with", "--extra", "--group", "--only-group", "--no-group", "-p", "--python", "--package", "--directory",
     "--project", "--env-file", "--index", "--with-requirements", "--with-editable", "--from", "-C"}
)  # fmt: skip
"""Options of uv that take the next word; the others of these runners stand alone or hold their value."""
_APT_SOURCES = re.compile(r"/etc/apt\b|\bapt-key\b|\b(?:add-)?apt-(?:add-)?repository\b")
"""What gives apt another source of packages stays before what installs from it, whatever commands do it."""
_BUILDERS = (
    ("cargo", "test"),
    ("mvn",),
    ("mvnw",),
    ("./mvnw",),
    ("gradle",),
    ("./gradlew",),
    ("setup.py",),
    ("npm", "run"),
    ("make",),
    ("poetry", "install"),
    ("uv", "sync"),
    ("pdm", "install"),
)


@dataclass(frozen=True)
class Invocation:
    """One call of a tool: what stands before its name ("python -m", "uv run"), and its arguments."""

    prefix: tuple[str, ...]
    tool: str
    args: tuple[str, ...]

    def command(self, *args: str) -> str:
        """The same tool with other arguments, quoted for the shell."""
        return shlex.join([*self.prefix, self.tool, *args])


@dataclass(frozen=True)
class Split:
    """A script cut into what installs and what checks. `whole` says that it could not be cut."""

    install: str
    check: str
    whole: bool = False


def commands(script: str) -> tuple[str, ...]:
    """The simple commands in order: lines, cut at `&&` and `;` outside quotes; comments are left out."""
    joined = re.sub(r"\\\r?\n", " ", script)
    found: list[str] = []
    for line in joined.split("\n"):
        if line.strip() and not line.lstrip().startswith("#"):
            found.extend(part.strip() for part in _cut(line) if part.strip())
    return tuple(found)


def words(command: str) -> tuple[str, ...]:
    """The words of a command without assignments and `sudo` before it; empty when the quotes do not close."""
    try:
        parts = shlex.split(command, comments=True)
    except ValueError:
        return ()
    while parts and (
        _ASSIGNMENT.match(parts[0]) or parts[0] == "sudo" or (parts[0].startswith("-") and len(parts) > 1)
    ):
        parts = parts[1:]
    return tuple(parts)


def without_python(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a command without `python -m` before a module's name."""
    if len(parts) > 2 and _PYTHON.match(parts[0].rsplit("/", 1)[-1]) and parts[1] == "-m":
        return parts[2:]
    if len(parts) > 1 and _PYTHON.match(parts[0].rsplit("/", 1)[-1]) and parts[1] == "setup.py":
        return parts[1:]
    return parts


def invocations(script: str, tool: str) -> tuple[Invocation, ...]:
    """Every call of the tool in the script, however it is started."""
    found = (_invocation(_without_keywords(words(command)), tool) for command in commands(script))
    return tuple(call for call in found if call is not None)


def installs(command: str) -> bool:
    """The command only brings packages or files, also as a part of a loop or branch."""
    parts = without_python(_without_keywords(words(command.strip().lstrip("({ ").rstrip(")} "))))
    if parts[:1] == ("yarn",) and all(part in _YARN_OPTIONS for part in parts[1:]):
        return True
    if parts[:1] in (("curl",), ("wget",)):
        return bool(_ELSEWHERE.search(command)) and not _SENDS & set(parts)
    return any(parts[: len(known)] == known for known in _INSTALLS)


def simple(script: str) -> bool:
    """The script is commands in a row, without loops, branches or here-documents."""
    return not _CONTROL.search(script)


def resolves(script: str) -> bool:
    """A command of the script asks an index which versions there are, and the others install or look at files; in a
    script without loops or branches."""
    listed = commands(script)
    asking = [command for command in listed if _asks(command)]
    rest = [command for command in listed if command not in asking]
    looks = (words(command)[:1] and words(command)[0] in _LOOKS for command in rest)
    idle = all(look or installs(command) for look, command in zip(looks, rest, strict=True))
    return bool(asking) and idle and not _CONTROL.search(script)


def _asks(command: str) -> bool:
    parts = _named(without_python(_without_keywords(words(command))))
    return any(parts[: len(known)] == known for known in _RESOLVES)


def _named(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The words behind a runner (`uv run`, `npx`), with `python -m piptools compile` by its usual name."""
    rest = parts[_first(parts) :]
    return ("pip-compile", *rest[2:]) if rest[:2] == ("piptools", "compile") else rest


def _without_keywords(parts: tuple[str, ...]) -> tuple[str, ...]:
    while parts[:1] and parts[0] in _KEYWORDS:
        parts = parts[1:]
    return parts


def only_installs(script: str) -> bool:
    """Every command of the script installs or prepares the shell for that."""
    listed = commands(script)
    return any(map(installs, listed)) and all(
        installs(c) or (words(c)[:1] and words(c)[0] in _KEPT_IN_BOTH) for c in listed
    )


def preparing(script: str) -> tuple[str, ...]:
    """The commands that change the shell for those after them; none where it is not known which of them run."""
    if _CONTROL.search(script):
        return ()
    return tuple(command for command in commands(script) if only_prepares(command))


def only_prepares(script: str) -> bool:
    """Every command of the script only changes the shell it runs in: folder, variables, options."""
    listed = commands(script)
    return bool(listed) and all(
        words(c)[0] in _KEPT_IN_BOTH if words(c) else bool(_ASSIGNMENT.match(c)) for c in listed
    )


def installs_project(script: str) -> bool:
    """The script puts the repository's own files into the environment, so every file decides the environment."""
    for command in commands(script):
        parts = without_python(words(command))
        if parts[:2] in (("pip", "install"), ("pip3", "install")) or parts[:3] == ("uv", "pip", "install"):
            if any(part == "." or part.startswith(("./", ".[", "../", "/")) for part in parts[2:]):
                return True
        elif any(parts[: len(known)] == known for known in _BUILDERS):
            return True
    return False


def split(script: str) -> Split:
    """Cut a step that installs and checks. What prepares the shell (`cd`, `export`) stands in both halves."""
    listed = commands(script)
    if not any(map(installs, listed)):
        return Split("", script)
    if _CONTROL.search(script):
        return Split("", script, whole=True)
    install: list[str] = []
    check: list[str] = []
    last = max(at for at, command in enumerate(listed) if installs(command)) if _APT_SOURCES.search(script) else -1
    for at, command in enumerate(listed):
        if installs(command) or at < last:
            install.append(command)
        elif words(command)[:1] and words(command)[0] in _KEPT_IN_BOTH:
            install.append(command)
            check.append(command)
        else:
            check.append(command)
    return Split("\n".join(install), "\n".join(check))


def _invocation(parts: tuple[str, ...], tool: str) -> Invocation | None:
    first = _first(parts)
    for at, part in enumerate(parts):
        if part.rsplit("/", 1)[-1] == tool and (at in (0, first) or _by_module(parts[:at])):
            return Invocation(parts[:at], part, _plain(parts[at + 1 :]))
    return None


def _first(parts: tuple[str, ...]) -> int:
    """Where the command stands that a runner is told to run: after the runner's words and options."""
    at = max((len(runner) for runner in _RUNNERS if parts[: len(runner)] == runner), default=0)
    while at and at < len(parts) and parts[at].startswith("-"):
        at += 2 if parts[at] in _RUNNER_VALUES else 1
    return at


def _by_module(before: tuple[str, ...]) -> bool:
    """`python -m`, also with options between, and what takes a module in the same way."""
    interpreters = (word.rsplit("/", 1)[-1] for word in before[:-1])
    return before[-1:] == ("-m",) and any(_PYTHON.match(name) or name == "coverage" for name in interpreters)


def _plain(args: tuple[str, ...]) -> tuple[str, ...]:
    """Arguments up to the first pipe, redirection or alternative."""
    for at, arg in enumerate(args):
        if arg in ("|", "||", "&") or re.match(r"^\d?[<>]", arg):
            return args[:at]
    return args


def _cut(line: str) -> list[str]:
    """Cut at `&&` and `;` where no quote is open."""
    parts, start, quote, at = [], 0, "", 0
    while at < len(line):
        char = line[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "\\":
            at += 1
        elif line.startswith("&&", at) or char == ";":
            parts.append(line[start:at])
            start = at + (2 if char == "&" else 1)
        at += 1
    return [*parts, line[start:]]
