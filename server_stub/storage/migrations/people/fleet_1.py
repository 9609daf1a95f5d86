"""Fleet: enrolment_token, enrolment_use"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "fleet_1"
down_revision = None
branch_labels = ("fleet",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "enrolment_token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_enrolment_token_place"), "enrolment_token", ["place"], unique=False)
    op.create_table(
        "enrolment_use",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "account"),
    )


def downgrade() -> None:
    """The same step back."""
    op.drop_table("enrolment_use")
    op.drop_index(op.f("ix_enrolment_token_place"), table_name="enrolment_token")
    op.drop_table("enrolment_token")
