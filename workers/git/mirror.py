"""One bare mirror per repository: the pinned commit is fetched by its sha, or its objects are read where they lie.
Its history is fetched only where somebody asks for it, and no further back than needed.

Knows how git's complaints about a remote translate into the outcomes of a run.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.domain import Commit, Outcome, Sha
from workers.errors import Retryable, Stop
from workers.git.command import Command, GitFailed, authorization
from workers.git.lineage import MOST_COMMITS, MirrorLineage, first_parents, since
from workers.git.listing import larger
from workers.git.tree import MirrorTree

ATTRIBUTES = (
    "* -export-ignore -export-subst -filter -ident -text -whitespace !diff !merge !working-tree-encoding !eol\n"
)
"""Beats every .gitattributes of the tree: `export-ignore` would hide files from the archive, `export-subst` rewrite
them, `-diff` turn our patch into "binary files differ"."""

LOCK = "heal.lock"
FETCH_TIMEOUT_S = 300.0
HISTORY_TIMEOUT_S = 90.0
LOCK_TIMEOUT_S = 310.0

_COMMIT_GONE = ("not our ref", "remote ref", "unadvertised object", "no such remote ref", "expected shallow")
_REPOSITORY_GONE = ("not found", "error: 403", "error: 401", "error: 404", "error: 410", "authentication failed")
_REPOSITORY_GONE_MORE = ("could not read username", "access denied", "permission to ")
_UNKNOWN_TOKEN = ("error: 401", "authentication failed", "could not read username")
_OTHER_NAME = (*_COMMIT_GONE, *_REPOSITORY_GONE, "error: 301")
"""What git says at a name that leads to another one, to nothing, or to somebody else's repository. It follows none:
`http.followRedirects` is off."""
_FOUND = ("fsck error", "badobject", "bad object")
_CUT_OFF = ("early eof", "unexpected disconnect", "hung up", "rpc failed", "died of signal")
_DAMAGED = ("index-pack failed", "invalid index-pack")
"""Git says so of every pack that does not come to its end, whatever the reason."""


class Mirror:
    """The bare mirror at `directory`. `token` is asked for only when the network is really needed, `renew`
    for another one when the first is not accepted, `present` for the url again when nothing is found there: a
    repository may have got another name. What is fetched is named by its hash, so a name cannot bring anything else.

    `url` must be http(s); plain http is allowed only when the operator's own setting says http, by giving such a url.
    """

    def __init__(
        self,
        directory: Path,
        url: str = "",
        token: Callable[[], str] | None = None,
        renew: Callable[[], str] | None = None,
        present: Callable[[], str] | None = None,
    ) -> None:
        scheme = url.partition("://")[0]
        if url and scheme not in {"http", "https"}:
            raise ValueError("a mirror fetches over http or https only")
        self.directory = directory
        self._url = url
        self._token = token
        self._renew = renew
        self._present = present
        self.git = Command(directory, protocols=scheme)

    def fetch(self, sha: Sha) -> MirrorTree:
        """The tree of the commit, from the network only when the mirror does not hold it yet."""
        _check(sha)
        with self._locked() as lock:
            self._ensure()
            if not self._holds(sha):
                self._download(sha, lock)
        return MirrorTree(self.git, sha)

    def lineage(self, good: Sha, red: Sha) -> MirrorLineage | None:
        """The first-parent history from one commit to another that came after it; None when it is longer than
        `lineage.MOST_COMMITS`, the one does not lead to the other, or it cannot be had: history is only a clue, so the
        trouble of getting it is not the run's. The network is asked for what is missing."""
        _check(good)
        _check(red)
        with self._locked() as lock:
            self._ensure()
            for depth in self._depths():
                if depth and not self._deepened(red, depth, lock):
                    return None
                if commits := self._since(good, red):
                    return MirrorLineage(self.git, commits)
        return None

    def _deepened(self, red: Sha, depth: int, lock: int) -> bool:
        try:
            self._download(red, lock, depth, HISTORY_TIMEOUT_S)
        except Retryable:
            return False
        return True

    def _since(self, good: Sha, red: Sha) -> tuple[Commit, ...]:
        try:
            return since(first_parents(self.git, red, MOST_COMMITS + 1), good)
        except GitFailed:  # a checkout that is shallow itself has no objects where its history ends
            return ()

    def _depths(self) -> tuple[int, ...]:
        """How deep to fetch, one after the other: first what is there, then more; nothing for a mirror without url."""
        return (0, 33, MOST_COMMITS + 1) if self._url else (0,)

    def borrow(self, objects: Path, sha: Sha) -> MirrorTree:
        """The tree of a commit whose objects lie in a local checkout's object folder.

        Objects are read in place as an alternate, so no git process ever runs under that checkout's configuration.
        """
        _check(sha)
        with self._locked():
            self._ensure()
            (self.directory / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
        try:
            self.git.run("rev-parse", "--verify", "--quiet", f"{sha}^{{tree}}")
        except GitFailed as failure:
            raise Stop(Outcome.UNSUPPORTED, f"Commit {sha[:12]} is not complete in this checkout.") from failure
        return MirrorTree(self.git, sha)

    def _holds(self, sha: Sha) -> bool:
        # The ref is written after the pack: it, not the object, says that a fetch was complete.
        try:
            self.git.run("rev-parse", "--verify", "--quiet", f"refs/heal/{sha}^{{tree}}")
        except GitFailed:
            return False
        return True

    def _download(self, sha: Sha, lock: int, depth: int = 1, timeout: float = FETCH_TIMEOUT_S) -> None:
        options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet", f"--depth={depth}")

        def fetch(token: Callable[[], str] | None) -> None:
            env = authorization(self._url, token()) if token else {}
            refs = f"+{sha}:refs/heal/{sha}"
            self.git.run("fetch", *options, self._url, refs, env=env, timeout=timeout, keep=(lock,))

        try:
            try:
                self._with_token(fetch)
            except GitFailed as failure:
                if not any(mark in failure.stderr.lower() for mark in _OTHER_NAME) or not self._has_moved():
                    raise
                self._with_token(fetch)
        except GitFailed as failure:
            raise translate(failure, sha) from failure

    def _with_token(self, fetch: Callable[[Callable[[], str] | None], None]) -> None:
        try:
            fetch(self._token)
        except GitFailed as failure:
            if self._renew is None or not any(mark in failure.stderr.lower() for mark in _UNKNOWN_TOKEN):
                raise
            fetch(self._renew)

    def _has_moved(self) -> bool:
        """The url is another one by now."""
        before, self._url = self._url, self._present() if self._present else self._url
        return self._url != before

    def _ensure(self) -> None:
        _clear_left(self.directory)
        attributes = self.directory / "info" / "attributes"
        if attributes.exists() and attributes.read_text() == ATTRIBUTES:  # written last: the mirror is whole
            return
        try:
            Command(self.directory).run_outside("init", "--quiet", "--bare", "--template=", ".")
        except GitFailed as failure:
            raise Retryable(f"the mirror could not be made: {failure}", blame="git") from failure
        attributes.parent.mkdir(exist_ok=True)
        attributes.write_text(ATTRIBUTES)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Nobody else writes to the mirror meanwhile, not even a git whose worker has died: a fetch inherits the lock,
        whose file descriptor this gives."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        with (self.directory / LOCK).open("w") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Retryable("another worker holds the mirror", blame="git") from None
                    time.sleep(0.02)
            yield lock.fileno()


def _clear_left(directory: Path) -> None:
    """Remove what a git that was killed has left: its lock files would stop every later fetch. Whoever calls this holds
    the mirror's lock, so no other one is at work."""
    for pattern in ("*.lock", "refs/heal/*.lock", "objects/pack/tmp_*"):
        for path in directory.glob(pattern):
            if path.name != LOCK:
                path.unlink(missing_ok=True)


def _check(sha: str) -> None:
    if not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", sha):
        raise Stop(Outcome.UNSUPPORTED, "The commit is not named by a full sha.")


def translate(failure: GitFailed, sha: Sha) -> Exception:
    """What a fetch that failed means for the run."""
    text = failure.stderr.lower()
    if failure.too_large:
        return larger(sha)
    if failure.timed_out:
        return Retryable("fetching the commit took too long", blame="github", after=60)
    if any(mark in text for mark in _REPOSITORY_GONE + _REPOSITORY_GONE_MORE):
        return Stop(Outcome.DISABLED, "The repository is gone, or Heal is no longer allowed to read it.")
    if any(mark in text for mark in _COMMIT_GONE):
        return Stop(Outcome.HEAD_MOVED, f"Commit {sha[:12]} is no longer in the repository; it was probably replaced.")
    cut_off = any(mark in text for mark in _CUT_OFF)
    if any(mark in text for mark in _FOUND) or (any(mark in text for mark in _DAMAGED) and not cut_off):
        return Stop(Outcome.UNSUPPORTED, f"Commit {sha[:12]} holds objects that git refuses as damaged or unsafe.")
    return Retryable(f"the commit could not be fetched: {failure}", blame="github", after=30)
