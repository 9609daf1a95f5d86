"""Papers: paper"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "papers_1"
down_revision = None
branch_labels = ("papers",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "paper",
        sa.Column("paper", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("paper"),
    )
    op.create_index(op.f("ix_paper_about"), "paper", ["about"], unique=False)
    op.create_index(op.f("ix_paper_kind"), "paper", ["kind"], unique=False)
    op.create_index(op.f("ix_paper_place"), "paper", ["place"], unique=False)


def downgrade() -> None:
    """The same step back."""
    op.drop_index(op.f("ix_paper_place"), table_name="paper")
    op.drop_index(op.f("ix_paper_kind"), table_name="paper")
    op.drop_index(op.f("ix_paper_about"), table_name="paper")
    op.drop_table("paper")
