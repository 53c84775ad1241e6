"""Runners of which only a few lines are read: the closing count, and the names of the tests that failed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.results.cases import Cases, Found


@dataclass(frozen=True)
class Runner:
    """`total` finds how many tests there were, `less` those of them that were not run, `failed` a failing one's name.

    The message of a failure is its group `said` where there is one, else the lines after it.
    """

    name: str
    total: re.Pattern[str]
    less: re.Pattern[str] | None
    failed: re.Pattern[str]
    passed: re.Pattern[str] | None = None


RUNNERS = (
    Runner(
        "rspec",
        re.compile(r"^(\d{1,9}) examples?, \d+ failures?"),
        re.compile(r"^\d+ examples?, .*?(\d{1,9}) pending"),
        re.compile(r"^rspec (?P<said>\S+) # (?P<name>\S.*)$"),
    ),
    Runner(
        "phpunit",
        re.compile(r"^(?:OK \(|Tests: )(\d{1,9})(?: tests?)?, "),
        re.compile(r"^Tests: .*?Skipped: (\d{1,9})"),
        re.compile(r"^\d+\) (?P<name>[\w\\]+::\w+(?: with data set (?:#\d+|\"[^\"]*\"))?)(?: \(.*)?$"),
    ),
    Runner(
        "dotnet test",
        re.compile(r"^(?:Passed|Failed)! +- Failed: .* Total: +(\d{1,9})"),
        re.compile(r"^(?:Passed|Failed)! .* Skipped: +(\d{1,9})"),
        re.compile(r"^ +Failed (?P<name>\S.*?) \[[^\[\]]*\]$"),
        re.compile(r"^ +Passed (\S.*?) \[[^\[\]]*\]$"),
    ),
    Runner(
        "ctest",
        re.compile(r"^\d+% tests passed, \d+ tests failed out of (\d{1,9})$"),
        None,
        re.compile(r"^ *\d+/\d+ Test +#\d+: (?P<name>\S+) \.*(?P<said>\*\*\*.*)$"),
        re.compile(r"^ *\d+/\d+ Test +#\d+: (\S+) \.+ +Passed "),
    ),
    Runner(
        "maven",
        re.compile(r"^\[(?:WARNING|ERROR|INFO)\] Tests run: (\d{1,9}), Failures: \d+, Errors: \d+, Skipped: \d+$"),
        re.compile(r"^\[(?:WARNING|ERROR|INFO)\] Tests run: .* Skipped: (\d{1,9})$"),
        re.compile(r"^\[ERROR\] +(?:Run \d+: )?(?P<name>[\w.$]+\.\w+):(?P<said>\d+ .*)$"),
    ),
)


def parse(text: str) -> tuple[Found, ...]:
    """One answer for each runner whose closing line is there."""
    lines = [line for line in text.split("\n") if len(line) < 1000]
    return tuple(found for runner in RUNNERS if (found := _of(runner, lines)))


def _of(runner: Runner, lines: list[str]) -> Found | None:
    totals = [int(match[1]) for line in lines if (match := runner.total.match(line))]
    if not totals:
        return None
    less = [int(match[1]) for line in lines if runner.less and (match := runner.less.match(line))]
    cases = Cases()
    for at, line in enumerate(lines):
        if failed := runner.failed.match(line):
            said = failed.groupdict().get("said")
            after = [following.strip() for following in lines[at + 1 : at + 5] if following.strip()]
            cases.add(failed["name"], "failed", message="\n".join(after) if said is None else said)
        elif runner.passed and (passed := runner.passed.match(line)):
            cases.add(passed[1], "passed")
    return Found(runner.name, cases.tests(), max(0, sum(totals) - sum(less)))
