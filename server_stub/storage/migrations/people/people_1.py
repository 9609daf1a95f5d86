"""People: account, challenge, class, code_asked, deed, draft, duty, person, place, registration, token"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "people_1"
down_revision = None
branch_labels = ("people",)
depends_on = None


def upgrade() -> None:
    """One step on."""
    op.create_table(
        "account",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("password", sa.String(length=300), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("account_by_person", "account", ["person", "name"], unique=False)
    op.create_index(op.f("ix_account_learner"), "account", ["learner"], unique=False)
    op.create_table(
        "challenge",
        sa.Column("challenge", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("challenge"),
    )
    op.create_table(
        "class",
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("class_id"),
    )
    op.create_table(
        "code_asked",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_code_asked_account"), "code_asked", ["account"], unique=False)
    op.create_table(
        "deed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("did", sa.String(length=200), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("leaf", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_deed_place"), "deed", ["place"], unique=False)
    op.create_table(
        "draft",
        sa.Column("draft", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("draft"),
    )
    op.create_table(
        "duty",
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("account", "role", "place"),
    )
    op.create_table(
        "person",
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("employer", sa.String(length=80), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("learner"),
        sa.UniqueConstraint("identity"),
    )
    op.create_index(op.f("ix_person_employer"), "person", ["employer"], unique=False)
    op.create_index(op.f("ix_person_phone"), "person", ["phone"], unique=False)
    op.create_table(
        "place",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("parent", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "registration",
        sa.Column("registration", sa.String(length=32), nullable=False),
        sa.Column("learner", sa.String(length=32), nullable=False),
        sa.Column("class_id", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=False),
        sa.Column("real_name", sa.String(length=20), nullable=False),
        sa.Column("identified", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("registration"),
    )
    op.create_index(op.f("ix_registration_class_id"), "registration", ["class_id"], unique=False)
    op.create_index(op.f("ix_registration_learner"), "registration", ["learner"], unique=False)
    op.create_table(
        "token",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("staff", sa.Boolean(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )


def downgrade() -> None:
    """The same step back."""
    op.drop_table("token")
    op.drop_index(op.f("ix_registration_learner"), table_name="registration")
    op.drop_index(op.f("ix_registration_class_id"), table_name="registration")
    op.drop_table("registration")
    op.drop_table("place")
    op.drop_index(op.f("ix_person_phone"), table_name="person")
    op.drop_index(op.f("ix_person_employer"), table_name="person")
    op.drop_table("person")
    op.drop_table("duty")
    op.drop_table("draft")
    op.drop_index(op.f("ix_deed_place"), table_name="deed")
    op.drop_table("deed")
    op.drop_index(op.f("ix_code_asked_account"), table_name="code_asked")
    op.drop_table("code_asked")
    op.drop_table("class")
    op.drop_table("challenge")
    op.drop_index(op.f("ix_account_learner"), table_name="account")
    op.drop_index("account_by_person", table_name="account")
    op.drop_table("account")
