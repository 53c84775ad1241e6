"""The host's certificate authorities as a Java key store, because Java reads no PEM bundle.

The oldest format, JKS, is what every Java reads without being told its kind, and it needs no cryptography to write.
"""

from __future__ import annotations

import base64
import hashlib
import re
import struct

PASSWORD = "changeit"  # noqa: S105 - Java's own default: the store holds nothing secret
_MAGIC, _VERSION, _TRUSTED = 0xFEEDFEED, 2, 2
_SALT = b"Mighty Aphrodite"
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def keystore(bundle: bytes) -> bytes:
    """A JKS file with every certificate of a PEM bundle."""
    certificates = [base64.b64decode(found) for found in _CERTIFICATE.findall(bundle)]
    entries = b"".join(_entry(f"authority-{number}", der) for number, der in enumerate(certificates))
    store = struct.pack(">III", _MAGIC, _VERSION, len(certificates)) + entries
    seal = hashlib.sha1(PASSWORD.encode("utf-16-be") + _SALT + store, usedforsecurity=False)
    return store + seal.digest()


def _entry(alias: str, der: bytes) -> bytes:
    return struct.pack(">I", _TRUSTED) + _text(alias) + bytes(8) + _text("X.509") + struct.pack(">I", len(der)) + der


def _text(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode("ascii")
