"""What a fixer of ours may do that no other patch may, once it is proven on the files: lock files that their own tool
wrote, one requirement more, files as their generator writes them. A claim that the files do not bear out grants nothing
and is told as its own breach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from sandbox.hosts import by_https
from workers import lockfiles, requirements
from workers.domain import Change, Diagnosis, FailureClass, Moved
from workers.not_executable import not_executable
from workers.patch import Executable
from workers.policy import Violation, is_test
from workers.ports import Files
from workers.repo_config import Policy
from workers.requirements import bounds, lists
from workers.unmarked import unmarked

Edits = Mapping[str, bytes | None]
_CLAIM = "is not the change it claims to be"
_LOCKED = frozenset({
    "changes a lock file by hand", "changes too many lines", "changes too many files", "adds a dependency",
    "changes the settings of the checks",
})  # fmt: skip
_GRANTED: Mapping[Change, frozenset[str]] = {
    Change.EDIT: frozenset(),
    Change.LOCK: _LOCKED,
    Change.REQUIREMENT: _LOCKED,
    Change.BOUND: _LOCKED,
    Change.PACKAGE: frozenset({"changes a test", "adds a file nobody asked for"}),
    Change.MODE: frozenset({"changes a file's mode", "changes a test", "changes the check itself"}),
    Change.GENERATED: frozenset({"changes too many lines", "changes too many files", "changes a test"}),
}
_REGISTRIES = frozenset(by_https((), {}))
SNAPSHOT = re.compile(
    r"(?:^|/)__snapshots__/(?![^\n]{0,300}\.(?:py|[cm]?[jt]sx?)$)[^\n]{1,300}$|\.(?:snap|ambr|storyshot)$"
)
"""What runners of tests keep of what code renders; code that lies beside it is none of it."""
_GO_LINE = re.compile(r"^(?:require[ \t]+)?[\w./~-]{1,300}[ \t]+v\S{1,200}(?:[ \t]*// indirect)?$|^require \($|^\)$|^$")


@dataclass(frozen=True)
class Facts:
    """What a claim is held against besides the files: the diagnosis, and the packages that CI had otherwise before."""

    diagnosis: Diagnosis
    moved: Sequence[Moved] = ()


def left(
    found: Iterable[Violation], change: Change, edits: Edits, tree: Files, facts: Facts, policy: Policy
) -> list[Violation]:
    """The violations that stand when the change is what it claims to be, with those of a claim that it is not."""
    if change is Change.EDIT:
        return list(found)
    against = list(_PROOFS[change](edits, tree, facts))
    if _GRANTED[change] is _LOCKED and not policy.allow_dependency_changes:
        against.append(Violation("changes dependencies", next(iter(edits), ""), 0, "policy.allow_dependency_changes"))
    return [*(one for one in found if against or one.rule not in _GRANTED[change]), *against]


def _only_locks(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:  # noqa: ARG001 - as the others
    """Nothing but lock files that were there before, of one tool, from where packages came before."""
    tools = {lockfiles.of(path, tree.read(path) or b"") for path in edits}
    if len(tools) != 1:
        yield Violation(_CLAIM, "", 0, f"it changes lock files of {len(tools)} tools")
    for path, after in edits.items():
        before = tree.read(path)
        if not lockfiles.of(path, before or b""):
            yield Violation(_CLAIM, path, 0, "it is no lock file")
        elif before is None or after is None:
            yield Violation(_CLAIM, path, 0, "a lock file comes or goes")
        else:
            yield from _lock(path, before.decode("utf-8", "replace"), after.decode("utf-8", "replace"), tree)


def _lock(path: str, before: str, after: str, tree: Files) -> Iterator[Violation]:
    if not lockfiles.versions(path, after) and lockfiles.versions(path, before):
        yield Violation(_CLAIM, path, 0, "it cannot be read any more")
    strange = lockfiles.hosts(after) - lockfiles.hosts(before) - _REGISTRIES
    if strange:
        yield Violation("installs from elsewhere", path, 0, min(strange)[:200])
    if PurePosixPath(path).name == "go.mod":
        yield from _go_mod(path, before, after, tree)


def _go_mod(path: str, before: str, after: str, tree: Files) -> Iterator[Violation]:
    """Of a go.mod nothing but the versions of modules that the module already knew."""
    old, new = (frozenset(line.strip() for line in text.split("\n")) for text in (before, after))
    other = [line for line in sorted(old ^ new) if not _GO_LINE.match(line)]
    if other:
        yield Violation(_CLAIM, path, 0, other[0][:200])
    sums = (tree.read(str(PurePosixPath(path).with_name("go.sum"))) or b"").decode("utf-8", "replace")
    known = lockfiles.required(before).keys() | lockfiles.versions("go.sum", sums).keys()
    added = sorted(lockfiles.required(after).keys() - known)
    if added:
        yield Violation("adds a dependency", path, 0, added[0][:200])


def _one_requirement(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:
    """One manifest with packages more that the failure asks for by their modules' names, and the lock file of it."""
    locks = {path: data for path, data in edits.items() if lockfiles.of(path, tree.read(path) or b"")}
    rest = [path for path in edits if path not in locks]
    if locks:
        yield from _only_locks(locks, tree, facts)
    if len(rest) != 1:
        yield Violation(_CLAIM, "", 0, f"it changes {len(rest)} manifests")
        return
    before, after = tree.read(rest[0]), edits[rest[0]]
    if before is None or after is None:
        yield Violation(_CLAIM, rest[0], 0, "a manifest comes or goes")
        return
    added = lists.added(rest[0], before, after)
    wanted = requirements.wanted(facts.diagnosis.findings, tree)
    if added is None:
        yield Violation(_CLAIM, rest[0], 0, "more than a requirement changes")
    elif not added or not added <= wanted:
        yield Violation("adds a dependency", rest[0], 0, ", ".join(sorted(added - wanted)) or "none")


def _one_bound(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:
    """One file, to the byte what comes of leaving one release of one package out that CI had only since it was red."""
    path = next(iter(edits), "")
    before, after = tree.read(path), edits.get(path)
    if len(edits) != 1 or before is None or after is None:
        yield Violation(_CLAIM, path, 0, f"it changes {len(edits)} files, or one comes or goes")
        return
    text = after.decode("utf-8", "replace")
    made = (
        bounds.with_bound(place, before, one.name, bound)
        for one in facts.moved
        for bound in bounds.bounds(one.before, one.after)
        if bound in text
        for place in bounds.listed(path, before)
        if one.name in lists.names(place, before) or requirements.known(one.name, tree)
    )
    if after not in made:
        yield Violation(_CLAIM, path, 0, "more, or something else, changes than the bound of one package that moved")


def _only_marks(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:
    """Nothing but empty files that make packages of folders, which the failure asks for."""
    asked = unmarked(facts.diagnosis, tree)
    for path, after in edits.items():
        if after != b"" or path not in asked:
            yield Violation(_CLAIM, path, 0, "the failure does not show that this very file is missing")


def _only_mode(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:
    """One script of the repository that the failure says may not be run, with the content it had."""
    path, after = next(iter(edits.items()), ("", None))
    if len(edits) != 1 or not isinstance(after, Executable) or after != tree.read(path):
        yield Violation(_CLAIM, path, 0, "more changes than that one file is made executable")
    elif path not in not_executable(facts.diagnosis, tree):
        yield Violation(_CLAIM, path, 0, "the failure does not show that this script may not be run")


def _as_generated(edits: Edits, tree: Files, facts: Facts) -> Iterator[Violation]:
    """Files that were there before, and of tests nothing but snapshots: that the generator writes them so, the check
    itself shows by generating them again."""
    if facts.diagnosis.cls is not FailureClass.SNAPSHOT:
        yield Violation(_CLAIM, "", 0, "nothing that is generated has drifted")
    for path, after in edits.items():
        if after is None or tree.read(path) is None:
            yield Violation(_CLAIM, path, 0, "a file comes or goes")
        elif is_test(path) and not SNAPSHOT.search(path):
            yield Violation(_CLAIM, path, 0, "it is a test")


_PROOFS: Mapping[Change, Callable[[Edits, Files, Facts], Iterator[Violation]]] = {
    Change.LOCK: _only_locks,
    Change.REQUIREMENT: _one_requirement,
    Change.BOUND: _one_bound,
    Change.PACKAGE: _only_marks,
    Change.MODE: _only_mode,
    Change.GENERATED: _as_generated,
}
