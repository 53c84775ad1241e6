"""Which settings count for a repository, and who decided each: organisation, then repository, then the operator.

Pure: the files come in as values, the answer is one value. A list or a mapping of a nearer layer replaces the whole one
of a farther layer; the operator's bounds come last and only tighten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workers.repo_config import fields
from workers.repo_config.bounds import Rules, tightened
from workers.repo_config.model import RepoConfig
from workers.repo_config.problems import Problem
from workers.repo_config.reading import PATH
from workers.tables import dig


class Source(StrEnum):
    """Who decided a value."""

    DEFAULT = "default"
    ORGANISATION = "organisation"
    REPOSITORY = "repository"
    OPERATOR = "operator"
    INVALID = "invalid file"  # what a file that cannot be used leads to


@dataclass(frozen=True)
class Files:
    """What was found: None where there is no file, or one that cannot be used (then there are problems)."""

    repository: RepoConfig | None = None
    organisation: RepoConfig | None = None
    problems: tuple[Problem, ...] = ()
    """Of the repository's own file."""
    others: tuple[Problem, ...] = ()
    """Of the organisation's file."""

    @property
    def opted_in(self) -> bool:
        """The repository has a file of its own, right or wrong."""
        return self.repository is not None or bool(self.problems)


@dataclass(frozen=True)
class Value:
    """One key, what counts, and who decided it. `wanted` is what a file asked for, where it was overruled."""

    key: str
    value: object
    source: Source
    wanted: object = None


@dataclass(frozen=True)
class Effective:
    """The settings that count, value by value. `note` says in a sentence why Heal does less than the files ask for."""

    config: RepoConfig
    values: tuple[Value, ...]
    files: Files = Files()
    note: str = ""

    @property
    def overruled(self) -> tuple[Value, ...]:
        """The values that are not what a file asked for."""
        return tuple(value for value in self.values if value.wanted is not None)


def merge(files: Files, rules: Rules, full_name: str) -> Effective:
    """The settings of the repository `owner/name`."""
    data, sources = _stacked(files)
    wanted = RepoConfig.model_validate(data).settled().model_dump()
    if data.get("mode") == "push":
        sources["publish"] = sources["mode"]
    ceiling, who, note = _restraint(files, rules, full_name)
    values = []
    for leaf in fields.leaves(RepoConfig):
        bounds = [(Source.OPERATOR, rules.bounds.of(leaf.name))] if leaf.name != "version" else []
        bounds += [(who, ceiling)] if leaf.name == "mode" and ceiling else []
        asked = Value(leaf.name, dig(wanted, *leaf.path), sources.get(leaf.name, Source.DEFAULT))
        values.append(_bounded(asked, bounds))
    return Effective(_config(values), tuple(values), files, note)


def _bounded(asked: Value, bounds: Sequence[tuple[Source, object]]) -> Value:
    """The value within all bounds; the last one that changed it decided it. A default asked for nothing."""
    now = asked
    for source, bound in bounds:
        tight = now.value if bound is None else tightened(asked.key, now.value, bound)
        if tight != now.value:
            wanted = None if asked.source is Source.DEFAULT else asked.value
            now = Value(asked.key, tight, source, wanted)
    return now


def changes(now: Effective, then: Effective) -> tuple[tuple[Value, Value], ...]:
    """The values that would be others, as they are and as they would be."""
    return tuple((old, new) for old, new in zip(now.values, then.values, strict=True) if old.value != new.value)


def _stacked(files: Files) -> tuple[dict[str, Any], dict[str, Source]]:
    """The keys that are set, the nearest layer's value of each, and the layer."""
    data: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    for source, config in ((Source.ORGANISATION, files.organisation), (Source.REPOSITORY, files.repository)):
        for path, value in _set(config.model_dump(exclude_unset=True) if config else {}):
            _put(data, path, value)
            sources[".".join(path)] = source
    if "publish" in data and data.get("mode") == "push" and sources["publish"] is not sources["mode"]:
        _settle(data, sources)
    return data, sources


def _settle(data: dict[str, Any], sources: dict[str, Source]) -> None:
    """One layer says `mode: push`, the other names a way: the nearer one has the last word."""
    if sources["publish"] is Source.REPOSITORY:
        data["mode"] = "propose"
    else:
        del data["publish"]


def _set(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for leaf in fields.leaves(RepoConfig):
        above = dig(data, *leaf.path[:-1])
        if isinstance(above, dict) and leaf.path[-1] in above:
            yield leaf.path, above[leaf.path[-1]]


def _put(data: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value


def _restraint(files: Files, rules: Rules, full_name: str) -> tuple[str, Source, str]:
    """The most that is done here, who says so, and the sentence for people; empty where nothing holds back."""
    if not rules.serves(full_name):
        return "off", Source.OPERATOR, "The operator's `HEAL_REPOSITORIES` does not name this repository."
    if rules.bounds.require_config and not files.opted_in:
        return "off", Source.OPERATOR, f"The operator asks for a `{PATH}` on the default branch, and there is none."
    wrong = files.problems or files.others
    if wrong:
        more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
        why = f"`{wrong[0].path}` on the default branch cannot be used, so Heal only observes: "
        return "observe", Source.INVALID, f"{why}line {wrong[0].line}, {_named(wrong[0])}{more}"
    return "", Source.DEFAULT, ""


def _named(problem: Problem) -> str:
    return f"{problem.key} - {problem.reason}" if problem.key else problem.reason


def _config(values: list[Value]) -> RepoConfig:
    data: dict[str, Any] = {}
    for value in values:
        _put(data, tuple(value.key.split(".")), value.value)
    return RepoConfig.model_validate(data)
