"""Calls of models with what they cost, and what a failure looked like that a fix was for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "llm_call",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("answered", sa.String(length=200), nullable=False),
        sa.Column("response", sa.String(length=200), nullable=False),
        sa.Column("finish", sa.String(length=200), nullable=False),
        sa.Column("reserved_tokens", sa.Integer(), nullable=False),
        sa.Column("reserved_usd", sa.Double(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.Column("usd", sa.Double(), nullable=True),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("settled_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_llm_call_run_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_llm_call"),
    )
    with op.batch_alter_table("llm_call") as batch_op:
        batch_op.create_index("ix_llm_call_run_id_key", ["run_id", "key"], unique=False)
        batch_op.create_index("ix_llm_call_repo_id_at", ["repo_id", "at"], unique=False)
        batch_op.create_index("ix_llm_call_installation_id_at", ["installation_id", "at"], unique=False)
        batch_op.create_index("ix_llm_call_at", ["at"], unique=False)

    with op.batch_alter_table("lesson") as batch_op:
        batch_op.add_column(sa.Column("signature", sa.Text(), nullable=False, server_default=""))
        batch_op.create_index("ix_lesson_installation_id_accepted", ["installation_id", "accepted"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("lesson") as batch_op:
        batch_op.drop_index("ix_lesson_installation_id_accepted")
        batch_op.drop_column("signature")

    with op.batch_alter_table("llm_call") as batch_op:
        batch_op.drop_index("ix_llm_call_at")
        batch_op.drop_index("ix_llm_call_installation_id_at")
        batch_op.drop_index("ix_llm_call_repo_id_at")
        batch_op.drop_index("ix_llm_call_run_id_key")

    op.drop_table("llm_call")
