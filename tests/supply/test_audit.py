"""The audit of the lock, against a service that says what the test wants: what is known fails, silence is told."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.supply.audit import Allowance, Package, Weakness, allowances, judged
from tests.workers.forge.scripted import Reply, scripted

PINNED = f"six==1.16.0 --hash=sha256:{'0' * 64}\n"
KNOWN = {
    "id": "GHSA-1",
    "summary": "x",
    "affected": [
        {
            "package": {"name": "six", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.17.0"}]}],
        }
    ],
}
TODAY = date(2026, 11, 26)


def audit(tmp_path: Path, service: str) -> subprocess.CompletedProcess[str]:
    """`make audit` for one package."""
    file = tmp_path / "pinned.txt"
    file.write_text(PINNED)
    command = [sys.executable, "-m", "tests.supply.audit", "--service", service, "--requirements", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, cwd=Path(__file__).parents[2])


@pytest.mark.process
def test_a_known_weakness_fails_and_silence_does_not(tmp_path: Path) -> None:
    """The name, the weakness and the version that mends it are told; a service without entries is a green audit."""
    with scripted(Reply(), Reply(body=json.dumps({"vulns": [KNOWN]}).encode())) as server:
        done = audit(tmp_path, server.url)
    assert done.returncode == 1, done.stderr
    assert "six 1.16.0: GHSA-1, mended in 1.17.0" in done.stdout
    with scripted(Reply()) as server:
        done = audit(tmp_path, server.url)
    assert (done.returncode, done.stdout) == (0, "audit: 1 packages, 0 problems\n")


@pytest.mark.process
def test_a_service_that_is_not_there_is_told_and_no_failure(tmp_path: Path) -> None:
    """Nobody may take it for an audit."""
    done = audit(tmp_path, "http://127.0.0.1:1/v1/query")
    assert done.returncode == 0
    assert "NOTHING WAS CHECKED" in done.stdout


@pytest.mark.parametrize(
    ("until", "problems", "notes"), [(date(2026, 11, 26), 0, 1), (date(2026, 11, 25), 1, 0), (None, 1, 0)]
)
def test_what_is_accepted_is_so_for_a_while(until: date | None, problems: int, notes: int) -> None:
    """Up to and on its last day, by whatever name the service gives it; then it is a problem again."""
    known = Package(name="six", version="1.16.0", vulns=[Weakness(id="PYSEC-7", aliases=["CVE-7"])])
    accepted = [Allowance(id="CVE-7", reason="never called", until=until)] if until else []
    verdict = judged([known], accepted, TODAY)
    assert (len(verdict.problems), len(verdict.notes)) == (problems, notes)


def test_a_package_that_was_not_asked_about_is_a_problem() -> None:
    """A skipped one must not pass for a clean one; an allowance for nothing is told."""
    verdict = judged([Package(name="x", skip_reason="not found")], [Allowance(id="A", reason="r", until=TODAY)], TODAY)
    assert verdict.problems == ("x: not audited: not found",)
    assert verdict.notes == ("allowed.toml: A is not known of any package any more",)


def test_every_allowance_has_a_reason_and_a_day() -> None:
    """The file in use is readable, and an entry without either is refused."""
    allowances((Path(__file__).parent / "allowed.toml").read_text())
    with pytest.raises(ValidationError):
        allowances('[[allow]]\nid = "A"\nuntil = 2026-01-01\n')
