"""A migration that is cut off, at any statement, leaves the database as it was; run again, it ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from sqlalchemy import text

from workers.store.database import open_engine
from workers.store.schema import head, is_current, revision, upgrade

pytestmark = pytest.mark.uncounted

CUT = """
import itertools, os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from workers.store import schema

def one(url, target, at):
    made = itertools.count(1)
    @event.listens_for(Engine, "after_cursor_execute")
    def cut(connection, cursor, statement, *_):
        if not statement.startswith(("SELECT", "PRAGMA")) and next(made) == at:
            os.kill(os.getpid(), signal.SIGKILL)
    schema.upgrade(url, target)

for at in itertools.count(1, int(sys.argv[3])):
    child = os.fork()
    if child == 0:
        one(sys.argv[1], sys.argv[2], at)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(ended, flush=True)
    if ended >= 0 or not sys.stdin.readline():
        break
"""
"""Kills the migration after its first statement, then after a later one, and so on until one gets through. The parent
opens no database, so a child inherits no connection, and goes on when it is told to."""


@pytest.mark.fault(64)
@pytest.mark.parametrize(("start", "step"), [("base", 20), ("0003", 3)])
def test_a_migration_that_is_killed_can_be_run_again(empty_url: str, start: str, step: int) -> None:
    """From nothing and from the release before: at whichever statement the process is killed, the schema is the old
    one with its rows, and the same command brings the new one."""
    if start != "base":
        upgrade(empty_url, start)
    engine = open_engine(empty_url)
    if start != "base":
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO worker VALUES ('host:1', '0', 1, 1.0, 1.0)"))
    command = [sys.executable, "-c", CUT, empty_url, "head", str(step)]
    ends = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as cutting:
        assert cutting.stdin is not None
        assert cutting.stdout is not None
        for line in cutting.stdout:
            ends.append(int(line))
            if ends[-1] != 0:
                assert revision(engine) == (None if start == "base" else start)
                cutting.stdin.write("on\n")
    assert set(ends[:-1]) == {-signal.SIGKILL}
    assert len(ends) > 3
    assert ends[-1] == 0
    assert is_current(engine)
    upgrade(empty_url)
    assert revision(engine) == head()
    if start != "base":
        with engine.connect() as connection:
            assert connection.execute(text("SELECT id FROM worker")).scalars().all() == ["host:1"]
    engine.dispose()
