"""What a recipe's steps fetch by themselves, and from where: set-up reaches package indexes only, a check nothing.

Read from the scripts as they are written: what a program fetches without being told is known when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sandbox.hosts import BY_HTTPS
from sandbox.spec import Step
from workers.ports import SourceTree
from workers.scripts import commands, invocations, words

_URL = re.compile(
    r"\b(?:git\+|ssh://git@)?https?://(?:[^\s/@'\"]{1,80}@)?([a-z0-9][a-z0-9.-]{1,80}\.[a-z]{2,20})", re.IGNORECASE
)
_FETCHING = frozenset({"aria2c", "curl", "git", "pip", "pip3", "pipx", "svn", "uv", "wget"})
_OF_GIT = frozenset({"clone", "fetch", "pull", "submodule"})
_HOOKS = ".pre-commit-config.yaml"
_REPOSITORY = re.compile(r"^\s{0,20}-?\s{0,20}repo:\s{0,20}['\"]?(https?://[^\s'\"]{1,300})", re.MULTILINE)
_KNOWN = frozenset(host for hosts in BY_HTTPS.values() for host in hosts)
_SHOWN = 3


def notes(setup: Sequence[Step], ready: Sequence[Step], tree: SourceTree) -> tuple[str, ...]:
    """One sentence for each step that fetches from a host which it does not reach without a word of the operator."""
    found = [
        f"'{step.name}' fetches from {_named(hosts)}, which set-up reaches where HEAL_SETUP_HOSTS names it"
        for step in setup
        if (hosts := _hosts(step, tree) - _KNOWN)
    ]
    found += [
        f"'{step.name}' fetches from {_named(hosts)}, and a check has no network"
        for step in ready
        if (hosts := _hosts(step, tree, checks=True))
    ]
    return tuple(dict.fromkeys(found))


def _named(hosts: Iterable[str]) -> str:
    named = sorted(hosts)
    return ", ".join(named[:_SHOWN]) + (", ..." if len(named) > _SHOWN else "")


def _hosts(step: Step, tree: SourceTree, *, checks: bool = False) -> set[str]:
    found: set[str] = set()
    for command in commands(step.script):
        parts = words(command)
        called = [part.rsplit("/", 1)[-1] for part in parts]
        if any(name in _FETCHING for name in called) and ("git" not in called[:1] or _OF_GIT & set(called[1:3])):
            found.update(match[1].lower() for match in _URL.finditer(command))
    if not checks and any(invocations(step.script, tool) for tool in ("pre-commit", "prek")):
        text = (tree.read(_HOOKS) or b"")[:100_000].decode(errors="replace")
        found.update(match[1].lower() for url in _REPOSITORY.findall(text) for match in _URL.finditer(url))
    return {host for host in found if not host.startswith("127.")}
