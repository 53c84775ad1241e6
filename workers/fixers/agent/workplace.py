"""The agent's shell: a session of the sandbox, opened when a command is really run, and opened anew from the last known
difference where the one before was lost, in another process or to a command."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType

from sandbox.spec import Did, Session, Sessions
from workers.ports import Workbench
from workers.reruns import limits

_SHELL = "bash {0}"
"""Whatever the check's own is: a command that fails in the middle of a script is no reason not to see the rest."""
_OPENING_S = 300.0
"""What a session lasts beyond the episode's own time: its opening, and a model that thinks."""


class Workplace:
    """A shell over a bench's environment, as a context manager that leaves no container behind."""

    def __init__(self, bench: Workbench, sessions: Sessions, seconds: float) -> None:
        plan = bench.reproduction.plan
        self._step, self._tree, self._sessions = replace(plan.check, shell=_SHELL), bench.tree, sessions
        self._limits = replace(limits(plan), wall_s=seconds + _OPENING_S)
        self._session: Session | None = None
        self._at = b""

    def __enter__(self) -> Workplace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def run(self, script: str, seconds: float, before: bytes) -> Did:
        """Run a script where the files differ from the commit as `before` says. Raises `NoSession` when they cannot be
        made so."""
        if self._session is None or self._at != before:
            self._leave()
            self._session = self._sessions.session(self._step, self._tree.tar(), before, self._limits)
        did = self._session.run(script, seconds)
        if did.diff is None or did.spent:
            self._leave()
        else:
            self._at = did.diff
        return did

    def _leave(self) -> None:
        session, self._session, self._at = self._session, None, b""
        if session is not None:
            session.close()
