"""Whether a check failed because it asked for a host that it may not reach, told by what it printed.

Pure, and careful: a network error among other failures proves nothing, nor does one that a test expected, nor a name
that is nobody's (`localhost`, a service's, `x.invalid`). In doubt a failure stays a failure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from sandbox.spec import TestCase

_TAIL_LINES = 30
_HOST = r"(?P<host>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
_UNRESOLVED = r"(?:Temporary failure in name resolution|Name or service not known|No address associated with hostname)"
_SIGNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"could(?: not|n't) resolve (?:host(?:name)?|proxy):? ['\"]?{_HOST}",  # curl, git, cargo, ssh
        rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}",  # node, npm, yarn, pnpm
        rf"dial (?:tcp|udp)(?: \S+)?: lookup {_HOST}",  # go
        rf"\blookup {_HOST}(?: on \S+)?: (?:no such host|server misbehaving|{_UNRESOLVED})",
        rf"Unknown ?Host(?:Exception)?:? '?{_HOST}",  # java, maven, gradle
        rf"Failed to resolve '{_HOST}'",  # urllib3, so requests and pip
        rf"HTTPS?Connection(?:Pool)?\(host='{_HOST}'.*(?:{_UNRESOLVED}|NameResolutionError|Network is unreachable)",
        rf"Cannot connect to host {_HOST}:\d+ .*{_UNRESOLVED}",  # aiohttp
        rf"unable to resolve host address ['\"\u2018`]?{_HOST}",  # wget
        rf"could not translate host name ['\"]{_HOST}",  # libpq
        rf"connecting to {_HOST}:\d+\b.*{_UNRESOLVED}",  # redis
        rf"Temporary failure resolving ['\"]{_HOST}",  # apt
        rf"ERR_(?:NAME_NOT_RESOLVED|INTERNET_DISCONNECTED) at https?://{_HOST}",  # browsers
        rf"Network access disabled by the environment; can't reach https?://{_HOST}",  # corepack
        rf"getaddrinfo for {_HOST} failed",  # php
        rf"Failed to open TCP connection to {_HOST}:\d+ \(getaddrinfo",  # ruby
        rf"{_UNRESOLVED} \({_HOST}:\d+\)",  # .NET
        rf"error sending request for url \(https?://{_HOST}.*(?:dns error|{_UNRESOLVED})",  # rust's reqwest
        rf"(?:connect ENETUNREACH|dial tcp) {_HOST}(?::\d+)?(?:$|: connect: network is unreachable| )",
    )
)
_NAMELESS = re.compile(
    rf"{_UNRESOLVED}|\[Errno 101\] Network is unreachable|failed to lookup address|ERR_INTERNET_DISCONNECTED"
)
_INDEXES = (
    (re.compile(r"Could not find a version that satisfies the requirement .* \(from versions: none\)"), "pypi.org"),
    (re.compile(r"module lookup disabled by GOPROXY=off"), "proxy.golang.org"),
    (re.compile(r"offline mode \(via `--offline`\)|HTTP request, but --offline was specified"), "index.crates.io"),
)
"""What tools say of a package they cannot get that were told, as in a check, that there is no network."""
_PROXY = re.compile(
    r"CONNECT tunnel failed, response 403|Tunnel connection failed: 403|HTTP code 403 from proxy|egress proxy: "
    r"|proxy responded with 403|unrecognized[_ ]name|proxyconnect tcp|Proxy response \(403\)",
    re.IGNORECASE,
)
_FRAME = re.compile(r"^\s+(?:at |File \"|\^|\.\.\. \d+ more|[~^]+$)")
_RAISED = re.compile(r"^(?:[\w.]+\.)?\w*(?:Error|Exception|Exit|Interrupt)\b(?::|$)")
_ASSERTED = re.compile(
    r"\bassert(?:ion)?(?:Error|Failed)?\b|DID NOT RAISE|\bpanicked at\b|\bexpected\b.*\b(?:got|received|but)\b"
    r"|\bExpected:|\bShould\b",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\bFAILED\b|\bFAIL\b|\b[1-9]\d* (?:tests? )?fail(?:ed|ing|ures?)\b|\bfailures=[1-9]|\berror\[E\d+\]|SyntaxError"
    r"|BUILD FAILURE.*test|AssertionError",
)
_NOBODYS = ("localhost", "local", "localdomain", "internal", "test", "invalid", "home", "lan")


def cause(output: str, tests: Sequence[TestCase], refused: Sequence[str] = ()) -> tuple[str, ...] | None:
    """The hosts whose want made a command fail; none named is (), and None is another or an unknown cause.

    `refused` are the hosts that the egress proxy denied it meanwhile: with one, its log is the better witness.
    """
    failed = [test for test in tests if test.status in ("failed", "error")]
    reported = any(test.message for test in failed)
    found = [_of_test(test.message, refused) for test in failed] if reported else [_of_tail(output, refused)]
    if any(hosts is None for hosts in found):
        return None
    return tuple(dict.fromkeys(host for hosts in found for host in hosts or ()))


def _of_test(message: str, refused: Sequence[str]) -> tuple[str, ...] | None:
    lines = [line for line in message.splitlines() if line.strip() and not _FRAME.match(line)]
    if not lines or any(_ASSERTED.search(line) for line in lines):
        return None
    return _named(lines, refused)


def _of_tail(output: str, refused: Sequence[str]) -> tuple[str, ...] | None:
    """From the last lines of a command without test reports; a traceback counts by the error it ends with."""
    lines = [line.rstrip() for line in output.splitlines() if line.strip() and not _FRAME.match(line)][-_TAIL_LINES:]
    if not lines or any(_OTHERWISE.search(line) for line in lines):
        return None
    raised = _RAISED.match(lines[-1])
    return _named(lines[-1:] if raised else lines, refused)


def _named(lines: Sequence[str], refused: Sequence[str]) -> tuple[str, ...] | None:
    """The hosts in lines that tell of a missing network; None when there is no such line."""
    if refused and any(_PROXY.search(line) or any(host in line for host in refused) for line in lines):
        return tuple(refused)
    told = False
    hosts: list[str] = []
    for line in lines:
        named = [match["host"].rstrip(".").lower() for sign in _SIGNS for match in sign.finditer(line)]
        hosts += [host for sign, host in _INDEXES if sign.search(line)] or named
        told = told or bool(hosts) or bool(_NAMELESS.search(line))
    if hosts and not any(map(outside, hosts)):
        return None
    return tuple(host for host in dict.fromkeys(hosts) if outside(host)) if told else None


def outside(host: str) -> bool:
    """Whether a name can be a host of the internet: not this machine's, a service's, or one that nobody can own."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        first, _, last = host.rpartition(".")
        return bool(first) and last not in _NOBODYS
