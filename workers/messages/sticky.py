"""The one comment that Heal keeps on a pull request or an issue: what each run has to say, the newest first.

Runs are told apart by markers that people do not see. What was said about an earlier commit shrinks to its headline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workers.messages.markup import LIMIT, details

MOST_EARLIER = 5

_BLOCK = re.compile(r"<!-- heal:run=([\w-]{1,40}) sha=(\w{0,64}) -->")
_EARLIER = re.compile(r"^- (.*) <!-- heal:was=([\w-]{1,40}) sha=(\w{0,64}) -->$", re.MULTILINE)
_FOLDED = "<!-- heal:earlier -->"
_MARK = re.compile(r"<!--(?= heal:)")


@dataclass(frozen=True)
class Block:
    """What one run says about one commit (its first 7 digits)."""

    run: str
    sha: str
    text: str


def is_sticky(body: str) -> bool:
    """The comment is the sticky one, if it is ours at all: anybody can write the marker."""
    return _BLOCK.search(body) is not None


def merged(body: str, new: Block) -> str:
    """The comment with what a run says now. The same words again change nothing."""
    blocks, earlier = _read(body)
    # A log may hold our own markers: none of its text may begin or end a block.
    new = Block(new.run, new.sha, _MARK.sub("<!\u200b--", new.text).strip())
    others = [block for block in blocks if block.run != new.run]
    known = len(others) < len(blocks)  # a run keeps its place when it speaks again
    ordered = [new if block.run == new.run else block for block in blocks] if known else [new, *others]
    current = [block for block in ordered if block.sha == new.sha]
    past = [block for block in ordered if block.sha != new.sha]
    return _written(current, [*past, *(block for block in earlier if block.run != new.run)][:MOST_EARLIER])


def joined(bodies: Sequence[str]) -> str:
    """The first comment, with what runs say in the others that it knows nothing of."""
    body = bodies[0]
    for other in bodies[1:]:
        known = {block.run for part in _read(body) for block in part}
        for block in reversed(_read(other)[0]):
            body = body if block.run in known else merged(body, block)
    return body


def _read(body: str) -> tuple[list[Block], list[Block]]:
    shown, _, folded = body.partition(_FOLDED)
    pieces = _BLOCK.split(shown)  # text, run, sha, text, run, sha, ..., rest
    blocks = [Block(pieces[n + 1], pieces[n + 2], pieces[n].strip()) for n in range(0, len(pieces) - 1, 3)]
    return blocks, [Block(run, sha, text) for text, run, sha in _EARLIER.findall(folded)]


def _written(blocks: list[Block], earlier: list[Block]) -> str:
    body = "\n\n".join(f"{block.text}\n\n<!-- heal:run={block.run} sha={block.sha} -->" for block in blocks)
    lines = [f"- {_headline(block)} <!-- heal:was={block.run} sha={block.sha} -->" for block in earlier]
    if lines:
        body += f"\n\n{_FOLDED}\n{details('Earlier', chr(10).join(lines))}"
    if len(body) > LIMIT + 4_000 and (earlier or len(blocks) > 1):  # the newest words matter most
        return _written(blocks[:-1] if len(blocks) > 1 else blocks, [])
    return body


def _headline(block: Block) -> str:
    """The first paragraph, which says how it ended and where the evidence is. It is a headline already once folded."""
    first = " ".join(block.text.split("\n\n", 1)[0].split())
    return first if first.startswith("On `") else f"On `{block.sha}`: {first}".rstrip()
