"""Records: what earlier releases made at every start. Nothing that is there is changed."""

from __future__ import annotations

from alembic import op

revision = "records_1"
down_revision = None
branch_labels = ("records",)
depends_on = None

_TABLES = """
CREATE TABLE IF NOT EXISTS entry (
    class_id TEXT NOT NULL, idx INTEGER NOT NULL, entry BLOB NOT NULL, leaf_hash BLOB NOT NULL,
    PRIMARY KEY (class_id, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS head (class_id TEXT PRIMARY KEY, checkpoint BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS body (digest TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS class_body (
    class_id TEXT, digest TEXT, public INTEGER NOT NULL, leaf INTEGER, PRIMARY KEY (class_id, digest)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS device (
    vkey TEXT PRIMARY KEY, class_id TEXT NOT NULL, registration TEXT NOT NULL, learner TEXT NOT NULL,
    owner TEXT NOT NULL, salt BLOB NOT NULL, leaf INTEGER NOT NULL, revoked INTEGER);
CREATE INDEX IF NOT EXISTS device_learner ON device (class_id, learner);
CREATE TABLE IF NOT EXISTS session (
    sid TEXT PRIMARY KEY, class_id TEXT NOT NULL, registration TEXT NOT NULL, learner TEXT NOT NULL,
    device TEXT NOT NULL, key TEXT NOT NULL UNIQUE, cert BLOB NOT NULL, cert_digest TEXT NOT NULL,
    "grant" BLOB NOT NULL, seed BLOB NOT NULL, granted_at INTEGER NOT NULL, open_by INTEGER NOT NULL,
    late_by INTEGER NOT NULL, leaf INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS session_learner ON session (learner);
CREATE INDEX IF NOT EXISTS session_class ON session (class_id, leaf);
CREATE INDEX IF NOT EXISTS session_device ON session (device);
CREATE INDEX IF NOT EXISTS session_registration ON session (registration);
CREATE TABLE IF NOT EXISTS progress (
    sid TEXT PRIMARY KEY REFERENCES session, size INTEGER NOT NULL, root BLOB NOT NULL, state TEXT NOT NULL,
    issued INTEGER NOT NULL, unread INTEGER, checkpoint BLOB NOT NULL, body TEXT NOT NULL, answer BLOB NOT NULL,
    heard_at INTEGER NOT NULL, logged_size INTEGER NOT NULL, logged_at INTEGER NOT NULL, logged_leaf INTEGER NOT NULL,
    settled_size INTEGER NOT NULL, settled_ms INTEGER NOT NULL, unsettled INTEGER NOT NULL,
    missed INTEGER NOT NULL, mismatched INTEGER NOT NULL, made_up INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS progress_open ON progress (state) WHERE state = 'open';
DROP INDEX IF EXISTS progress_unsettled;
CREATE INDEX IF NOT EXISTS progress_to_settle ON progress (unsettled) WHERE unsettled = 1;
CREATE TABLE IF NOT EXISTS segment (
    sid TEXT NOT NULL, old INTEGER NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL, time INTEGER NOT NULL,
    PRIMARY KEY (sid, old)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS command (
    id {ID}, sid TEXT NOT NULL, note BLOB NOT NULL, carried INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS erased (
    sid TEXT NOT NULL, idx INTEGER NOT NULL, leaf_hash BLOB NOT NULL, PRIMARY KEY (sid, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fork (id {ID}, sid TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS photo (
    sid TEXT NOT NULL, eid TEXT NOT NULL, seq INTEGER NOT NULL, i TEXT NOT NULL, a INTEGER NOT NULL,
    sha256 TEXT NOT NULL, keys TEXT NOT NULL, kc TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (sid, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS witnessed (class_id TEXT PRIMARY KEY, size INTEGER NOT NULL, checkpoint BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS anchor (
    class_id TEXT NOT NULL, idx INTEGER NOT NULL, size INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (class_id, idx)) WITHOUT ROWID;
"""
_SQLITE = tuple(
    f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {what} ON entry BEGIN SELECT RAISE(ABORT, 'a log only grows'); END"
    for name, what in (("entry_stays", "UPDATE"), ("entry_kept", "DELETE"))
)
_POSTGRES = (
    "CREATE FUNCTION entry_stays() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a log only grows'; END $$",
    "CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION entry_stays()",
    "CREATE TRIGGER entry_kept BEFORE TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION entry_stays()",
)
_MADE = ("anchor", "witnessed", "photo", "fork", "erased", "command", "segment", "progress", "session", "device",
         "class_body", "body", "head", "entry")  # fmt: skip


def upgrade() -> None:
    """One step on."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _TABLES.strip().split(";\n"):
        op.execute(_spelled(statement, sqlite=sqlite).rstrip(";"))
    for statement in _SQLITE if sqlite else _POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """The same step back."""
    for table in _MADE:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION entry_stays()")


def _spelled(sql: str, *, sqlite: bool) -> str:
    """Times are ms: more than PostgreSQL's INTEGER holds."""
    if sqlite:
        return sql.replace("{ID}", "INTEGER PRIMARY KEY")
    changed = sql.replace("{ID}", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
    return changed.replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA").replace(" WITHOUT ROWID", "")
