"""The forge of a bench: the files of a case as a git repository of their own, read as `heal fix` reads a checkout.

Beside the files it knows the log of the red job, and what the case says of its environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from workers import logs
from workers.bench.case import BenchCase
from workers.domain import Case, JobReport
from workers.errors import UsageError
from workers.git.command import Command, GitFailed
from workers.local import LocalForge
from workers.ports import Admission
from workers.run_id import new_run_id

_NO_NAMES = ("", ".", "..", ".git")
_BEGIN = b"commit refs/heads/main\ncommitter bench <bench@localhost> %d +0000\ndata 14\nThe red commit\n"


class BenchForge(LocalForge):
    """`workers.ports.Forge` over a case, whose repository is made in `folder`."""

    def __init__(self, case: BenchCase, folder: Path) -> None:
        committed(case.files, folder / "work")
        super().__init__(folder / "work", folder / "state", committed=False)
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
        """The local job with the log of the red one."""
        told = super().job(case)
        return replace(told, log=logs.read(iter((self._case.log,)))) if self._case.log else told


def committed(files: Mapping[str, bytes], place: Path) -> None:
    """Make a repository of one commit on `main` with these files; the work tree stays empty, for nobody reads it.

    The commit is dated to the day's begin: the same files are the same commit all day long, so their environment is
    made once. Raises `UsageError` for names that git does not take.
    """
    place.mkdir(parents=True)
    odd = next((name for name in files if not set(name.split("/")).isdisjoint(_NO_NAMES)), None)
    if odd is not None:  # fast-import takes them, and whoever reads the commit does not
        raise UsageError(f"The data set holds a file that no repository can have: {odd[:80]!r}")
    Command(place).run_outside("init", "--quiet", "--initial-branch=main", ".")
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    stream = [_BEGIN % int(midnight.timestamp())]
    for name, content in sorted(files.items()):
        mode = b"100755" if content.startswith(b"#!") else b"100644"
        stream += [b"M %s inline %s\ndata %d\n" % (mode, _quoted(name), len(content)), content, b"\n"]
    try:
        Command(place / ".git").run("fast-import", "--quiet", stdin=b"".join(stream))
    except GitFailed as failure:
        raise UsageError(f"The data set holds a file that no repository can have: {failure}") from failure


def _quoted(name: str) -> bytes:
    """The path as fast-import reads it, whatever characters it has."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode("utf-8", "surrogateescape")
