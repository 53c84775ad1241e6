"""Whether a failure is the missing network's: every text as its tool prints it, seen in a container without network
where the tool was at hand. A file in `denied/` adds a case: its first line says what is to be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.denied import cause, outside
from sandbox.spec import TestCase

CASES = sorted(Path(__file__).with_name("denied").glob("*.txt"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_output(path: Path) -> None:
    """`asked: HOST…` is the network's doing and names the hosts, `asked:` names none, `other` is another failure."""
    first, _, output = path.read_text().partition("\n")
    kind, _, hosts = first.partition(":")
    assert cause(output, ()) == (tuple(hosts.split()) if kind == "asked" else None)


def failed(message: str, status: str = "failed") -> TestCase:
    return TestCase("t", status, 0.0, message)


DNS = "t.py:3: socket.gaierror: [Errno -3] Temporary failure in name resolution"
NAMED = (
    "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.example.org', port=443): Max retries exceeded "
    "with url: / (Caused by NameResolutionError(\"<x>: Failed to resolve 'api.example.org' ([Errno -3] Temporary "
    'failure in name resolution)"))'
)


@pytest.mark.parametrize(
    ("messages", "hosts"),
    [
        ((DNS,), ()),
        ((NAMED,), ("api.example.org",)),
        ((NAMED, DNS, NAMED), ("api.example.org",)),
        ((NAMED, "t.py:9: ValueError: bad"), None),
        ((NAMED, ""), None),
        (("t.py:3: AssertionError: assert 'timed out' in 'Temporary failure in name resolution'",), None),
        (("t.py:3: Failed: DID NOT RAISE <class 'socket.gaierror'>",), None),
        (("redis.exceptions.ConnectionError: Error -3 connecting to redis:6379. Name or service not known",), None),
        (("OperationalError: could not translate host name \"postgres\" to address",), None),
        (("Error: getaddrinfo ENOTFOUND localhost",), None),
        (("Error: getaddrinfo EAI_AGAIN postgres",), None),
        (("Error: getaddrinfo ENOTFOUND no-such-host.invalid",), None),
        (("Error: connect ECONNREFUSED 127.0.0.1:5432",), None),
        (("Error: expected 404, got getaddrinfo EAI_AGAIN api.example.org",), None),
    ],
)  # fmt: skip
def test_reported_tests(messages: tuple[str, ...], hosts: tuple[str, ...] | None) -> None:
    """Every failing test must have failed for want of a host; an assertion about an error never counts."""
    assert cause("socket.gaierror: [Errno -3] Temporary failure", [failed(message) for message in messages]) == hosts


def test_failures_that_say_nothing() -> None:
    """Where only names of failing tests are known, the output's end decides, as it does without any."""
    silent = [failed("")]
    assert cause("curl: (6) Could not resolve host: a.example.org", silent) == ("a.example.org",)
    assert cause("curl: (6) Could not resolve host: a.example.org\nFAILED t", silent) is None


def test_the_proxys_log_is_the_better_witness() -> None:
    """What the proxy denied names the hosts, where the failure speaks of it; elsewhere a denied host is no cause."""
    told = "curl: (56) CONNECT tunnel failed, response 403"
    assert cause(told, (), ("telemetry.example.org",)) == ("telemetry.example.org",)
    assert cause("cannot read https://data.example.org/x", (), ("data.example.org",)) == ("data.example.org",)
    assert cause("ValueError: bad", (), ("telemetry.example.org",)) is None
    assert cause(told, ()) is None
    assert cause(told, [failed("t.py:1: ValueError: bad")], ("telemetry.example.org",)) is None


def test_outside() -> None:
    """Hosts of the internet have a dot and an owner; addresses count when they are global."""
    assert all(map(outside, ("pypi.org", "a.b.example.com", "1.1.1.1", "2606:4700::1111")))
    nobodys = (
        "localhost",
        "db",
        "a.localhost",
        "x.test",
        "x.invalid",
        "127.0.0.1",
        "10.0.0.1",
        "fe80::1",
        "printer.local",
    )
    assert not any(map(outside, nobodys))
