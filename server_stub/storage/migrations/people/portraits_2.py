"""Portraits: sealed to a class's reviewers, whose log `origin` names; those of before, which the operator's own secret
opened, go (and previews with them): the school has the photos and brings them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "portraits_2"
down_revision = "portraits_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step on."""
    for table in ("portrait", "portrait_draft", "portrait_waiting"):
        op.execute(sa.table(table).delete())
    op.add_column("portrait", sa.Column("origin", sa.String(length=255), nullable=False, server_default=""))


def downgrade() -> None:
    """The same step back: what only reviewers open is of no use to the program of before."""
    for table in ("portrait", "portrait_draft", "portrait_waiting"):
        op.execute(sa.table(table).delete())
    with op.batch_alter_table("portrait") as changed:
        changed.drop_column("origin")
