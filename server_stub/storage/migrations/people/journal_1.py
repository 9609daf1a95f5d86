"""Journal: deeds are found by day, by person and by what was done."""

from __future__ import annotations

from alembic import op

revision = "journal_1"
down_revision = None
branch_labels = ("journal",)
depends_on = "people_1"


def upgrade() -> None:
    """One step on."""
    op.create_index("deed_by_day", "deed", ["at"], unique=False)
    op.create_index("deed_by_account", "deed", ["by", "at"], unique=False)
    op.create_index("deed_by_verb", "deed", ["did", "at"], unique=False)


def downgrade() -> None:
    """The same step back."""
    for name in ("deed_by_verb", "deed_by_account", "deed_by_day"):
        op.drop_index(name, table_name="deed")
