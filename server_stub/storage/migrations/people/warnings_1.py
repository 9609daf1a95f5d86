"""Figures of sessions, kept for early warnings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "warnings_1"
down_revision = None
branch_labels = ("warnings",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "trace",
        sa.Column("sid", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("granted_at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )
    op.create_index(op.f("ix_trace_granted_at"), "trace", ["granted_at"], unique=False)
    op.create_index(op.f("ix_trace_learner"), "trace", ["learner"], unique=False)


def downgrade() -> None:
    """The same step back."""
    op.drop_index(op.f("ix_trace_learner"), table_name="trace")
    op.drop_index(op.f("ix_trace_granted_at"), table_name="trace")
    op.drop_table("trace")
