"""Scripts of the repository that a shell, or a program, was not allowed to run: the failure names them, and the files
begin with `#!`. What a commit made on a system without modes leaves behind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from workers.domain import Diagnosis
from workers.ports import Files

_PATH = r"(?P<path>[^\s:'\"`\u2018\u2019]{1,300})"
_DENIED = (
    re.compile(rf"(?:^|[\s'\"`\u2018]){_PATH}['\"`\u2019]?: Permission denied"),  # bash, dash, make, env
    re.compile(rf"Permission denied:? \(?['\"]{_PATH}['\"]"),  # Python
    re.compile(rf"\bspawn {_PATH} EACCES\b"),  # Node
)
_LINE, _MOST = 2000, 20


def not_executable(diagnosis: Diagnosis, files: Files) -> tuple[str, ...]:
    """The scripts' paths, in the order in which they are named."""
    lines = [line[:_LINE] for line in (*(one.message for one in diagnosis.findings), *diagnosis.excerpt.split("\n"))]
    named = [match["path"] for line in lines for pattern in _DENIED if (match := pattern.search(line))]
    paths = files.paths()
    found = dict.fromkeys(path for name in islice(dict.fromkeys(named), _MOST) if (path := _one(name, paths)))
    return tuple(path for path in found if (files.read(path) or b"").startswith(b"#!"))


def _one(name: str, paths: Sequence[str]) -> str | None:
    """The file of the repository that is meant: the one whose path ends so, or that an absolute path ends with."""
    bare = re.sub(r"^(?:\.{1,2}/){1,20}", "", name)
    ends = [path for path in paths if path == bare or path.endswith(f"/{bare}")]
    if name.startswith("/"):
        ends = [path for path in paths if name.endswith(f"/{path}")]
    return ends[0] if len(ends) == 1 else next((path for path in ends if path == bare), None)
