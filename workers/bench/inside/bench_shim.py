"""A pytest plugin that is put beside old projects inside the sandbox: gives them back what newer Pythons have removed.

Nothing of the project is edited. Standard library and pytest only.
"""

from __future__ import annotations

import collections
import collections.abc
import inspect
import sys
from typing import Any, NamedTuple

from _pytest.nodes import Node


class ArgSpec(NamedTuple):
    """What `inspect.getargspec` answered."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(function: Any) -> ArgSpec:
    """As it was before Python 3.11."""
    full = inspect.getfullargspec(function)
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = getargspec  # type: ignore[attr-defined]
if not hasattr(sys, "setcheckinterval"):
    sys.setcheckinterval = lambda _: None  # type: ignore[attr-defined]
if not hasattr(Node, "get_marker"):
    Node.get_marker = Node.get_closest_marker  # type: ignore[attr-defined]
