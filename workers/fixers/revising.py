"""A change of ours as it stands, seen as files: what a review's remarks are about, and what a new patch starts from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workers.domain import Remark
from workers.patch import PatchError
from workers.ports import Revision, Workbench


@dataclass(frozen=True)
class Patched:
    """`workers.ports.Files`: the tree of the workbench with our present patch applied."""

    bench: Workbench
    changed: Mapping[str, bytes | None]

    def paths(self) -> Sequence[str]:
        """Every regular file, sorted."""
        gone = {path for path, data in self.changed.items() if data is None}
        return sorted({*self.bench.tree.paths(), *self.changed} - gone)

    def read(self, path: str) -> bytes | None:
        """The content as the change leaves it."""
        return self.changed[path] if path in self.changed else self.bench.tree.read(path)

    def diff(self, edits: Mapping[str, bytes | None]) -> str:
        """The whole new patch, against the commit that the change was made for."""
        whole = {**self.changed, **edits}
        return self.bench.tree.diff({path: data for path, data in whole.items() if data != self.bench.tree.read(path)})


def patched(bench: Workbench, revision: Revision) -> Patched:
    """The files as the pull request shows them; raises `PatchError` when our patch does not fit its own commit."""
    return Patched(bench, bench.tree.apply(revision.ours.patch))


def met(before: Patched, patch: str, revision: Revision, among: Iterable[int]) -> tuple[int, ...]:
    """Of these remarks, those whose lines a new patch changes; a remark that stands at no line counts with any change.

    A line counts as left alone when it still stands between its neighbours of before.
    """
    try:
        after = before.bench.tree.apply(patch)
    except PatchError:
        return ()
    return tuple(n for n in among if _touched(before, after, revision.remarks[n]))


def lines(content: bytes) -> list[bytes]:
    """The lines with their ends, as GitHub counts them: a carriage return alone ends none."""
    *whole, rest = content.split(b"\n")
    return [*(line + b"\n" for line in whole), *([rest] if rest else [])]


def _touched(before: Patched, after: Mapping[str, bytes | None], remark: Remark) -> bool:
    if not remark.path:
        return True
    old, new = before.read(remark.path), after.get(remark.path, before.bench.tree.read(remark.path))
    if not remark.line or old is None or new is None:
        return False
    first = max((remark.start_line or remark.line) - 2, 0)
    around = [line.rstrip(b"\r\n") for line in lines(old)[first : remark.line + 1]]
    now = [line.rstrip(b"\r\n") for line in lines(new)]
    return bool(around) and b"\n".join([b"", *around, b""]) not in b"\n".join([b"", *now, b""])
