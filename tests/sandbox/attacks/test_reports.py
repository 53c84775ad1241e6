"""Forged and monstrous reports: the verdict is the command's own exit code, and no report stops or swells anything."""

from __future__ import annotations

import pytest

from sandbox.checks import DockerEnvironment
from sandbox.spec import Ending, Limits, Result, Step
from tests.sandbox.trees import tree

pytestmark = pytest.mark.engine
LIMITS = Limits(wall_s=20, memory=128 << 20, cpus=2.0, pids=64, workspace=16 << 20, tmp=16 << 20)
TRAILER = r"\nHEAL-END rc=0 peak=1 full=1\n"


def run(environment: DockerEnvironment, script: str) -> Result:
    return environment.run(Step("attack", script), tree(), limits=LIMITS)


FORGERIES = {
    "our last line in the report": f"printf '{TRAILER}' >$HEAL_REPORT; exit 3",
    "our last line in the output": f"printf '{TRAILER}'; printf '{TRAILER}' >&2; exit 3",
    "our last line by whoever stays": f"(setsid sh -c \"sleep 0.2; printf '{TRAILER}'\" &); exit 3",
    "our first lines": "echo HEAL-START; echo HEAL-PATCH-REJECTED; echo HEAL-TREE-FAILED full=100; exit 3",
    "the end of the output": "echo HEAL-OVER; echo HEAL-OVER 0000000000000000 | tee $HEAL_REPORT; exit 3",
    "our words in the report": "printf 'HEAL-START\\nHEAL-READY\\nHEAL-TREE-FAILED full=9\\n' >$HEAL_REPORT; exit 3",
    "a green report": """echo '{"id": "a", "status": "passed", "when": "call", "seconds": 0}' >$HEAL_REPORT; exit 3""",
    "another script for the step": "rm -rf /heal/step; mkdir -p /heal/step; echo exit 0 >/heal/step/run; exit 3",
    "another limit": "HEAL_WALL=9999 HEAL_REPORT_LIMIT=999999999 exec sh -c 'exit 3'",
}


@pytest.mark.fault(28)
@pytest.mark.parametrize("forgery", FORGERIES)
def test_forgeries_change_no_verdict(bare: DockerEnvironment, forgery: str) -> None:
    """Whatever a command writes, and where, it ends with its own exit code."""
    result = run(bare, FORGERIES[forgery])
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3), result
    assert result.peak_memory > 1
    assert not result.green


MONSTERS = {
    "a link to a file": "ln -s /etc/passwd $HEAL_REPORT",
    "a link to an endless device": "ln -s /dev/zero $HEAL_REPORT",
    "a link to itself": "ln -s $HEAL_REPORT $HEAL_REPORT",
    "a pipe": "mkfifo $HEAL_REPORT",
    "a socket": "python -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ[\"HEAL_REPORT\"])'",
    "a folder": "mkdir -p $HEAL_REPORT/deep",
    "nobody may read it": "echo x >$HEAL_REPORT; chmod 0 $HEAL_REPORT",
}


@pytest.mark.parametrize("monster", MONSTERS)
def test_a_report_that_is_no_file_is_none(bare: DockerEnvironment, monster: str) -> None:
    """What stands in the report's place but is no readable file is left alone, and the run ends as it would."""
    result = run(bare, MONSTERS[monster])
    assert (result.ending, result.exit_code) == (Ending.PASSED, 0), result
    assert result.report == b""
    assert result.tests == ()


@pytest.mark.parametrize(
    "script",
    [
        "truncate -s 2G $HEAL_REPORT",
        "yes '{' | head -c 100M >$HEAL_REPORT",
        "yes '{\"id\":' | head -c 9M >$HEAL_REPORT",
    ],
    ids=["sparse", "larger than the limit", "a million broken lines"],
)
def test_a_report_is_cut_at_its_limit(bare: DockerEnvironment, script: str) -> None:
    """A report comes back up to its limit, whatever its file claims to be, and what cannot be read of it is no test."""
    result = run(bare, script)
    assert (result.ending, result.exit_code) == (Ending.PASSED, 0), result
    assert len(result.report) == LIMITS.report
    assert result.tests == ()


GATHERED = """
import os
from pathlib import Path
folder = Path("target/surefire-reports")
folder.mkdir(parents=True)
def put(name, text):
    (folder / name).write_bytes(text)
put("TEST-good.xml", b'<testsuite><testcase classname="a.B" name="fine" time="0.5"/></testsuite>')
laughs = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 12))
def bomb(name, entities, inside):
    put(name, b"<!DOCTYPE x [" + entities + b"]><testsuite>" + inside + b"</testsuite>")
bomb("TEST-laughs.xml", b'<!ENTITY l0 "ha">' + laughs, b'<testcase name="&l11;"/>')
bomb("TEST-square.xml", b'<!ENTITY a "' + b"a" * 100000 + b'">', b"&a;" * 50000)
bomb("TEST-file.xml", b'<!ENTITY a SYSTEM "file:///etc/passwd">', b'<testcase name="&a;"/>')
put("TEST-deep.xml", b"<testsuite>" * 200000)
put("TEST-wide.xml", b"<testcase name='x' " + b" ".join(b"a%d='1'" % n for n in range(100000)) + b"/>")
os.symlink("/etc/passwd", folder / "TEST-link.xml")
os.mkfifo(folder / "TEST-pipe.xml")
os.truncate(os.open(folder / "TEST-sparse.xml", os.O_RDWR | os.O_CREAT), 2 << 30)
put("TEST-new\\nline.xml", b'<testsuite><testcase name="odd"/></testsuite>')
os.symlink("/etc", "linked")
os.makedirs("other")
os.symlink("/proc/self", "other/surefire-reports")
for n in range(2000):
    put(f"TEST-{n:05}.xml", b'<testsuite><testcase classname="many" name="t%d"/></testsuite>' % n)
raise SystemExit(3)
"""


def test_hostile_reports_among_good_ones(bare: DockerEnvironment) -> None:
    """XML bombs, links, pipes, holes and thousands of reports cost nothing but themselves: the good ones are read."""
    result = bare.run(Step("attack", GATHERED, "python {0}"), tree(), limits=LIMITS)
    assert (result.ending, result.exit_code) == (Ending.FAILED, 3)
    names = {test.id for test in result.tests}
    assert any("fine" in name for name in names)
    assert sum("many" in name for name in names) == 2000
    assert not any("root:" in name or "ha" * 100 in name or len(name) > 5000 for name in names)
    assert "root:" not in repr(result.tests)
