"""How git writes a change of one file, without git: for tests of those who read diffs."""

from __future__ import annotations

import difflib


def between(path: str, before: str | None, after: str | None) -> str:
    """The diff of one file; None where there is none before or after."""
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\n" if before is None else "deleted file mode 100644\n" if after is None else ""
    lines = difflib.unified_diff(
        (before or "").splitlines(keepends=True),
        (after or "").splitlines(keepends=True),
        "/dev/null" if before is None else f"a/{path}",
        "/dev/null" if after is None else f"b/{path}",
    )
    return head + "".join(lines)
