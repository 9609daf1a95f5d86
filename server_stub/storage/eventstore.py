"""Sessions: what was granted, how far each came, and its segments as the bytes that came, one row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter

from ledger import segment
from ledger.errors import SegmentError
from ledger.tree import leaf_hash
from server_stub.domain.ports import Progress, Session, State
from server_stub.storage.connection import Connection, marks

_ADD_SESSION, _ADD_PROGRESS = (
    f"INSERT INTO {table} VALUES ({marks(len(fields(row)))})"  # noqa: S608
    for table, row in (("session", Session), ("progress", Progress))
)
# the key is never set: SQLite writes every index anew that a statement names, changed or not
_CHANGING = [field.name for field in fields(Progress) if field.name != "sid"]
_ADVANCING = ("size", "root", "issued", "unread", "checkpoint", "body", "answer", "heard_at")  # as `Progress.after`
_SET_PROGRESS, _ADVANCE = (
    f"UPDATE progress SET {', '.join(f'{name} = ?' for name in names)} WHERE sid = ?"  # noqa: S608
    for names in (_CHANGING, _ADVANCING)
)
_STANDING = (
    "SELECT progress.*, CASE WHEN EXISTS (SELECT 1 FROM command WHERE command.sid = progress.sid AND carried = 0) "
    "THEN 1 ELSE 0 END FROM progress WHERE sid = ?"
)
_changed, _advanced = (attrgetter(*names, "sid") for names in (_CHANGING, _ADVANCING))
# `dataclasses.astuple` copies deeply, which costs more than the statement
_session_row, _progress_row = (attrgetter(*(field.name for field in fields(row))) for row in (Session, Progress))
_MAX_FORKS = 16  # one is proof already; a forger must not fill the disk


class SqlEventStore:
    """`domain.ports.EventStore` on one connection, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add_session(self, session: Session, progress: Progress) -> None:
        self._db.execute(_ADD_SESSION, _session_row(session))
        self._db.execute(_ADD_PROGRESS, _progress_row(progress))

    def session(self, sid: str) -> Session | None:
        row = self._db.execute("SELECT * FROM session WHERE sid = ?", (sid,)).fetchone()
        return Session(*row) if row else None

    def key_used(self, key: str) -> bool:
        return self._db.execute("SELECT 1 FROM session WHERE key = ?", (key,)).fetchone() is not None

    def progress(self, sid: str) -> Progress:
        row = self._db.execute("SELECT * FROM progress WHERE sid = ?", (sid,)).fetchone()
        return Progress(*row)

    def standing(self, sid: str) -> tuple[Progress, bool]:
        *row, waiting = self._db.execute(_STANDING, (sid,)).fetchone()
        return Progress(*row), bool(waiting)

    def set_progress(self, progress: Progress) -> None:
        self._db.execute(_SET_PROGRESS, _changed(progress))

    def advance(self, progress: Progress) -> None:
        self._db.execute(_ADVANCE, _advanced(progress))

    def sessions(
        self, *, class_id: str | None = None, registration: str | None = None, learner: str | None = None,
        device: str | None = None, state: State | None = None,
    ) -> Sequence[str]:  # fmt: skip
        wanted = {
            "session.class_id": class_id, "session.registration": registration, "session.learner": learner,
            "session.device": device, "progress.state": state,
        }  # fmt: skip
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given) or "1 = 1"
        query = f"SELECT sid FROM session JOIN progress USING (sid) WHERE {where} ORDER BY granted_at, leaf"  # noqa: S608
        return [row[0] for row in self._db.execute(query, tuple(given.values()))]

    def unsettled(self) -> Sequence[str]:
        return [row[0] for row in self._db.execute("SELECT sid FROM progress WHERE unsettled = 1")]

    def add_segment(self, sid: str, old: int, size: int, body: bytes, time: int) -> None:
        self._db.execute("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", (sid, old, size, body, time))

    def segments(self, sid: str) -> Iterator[tuple[int, bytes]]:
        yield from self._db.execute("SELECT time, body FROM segment WHERE sid = ? ORDER BY old", (sid,))

    def segments_from(self, sid: str, old: int) -> Iterator[bytes]:
        query = "SELECT body FROM segment WHERE sid = ? AND old >= ? ORDER BY old"
        yield from (row[0] for row in self._db.execute(query, (sid, old)))

    def learners(self, class_id: str, since: int) -> int:
        query = "SELECT count(DISTINCT learner) FROM session WHERE class_id = ? AND granted_at >= ?"
        return int(self._db.execute(query, (class_id, since)).fetchone()[0])

    def heard(self, since: int) -> Sequence[tuple[str, int]]:
        rows = self._db.execute("SELECT sid, size FROM progress WHERE heard_at >= ? AND size > 0", (since,))
        return [(row[0], int(row[1])) for row in rows]

    def totals(self) -> Mapping[str, tuple[int, int, int]]:
        query = (
            "SELECT class_id, count(*), sum(CASE WHEN state = 'open' THEN 1 ELSE 0 END), sum(settled_ms) "
            "FROM session JOIN progress USING (sid) GROUP BY class_id"
        )
        return {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in self._db.execute(query)}

    def add_command(self, sid: str, note: bytes) -> None:
        self._db.execute("INSERT INTO command (sid, note) VALUES (?, ?)", (sid, note))

    def take_commands(self, sid: str) -> Sequence[bytes]:
        query = "SELECT id, note FROM command WHERE sid = ? AND carried = 0 ORDER BY id LIMIT 16"  # one answer's most
        rows = self._db.execute(query, (sid,)).fetchall()
        if rows:
            self._db.executemany("UPDATE command SET carried = 1 WHERE id = ?", [(row[0],) for row in rows])
        return [row[1] for row in rows]

    def commands(self, sid: str) -> Sequence[bytes]:
        return [row[0] for row in self._db.execute("SELECT note FROM command WHERE sid = ? ORDER BY id", (sid,))]

    def add_fork(self, sid: str, body: bytes, at: int) -> None:
        kept = self._db.execute("SELECT body FROM fork WHERE sid = ?", (sid,)).fetchall()
        if len(kept) < _MAX_FORKS and (body,) not in kept:
            self._db.execute("INSERT INTO fork (sid, body, at) VALUES (?, ?, ?)", (sid, body, at))

    def forks(self, sid: str) -> Sequence[bytes]:
        return [row[0] for row in self._db.execute("SELECT body FROM fork WHERE sid = ? ORDER BY id", (sid,))]

    def erase(self, sid: str, hashes: Mapping[int, bytes]) -> None:
        gone = set(hashes.values())
        self._db.executemany(
            "INSERT INTO erased VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(sid, index, data) for index, data in hashes.items()],
        )
        for table, key in (("segment", "old"), ("fork", "id")):
            rows = self._db.execute(f"SELECT {key}, body FROM {table} WHERE sid = ?", (sid,)).fetchall()  # noqa: S608
            for place, body in rows:
                left = _without(body, gone)
                if left != body:
                    update = f"UPDATE {table} SET body = ? WHERE sid = ? AND {key} = ?"  # noqa: S608
                    self._db.execute(update, (left, sid, place))

    def erased(self, sid: str) -> Mapping[int, bytes]:
        return dict(self._db.execute("SELECT idx, leaf_hash FROM erased WHERE sid = ?", (sid,)).fetchall())


def _without(body: bytes, gone: set[bytes]) -> bytes:
    """A kept segment without the entries of these leaf hashes; what is no segment holds no entries."""
    try:
        parsed = segment.parse_kept(body)
    except SegmentError:
        return body
    entries = [b"" if leaf_hash(entry) in gone else entry for entry in parsed.entries]
    return segment.build(parsed.old, bytes(parsed.note), entries)
