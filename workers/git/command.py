"""Runs git so that no hook, filter, helper or protocol of a repository or machine can act on the host.

Knows the options and the environment of every git process we start, and nothing about what they are started for.
"""

from __future__ import annotations

import base64
import errno
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from git.cmd import Git as GitPython

OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "core.attributesFile=/dev/null",
    "core.quotePath=false",
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


class GitFailed(Exception):  # noqa: N818 - a state, like the sandbox's
    """Git ended with an unexpected status. `stderr` is for logs and for telling cases apart, not for people."""

    def __init__(self, args: Sequence[str], status: int, stderr: str) -> None:
        super().__init__(f"git {' '.join(args[:2])} ended with {status}: {stderr.strip()[-400:]}")
        self.status = status
        self.stderr = stderr

    @property
    def timed_out(self) -> bool:
        """The process was killed by our own deadline."""
        return self.stderr.startswith("Timeout:")


def is_full(trouble: OSError | GitFailed) -> bool:
    """No space is left, as the system or git says it."""
    if isinstance(trouble, GitFailed):
        return os.strerror(errno.ENOSPC).lower() in trouble.stderr.lower()
    return trouble.errno in (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Command:
    """Git for one repository directory. `protocols` is a colon list, empty for work that needs no network."""

    directory: Path
    protocols: str = ""

    def run(
        self,
        *args: str,
        stdin: bytes | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 60,
        ok: Sequence[int] = (0,),
        keep: Sequence[int] = (),
    ) -> bytes:
        """Run one git command with `--git-dir` set to the directory and return its stdout; raise `GitFailed`.

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
            status, out, stderr = GitPython(str(self.directory)).execute(
                [*_without_inherited(ours), "git", *options, *tail],
                istream=source,
                env=ours,
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
                kill_after_timeout=timeout,
                pass_fds=keep,
            )
        if status not in ok:
            raise GitFailed(args, status, str(stderr))
        return bytes(out)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.directory),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": self.protocols,
            "GIT_NO_LAZY_FETCH": "1",
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


def _without_inherited(ours: Mapping[str, str]) -> list[str]:
    # GitPython starts children with the whole environment of the worker, its secrets included, and offers no way
    # to take variables out. Names alone are looked at here, never values.
    drop = [name for name in os.environ if name not in INHERITED and name not in ours and name != "LC_ALL"]
    return ["env", *(part for name in drop for part in ("-u", name))]
