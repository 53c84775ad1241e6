"""What asking a model can end in, besides an answer. Trouble that passes is `workers.errors.Retryable`.

ModelError
 +-- ModelRefused     the model, or a filter before it, will not answer this
 +-- Unavailable      no credit, no right to use the model, no way to it: final until somebody acts
 +-- ContextTooLong   the prompt must become shorter
 +-- BadAnswer        the endpoint answered, but not with a text (empty, cut off at the length limit)
"""

from __future__ import annotations

from workers.llm.exchange import Answer


class ModelError(Exception):
    """Root of the tree. `paid` is the bill of an answer that is none, where the endpoint sent one."""

    def __init__(self, message: str, paid: Answer | None = None) -> None:
        super().__init__(message)
        self.paid = paid


class ModelRefused(ModelError):  # noqa: N818 - states read better where they are raised
    pass


class Unavailable(ModelError):  # noqa: N818
    pass


class ContextTooLong(ModelError):  # noqa: N818
    pass


class BadAnswer(ModelError):  # noqa: N818
    pass
