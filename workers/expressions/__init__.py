"""The `${{ }}` expressions of workflow files, with GitHub's rules, as far as their values are known here.

What cannot be known raises `Unresolved` or is named in `Rendered`; it is never empty. Nothing else is ever raised.
"""

from __future__ import annotations

from workers.expressions.hash_files import Files
from workers.expressions.interpolation import Rendered, evaluate, holds, is_expression, render, resolve, statuses
from workers.expressions.values import (
    Contexts,
    Invalid,
    Later,
    Partial,
    Secret,
    Unknown,
    Unresolved,
    as_text,
    truthy,
)

__all__ = [
    "Contexts",
    "Files",
    "Invalid",
    "Later",
    "Partial",
    "Rendered",
    "Secret",
    "Unknown",
    "Unresolved",
    "as_text",
    "evaluate",
    "holds",
    "is_expression",
    "render",
    "resolve",
    "statuses",
    "truthy",
]
