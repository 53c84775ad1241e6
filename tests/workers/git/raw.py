"""Git objects as an attacker writes them: any bytes in any order, with nothing of git that could refuse."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE, LINK, FOLDER, SUBMODULE = "100644", "120000", "40000", "160000"
Entry = tuple[str, bytes, str]
"""The mode, the name and the object's sha of one line of a tree."""


@dataclass(frozen=True)
class Objects:
    """The loose objects of the repository whose git folder this is."""

    git_dir: Path

    def put(self, kind: str, body: bytes) -> str:
        """Write an object of a kind with these bytes; answers its sha."""
        whole = b"%s %d\0" % (kind.encode(), len(body)) + body
        sha = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        path = self.git_dir / "objects" / sha[:2] / sha[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(zlib.compress(whole, 1))
        return sha

    def blob(self, content: bytes) -> str:
        """A file's content."""
        return self.put("blob", content)

    def tree(self, *entries: Entry) -> str:
        """A folder, its entries in the order given."""
        return self.put("tree", b"".join(b"%s %s\0" % (mode.encode(), name) + bytes.fromhex(sha)
                                         for mode, name, sha in entries))  # fmt: skip

    def commit(
        self, tree: str, parents: Sequence[str] = (), message: bytes = b"First\n", who: bytes = b"Dev <d@e>"
    ) -> str:
        """A commit of a tree."""
        lines = [b"tree " + tree.encode(), *(b"parent " + one.encode() for one in parents)]
        lines += [role + b" " + who + b" 1700000000 +0000" for role in (b"author", b"committer")]
        return self.put("commit", b"\n".join([*lines, b"", message]))
