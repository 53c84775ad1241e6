"""Forked children: they tell what they find as JSON lines through a pipe, and are killed with all their processes."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from .allowance import used

SLACK_BYTES = 1 << 30
PATIENT = 4
"""How many times as long a child may be silent on the clock as in processor time of its own."""
if TYPE_CHECKING:  # Python 3.8 cannot evaluate them
    Row = dict[str, Any]
    Tell = Callable[[Row], None]


def override(texts: dict[str, bytes]) -> None:
    """Let imports see other texts for some files; the work tree stays as it is."""
    from importlib.machinery import SourceFileLoader

    original = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        path = str(Path(self.get_filename(fullname)).resolve())
        if path in texts:
            return compile(texts[path], path, "exec", dont_inherit=True)
        return original(self, fullname)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


class Child:
    """One forked process. `limit` is how long it may be silent, in processor time of its own, and `PATIENT` times that
    on the clock; `ended` is empty while it runs, then how it ended, and `cpu_s` what it has taken then."""

    def __init__(self, work: Callable[[Tell], None], limit: float) -> None:
        self.read, write = os.pipe()
        self.limit = limit
        self.started = self.heard = time.monotonic()
        self.heard_at = self.cpu_s = 0.0
        self.data = b""
        self.ended = ""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.setpgid(0, 0)
                os.close(self.read)
                quiet()
                work(lambda row: tell(write, row))
                tell(write, {"end": True})
            finally:
                os._exit(0)
        os.close(write)

    def poll(self) -> list[Row]:
        """What it has told since the last time."""
        rows: list[Row] = []
        while not self.ended and select.select([self.read], [], [], 0)[0]:
            chunk = os.read(self.read, 1 << 16)
            if not chunk:
                self.end("crash")
                break
            self.heard, self.heard_at = time.monotonic(), used(self.pid)
            self.data += chunk
            rows += self._rows()
        if not self.ended and self._silent():
            self.end("timeout")
        return rows

    def _silent(self) -> bool:
        quiet_s = time.monotonic() - self.heard
        if quiet_s <= self.limit:
            return False
        return quiet_s > self.limit * PATIENT or used(self.pid) > self.heard_at + self.limit

    def _rows(self) -> list[Row]:
        *lines, self.data = self.data.split(b"\n")
        rows: list[Row] = []
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and row.get("end"):
                self.end("done")
            elif isinstance(row, dict):
                rows.append(row)
        return rows

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def end(self, how: str) -> None:
        if self.ended:
            return
        self.ended = how
        for kill in (os.killpg, os.kill):
            try:
                kill(self.pid, signal.SIGKILL)
            except OSError:
                continue
        os.close(self.read)
        spent = os.wait4(self.pid, 0)[2]
        self.cpu_s = spent.ru_utime + spent.ru_stime


def tell(write: int, row: Row) -> None:
    data = json.dumps(row).encode() + b"\n"
    os.set_blocking(write, True)
    while data:
        data = data[os.write(write, data) :]


def quiet() -> None:
    """Nothing the tests print is wanted, and a candidate may not eat the container's memory."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    ceiling = pages * resource.getpagesize() + SLACK_BYTES
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or ceiling < hard:
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))


def answer(work: Callable[[], Row], limit: float) -> Row:
    """The one row of a child, with the seconds it took; `timeout` or `crash` when there is none."""
    child = Child(lambda say: say(work()), limit)
    rows: list[Row] = []
    while not child.ended:
        wait([child], 0.2)
        rows += child.poll()
    return {**rows[-1], "seconds": child.seconds} if rows else {child.ended: True}


def wait(children: Iterable[Child], seconds: float) -> None:
    """Until one of them says something, or the time is over."""
    select.select([child.read for child in children if not child.ended], [], [], seconds)
