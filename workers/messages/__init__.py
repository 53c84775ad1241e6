"""Every sentence people read about a run, as pure functions. Numbers come from the harness, never from a model.

Text of the repository, of tools and of models enters only through `quote`, `fence` and `plain`.
"""

from __future__ import annotations

from workers.messages.commits import Habit, branch, commit_message, habit, pull_request_title
from workers.messages.notices import ended, fitting, nothing_held, proposed, started
from workers.messages.pull_request import comment_body, pull_request_body, review_body, suggestion

__all__ = [
    "Habit",
    "branch",
    "comment_body",
    "commit_message",
    "ended",
    "fitting",
    "habit",
    "nothing_held",
    "proposed",
    "pull_request_body",
    "pull_request_title",
    "review_body",
    "started",
    "suggestion",
]
