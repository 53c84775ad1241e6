"""The forge of a bench: the files of a case as a git repository of their own, read as `heal fix` reads a checkout.

Beside the files it knows the log of the red job, and what the case says of its environment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from workers import logs
from workers.bench.case import BenchCase
from workers.domain import Case, JobReport
from workers.errors import UsageError
from workers.git.command import Command, GitFailed
from workers.local import LocalForge
from workers.ports import Admission, Base, Light, SourceTree
from workers.run_id import new_run_id

_NO_NAMES = ("", ".", "..", ".git")
_BEGIN = b"commit refs/heads/main\ncommitter bench <bench@localhost> %d +0000\ndata 14\nThe red commit\n"
_BEFORE = "HEAD~1"


class BenchForge(LocalForge):
    """`workers.ports.Forge` over a case, whose repository is made in `folder`."""

    def __init__(self, case: BenchCase, folder: Path) -> None:
        committed(case.files, folder / "work", before=case.base or case.green, plain=case.plain)
        good = _BEFORE if case.green else None
        super().__init__(folder / "work", folder / "state", committed=False, good=good)
        self._case = case

    def bench_case(self, suite: str) -> Case:
        """What the run is about. All cases of a suite are one repository's, so that they share their environments."""
        made = self.case(new_run_id(), check=self._case.check, job=self._case.job)
        return replace(made, repo=f"bench/{suite}")

    def admission(self, case: Case) -> Admission:
        """As the file of the repository says, and beyond it what the case says of the environment."""
        admission, own = super().admission(case), self._case
        wanted = {
            "image": own.image,
            "setup": own.setup,
            "env": {**admission.config.environment.env, **own.env} or None,
            "timeout": own.timeout_s if own.timeout_s != BenchCase.timeout_s else None,
        }
        told = {key: value for key, value in wanted.items() if value is not None}
        environment = admission.config.environment.model_copy(update=told)
        return replace(admission, config=admission.config.model_copy(update={"environment": environment}))

    def job(self, case: Case) -> JobReport:
        """The local job with the log of the red one; where the case names its workflow, as GitHub would report it."""
        own = self._case
        log = logs.read(iter((own.log,)))
        if own.workflow:
            text = own.files[own.workflow].decode(errors="replace")
            return JobReport(own.job, log, workflow=text, workflow_path=own.workflow)
        told = super().job(case)
        return replace(told, log=log) if own.log else told

    def base(self, case: Case) -> Base | None:
        """The commit before, which is red as well, where the case says so."""
        if not self._case.base:
            return super().base(case)
        before = self.checkout.commit_named(_BEFORE)
        return Base(case.branch, before, Light.RED, before, Light.RED)

    def green_job(self, case: Case) -> JobReport | None:
        """The log of the green job, where the case has one."""
        log = self._case.green_log
        return JobReport(self._case.job, logs.read(iter((log,)))) if log else super().green_job(case)

    def tree(self, case: Case) -> SourceTree:
        """The files of the case's commit, which may be the base's."""
        base = self.base(case)
        if base is None or case.head_sha != base.head:
            return super().tree(case)
        return self._mirror.borrow(self.checkout.objects, base.head)


def committed(
    files: Mapping[str, bytes], place: Path, before: Mapping[str, bytes] | None = None, plain: Collection[str] = ()
) -> None:
    """Make a repository with these files on `main`, after a commit with those `before`, if any; the work tree stays
    empty, for nobody reads it. Scripts are executable, but for those that are `plain`.

    A commit is dated to the day's begin: the same files are the same commit all day long, so their environment is
    made once. Raises `UsageError` for names that git does not take.
    """
    place.mkdir(parents=True)
    odd = next((name for name in files if not set(name.split("/")).isdisjoint(_NO_NAMES)), None)
    if odd is not None:  # fast-import takes them, and whoever reads the commit does not
        raise UsageError(f"The data set holds a file that no repository can have: {odd[:80]!r}")
    Command(place).run_outside("init", "--quiet", "--initial-branch=main", ".")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stream: list[bytes] = []
    for commit in filter(None, (before, files)):
        stream += [_BEGIN % int(midnight.timestamp()), b"deleteall\n"]
        for name, content in sorted(commit.items()):
            mode = b"100755" if content.startswith(b"#!") and name not in plain else b"100644"
            stream += [b"M %s inline %s\ndata %d\n" % (mode, _quoted(name), len(content)), content, b"\n"]
    try:
        Command(place / ".git").run("fast-import", "--quiet", stdin=b"".join(stream))
    except GitFailed as failure:
        raise UsageError(f"The data set holds a file that no repository can have: {failure}") from failure


def _quoted(name: str) -> bytes:
    """The path as fast-import reads it, whatever characters it has."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")
