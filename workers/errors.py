"""Three kinds of failure, told apart by type.

Stop       expected: ends the run in a stated outcome, told to people
Retryable  machine trouble: the run is parked and tried again after a while
UsageError  wrong use of the command line or a wrong setting: one line for the person, exit code 2
LeaseLost  another worker has the run: drop everything, write nothing
(anything else is our bug: logged with the run's id, outcome CRASHED)
"""

from __future__ import annotations

from workers.domain import Case, Outcome


class Stop(Exception):  # noqa: N818 - control flow, not an error
    """Ends the run. `detail` is one or two sentences for people, `data` what the message needs. `follow_up` is a red
    job that has to be healed instead."""

    def __init__(self, outcome: Outcome, detail: str, *, follow_up: Case | None = None, **data: object) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail
        self.follow_up = follow_up
        self.data = data


class Retryable(Exception):  # noqa: N818
    """Trouble that passes: `after` seconds until the next try, `blame` names the part (engine, github, model...)."""

    def __init__(self, message: str, *, blame: str, after: float = 30.0) -> None:
        super().__init__(message)
        self.blame = blame
        self.after = after


class Park(Exception):  # noqa: N818
    """Not trouble: the run waits for somebody else (the repository's CI) and is rung again after `after` seconds."""

    def __init__(self, message: str, *, after: float) -> None:
        super().__init__(message)
        self.after = after


class LeaseLost(Exception):  # noqa: N818
    """The fence moved on: this worker may change nothing any more."""


class UsageError(Exception):
    """What the person at the command line asked for cannot be done as asked; the message says what to do instead."""
