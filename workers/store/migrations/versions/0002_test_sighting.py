"""The history of single tests across runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "test_sighting",
        sa.Column("run_id", sa.String(length=26), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("test", sa.Text(), nullable=False),
        sa.Column("executions", sa.Integer(), nullable=False),
        sa.Column("red", sa.Integer(), nullable=False),
        sa.Column("unsteady", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_test_sighting_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "digest", name="pk_test_sighting"),
    )
    with op.batch_alter_table("test_sighting") as batch_op:
        batch_op.create_index("ix_test_sighting_repo_id_digest", ["repo_id", "digest"], unique=False)


def downgrade() -> None:
    op.drop_table("test_sighting")
