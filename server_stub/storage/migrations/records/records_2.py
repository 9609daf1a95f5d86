"""Commands and forks by their session: without it every segment looks at all commands that were ever given."""

from __future__ import annotations

from alembic import op

revision = "records_2"
down_revision = "records_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One step on."""
    op.execute("CREATE INDEX command_waiting ON command (sid) WHERE carried = 0")
    op.execute("CREATE INDEX command_session ON command (sid, id)")
    op.execute("CREATE INDEX fork_session ON fork (sid, id)")


def downgrade() -> None:
    """The same step back."""
    for index in ("fork_session", "command_session", "command_waiting"):
        op.execute(f"DROP INDEX {index}")
