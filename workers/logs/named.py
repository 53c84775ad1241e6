"""The versions of tools and packages that a job's output names while it sets itself up: what CI really used.

Each installer says it in its own words; a line counts by how it begins, so that a long output is looked through fast.
Names and versions are checked for what they may be made of, because a log is written by untrusted code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from workers.logs.model import JobLog, Versions
from workers.logs.text import clean_line, unstamped

_STAMP_SIZE = len("2026-11-20T10:00:00.1234567Z ")
_NAME = re.compile(r"@?[A-Za-z0-9][\w.+/@~-]{0,99}")
_VERSION = re.compile(r"v?\d[\w.+!:~-]{0,59}")
_CACHED_TOOL = re.compile(r"/hostedtoolcache/([A-Za-z][\w.-]{0,60})/v?(\d[\w.+-]{0,40})/")
_TOOLS = {"cpython": "python", "go": "go", "node": "node", "ruby": "ruby"}

_ONE: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    # how the line begins, the ecosystem, name and version
    ("Requirement already satisfied: ", "pypi", re.compile(r"([\w.-]{1,100})\S{0,100} .*\((?P<version>[^()\s]+)\)$")),
    ("Downloading ", "pypi", re.compile(r"(?:https?://\S{1,300}/)?(\w[\w.]*)-(?P<version>\d[^-\s]*)(?:-\S+\.whl|\.tar\.gz)\b")),
    ("Using cached ", "pypi", re.compile(r"(\w[\w.]*)-(?P<version>\d[^-\s]*)(?:-\S+\.whl|\.tar\.gz)\b")),
    ("+ ", "pypi", re.compile(r"([\w.-]+)==(?P<version>\S+)")),
    ("~ ", "pypi", re.compile(r"([\w.-]+)==(?P<version>\S+)")),
    ("+ ", "npm", re.compile(r"(@?[\w./-]+)[ @](?P<version>\d\S*)(?: |$)")),
    ("- Installing ", "", re.compile(r"(\S+) \((?P<version>[^()\s]+)\)")),
    ("- Updating ", "", re.compile(r"(\S+) \((?:\S+ -> )?(?P<version>[^()\s]+)\)")),
    ("- Downgrading ", "", re.compile(r"(\S+) \((?:\S+ -> )?(?P<version>[^()\s]+)\)")),
    ("Setting up ", "apt", re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::\w+)? \((?P<version>[^()\s]+)\)")),
    ("Compiling ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("Checking ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("Downloaded ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("Adding ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("Locking ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("Installing ", "cargo", re.compile(r"([\w-]+) (?P<version>v\d\S*)")),
    ("go: downloading ", "go", re.compile(r"(\S+) (?P<version>v\d\S*)")),
    ("go: added ", "go", re.compile(r"(\S+) (?P<version>v\d\S*)")),
    ("Installing ", "gem", re.compile(r"([\w-]+) (?P<version>\d\S*)(?: |$)")),
    ("Using ", "gem", re.compile(r"([\w-]+) (?P<version>\d\S*)(?: |$)")),
    ("Successfully set up ", "tool", re.compile(r"(CPython|Go|Node|Ruby)(?: version)? \(?v?(?P<version>\d[^()\s]*)")),
    ("Python ", "tool", re.compile(r"()(?P<version>\d+\.\d+\.\d\S*)$")),
    ("node: ", "tool", re.compile(r"()v(?P<version>\d\S*)$")),
    ("npm: ", "tool", re.compile(r"()(?P<version>\d\S*)$")),
    ("yarn: ", "tool", re.compile(r"()(?P<version>\d\S*)$")),
    ("go version ", "tool", re.compile(r"(go)(?P<version>\d\S*)")),
    ("rustc ", "tool", re.compile(r"()(?P<version>\d+\.\d+\.\d\S*) \(")),
    ("cargo ", "tool", re.compile(r"()(?P<version>\d+\.\d+\.\d\S*) \(")),
    ("openjdk version ", "tool", re.compile(r'()"(?P<version>\d[^"]*)"')),
    ("Resolved Java ", "tool", re.compile(r"()(?P<version>\d\S*)")),
    ("uv ", "tool", re.compile(r"()(?P<version>\d+\.\d+\.\d\S*)(?: \(|$)")),
    ("Successfully installed uv version ", "tool", re.compile(r"()(?P<version>\d\S*)$")),
    ("Poetry (version ", "tool", re.compile(r"()(?P<version>\d[^()\s]*)\)$")),
)  # fmt: skip
_CALLED = {
    "Python ": "python",
    "openjdk version ": "java",
    "Resolved Java ": "java",
    "Successfully installed uv version ": "uv",
    "Poetry (version ": "poetry",
}
_PIP = "Successfully installed "
_STARTS = tuple({start.encode() for start, _, _ in _ONE} | {_PIP.encode(), b"\xe2\x80\xa2 ", b"Found in cache @ "})


def named(lines: Iterable[bytes], most: int) -> tuple[dict[str, dict[str, str]], int]:
    """What raw lines of a log name, at most so many versions, and how many those are."""
    found: dict[str, dict[str, str]] = {}
    count = 0
    for raw in lines:
        body = raw[_STAMP_SIZE:] if raw[_STAMP_SIZE - 2 : _STAMP_SIZE] == b"Z " else raw
        body = body.lstrip(b" \t\x1b")
        if not body.startswith(_STARTS) and body[:1] != b"[":
            continue
        for ecosystem, name, version in _of(clean_line(unstamped(raw.decode("utf-8", "replace"))).strip()):
            if count >= most:
                return found, count
            count += name not in found.get(ecosystem, ())
            found.setdefault(ecosystem, {})[name] = version
    return found, count


def versions(log: JobLog) -> Versions:
    """Every version that the log names, the last word of each winning."""
    found: dict[str, dict[str, str]] = {}
    for step in log.steps:
        for text in step.env.values():
            for ecosystem, name, version in _cached(text):
                found.setdefault(ecosystem, {})[name] = version
        for ecosystem, names in step.installed.items():
            found.setdefault(ecosystem, {}).update(names)
    return found


def _of(line: str) -> Iterator[tuple[str, str, str]]:
    line = line.replace("\N{BULLET}", "-", 1) if line.startswith("\N{BULLET}") else line
    yield from _cached(line)
    if line.startswith(_PIP) and not line.startswith(f"{_PIP}uv version "):
        for word in line.removeprefix(_PIP).split():
            name, _, version = word.rpartition("-")
            yield from _checked("pypi", name, version)
    for start, ecosystem, pattern in _ONE:
        if line.startswith(start) and (match := pattern.match(line, len(start))):
            name = match[1] or _CALLED.get(start, start.strip(" :"))
            guessed = "composer" if "/" in name else "pypi"
            yield from _checked(ecosystem or guessed, _TOOLS.get(name.lower(), name), match["version"])
            return


def _cached(text: str) -> Iterator[tuple[str, str, str]]:
    for match in _CACHED_TOOL.finditer(text):
        name = match[1].lower()
        yield from _checked("tool", "java" if name.startswith("java") else name, match[2])


def _checked(ecosystem: str, name: str, version: str) -> Iterator[tuple[str, str, str]]:
    if _NAME.fullmatch(name) and _VERSION.fullmatch(version):
        yield ecosystem, name, version if ecosystem == "go" else version.removeprefix("v")
