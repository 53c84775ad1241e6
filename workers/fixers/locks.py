"""Lock files that are not their manifest's any more, written anew by the repository's own package manager.

Its command runs in a set-up of its own, because it has to ask the package indexes; nothing but the lock files comes
back, and `workers.granted` proves that nothing else is proposed.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from sandbox.errors import ServiceFailed, SetupFailed
from sandbox.spec import Limits, Step
from workers import fresh, lockfiles, scripts
from workers.domain import Attempt, Candidate, Change, Confidence, Diagnosis, FailureClass
from workers.lockfiles import LOCKS, Lock
from workers.ports import Workbench

_OUT = "/env/heal-locks"
_OURS = ("UV_EXCLUDE_NEWER", "PIP_UPLOADED_PRIOR_TO", "npm_config_before", "UV_CONSTRAINT", "PIP_CONSTRAINT")
"""What pins a set-up to the day of CI's run: a lock would remember it."""
_STRICT = ("UV_LOCKED", "UV_FROZEN", "UV_NO_SYNC", "YARN_ENABLE_IMMUTABLE_INSTALLS", "YARN_ENABLE_HARDENED_MODE")
_READ = Limits(wall_s=60)
_TOLD, _FILES, _DIGITS = 8, 50, 2
_GIT = re.compile(r"\bgit\b")


class Locks:
    """The fixer. It has one candidate per failure."""

    name = "locks"

    def applies(self, diagnosis: Diagnosis) -> bool:
        """The package manager says so, or git found a difference: of what, only the check's script says."""
        return drifted(diagnosis) is not None or diagnosis.cls is FailureClass.SNAPSHOT

    def propose(self, bench: Workbench, tried: Sequence[Attempt]) -> Candidate | None:
        """The new lock, or None when there is none, or it was tried."""
        if any(attempt.candidate.fixer == self.name for attempt in tried):
            return None
        found = _by_the_tool(bench) or _by_the_script(bench)
        if found is None:
            return None
        told, command, folder, paths = found
        edits = bench.once("locks:written", dict, lambda: _text(written(bench, command, folder, paths)))
        changed = {path: data for path, data in _bytes(edits).items() if data != bench.tree.read(path)}
        if not changed:
            return None
        return Candidate(
            fixer=self.name,
            patch=bench.tree.diff(changed),
            reasoning=f"`{told}` wrote {_and(changed)} anew from the manifests{_moves(bench, changed)}.",
            confidence=Confidence.MEDIUM,
            title=f"Update {PurePosixPath(next(iter(changed))).name}",
            change=Change.LOCK,
        )


def drifted(diagnosis: Diagnosis) -> Lock | None:
    """The package manager that says that its lock file has to be written anew."""
    locks = (lock for lock in LOCKS if lock.tool == diagnosis.tool)
    return next((lock for lock in locks if any(map(lock.drifted, diagnosis.findings))), None)


def beside(bench: Workbench, manifest: str) -> tuple[Lock, str] | None:
    """The lock that is written from a manifest of Python, with the path of its file; None where there is none."""
    folder = PurePosixPath(manifest).parent
    for lock in LOCKS:
        path = str(folder / lock.files[0])
        if bench.tree.read(path) is not None and lock.tool in ("uv", "poetry", "pdm"):
            return lock, path
    return None


def written(
    bench: Workbench, command: str, folder: str, paths: Sequence[str], patch: bytes | None = None
) -> Mapping[str, bytes]:
    """What these files hold after the command has run in the folder, with the package indexes and the patch; nothing
    when it fails or may not run."""
    if bench.prepared is None:
        return {}
    check = bench.reproduction.plan.check
    quoted = [shlex.quote(path) for path in paths]
    names = [f"[ ! -f {path} ] || cp -- {path} {_OUT}/{number}" for number, path in enumerate(quoted)]
    lines = [
        f"unset {' '.join((*_OURS, *_STRICT))}",
        f"(cd {shlex.quote(folder)}; {command})",
        f"mkdir -p {_OUT}",
        *names,
    ]
    step = Step("the lock file", "\n".join(lines), "bash -e {0}", check.env)
    plan = fresh.beside(bench.reproduction.plan, step, patch)
    reading = f'for n in {_OUT}/*; do echo "$(basename "$n") $(base64 -w0 "$n")"; done >"$HEAL_REPORT"'
    try:
        report = bench.prepared(plan).run(Step("read the lock file", reading), bench.tree.tar(), limits=_READ).report
    except (SetupFailed, ServiceFailed):
        return {}
    return _reported(report, paths)


def _reported(report: bytes, paths: Sequence[str]) -> Mapping[str, bytes]:
    """The files of a report, whose lines are a number and the content in base64: the untrusted side's word."""
    found: dict[str, bytes] = {}
    for line in report.decode("ascii", "replace").splitlines():
        number, _, text = line.partition(" ")
        if number.isascii() and number.isdigit() and len(number) <= _DIGITS and int(number) < len(paths):
            try:
                found[paths[int(number)]] = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                return {}
    return found


_Found = tuple[str, str, str, tuple[str, ...]]
"""What is told of the command, the command, the folder it runs in, and the files it may write."""


def _by_the_tool(bench: Workbench) -> _Found | None:
    """The lock of the tool that complained."""
    lock = drifted(bench.diagnosis)
    place = _place(bench, lock) if lock else None
    if lock is None or place is None:
        return None
    paths = tuple(str(PurePosixPath(place).with_name(name)) for name in lock.files)
    return lock.told, lock.command, str(PurePosixPath(place).parent), paths


def _by_the_script(bench: Workbench) -> _Found | None:
    """The check writes lock files itself and asks git whether they change: its own commands, without git's."""
    check = bench.reproduction.plan.check
    if bench.diagnosis.cls is not FailureClass.SNAPSHOT or not scripts.resolves(check.script):
        return None
    commands = [one for one in scripts.commands(check.script) if not _GIT.search(one)]
    paths = tuple(path for path in bench.tree.paths() if lockfiles.of(path, bench.tree.read(path) or b""))
    told = next((one for one in commands if scripts.resolves(one)), "")
    return (told, "; ".join(commands), check.workdir, paths[:_FILES]) if told and paths else None


def _place(bench: Workbench, lock: Lock) -> str | None:
    """The lock file: the one that a finding names, that of the folder the check works in, or the only one."""
    name = lock.files[0]
    there = [path for path in bench.tree.paths() if PurePosixPath(path).name == name]
    named = [finding.path for finding in bench.diagnosis.findings]
    check = bench.reproduction.plan.check
    called = map(scripts.words, scripts.commands(check.script))
    folders = [words[1] for words in called if len(words) > 1 and words[0] == "cd"]
    near = str(PurePosixPath(check.workdir, *folders[:1]) / name)
    return next((path for path in (near, *named) if path in there), there[0] if len(there) == 1 else None)


def _moves(bench: Workbench, changed: Mapping[str, bytes]) -> str:
    """Which packages come, go and move, for whoever reads the pull request."""
    told: list[str] = []
    for path, data in changed.items():
        before = (bench.tree.read(path) or b"").decode("utf-8", "replace")
        told += lockfiles.moved(path, before, data.decode("utf-8", "replace"))
    told = list(dict.fromkeys(told))
    more = f" and {len(told) - _TOLD} more" if len(told) > _TOLD else ""
    return f": {', '.join(f'`{one}`' for one in told[:_TOLD])}{more}" if told else ""


def _and(changed: Mapping[str, bytes]) -> str:
    return " and ".join(f"`{path}`" for path in changed)


def _text(found: Mapping[str, bytes]) -> dict[str, str]:
    return {path: base64.b64encode(data).decode() for path, data in found.items()}


def _bytes(found: Mapping[str, str]) -> Mapping[str, bytes]:
    return {path: base64.b64decode(text) for path, text in found.items()}
