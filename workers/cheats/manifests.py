"""What manifests may not become: nothing older, nothing from elsewhere, no other tools and no other commands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from workers.policy import Violation
from workers.ports import SourceTree
from workers.tables import dig, toml

_LOCKS = frozenset({
    "poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "package-lock.json", "yarn.lock", "pnpm-lock.yaml",
    "npm-shrinkwrap.json", "cargo.lock", "go.sum", "gemfile.lock", "composer.lock", "pixi.lock", "conda-lock.yml",
})  # fmt: skip
_GO = re.compile(r"^[ \t]*(?:require[ \t]+)?([\w./~-]{1,200})[ \t]+v?(\d[\w.+-]{0,80})", re.MULTILINE)
_STRICTNESS = re.compile(
    r"\"(?:strict\w*|no[A-Z]\w*|skip(?:Default)?LibCheck|allow\w*|checkJs|exact\w*|use\w*|exclude|include|files|extends)\""
    r"\s*:\s*[^\n]{0,200}"
)
_NAME = r"[A-Za-z0-9][\w.-]*"
_REQUIREMENT = re.compile(rf"({_NAME})(?:\[[^\]]*\])?\s*((?:[=<>~!^]=?=?\s*v?\d[\w.*+!-]*\s*,?\s*)*)")
_ELSEWHERE = re.compile(
    r"(?:^|[\s\"'])(?:git\+|https?://|file:)|\s@\s|^\s*-(?:i|e|f|r)\b|--(?:extra-)?index-url|--find-links|--trusted-host"
)
_ALLOWED_TOOLS = frozenset({"poetry", "uv", "pdm", "setuptools", "flit", "hatch", "setuptools_scm"})
_NEVER = frozenset({"scripts", "pytest", "cmd", "envs", "taskipy", "poe"})
_JS_KEYS = frozenset(
    {"dependencies", "devDependencies", "peerDependencies", "optionalDependencies", "version", "files"}
)


def review(path: str, before: bytes | None, after: bytes) -> Iterator[Violation]:
    """What the change of a manifest must not be."""
    name = PurePosixPath(path).name.lower()
    old, new = ((data or b"").decode("utf-8", "replace") for data in (before, after))
    if name in _LOCKS:
        yield Violation("changes a lock file by hand", path, 0, path)
    if name == "pyproject.toml":
        yield from _pyproject(path, old, new)
    if name == "package.json":
        yield from _package(path, old, new)
    if name == "cargo.toml":
        yield from _cargo(path, old, new)
    if name.startswith("tsconfig") and name.endswith(".json"):
        yield from _typescript(path, old, new)
    if lists(path):
        yield from _older(path, old, new)
    else:
        yield from _lower(path, pinned(name, old), pinned(name, new))


def added(path: str, before: bytes | None, after: bytes) -> Iterator[Violation]:
    """Packages that the repository would newly need. Names in a patch may be anybody's words, and who installs a name
    that looks like a known one installs a stranger's code."""
    if lists(path):
        old, new = (_wanted((data or b"").decode("utf-8", "replace")) for data in (before, after))
        yield from (Violation("adds a dependency", path, 0, name) for name in new if name not in old)


def pinned(name: str, text: str) -> dict[str, str]:
    """Versions by package that a manifest of JavaScript, Go or Rust asks for; empty for other files."""
    if name == "package.json":
        tables = [(_json(text) or {}).get(key) for key in _JS_KEYS]
    elif name == "cargo.toml":
        tables = [(toml(text) or {}).get(f"{kind}dependencies") for kind in ("", "dev-", "build-")]
    elif name == "go.mod":
        tables = [dict(_GO.findall(text))]
    else:
        return {}
    found: dict[str, str] = {}
    for table in tables:
        for package, wanted in table.items() if isinstance(table, dict) else ():
            version = wanted.get("version") if isinstance(wanted, dict) else wanted
            found |= {package: version} if isinstance(version, str) else {}
    return found


def _lower(path: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Violation]:
    for name, wanted in new.items():
        if name in old and _version(wanted) < _version(old[name]):
            yield Violation("takes an older version", path, 0, f"{name} {old[name]} -> {wanted}"[:200])


def _cargo(path: str, before: str, after: str) -> Iterator[Violation]:
    """What Cargo.toml may not say: which targets have no tests, and what the compiler does not tell."""
    old, new = toml(before) or {}, toml(after)
    if new is None:
        yield Violation("changes the settings of the checks", path, 0, "it is no TOML any more")
        return
    keys: list[tuple[str, ...]] = [("lints",), ("profile",), ("test",), ("bench",), ("patch",), ("replace",)]
    keys += [("lib", "test"), ("lib", "doctest"), ("lib", "harness"), ("package", "autotests"), ("package", "build")]
    for key in keys:
        if dig(old, *key) != dig(new, *key):
            yield Violation("changes the settings of the checks", path, 0, ".".join(key))


def _typescript(path: str, before: str, after: str) -> Iterator[Violation]:
    """How strictly TypeScript looks, and at which files. Its file has comments, so it is read by its lines."""
    old, new = (Counter("".join(match[0].split()) for match in _STRICTNESS.finditer(text)) for text in (before, after))
    for said in sorted((old - new) | (new - old)):
        yield Violation("changes the settings of the checks", path, 0, said[:200])


def lists(path: str) -> bool:
    """The file lists Python requirements."""
    name = PurePosixPath(path).name.lower()
    plain = name.endswith((".txt", ".in")) and re.search(r"require|constraint", path.lower())
    return bool(plain) or name in ("pyproject.toml", "setup.py", "pipfile", "environment.yml")


def declared(tree: SourceTree) -> frozenset[str]:
    """Names of the packages that the repository says it needs, as far as its text shows."""
    found: set[str] = set()
    for path in tree.paths():
        if lists(path):
            text = (tree.read(path) or b"").decode("utf-8", "replace")
            found |= {name.lower().replace("_", "-") for name in _wanted(text)}
    return frozenset(found)


def _wanted(text: str) -> dict[str, str]:
    """Requirement by name, in requirement lines and in quoted entries of lists; Poetry's tables too."""
    found: dict[str, str] = {}
    for line in text.split("\n"):
        bare = line.split(" #")[0].strip()
        table = re.match(rf"^({_NAME})\s*=\s*(?:\{{.*version\s*=\s*)?[\"']([=<>~!^]*=?\s*\d[^\"']*)[\"']", bare)
        if table:
            found[table[1].lower()] = table[2]
            continue
        for part in re.findall(r"[\"']([^\"']+)[\"']", bare) or [bare]:
            match = _REQUIREMENT.match(part)
            if match and re.fullmatch(r"\s*(?:;.*|\\|--hash.*)?", part[match.end() :]):
                found.setdefault(match[1].lower(), match[2])
    return found


def _older(path: str, before: str, after: str) -> Iterator[Violation]:
    old, new = _wanted(before), _wanted(after)
    for name, wanted in new.items():
        had = old.get(name)
        if had is not None and had != wanted and _ceiling(wanted) < _floor(had):
            yield Violation("takes an older version", path, 0, f"{name} {had} -> {wanted}")
    lines = set(before.split("\n"))
    for number, line in enumerate(after.split("\n"), 1):
        if line not in lines and _ELSEWHERE.search(line) and "homepage" not in line.lower():
            yield Violation("installs from elsewhere", path, number, line.strip()[:200])


def _floor(wanted: str) -> tuple[float, ...]:
    """The lowest version that is named as good enough; nothing named is no floor."""
    found = [
        _version(v)
        for sign, v in re.findall(r"([=<>~!^]*)\s*v?(\d[\w.*+!-]*)", wanted)
        if "<" not in sign and sign != "!="
    ]
    return max(found, default=())


def _ceiling(wanted: str) -> tuple[float, ...]:
    """The highest version that can be chosen; above all when there is no limit."""
    limits = [
        _version(v)
        for sign, v in re.findall(r"([=<>~!^]*)\s*v?(\d[\w.*+!-]*)", wanted)
        if "<" in sign or sign in ("==", "===", "~=", "")
    ]
    return min(limits, default=(float("inf"),))


def _version(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in re.findall(r"\d+", text)[:4])


def _pyproject(path: str, before: str, after: str) -> Iterator[Violation]:
    new = toml(after)
    if new is None:
        yield Violation("changes the settings of the checks", path, 0, "it is no TOML any more")
        return
    old = toml(before) or {}
    if old.get("build-system") != new.get("build-system"):
        yield Violation("changes the settings of the checks", path, 0, "[build-system]")
    had, has = (dig(part, "project", "entry-points", "pytest11") for part in (old, new))
    if had != has:
        yield Violation("adds code that runs by itself", path, 0, "pytest11")
    was, now = old.get("tool"), new.get("tool")
    for tool in sorted(_keys(was) | _keys(now)):
        if dig(was, tool) == dig(now, tool):
            continue
        keys = _keys(dig(was, tool)) | _keys(dig(now, tool))
        changed = {key for key in keys if dig(was, tool, key) != dig(now, tool, key)}
        if tool not in _ALLOWED_TOOLS or changed & _NEVER:
            yield Violation("changes the settings of the checks", path, 0, f"[tool.{tool}]")


def _keys(table: object) -> set[str]:
    return set(table) if isinstance(table, dict) else set()


def _package(path: str, before: str, after: str) -> Iterator[Violation]:
    old, new = _json(before), _json(after)
    if new is None:
        yield Violation("changes the settings of the checks", path, 0, "it is no JSON any more")
        return
    for key in sorted({*new, *(old or {})}):
        if (old or {}).get(key) != new.get(key) and key not in _JS_KEYS:
            yield Violation("changes the settings of the checks", path, 0, key)


def _json(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
