"""How bodies of deliveries are kept: compressed by zlib, and known by the SHA-256 of what came."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Packed:
    """A body as it is kept. `sha256` is of the raw body, in hex."""

    data: bytes
    sha256: str


def pack(pieces: list[bytes]) -> Packed:
    """A body to keep, from its pieces. They are taken out of the list one by one, so that the body is never there
    twice: a delivery may have 25 MB."""
    packer, hashed, packed = zlib.compressobj(1), hashlib.sha256(), list[bytes]()
    pieces.reverse()
    while pieces:
        piece = pieces.pop()
        hashed.update(piece)
        packed.append(packer.compress(piece))
    packed.append(packer.flush())
    return Packed(b"".join(packed), hashed.hexdigest())


def unpack(packed: Packed) -> bytes | None:
    """The body again; None where what was kept is not what came."""
    try:
        content = zlib.decompress(packed.data)
    except zlib.error:
        return None
    return content if hashlib.sha256(content).hexdigest() == packed.sha256 else None
