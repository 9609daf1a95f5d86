"""Portraits: portrait, portrait_draft, portrait_waiting"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "portraits_1"
down_revision = None
branch_labels = ("portraits",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "portrait",
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("learner"),
    )
    op.create_index(op.f("ix_portrait_at"), "portrait", ["at"], unique=False)
    op.create_table(
        "portrait_draft",
        sa.Column("draft", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("draft"),
    )
    op.create_table(
        "portrait_waiting",
        sa.Column("draft", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("draft", "number"),
    )
    op.create_index(op.f("ix_portrait_waiting_learner"), "portrait_waiting", ["learner"], unique=False)


def downgrade() -> None:
    """The same step back."""
    op.drop_index(op.f("ix_portrait_waiting_learner"), table_name="portrait_waiting")
    op.drop_table("portrait_waiting")
    op.drop_table("portrait_draft")
    op.drop_index(op.f("ix_portrait_at"), table_name="portrait")
    op.drop_table("portrait")
