"""What a green command does not show, by comparing its tests with those of before: tests that were lost, went away,
still fail or are fewer, and a failure that does not come back without the patch. Pure."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.spec import Ending, Result
from workers import spared


def no_proof(before: Result, reverse: Result) -> str:
    """Why the run without the patch does not show the failure that was to be mended."""
    if reverse.green:
        return "without the patch the check is green as well, so the patch proves nothing"
    if reverse.ending is not before.ending:
        return (
            f"without the patch the check ended with {reverse.ending.value}, not with {before.ending.value} as before"
        )
    missing = _failing(before) - _failing(reverse) - spared.left_out(before, reverse)
    if missing:
        return f"without the patch {min(missing)} does not fail any more, so the patch is not what mended it"
    return ""


def unmended(after: Result) -> tuple[str, ...]:
    """Tests that fail although the command is green: something hid its exit code, or ended it early."""
    return tuple(f"{test} fails although the command is green" for test in sorted(_failing(after)) if after.green)


def regressions(before: Result, after: Result) -> tuple[str, ...]:
    """What a green command does not show: tests lost since before, failing ones that were not mended but went away,
    and fewer tests than before."""
    lost = _lost(before, after)
    fates = {test: _fate(test, before, after) for test in sorted(_failing(before))}
    lost += [f"{test} failed before and {fate}" for test, fate in fates.items() if fate]
    lost += [sentence for sentence in unmended(after) if sentence.split(" fails")[0] not in _failing(before)]
    return (*lost, *_fewer(before, after))


def worse(before: Result, after: Result, owns: Callable[[str], bool]) -> tuple[str, ...]:
    """As `regressions`, for a whole suite that may have been red before for reasons of its own: those may stay, but for
    the tests that the fix has to mend."""
    if after.ending not in (Ending.PASSED, Ending.FAILED):
        return (f"the whole suite ended with {after.ending.value.replace('_', ' ')}",)
    known = {test.id for test in before.tests}
    new = sorted(test for test in _failing(after) if test not in known or owns(test))
    return (*_lost(before, after), *(f"{test} fails in the whole suite" for test in new), *_fewer(before, after))


def _lost(before: Result, after: Result) -> list[str]:
    now = {test.id: test.status for test in after.tests}
    return [
        f"{test.id} passed before and is {now.get(test.id, 'gone')} now"
        for test in before.tests
        if test.status == "passed" and now.get(test.id) != "passed"
    ]


def _fewer(before: Result, after: Result) -> list[str]:
    lost = []
    if before.told is not None and (after.told is not None or before.from_log) and (after.told or 0) < before.told:
        lost.append(f"the command told of {before.told} tests before and of {after.told or 0} now")
    ran_before, ran_now = (result.count("passed", "failed", "error") for result in (before, after))
    if ran_now < ran_before and not before.from_log:  # a log names the passing tests by their file, if at all
        lost.append(f"{ran_before} tests ran before, {ran_now} now")
    return lost


def _failing(result: Result) -> set[str]:
    return {test.id for test in result.tests if test.status in ("failed", "error")}


def _fate(test: str, before: Result, after: Result) -> str:
    """What became of a test, or a file, that failed before; empty when it passes now.

    The name of a parametrised test may change with a value that was mended, so then its function decides. Where only
    the log names tests, one that passes may be named by its file, or counted only.
    """
    status = {one.id: one.status for one in after.tests}.get(test)
    if status is not None:
        return "" if status == "passed" else f"is {status} now"
    kin = [one.status for one in after.tests if _related(one.id, test)]
    if "passed" in kin and not {"failed", "error"} & set(kin):
        return ""
    if after.from_log and any(one.status == "passed" and _inside(test, one.id) for one in after.tests):
        return ""
    if not before.names_all and after.told is not None:  # that they are not fewer than before is looked at elsewhere
        return ""
    return "is gone now"


def _related(test: str, before: str) -> bool:
    """The test is in the file, the class or the suite that could not be collected, or another parameter of the same."""
    return _inside(test, before) or ("[" in before and test.split("[")[0] == before.split("[")[0])


def _inside(test: str, owner: str) -> bool:
    """By the runners' ways to write names: `file::test`, `folder/file`, `module.Class.test`, `suite > test`."""
    ends = ("::", "/", ".", " > ") if "::" not in owner else ("::", " > ")
    return owner in ("", ".") or test.startswith(tuple(owner.rstrip("/") + end for end in ends))
