"""Alembic's entry: runs the migrations on the connection that `workers.store.schema` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from workers.store.models import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
