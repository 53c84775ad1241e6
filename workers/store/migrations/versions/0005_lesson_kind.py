"""What kind of change a remembered fix said to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("lesson") as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=16), nullable=False, server_default="edit"))


def downgrade() -> None:
    with op.batch_alter_table("lesson") as batch_op:
        batch_op.drop_column("kind")
