"""Every sentence people read about a run, as pure functions. Numbers come from the harness, never from a model.

Text of the repository, of tools and of models enters only through `quote`, `fence` and `plain`.
"""

from __future__ import annotations

from workers.messages.ci import Red, said
from workers.messages.commits import Habit, branch, commit_message, habit, pull_request_title
from workers.messages.notices import ended, fitting, nothing_held, proposed, reproduced, started, without_model
from workers.messages.ours import conflicts_again, conflicts_for_good, mended_elsewhere, taken_in, taken_over
from workers.messages.pull_request import comment_body, pull_request_body, review_body, suggestion
from workers.messages.reported import first_message
from workers.messages.reviews import attempt_rejected, cannot_go_on, from_evidence, hands_off, review_replies, wanted

__all__ = [
    "Habit",
    "Red",
    "attempt_rejected",
    "branch",
    "cannot_go_on",
    "comment_body",
    "commit_message",
    "conflicts_again",
    "conflicts_for_good",
    "ended",
    "first_message",
    "fitting",
    "from_evidence",
    "habit",
    "hands_off",
    "mended_elsewhere",
    "nothing_held",
    "proposed",
    "pull_request_body",
    "pull_request_title",
    "reproduced",
    "review_body",
    "review_replies",
    "said",
    "started",
    "suggestion",
    "taken_in",
    "taken_over",
    "wanted",
    "without_model",
]
