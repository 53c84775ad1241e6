"""The project's own pytest call, as far as it decides which tests run how; reporting, coverage and parallel options go.

The repository's configuration file stays in force, except for `addopts`, which is filtered in the same way.
"""

from __future__ import annotations

import configparser
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.ports import SourceTree
from workers.scripts import commands, invocations, words

_VALUED = frozenset({
    "-k", "-m", "-c", "-p", "-o", "-W", "--rootdir", "--override-ini", "--import-mode", "--confcutdir", "--ignore",
    "--ignore-glob", "--deselect", "--config-file", "--pythonwarnings", "--ds", "--asyncio-mode", "--doctest-glob",
})  # fmt: skip
_FLAGS = frozenset({"--pyargs", "--doctest-modules", "--noconftest", "--runslow"})
_DROPPED_PLUGINS = ("xdist", "cov", "pytest_cov", "sugar", "heal_report", "no:cacheprovider")


@dataclass(frozen=True)
class Call:
    """How to start the worker: the interpreter, the folder, and pytest's arguments with and without the paths."""

    interpreter: tuple[str, ...]
    folder: str
    exports: tuple[str, ...]
    args: tuple[str, ...]
    options: tuple[str, ...]
    cwd_on_path: bool

    def script(self, command: str) -> str:
        """A shell script that runs a Python file in the place of pytest."""
        return "\n".join([*self.exports, f"{shlex.join(self.interpreter)} {command}", ""])


def call(script: str, workdir: str, tree: SourceTree) -> Call:
    """Read the failing command. A command that is not pytest (unittest) is run by pytest with its defaults."""
    found = invocations(script, "pytest") or invocations(script, "py.test")
    folder, exports = _surroundings(script, workdir)
    given: Sequence[str] = found[0].args if found else ()
    prefix: Sequence[str] = found[0].prefix if found else ("python", "-m")
    module = prefix[-1:] == ("-m",)
    interpreter = tuple(prefix[:-1]) if module else (*prefix, "python")
    options = ("-q", "-o", "addopts=", *_kept(_addopts(tree, folder)), *_kept(given))
    paths = tuple(arg for arg in _positional(given) if _exists(arg, folder, tree))
    return Call(interpreter, folder, exports, (*options, *paths), options, module)


def _surroundings(script: str, workdir: str) -> tuple[str, tuple[str, ...]]:
    """The folder the call runs in, and the exports before it (assignments on its own line included)."""
    folder, exports = PurePosixPath(workdir), []
    for command in commands(script):
        if invocations(command, "pytest") or invocations(command, "py.test"):
            assigned = command.split()
            while assigned and "=" in assigned[0] and assigned[0].split("=")[0].isidentifier():
                exports.append(f"export {assigned.pop(0)}")
            break
        parts = words(command)
        if parts[:1] == ("cd",) and len(parts) == 2:
            folder = folder / parts[1]
        elif parts[:1] == ("export",):
            exports.append(command)
    return str(folder), tuple(exports)


def _kept(args: Sequence[str]) -> Iterator[str]:
    """Options that choose tests or change how they run."""
    rest = iter(args)
    for arg in rest:
        name, equals, _ = arg.partition("=")
        short = arg[:2] if not arg.startswith("--") else name
        if arg in _FLAGS or (equals and name in _VALUED):
            yield arg
        elif short in _VALUED:
            value = arg[2:] if short != arg and not arg.startswith("--") else next(rest, "")
            if value and not (short == "-p" and value.removeprefix("no:") in _DROPPED_PLUGINS):
                yield from (short, value)


def _positional(args: Sequence[str]) -> Iterator[str]:
    rest = iter(args)
    for arg in rest:
        if arg in _VALUED:
            next(rest, None)
        elif not arg.startswith("-"):
            yield arg


def _exists(arg: str, folder: str, tree: SourceTree) -> bool:
    path = str(PurePosixPath(folder) / arg.split("::")[0]).removeprefix("./").rstrip("/")
    return any(name == path or name.startswith(f"{path}/") for name in tree.paths())


def _addopts(tree: SourceTree, folder: str) -> Sequence[str]:
    """`addopts` of the configuration file that pytest would choose."""
    for name, section in (
        ("pytest.ini", "pytest"),
        ("pyproject.toml", ""),
        ("tox.ini", "pytest"),
        ("setup.cfg", "tool:pytest"),
    ):
        for place in dict.fromkeys((folder, ".")):
            data = tree.read(str(PurePosixPath(place) / name))
            found = _read(data, section) if data else None
            if found is not None:
                return found
    return ()


def _read(data: bytes, section: str) -> Sequence[str] | None:
    text = data.decode("utf-8", "replace")
    if not section:
        try:
            options = tomllib.loads(text)["tool"]["pytest"]["ini_options"]
            value = options.get("addopts", "")
        except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
            return None
        return [str(item) for item in value] if isinstance(value, list) else _split(str(value))
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return None
    return _split(parser.get(section, "addopts", fallback="")) if parser.has_section(section) else None


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
