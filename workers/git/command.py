"""Runs git so that no hook, filter, helper or protocol of a repository or machine can act on the host.

Knows the options and the environment of every git process we start, and nothing about what they are started for.
"""

from __future__ import annotations

import base64
import errno
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from git.cmd import Git as GitPython

from workers.git import bounded
from workers.git.bounded import Limit

OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "core.attributesFile=/dev/null",
    "core.quotePath=false",
    "core.protectHFS=true",  # names that only other file systems take for `.git` are refused here as well
    "core.protectNTFS=true",
    "credential.helper=",
    "diff.external=",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "transfer.fsckObjects=true",
    "safe.bareRepository=explicit",
    "http.followRedirects=false",  # the token's header must not follow a redirect to another host
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=30",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "init.defaultBranch=main",
)

INHERITED = frozenset(
    {
        *("PATH", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
"""All that a git process sees of the worker's environment: no App key, no model key, no GIT_* of an outer hook."""


OUTPUT_LIMIT = 64 << 20
"""Bytes that one command may say: forty tiny trees that name each other twice list a million million files."""

ALLOCATION_LIMIT = "768m"
"""The most memory that git may ask for at once: a few bytes of a pack can unfold to any size."""

FILE_LIMIT = 2 << 30
"""Bytes of a file that a command may write: a pack from the network, an archive."""


_TOO_LARGE = ("signal 25", "file too large", "over limit", "out of memory")
_NO_SPACE = (os.strerror(errno.ENOSPC).lower(), os.strerror(errno.EDQUOT).lower(), "out of diskspace")
"""How the system says it, and git in words of its own, at the end of a line: names of files stand before."""


class GitFailed(Exception):  # noqa: N818 - a state, like the sandbox's
    """Git ended with an unexpected status. `stderr` is for logs and for telling cases apart, not for people."""

    def __init__(self, args: Sequence[str], status: int, stderr: str, over: Limit | None = None) -> None:
        ended = over.value if over else f"ended with {status}"
        super().__init__(f"git {' '.join(args[:2])} {ended}: {stderr.strip()[-400:]}")
        self.status = status
        self.stderr = stderr
        self._over = over

    @property
    def timed_out(self) -> bool:
        """The process was killed by our own deadline."""
        return self._over is Limit.TIME

    @property
    def killed(self) -> bool:
        """Somebody else ended the process, the system for want of memory say: nothing is known of what it was about."""
        return self._over is None and self.status == -signal.SIGKILL

    @property
    def too_large(self) -> bool:
        """What it was about is larger than we read, write or keep in memory."""
        said = self.stderr.lower()
        cut = self._over is Limit.OUTPUT or self.status == -signal.SIGXFSZ
        return cut or any(mark in said for mark in _TOO_LARGE)


def is_full(trouble: OSError) -> bool:
    """No space is left for us."""
    return trouble.errno in (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Command:
    """Git for one repository directory. `protocols` is a colon list, empty for work that needs no network; `largest`
    are the bytes of the largest file that a command may write."""

    directory: Path
    protocols: str = ""
    largest: int = FILE_LIMIT

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        ok: Sequence[int] = (0,),
        keep: Sequence[int] = (),
    ) -> bytes:
        """Run one git command with `--git-dir` set to the directory and return its stdout; raise `GitFailed`, or the
        system's own OSError when no space is left: that says nothing of the repository.

        `keep` are open files that git holds as long as it lives, such as a lock."""
        return self._execute([f"--git-dir={self.directory}", *args], args, stdin, env, timeout, ok, keep)

    def run_outside(self, *args: str, config: Sequence[str] = (), timeout: float = 60) -> bytes:
        """Run one git command that makes or discovers a repository, in the directory, with no `--git-dir`."""
        extra = [part for option in config for part in ("-c", option)]
        return self._execute([*extra, *args], args, None, None, timeout, (0,))

    def _execute(
        self,
        tail: Sequence[str],
        args: Sequence[str],
        stdin: bytes | None,
        env: Mapping[str, str] | None,
        timeout: float,
        ok: Sequence[int],
        keep: Sequence[int] = (),
    ) -> bytes:
        ours = {**self._environment(), **(env or {})}
        options = [part for option in OPTIONS for part in ("-c", option)]
        with tempfile.TemporaryFile() as source:
            if stdin is not None:
                source.write(stdin)
                source.seek(0)
            started = GitPython(str(self.directory)).execute(
                [*_without_inherited(ours), *_LIMITED, str(self.largest // 512), "git", *options, *tail],
                istream=source,
                env=ours,
                as_process=True,
                start_new_session=True,
                pass_fds=keep,
            )
            said = bounded.read(started.proc, OUTPUT_LIMIT, timeout)
        if said.status in ok and not said.over:
            return said.out
        words = said.err.decode(errors="replace")
        if any(line.endswith(_NO_SPACE) for line in words.lower().splitlines()):
            raise OSError(errno.ENOSPC, words.strip()[-400:])
        raise GitFailed(args, said.status, words, said.over)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": self.protocols,
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOC_LIMIT": ALLOCATION_LIMIT,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def authorization(url: str, token: str) -> dict[str, str]:
    """The environment that sends an installation token with requests to the URL's host: never argv, never a file."""
    scheme, _, rest = url.partition("://")
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"http.{scheme}://{rest.split('/')[0]}/.extraHeader",
        "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {basic}",
    }


_LIMITED = ("sh", "-c", 'ulimit -f "$0" && exec "$@"')
"""Python can set a limit for a child only in a way that is unsafe beside threads; a shell counts in 512 bytes."""


def _without_inherited(ours: Mapping[str, str]) -> list[str]:
    # GitPython starts children with the whole environment of the worker, its secrets included, and offers no way
    # to take variables out. Names alone are looked at here, never values.
    drop = [name for name in os.environ if name not in INHERITED and name not in ours and name != "LC_ALL"]
    return ["env", *(part for name in drop for part in ("-u", name))]
