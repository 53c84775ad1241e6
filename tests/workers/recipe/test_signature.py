"""How much two failures are alike, and that what differs between two days or two repositories does not count."""

from __future__ import annotations

import pytest

from workers.diagnosis import fingerprint, signature
from workers.diagnosis.signature import ENOUGH, Signature, likeness
from workers.domain import Diagnosis, FailureClass, Finding


def found(*findings: Finding, tool: str = "pytest") -> Diagnosis:
    return Diagnosis(FailureClass.TEST, tool, fingerprint.of(tool, findings), findings, "", "")


def raised(kind: str, message: str, path: str = "shop/core.py") -> Diagnosis:
    return found(Finding(f"{kind}: {message}", path, 3, "tests/test_a.py::test_a", kind))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        # what a machine, a day or a repository changes
        (
            raised("KeyError", "'total' not in the order of 17 lines at /tmp/a1b2/x.py"),
            raised("KeyError", "'total' not in the order of 9 lines at /tmp/ffee/x.py", "app/other.py"),
            True,
        ),
        (
            raised("ModuleNotFoundError", "No module named 'requests'"),
            raised("ModuleNotFoundError", "No module named 'requests'", "other.py"),
            True,
        ),
        (
            raised("AttributeError", "module 'numpy' has no attribute 'bool'"),
            raised("AttributeError", "module 'numpy' has no attribute 'float'"),
            True,
        ),
        # what another failure is
        (raised("KeyError", "'total' is missing"), raised("IndexError", "'total' is missing"), False),
        (raised("AssertionError", "assert 3 == 4"), raised("AssertionError", "assert 'a' == 'b'"), False),
        (raised("TypeError", "can only join an iterable"), raised("TypeError", "unhashable type: 'list'"), False),
        (
            found(Finding("Line too long (130 > 120)", "a.py", 1, rule="E501"), tool="ruff"),
            found(Finding("Line too long (130 > 120)", "a.py", 1, rule="E501"), tool="flake8"),
            False,
        ),
        (found(Finding("undefined: total", "a.go", 1)), raised("NameError", "undefined: total"), False),
    ],
)
def test_two_failures_are_alike_or_not(one: Diagnosis, other: Diagnosis, alike: bool) -> None:
    """Either way round, and the same each time."""
    first, second = signature.of(one), signature.of(other)
    assert (likeness(first, second) >= ENOUGH) is alike
    assert likeness(first, second) == likeness(second, first)


def test_a_failure_is_most_like_itself() -> None:
    """However many findings it has; nothing is like a failure of which nothing is known."""
    many = found(*(Finding(f"error number {n} of many kinds", f"m{n}.py", n, rule=f"R{n % 7}") for n in range(90)))
    seen = signature.of(many)
    assert likeness(seen, seen) == pytest.approx(1.0)
    assert likeness(signature.of(found()), signature.of(found())) < ENOUGH
    assert likeness(Signature(""), seen) == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timed out after 3.2 s", "timed out after 14 seconds"),
        ("no file /home/runner/work/shop/shop/data.json", "no file /github/workspace/data.json"),
        ("socket 127.0.0.1:40123 refused", "socket 127.0.0.1:55001 refused"),
        ("object at 0x7f3a1c2d is gone", "object at 0x55aa0011 is gone"),
        ("request 6f1c2d3e-0001-4abc-9def-1234567890ab failed", "request 00000000-aaaa-4bbb-8ccc-ffffffffffff failed"),
        ("commit 1a2b3c4d5e6f at 2026-11-26T06:00:00Z", "commit 9f8e7d6c5b4a at 2025-01-02T23:59:59Z"),
        ("cannot write /tmp/pytest-of-me/pytest-7/x0", "cannot write /tmp/pytest-of-runner/pytest-0/x1"),
        ("expected 12 items, got 11", "expected 3 items, got 7"),
    ],
)
def test_what_changes_from_day_to_day_is_masked(one: str, other: str) -> None:
    """Numbers, identifiers, times, addresses and the folders above a file make no other failure."""
    assert fingerprint.masked(one) == fingerprint.masked(other)
    assert raised("OSError", one).fingerprint == raised("OSError", other).fingerprint
