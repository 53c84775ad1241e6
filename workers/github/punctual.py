"""The body of a request that may only begin until a certain time: it looks at the clock while it is being sent.

By then the pause between two writes is over and the connection stands, so nothing is left that waits. A request whose
body does not come is none for GitHub.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

_PIECE = 16_384
"""Bytes between two looks: what the system takes at once from a process that may be stopped at any time."""


class TooLate(Exception):  # noqa: N818 - it is tried again, or ends with the lease
    """The time was over before the whole request was sent: it was not made."""


class Punctual:
    """What `requests` takes as a body of a known length. It may be sent again, with a new token say."""

    def __init__(self, content: bytes, until: float) -> None:
        self._content = content
        self._until = until

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._content), _PIECE):
            if time.monotonic() >= self._until:
                raise TooLate
            yield self._content[at : at + _PIECE]
