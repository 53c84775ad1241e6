"""What runs use of the sandbox, set aside and settled like the calls of models."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sandbox_use",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reserved_seconds", sa.Double(), nullable=False),
        sa.Column("reserved_candidates", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_sandbox_use_run_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_use"),
    )
    with op.batch_alter_table("sandbox_use") as batch_op:
        batch_op.create_index("ix_sandbox_use_run_id_key", ["run_id", "key"], unique=False)
        batch_op.create_index("ix_sandbox_use_repo_id_at", ["repo_id", "at"], unique=False)
        batch_op.create_index("ix_sandbox_use_installation_id_at", ["installation_id", "at"], unique=False)
        batch_op.create_index("ix_sandbox_use_at", ["at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("sandbox_use") as batch_op:
        batch_op.drop_index("ix_sandbox_use_at")
        batch_op.drop_index("ix_sandbox_use_installation_id_at")
        batch_op.drop_index("ix_sandbox_use_repo_id_at")
        batch_op.drop_index("ix_sandbox_use_run_id_key")

    op.drop_table("sandbox_use")
