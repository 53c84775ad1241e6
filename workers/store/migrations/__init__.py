"""Alembic scripts; run by `workers.store.schema`."""
