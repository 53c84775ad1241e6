"""Downloads a job's log from the address the API gave for it: as a stream, with no credential, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

import httpx

from workers import logs
from workers.domain import Outcome
from workers.errors import Retryable, Stop
from workers.redact import Redactor

_PIECE = 256 << 10
"""Bytes that are unpacked at a time: a few packed ones may hold many."""
_HEADERS = {"Accept-Encoding": "gzip"}


def fetch_log(api_url: str, timeout_s: float) -> Callable[[str, Redactor], logs.JobLog]:
    """Reads the address the API gave for a log: https, or the scheme of our own setting; never with a token.

    What is wrong with the store or the way there is `Retryable`; an address of another kind is a `Stop`.
    """

    def fetch(url: str, redactor: Redactor) -> logs.JobLog:
        if not readable(url, api_url):
            raise Stop(Outcome.UNSUPPORTED, "The address of the job's log is not one that Heal reads.")
        try:
            with httpx.stream("GET", url, headers=_HEADERS, timeout=timeout_s, follow_redirects=False) as answer:
                if answer.status_code != 200:
                    raise Retryable(f"the job's log answered {answer.status_code}", blame="github", after=20)
                encoding = answer.headers.get("content-encoding", "identity").lower()
                return logs.read(unpacked(answer.iter_raw(), encoding), redactor)
        except (httpx.HTTPError, zlib.error) as error:
            raise Retryable(f"the job's log could not be read: {type(error).__name__}", blame="github") from error

    return fetch


def unpacked(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The bytes that were packed, a bounded piece at a time. Raises `zlib.error` and `Retryable`."""
    if encoding in ("identity", ""):
        yield from chunks
        return
    if encoding not in ("gzip", "x-gzip"):
        raise Retryable(f"the job's log is packed with {encoding!r}, which was not asked for", blame="github")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    for chunk in chunks:
        rest = chunk
        while rest:
            yield unpacker.decompress(rest, _PIECE)
            if unpacker.eof and unpacker.unused_data:  # several packed parts, one behind the other
                rest, unpacker = unpacker.unused_data, zlib.decompressobj(16 + zlib.MAX_WBITS)
            else:
                rest = unpacker.unconsumed_tail
    yield unpacker.flush()
    if not unpacker.eof:
        raise zlib.error("the packed log is cut")


def readable(url: str, api_url: str) -> bool:
    """The address may be read: https, or the scheme of our own setting, with no credentials in it. When the API is a
    public one, an address inside our own network is no place where it keeps logs."""
    try:
        to, home = urlsplit(url), urlsplit(api_url)
        host, own = (to.hostname or "").rstrip("."), home.hostname or ""
    except ValueError:
        return False
    if to.scheme not in {"https", home.scheme} or not host or to.username is not None:
        return False
    return host == own or not (_is_public(own) and _is_inside(host))


def _is_public(host: str) -> bool:
    return host == "api.github.com" or host.endswith(".ghe.com")


def _is_inside(host: str) -> bool:
    """Numbers (in any of their spellings) and names without a public ending."""
    return ":" in host or "." not in host or host.endswith((".local", ".internal", ".localhost")) or _is_number(host)


def _is_number(host: str) -> bool:
    last = host.rsplit(".", 1)[-1]
    return last.isdecimal() or last.startswith("0x")
