"""Reads poetry: version solving that failed, a lock file that is not its manifest's, builds that fail.

It cannot mend anything itself: a new lock needs the index, and whether to move versions is a decision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.tools.options import called_itself
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import MESSAGE, fix_commands, unique

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "poetry"
RUNS_TESTS = False
_PHRASES = (
    phrase("lock-drift", FailureClass.RESOLUTION,
           r"(?:Error: )?(?P<text>pyproject\.toml changed significantly since "
           r"(?P<path>poetry\.lock) was last generated.*)$"),
    phrase("lock-drift", FailureClass.RESOLUTION,
           r"(?:Error: |Warning: )?(?P<text>(?P<path>poetry\.lock) is not (?:consistent"
           r"|up to date) with pyproject\.toml.*)$"),
    phrase("lock-drift", FailureClass.RESOLUTION, r"Error: (?P<text>(?P<path>poetry\.lock) was not found.*)$"),
    phrase("lock-broken", FailureClass.RESOLUTION,
           r"(?P<text>The lock file is not compatible with the current version of Poetry.*)$"),
    phrase("conflict", FailureClass.RESOLUTION, r"(?P<text>.{1,400}(?:, | )version solving failed\.)$"),
    phrase("no-version", FailureClass.RESOLUTION, r"(?P<text>Unable to find installation candidates for .+)$"),
    phrase("no-version", FailureClass.RESOLUTION,
           r"(?P<text>(?:Could not find a matching version of package .+"
           r"|Package \S.{1,100} \(\S.{0,60}\) not found\.))$"),
    phrase("hash-mismatch", FailureClass.RESOLUTION,
           r"(?P<text>(?:Hash for .{1,400} found in archive|Invalid hashes \(.{1,400}\) for ).+)$"),
    phrase("python", FailureClass.RESOLUTION,
           r"(?P<text>The current project's supported Python range .{1,400} is not compatible .+)$"),
    phrase("python", FailureClass.RESOLUTION,
           r"(?P<text>Current Python version \(.{1,400}\) is not allowed by the project .+)$"),
    phrase("build", FailureClass.BUILD,
           r"(?P<text>(?:Note: This error originates from the build backend|PEP517 build of a dependency failed).*)$"),
    phrase("manifest", FailureClass.WORKFLOW, r"(?P<text>Poetry could not find a pyproject\.toml file in .+)$"),
    phrase("manifest", FailureClass.WORKFLOW,
           r"(?P<text>(?:The Poetry configuration is invalid:|Group\(s\) not found: ).*)$"),
    phrase("manifest", FailureClass.WORKFLOW, r"(?P<text>Error: The current project could not be installed: .+)$"),
    phrase("network", FailureClass.NETWORK, r"(?P<text>All attempts to connect to .{1,400} failed\.)$"),
)  # fmt: skip
_BECAUSE = re.compile(r"^(?:And because|Because|So, because|Thus|and) ")
_LINES = 30


def recognises(command: str, output: str) -> bool:
    """What `poetry run x` ran is another tool, unless poetry's own words say that it is poetry that failed."""
    return called_itself(command, NAME) or said(_PHRASES, output)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - installers report no tests
    """What it says is wrong; a conflict with the chain of reasons that leads to it."""
    indented = "\n".join(line.strip() for line in output.split("\n"))
    found = spoken(_PHRASES, indented)
    if all(finding.rule != "conflict" for finding in found):
        return found
    chain = _chain(indented)
    return unique(_with(finding, chain) for finding in found)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    return kind(_PHRASES, findings)


def _chain(output: str) -> str:
    """The lines from the first `Because` on to the one that ends the solving."""
    lines = output.split("\n")
    end = next(at for at, line in enumerate(lines) if line.endswith("version solving failed."))
    start = next((at for at in range(max(0, end - _LINES), end) if _BECAUSE.match(lines[at])), end)
    return " ".join(lines[start : end + 1])


def _with(finding: Finding, chain: str) -> Finding:
    return Finding(chain[:MESSAGE], None, None, None, finding.rule) if finding.rule == "conflict" else finding
