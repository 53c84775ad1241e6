"""Errands, heads of pull requests, our changes and what people made of them, switches, tenants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "errand",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("repo", sa.Text(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("finished_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_errand"),
        sa.UniqueConstraint("key", name="uq_errand_key"),
    )
    with op.batch_alter_table("errand") as batch_op:
        batch_op.create_index(
            "ix_errand_repo_id_sender_id_created_at", ["repo_id", "sender_id", "created_at"], unique=False
        )
        batch_op.create_index("ix_errand_state_next_at", ["state", "next_at"], unique=False)

    op.create_table(
        "ignored",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=512), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ignored"),
        sa.UniqueConstraint("repo_id", "kind", "value", name="uq_ignored_repo_id_kind_value"),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )
    op.create_table(
        "lesson",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("patch", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lesson"),
    )
    with op.batch_alter_table("lesson") as batch_op:
        batch_op.create_index("ix_lesson_repo_id_fingerprint", ["repo_id", "fingerprint"], unique=False)

    op.create_table(
        "pull_head",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("fork", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pull_head"),
    )
    with op.batch_alter_table("pull_head") as batch_op:
        batch_op.create_index("ix_pull_head_repo_id_number_at", ["repo_id", "number", "at"], unique=False)

    op.create_table(
        "repo",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_repo"),
    )
    op.create_table(
        "switch",
        sa.Column("scope", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_switch"),
    )
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.String(length=26), nullable=True),
        sa.Column("installation_id", sa.BigInteger(), nullable=False),
        sa.Column("repo_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(length=16), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("onto", sa.String(length=64), nullable=False),
        sa.Column("patch", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("ci", sa.String(length=16), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("rebased", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_change_run_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_change"),
        sa.UniqueConstraint("repo_id", "number", "how", "commit", name="uq_change_repo_id_number_how_commit"),
    )
    with op.batch_alter_table("change") as batch_op:
        batch_op.create_index("ix_change_repo_id_branch", ["repo_id", "branch"], unique=False)
        batch_op.create_index("ix_change_repo_id_target_state", ["repo_id", "target", "state"], unique=False)

    with op.batch_alter_table("delivery") as batch_op:
        batch_op.add_column(sa.Column("installation_id", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("repo_id", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.create_index("ix_delivery_installation_id_repo_id", ["installation_id", "repo_id"], unique=False)

    with op.batch_alter_table("run") as batch_op:
        batch_op.add_column(sa.Column("aim", sa.String(length=16), nullable=False, server_default="check"))
        batch_op.add_column(sa.Column("issue", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("requested_by", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("fingerprint", sa.String(length=64), nullable=False, server_default=""))
        batch_op.create_index("ix_run_repo_id_pull_request", ["repo_id", "pull_request"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("run") as batch_op:
        batch_op.drop_index("ix_run_repo_id_pull_request")
        batch_op.drop_column("fingerprint")
        batch_op.drop_column("requested_by")
        batch_op.drop_column("issue")
        batch_op.drop_column("aim")

    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_index("ix_delivery_installation_id_repo_id")
        batch_op.drop_column("repo_id")
        batch_op.drop_column("installation_id")

    with op.batch_alter_table("change") as batch_op:
        batch_op.drop_index("ix_change_repo_id_target_state")
        batch_op.drop_index("ix_change_repo_id_branch")

    op.drop_table("change")
    op.drop_table("switch")
    op.drop_table("repo")
    with op.batch_alter_table("pull_head") as batch_op:
        batch_op.drop_index("ix_pull_head_repo_id_number_at")

    op.drop_table("pull_head")
    with op.batch_alter_table("lesson") as batch_op:
        batch_op.drop_index("ix_lesson_repo_id_fingerprint")

    op.drop_table("lesson")
    op.drop_table("installation")
    op.drop_table("ignored")
    with op.batch_alter_table("errand") as batch_op:
        batch_op.drop_index("ix_errand_state_next_at")
        batch_op.drop_index("ix_errand_repo_id_sender_id_created_at")

    op.drop_table("errand")
