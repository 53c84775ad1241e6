"""GitHub's webhook signature: HMAC-SHA256 over the raw body. Nothing else of a request is believed before it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

_HEADER = re.compile(r"sha256=([0-9a-f]{64})")


def digest_in(header: str | None) -> str | None:
    """The hex digest of an X-Hub-Signature-256 header, or None when it is absent or not exactly of that form.

    Only ASCII can pass here: `hmac.compare_digest` raises TypeError for anything else.
    """
    match = _HEADER.fullmatch(header or "")
    return match[1] if match else None


class Proof:
    """One HMAC for each secret (two while a secret is being rotated), made while the body comes in."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._made = [hmac.new(secret, digestmod=hashlib.sha256) for secret in secrets]

    def update(self, piece: bytes) -> None:
        """The next piece of the body."""
        for one in self._made:
            one.update(piece)

    def holds(self, digest: str) -> bool:
        """The digest was made over all pieces with one of the secrets."""
        return any([hmac.compare_digest(one.hexdigest(), digest) for one in self._made])  # noqa: C419 - all are compared


def is_valid(body: bytes, digest: str, secrets: Sequence[bytes]) -> bool:
    """The digest was made over the body with one of the secrets."""
    proof = Proof(secrets)
    proof.update(body)
    return proof.holds(digest)


def sign(body: bytes, secret: bytes) -> str:
    """The header's value, as GitHub would send it."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
