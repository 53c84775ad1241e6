"""Reads tox: which environments failed, by which command, and what else it says is wrong.

It stands behind the tools that it calls: what they say of themselves goes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.spec import TestCase
from workers.domain import FailureClass, Finding
from workers.scripts import invocations
from workers.tools import words
from workers.tools.phrases import kind, phrase, said, spoken
from workers.tools.plain import MESSAGE, fix_commands

__all__ = ["NAME", "RUNS_TESTS", "classify", "findings", "fix_commands", "recognises"]

NAME = "tox"
RUNS_TESTS = False
_ENV = r"(?P<env>[\w.{}-]{1,80})"
_PHRASES = (
    phrase("environment", FailureClass.WORKFLOW, r"(?P<text>ROOT: HandledError\| .+)$"),
    phrase("environment", FailureClass.WORKFLOW, r"ERROR: (?P<text>unknown environment .+)$"),
    phrase("configuration", FailureClass.WORKFLOW,
           r"(?:ERROR: )?(?P<text>(?:ConfigError: |could not recognize config file location"
           r"|tox\.tox_env\.errors\.).*)$"),
    phrase("allowlist", FailureClass.WORKFLOW,
           r"(?P<text>[\w.-]{1,80}: failed with .{1,400} is not allowed, use allowlist_externals.*)$"),
    phrase("interpreter", FailureClass.WORKFLOW,
           r"(?:ERROR: {1,4})?(?P<text>[\w.-]{1,80}: (?:InterpreterNotFound: .+|(?:skipped because"
           r"|failed with) could not find python interpreter.+))$"),
    phrase("missing", FailureClass.WORKFLOW, r"(?P<text>[\w.-]{1,80}: failed with .+)$"),
    phrase("install", FailureClass.RESOLUTION, r"ERROR: (?P<text>could not install deps .+)$"),
)  # fmt: skip
_EXIT = re.compile(
    rf"^{_ENV}: exit (?P<code>-?\d{{1,10}}) \([\d.]{{1,12}} seconds\) [^>\n]{{1,400}}> (?P<command>.{{1,400}}?)"
    rf"(?: pid=\d{{1,9}})?$"
)
_INVOCATION = re.compile(
    r"^ERROR: InvocationError for command (?P<command>.{1,1000}?) \((?:exited with code (?P<code>\d{1,3})"
    r"|could not find executable)[^)\n]{0,60}\)$"
)
_FAILED = re.compile(
    rf"^ {{2}}{_ENV}: FAIL (?:code|✖)|^ERROR: {{2,4}}(?P<old>[\w.-]{{1,80}}): (?!InterpreterNotFound)(?P<why>\S.*)$"
)
_RUNS_IN_OLD = re.compile(r"^(?P<env>[\w.-]{1,80}) (?:run-test|installdeps|inst-nodeps)[\w-]{0,10}: ")


def recognises(command: str, output: str) -> bool:
    return bool(invocations(command, NAME)) or "evaluation failed :(" in output or said(_PHRASES[:2], output)


def findings(output: str, tests: Sequence[TestCase]) -> tuple[Finding, ...]:  # noqa: ARG001 - the tools inside do
    """One finding per environment that failed, with the last words of its command; the rule names the environment."""
    lines = output.split("\n")
    found = {finding.rule: finding for finding in _commands(lines)}
    for line in lines:
        if match := _FAILED.match(line):
            env = match["env"] or match["old"]
            found.setdefault(f"env {env}", Finding(match["why"] or f"{env} failed", rule=f"env {env}"))
    own = spoken(_PHRASES, output)
    told = " ".join(finding.message for finding in own)
    rest = (
        finding
        for finding in found.values()
        if f"{(finding.rule or '')[4:]}: " not in told and finding.message not in told
    )
    return (*own, *rest)


def classify(output: str, findings: Sequence[Finding]) -> FailureClass:  # noqa: ARG001 - the findings say all
    """What a failed command means is for others to say."""
    return kind(_PHRASES, findings)


def _commands(lines: Sequence[str]) -> list[Finding]:
    """The commands that ended red, as tox 4 and tox 3 tell."""
    found, env, start = [], "", 0
    for at, line in enumerate(lines):
        if match := _EXIT.match(line):
            said_ = words.last(
                [one for one in lines[max(start, at - 60) : at] if not one.startswith(f"{match['env']}: ")]
            )
            found.append(_finding(match["env"], match["command"], match["code"], said_))
            start = at + 1
        elif match := _RUNS_IN_OLD.match(line):
            env, start = match["env"], at + 1
        elif env and (match := _INVOCATION.match(line)):
            found.append(_finding(env, match["command"], match["code"] or "127", words.last(lines[start:at])))
            start = at + 1
    return found


def _finding(env: str, command: str, code: str, said_: str) -> Finding:
    message = f"{env}: `{command[:200]}` ended with exit code {code}{f': {said_}' if said_ else ''}"
    return Finding(message[:MESSAGE], rule=f"env {env}")
