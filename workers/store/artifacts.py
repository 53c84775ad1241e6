"""Large products by the hash of their content: stored once, checked when they are read."""

from __future__ import annotations

import hashlib
import zlib

from sqlalchemy import Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from workers.store.database import db_now, transact
from workers.store.models import Artifact


class Artifacts:
    """Content-addressed bytes. Redacting is the caller's job: a hash names exactly what was given."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, kind: str, content: bytes) -> str:
        """Store the content and give its SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        row = {"sha256": sha256, "kind": kind, "body": zlib.compress(content, 6), "size": len(content)}
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        statement = insert(Artifact).values(**row, created_at=db_now()).on_conflict_do_nothing()
        transact(self._engine, lambda connection: connection.execute(statement))
        return sha256

    def get(self, sha256: str) -> bytes | None:
        """The content, or None when it is missing or no longer matches its name."""
        with self._engine.connect() as connection:
            body = connection.execute(select(Artifact.body).where(Artifact.sha256 == sha256)).scalar()
        if body is None:
            return None
        try:
            content = zlib.decompress(body)
        except zlib.error:
            return None
        return content if hashlib.sha256(content).hexdigest() == sha256 else None
