"""A worker that is stopped between the answer of its guard and the request that it allowed, run as a process.

`python -m tests.workers.forge.sleeper URL SECONDS`: the write may begin within so many seconds; its time is printed
before it stops itself. Once it goes on, the guard says that the lease is lost.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from github import Github

from workers.errors import LeaseLost
from workers.github.api import Api


def say(text: str) -> None:
    """To the test, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(url: str, seconds: float) -> None:
    """Ends with "lost" when nothing was sent."""
    client = Github(base_url=url, retry=None)
    asked: list[float] = []

    def guard() -> float:
        if asked:
            raise LeaseLost
        asked.append(time.monotonic() + seconds)
        say(str(asked[0]))
        os.kill(os.getpid(), signal.SIGSTOP)
        return asked[0]

    try:
        Api(client.requester, guard).send("POST", "/check-runs", {"name": "heal"})
        say("sent")
    except LeaseLost:
        say("lost")


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
