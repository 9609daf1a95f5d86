"""Signin: ceremony, passkey, sign_in_link"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "signin_1"
down_revision = None
branch_labels = ("signin",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "ceremony",
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("held", sa.String(length=1000), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle"),
    )
    op.create_table(
        "passkey",
        sa.Column("key", sa.String(length=1400), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_passkey_account"), "passkey", ["account"], unique=False)
    op.create_table(
        "sign_in_link",
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index(op.f("ix_sign_in_link_account"), "sign_in_link", ["account"], unique=False)


def downgrade() -> None:
    """The same step back."""
    op.drop_index(op.f("ix_sign_in_link_account"), table_name="sign_in_link")
    op.drop_table("sign_in_link")
    op.drop_index(op.f("ix_passkey_account"), table_name="passkey")
    op.drop_table("passkey")
    op.drop_table("ceremony")
