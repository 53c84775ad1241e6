"""What asking a model can end in, besides an answer. Trouble that passes is `workers.errors.Retryable`.

ModelError
 +-- ModelRefused     the model will not answer this
 +-- OutOfQuota       no credit left, or no right to use the model: final until somebody acts
 +-- ContextTooLong   the prompt must become shorter
 +-- BadAnswer        the endpoint answered, but not with a text (empty, cut off at the length limit)
"""

from __future__ import annotations


class ModelError(Exception):
    """Root of the tree."""


class ModelRefused(ModelError):  # noqa: N818 - states read better where they are raised
    pass


class OutOfQuota(ModelError):  # noqa: N818
    pass


class ContextTooLong(ModelError):  # noqa: N818
    pass


class BadAnswer(ModelError):  # noqa: N818
    pass
