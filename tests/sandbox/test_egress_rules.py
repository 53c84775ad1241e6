"""The egress proxy's rules without a network: which addresses, which hosts, which requests, and what its log says."""

from __future__ import annotations

import ipaddress
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import policy
from sandbox.egress import Refusal, refusals, told
from sandbox.hosts import BY_HTTP, BY_HTTPS, by_https
from sandbox.images.egress import Reach, Refused, Rules, admit, examine, forwarded, listed, parse, reach

RULES = Rules(tls=("pypi.org", "*.example.org"), plain=("deb.debian.org",), private=("inside.example.org",))
EASY = settings(deadline=timedelta(seconds=2), max_examples=200)


def ask(text: str) -> str:
    """The host of an admitted request; Refused otherwise."""
    request = parse(text.encode("latin-1") + b"\r\n\r\n")
    admit(request, RULES)
    return request.host


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.9.9.9", "0.0.0.1", "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::",
     "fe80::1", "fe80::1%eth0", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
     "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "2002:7f00:1::", "2001:0:7f00:1::",
     "::7f00:1"],
)  # fmt: skip
def test_never(address: str) -> None:
    """This machine, its link, its metadata service and multicast are refused whatever the operator names."""
    assert reach(address) is Reach.NEVER
    with pytest.raises(Refused, match="not public"):
        examine("inside.example.org", [address], RULES)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.17.0.1", "192.168.1.1", "100.64.0.1", "192.0.2.7", "198.18.0.1", "203.0.113.80", "fd00::2",
     "fc00::1", "2001:db8::1", "::ffff:10.1.2.3", "64:ff9b::a00:1", "fec0::1"],
)  # fmt: skip
def test_private_only_where_the_operator_says_so(address: str) -> None:
    """A private address is accepted for exactly the hosts that the operator named."""
    assert reach(address) is Reach.PRIVATE
    examine("inside.example.org", [address], RULES)
    with pytest.raises(Refused, match="not public"):
        examine("pypi.org", [address], RULES)


def test_one_bad_address_refuses_the_host() -> None:
    """A name that resolves to a public and a private address is refused, not tried."""
    examine("pypi.org", ["151.101.0.223", "2a04:4e42::223"], RULES)
    with pytest.raises(Refused):
        examine("pypi.org", ["151.101.0.223", "10.0.0.1"], RULES)


@EASY
@given(st.ip_addresses(v=4))
def test_what_is_public_is_public_to_the_library_too(address: ipaddress.IPv4Address) -> None:
    """Nothing passes as public that the standard library calls anything else; mapped into IPv6 it is the same."""
    if reach(str(address)) is Reach.PUBLIC:
        assert address.is_global
        assert not any((address.is_private, address.is_multicast, address.is_reserved, address.is_loopback))
    assert reach(f"::ffff:{address}") is reach(str(address))
    assert reach(str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address)))) is reach(str(address))


@EASY
@given(st.ip_addresses(v=6))
def test_what_is_public_in_six_is_global(address: ipaddress.IPv6Address) -> None:
    """An IPv6 address that passes as public is global unicast."""
    if reach(str(address)) is Reach.PUBLIC:
        assert address.is_global
        assert not any((address.is_multicast, address.is_link_local, address.is_loopback, address.is_site_local))


INNER = ("10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
         "224.0.0.0/4", "fc00::/7", "fe80::/10", "ff00::/8", "::ffff:0:0/104")  # fmt: skip


@EASY
@given(st.sampled_from(INNER).flatmap(lambda text: st.ip_addresses(network=text)))
def test_no_inner_network_is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """No address of an inner network is public."""
    assert reach(str(address)) is not Reach.PUBLIC


def test_listed() -> None:
    """Names are exact; a star stands for what is below its suffix, not for the suffix and not for look-alikes."""
    assert listed("a.example.org", RULES.tls)
    assert listed("a.b.example.org", RULES.tls)
    assert not listed("example.org", RULES.tls)
    assert not listed("badexample.org", RULES.tls)
    assert not listed("pypi.org.evil.test", RULES.tls)
    assert not listed("notpypi.org", RULES.tls)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("CONNECT pypi.org:443 HTTP/1.1\r\nHost: other", "pypi.org"),
        ("CONNECT PyPI.org.:443 HTTP/1.0", "pypi.org"),
        ("GET http://deb.debian.org/debian/x HTTP/1.1\r\nContent-Length: 0", "deb.debian.org"),
        ("HEAD http://deb.debian.org:80 HTTP/1.1", "deb.debian.org"),
    ],
)
def test_admitted(text: str, host: str) -> None:
    """A tunnel to a listed host's port 443 and a plain GET of a listed mirror pass."""
    assert ask(text) == host


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("CONNECT example.com:443 HTTP/1.1", 403, "not on the allow-list"),
        ("CONNECT pypi.org:6379 HTTP/1.1", 403, "port 6379"),
        ("CONNECT pypi.org:5432 HTTP/1.1", 403, "port 5432"),
        ("CONNECT pypi.org:80 HTTP/1.1", 403, "port 80"),
        ("CONNECT pypi.org HTTP/1.1", 403, "not a host"),
        ("CONNECT pypi.org: HTTP/1.1", 400, "not a port"),
        ("CONNECT pypi.org:4٤3 HTTP/1.1".encode().decode("latin-1"), 400, "not a port"),
        ("CONNECT 127.0.0.1:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT 2130706433:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT 0x7f.1:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT [::1]:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT pypi.org\x00.evil.test:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT pypi.org@evil.test:443 HTTP/1.1", 403, "not a host name"),
        ("GET http://pypi.org/simple/ HTTP/1.1", 403, "by HTTPS only"),
        ("GET http://example.com/ HTTP/1.1", 403, "not on the allow-list"),
        ("GET http://deb.debian.org:8080/ HTTP/1.1", 403, "port 8080"),
        ("CONNECT pypi.org:443:22 HTTP/1.1", 403, "not a host name"),
        ("CONNECT pypi.org:00022 HTTP/1.1", 403, "port 22"),
        ("CONNECT pypi.org:443/ HTTP/1.1", 400, "not a port"),
        ("CONNECT pypi.org%2eevil.test:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT [::ffff:127.0.0.1]:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT [fe80::1%25eth0]:443 HTTP/1.1", 403, "not a host name"),
        ("CONNECT http://pypi.org:443 HTTP/1.1", 403, "not a host name"),
        ("GET http://deb.debian.org@169.254.169.254/ HTTP/1.1", 400, "not a proxy request"),
        ("GET http://deb.debian.org:80@evil.test/ HTTP/1.1", 400, "not a proxy request"),
        ("GET http://deb.debian.org\\@evil.test/ HTTP/1.1", 400, "not a proxy request"),
        ("GET http:///deb.debian.org/ HTTP/1.1", 400, "not a proxy request"),
        ("GET http://127.0.0.1:3128/ HTTP/1.1", 403, "not a host name"),
        ("GET //deb.debian.org/ HTTP/1.1\r\nHost: deb.debian.org", 400, "not a proxy request"),
        ("OPTIONS * HTTP/1.1", 400, "not a proxy request"),
        ("PURGE http://deb.debian.org/ HTTP/1.1", 403, "only GET and HEAD"),
        ("TRACE http://deb.debian.org/ HTTP/1.1", 403, "only GET and HEAD"),
        ("GET http://user@deb.debian.org/ HTTP/1.1", 400, "not a proxy request"),
        ("GET https://deb.debian.org/ HTTP/1.1", 400, "not a proxy request"),
        ("GET /etc/passwd HTTP/1.1", 400, "not a proxy request"),
        ("POST http://deb.debian.org/ HTTP/1.1", 403, "only GET and HEAD"),
        ("GET http://deb.debian.org/ HTTP/1.1\r\nContent-Length: 5", 403, "no body"),
        ("GET http://deb.debian.org/ HTTP/1.1\r\nTransfer-Encoding: chunked", 403, "no body"),
        ("GET http://deb.debian.org/ HTTP/1.1\r\n folded: x", 400, "not a header"),
        ("GET http://deb.debian.org/ HTTP/1.1\r\nA: b\nC: d", 400, "not a header"),
        ("GET  http://deb.debian.org/ HTTP/1.1", 400, "not a request"),
        ("GET http://deb.debian.org/ HTTP/2.0", 400, "not a request"),
        ("", 400, "not a request"),
    ],
)  # fmt: skip
def test_refused(text: str, status: int, reason: str) -> None:
    """Everything else is refused, with the reason."""
    with pytest.raises(Refused, match=reason) as caught:
        ask(text)
    assert caught.value.status == status


@EASY
@given(st.binary(max_size=300))
def test_garbage_is_refused_not_raised(head: bytes) -> None:
    """Whatever the bytes are, the answer is Refused or a request for a proper host."""
    try:
        said = parse(head + b"\r\n\r\n").host.encode()
    except Refused as refused:
        said = refused.answer()
    assert said.isascii()


@EASY
@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_rides_along(path: str, value: str) -> None:
    """The head sent on has exactly the lines it should, whatever path and header were asked with."""
    head = f"GET http://deb.debian.org/{path} HTTP/1.1\r\nRange: {value}\r\nCookie: a\r\nHost: b\r\n\r\n"
    try:
        request = parse(head.encode())
    except Refused:
        return
    lines = forwarded(request).split(b"\r\n")
    assert [line.split(b":")[0].split(b" ")[0] for line in lines] == [
        b"GET",
        b"Host",
        b"range",
        b"Connection",
        b"",
        b"",
    ]
    assert b"\n" not in b"".join(lines)
    assert lines[1] == b"Host: deb.debian.org"


def test_hosts_of_every_ecosystem() -> None:
    """Without settings the package indexes pass, with settings the operator's hosts and indexes too; no code host."""
    ours = by_https((), {})
    assert {host for hosts in BY_HTTPS.values() for host in hosts} == set(ours)
    assert {"pypi.org", "registry.npmjs.org", "proxy.golang.org", "index.crates.io", "repo.maven.apache.org"} <= set(
        ours
    )
    assert not any("github" in host for host in ours)
    more = by_https(("*.Corp.test",), {"PIP_INDEX_URL": "https://me:x@index.test/simple", "PIP_NO_INPUT": "1"})
    assert set(more) - set(ours) == {"*.corp.test", "index.test"}
    assert set(BY_HTTP) <= set(ours)


def test_the_tools_are_told_of_the_proxy() -> None:
    """Both spellings of the variables name the proxy, local addresses are left out, Java gets it in its own way."""
    env = policy.proxy_environment("http://172.18.0.2:3128")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        assert env[name] == "http://172.18.0.2:3128"
    assert "localhost" in env["NO_PROXY"].split(",")
    java = policy.java_environment(True, "http://172.18.0.2:3128")["JAVA_TOOL_OPTIONS"]
    assert "-Dhttps.proxyHost=172.18.0.2 -Dhttps.proxyPort=3128" in java
    assert "-Djavax.net.ssl.trustStore=/heal/ca.jks" in java


def test_the_proxy_itself_is_hardened() -> None:
    """The proxy has no capability, no right to write, no routing, bounded memory and log, and the labels."""
    labels = policy.Labels("me", "run", "proxy", "name", 5)
    settings = policy.proxy_container("image", [], labels)
    assert settings["cap_drop"] == ["ALL"]
    assert "cap_add" not in settings
    assert settings["read_only"]
    assert settings["user"] == "1000:1000"
    assert settings["sysctls"] == {"net.ipv4.ip_forward": "0"}
    assert settings["mem_limit"] == settings["memswap_limit"] <= 256 << 20
    assert settings["log_config"]["config"]["max-size"]
    assert labels.as_dict().items() <= settings["labels"].items()


def test_refusals_are_this_clients_of_this_run() -> None:
    """From the log come only refused hosts, to this network's client, since this moment, each once; told at most
    twenty. A host that a rule forbids is denied, one that does not answer is not."""

    def line(**values: object) -> str:
        entry = {"at": 10.0, "client": "198.18.0.3", "host": "h", "verdict": "refused", "reason": "r", "status": 403}
        return json.dumps(entry | values)

    log = [
        "{", "[]", line(), line(at=11.0), line(client="198.18.0.19"), line(at=5), line(verdict="allowed"),
        line(host=""), line(host="down", status=502),
    ]  # fmt: skip
    found = refusals("\n".join(log).encode(), "198.18.0.0/28", 9.0)
    assert found == (Refusal("h", "r", 11.0, True), Refusal("down", "r", 10.0, False))
    assert told(found)[0] == "the egress proxy refused: h (r)"
    many = refusals("\n".join(line(host=f"h{number}") for number in range(50)).encode(), "198.18.0.0/28", 9.0)
    assert len(told(many)) == 21
    assert told(many)[-1] == "the egress proxy refused 30 more"
