"""What is publicly known against the locked packages: `make audit`.

Every package of the lock is asked about, those that only developers need too. Where the advisory service cannot be
reached nothing is known, which is said and is no failure; what is known and not accepted in `allowed.toml` is one.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
from pydantic import BaseModel

ROOT = Path(__file__).resolve().parents[2]
SERVICE = "https://api.osv.dev/v1/query"
UV = ROOT / ".tools" / "bin" / "uv"
EXPORT = (
    "export",
    "--locked",
    "--quiet",
    "--all-groups",
    "--all-extras",
    "--no-emit-project",
    "--format",
    "requirements.txt",
)


class Weakness(BaseModel):
    """One entry of an advisory service."""

    id: str
    aliases: list[str] = []
    fix_versions: list[str] = []

    @property
    def names(self) -> frozenset[str]:
        """All the names it goes by."""
        return frozenset((self.id, *self.aliases))


class Package(BaseModel):
    """A package as it was asked about; one with a `skip_reason` was not."""

    name: str
    version: str = ""
    vulns: list[Weakness] = []
    skip_reason: str = ""


class Told(BaseModel):
    """What pip-audit prints as JSON."""

    dependencies: list[Package]


class Allowance(BaseModel, extra="forbid"):
    """A weakness that is accepted until the end of a day."""

    id: str
    reason: str
    until: date


@dataclass(frozen=True)
class Verdict:
    """`problems` fail the audit, `notes` are only told."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def allowances(text: str) -> tuple[Allowance, ...]:
    """The entries of `allowed.toml`. Raises pydantic's ValidationError for one without reason or date."""
    return tuple(Allowance.model_validate(one) for one in tomllib.loads(text).get("allow", []))


def judged(packages: Sequence[Package], allowed: Iterable[Allowance], today: date) -> Verdict:
    """What is known and not accepted any more, what nobody could be asked about, and what is accepted."""
    problems = [f"{one.name}: not audited: {one.skip_reason}" for one in packages if one.skip_reason]
    notes, by_id, used = [], {one.id: one for one in allowed}, set()
    for package in packages:
        for weakness in package.vulns:
            told = f"{package.name} {package.version}: {weakness.id}, mended in {_versions(weakness)}"
            accepted = next((by_id[name] for name in sorted(weakness.names) if name in by_id), None)
            used |= {accepted.id} if accepted else set()
            if accepted is None:
                problems.append(told)
            elif accepted.until < today:
                problems.append(f"{told}; it was accepted until {accepted.until}: {accepted.reason}")
            else:
                notes.append(f"{told}; accepted until {accepted.until}: {accepted.reason}")
    notes += [f"allowed.toml: {name} is not known of any package any more" for name in by_id.keys() - used]
    return Verdict(tuple(problems), tuple(notes))


def _versions(weakness: Weakness) -> str:
    return " or ".join(weakness.fix_versions) or "no version yet"


def reached(service: str) -> bool:
    """The service answers a question as it should."""
    asked = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "9.0.0"}
    try:
        answer = httpx.post(service, json=asked, timeout=20)
        return answer.status_code == 200 and isinstance(answer.json(), dict)
    except (httpx.HTTPError, ValueError):
        return False


def audited(requirements: Path, service: str) -> Told | str:
    """What is known about the pinned packages of a file, or why the audit came to no end."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), "--disable-pip",
               "--require-hashes", "--format", "json", "--progress-spinner", "off", "--vulnerability-service",
               "osv", "--osv-url", service]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return Told.model_validate_json(done.stdout)
    except ValueError:
        return done.stderr.strip()[-500:] or f"pip-audit ended with {done.returncode}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is known; 0 when nothing has to be done, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", default=SERVICE, help="an OSV query address")
    parser.add_argument("--requirements", type=Path, help="pinned requirements with hashes; default: the whole lock")
    given = parser.parse_args(arguments)
    if not reached(given.service):
        return _say([f"audit: {given.service} was not reached: NOTHING WAS CHECKED"], 0)
    with tempfile.TemporaryDirectory() as folder:
        file = given.requirements or Path(folder) / "locked.txt"
        if given.requirements is None:
            subprocess.run([UV, *EXPORT, "--output-file", file], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        found = audited(file, given.service)
    if isinstance(found, str):
        return _say([f"audit: it came to no end: {found}"], 1)
    allowed = allowances((Path(__file__).parent / "allowed.toml").read_text(encoding="utf-8"))
    verdict = judged(found.dependencies, allowed, datetime.now(UTC).date())
    counted = f"audit: {len(found.dependencies)} packages, {len(verdict.problems)} problems"
    return _say([*verdict.notes, *verdict.problems, counted], 1 if verdict.problems else 0)


def _say(lines: Iterable[str], code: int) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
