"""The project's own call of pytest or unittest, as far as it decides which tests run how.

Of pytest's options those for reports, coverage and parallel runs go; the repository's configuration file stays in
force, except for `addopts`, which is filtered in the same way.
"""

from __future__ import annotations

import configparser
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from workers.ports import SourceTree
from workers.scripts import Invocation, commands, invocations, words
from workers.tables import dig, toml

_VALUED = frozenset({
    "-k", "-m", "-c", "-p", "-o", "-W", "--rootdir", "--override-ini", "--import-mode", "--confcutdir", "--ignore",
    "--ignore-glob", "--deselect", "--config-file", "--pythonwarnings", "--ds", "--asyncio-mode", "--doctest-glob",
})  # fmt: skip
_FLAGS = frozenset({"--pyargs", "--doctest-modules", "--noconftest", "--runslow"})
_PYTESTS, _UNITTESTS = ("pytest", "py.test"), ("unittest", "nose2")
_PYTHON = re.compile(r"^python(3(\.\d+)?)?$")
_GLOB = re.compile(r"[*?\[]")
_PATTERNS = ("-k", "-p", "--pattern")
_PLACES = {"-s": "-s", "--start-dir": "-s", "-t": "-t", "--top-level-directory": "-t"}
_NOSE_VALUED = frozenset({"-c", "--config", "--plugin", "--exclude-plugin", "--coverage", "--log-level", "-N"})
_DROPPED_PLUGINS = ("xdist", "cov", "pytest_cov", "sugar", "heal_report", "no:cacheprovider")


@dataclass(frozen=True)
class Call:
    """How to start the worker: the interpreter, the folder, and the runner's arguments; pytest's without paths too.

    `instead` are unittest's arguments for an environment without pytest, where the command does not say that it is
    pytest it runs.
    """

    interpreter: tuple[str, ...]
    folder: str
    exports: tuple[str, ...]
    args: tuple[str, ...]
    options: tuple[str, ...]
    cwd_on_path: bool
    runner: str = "pytest"
    instead: tuple[str, ...] | None = None

    def script(self, command: str) -> str:
        """A shell script that runs a Python file in the place of the runner."""
        return "\n".join([*self.exports, f"{shlex.join(self.interpreter)} {command}", ""])


def call(script: str, workdir: str, tree: SourceTree, tool: str = "pytest") -> Call:
    """Read the failing command, whose output is that of the `tool`. Where it calls neither runner itself (a Makefile
    does), pytest takes the tests with its defaults, or unittest, if it is unittest's output and there is no pytest."""
    found = _called(script, tool)
    folder, exports = _surroundings(script, workdir, found)
    given: Sequence[str] = found.args if found else ()
    prefix: Sequence[str] = found.prefix if found else ("python", "-m")
    module = prefix[-1:] == ("-m",)
    interpreter = _interpreter(prefix)
    runner = _name(found.tool) if found else ""
    if runner in _UNITTESTS:
        args = _discovered(given, folder, tree) if runner == "nose2" else tuple(_expanded(given, folder, tree))
        on_path = module or runner == "nose2"  # which puts it there itself
        return Call(interpreter, folder, exports, args, (), on_path, "unittest")
    options = ("-q", "-o", "addopts=", *_kept(_addopts(tree, folder)), *_kept(given))
    paths = tuple(arg for arg in _positional(given) if _exists(arg, folder, tree))
    instead = _discovered((), folder, tree) if found is None and tool == "unittest" else None
    return Call(interpreter, folder, exports, (*options, *paths), options, module, instead=instead)


def _called(script: str, tool: str) -> Invocation | None:
    """The first call of a runner; of that one first whose output it is, where the script calls both."""
    order = (*_UNITTESTS, *_PYTESTS) if tool in _UNITTESTS else (*_PYTESTS, *_UNITTESTS)
    return next((one for runner in order for one in invocations(script, runner)), None)


def _name(program: str) -> str:
    return program.rsplit("/", 1)[-1]


def _interpreter(prefix: Sequence[str]) -> tuple[str, ...]:
    """Python as it was started, without what measures coverage and would take our tracing from us."""
    names = list(map(_name, prefix))
    kept = list(prefix[: names.index("coverage")] if "coverage" in names else prefix)
    if kept[-1:] == ["-m"]:
        kept.pop()
    return tuple(kept) if any(map(_PYTHON.match, names[: len(kept)])) else (*kept, "python")


def _expanded(args: Sequence[str], folder: str, tree: SourceTree) -> Iterator[str]:
    """unittest's arguments, with the names of files that the shell makes of a pattern."""
    before = ""
    for arg in args:
        found: list[str] = []
        if _GLOB.search(arg) and before not in _PATTERNS and not arg.startswith("-"):
            inside = (PurePosixPath(path) for path in tree.paths())
            below = [path.relative_to(folder) for path in inside if path.is_relative_to(folder)]
            parts = len(PurePosixPath(arg).parts)
            found = sorted(str(path) for path in below if len(path.parts) == parts and path.match(arg))
        yield from found or (arg,)
        before = arg


def _discovered(args: Sequence[str], folder: str, tree: SourceTree) -> tuple[str, ...]:
    """unittest's arguments for the tests that nose2 finds with its own, or that a project without a word about them has
    in the usual folder; one that is no package has to be named."""
    rest, kept, names = iter(args), list[str](), list[str]()
    for arg in rest:
        name, _, value = arg.partition("=")
        if name in _PLACES:
            kept += [_PLACES[name], value or next(rest, ".")]
        elif arg in _NOSE_VALUED:
            next(rest, None)
        elif not arg.startswith("-"):
            names.append(arg)
    if names:
        return tuple(names)
    usual = (name for name in ("tests", "test") if _exists(name, folder, tree))
    loose = next((name for name in usual if not _exists(f"{name}/__init__.py", folder, tree)), None)
    return ("discover", *(kept or (("-s", loose) if loose else ())))


def _surroundings(script: str, workdir: str, found: Invocation | None) -> tuple[str, tuple[str, ...]]:
    """The folder the call runs in, and the exports before it (assignments on its own line included)."""
    folder, exports = PurePosixPath(workdir), []
    for command in commands(script):
        if found is not None and found in invocations(command, _name(found.tool)):
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
        options = dig(toml(text), "tool", "pytest", "ini_options")
        if not isinstance(options, dict):
            return None
        value = options.get("addopts", "")
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
