"""Every sentence people read about a run, as pure functions. Numbers come from the harness, never from a model.

Text of the repository, of tools and of models enters only through `quote`, `fence` and `plain`.
"""

from __future__ import annotations

from workers.messages.notices import ended, fitting, nothing_held, proposed, started
from workers.messages.pull_request import branch, commit_message, pull_request_body, pull_request_title

__all__ = [
    "branch",
    "commit_message",
    "ended",
    "fitting",
    "nothing_held",
    "proposed",
    "pull_request_body",
    "pull_request_title",
    "started",
]
