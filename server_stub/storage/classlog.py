"""Class logs, bodies and device keys: entries are only ever inserted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple

from server_stub.domain.ports import Device
from server_stub.storage.connection import Connection

_HEAD = "INSERT INTO head VALUES (?, ?) ON CONFLICT (class_id) DO UPDATE SET checkpoint = excluded.checkpoint"
_CLASS_BODY = "INSERT INTO class_body VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


class SqlLogStore:
    """`domain.ports.LogStore` on one connection, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def size(self, class_id: str) -> int:
        row = self._db.execute("SELECT max(idx) FROM entry WHERE class_id = ?", (class_id,)).fetchone()
        return 0 if row[0] is None else row[0] + 1

    def entries(self, class_id: str, start: int, stop: int) -> list[bytes]:
        query = "SELECT entry FROM entry WHERE class_id = ? AND idx >= ? AND idx < ? ORDER BY idx"
        return [row[0] for row in self._db.execute(query, (class_id, start, stop))]

    def append(self, class_id: str, index: int, entry: bytes, leaf_hash: bytes) -> None:
        self._db.execute("INSERT INTO entry VALUES (?, ?, ?, ?)", (class_id, index, entry, leaf_hash))

    def head(self, class_id: str) -> bytes:
        row = self._db.execute("SELECT checkpoint FROM head WHERE class_id = ?", (class_id,)).fetchone()
        return row[0] if row else b""

    def set_head(self, class_id: str, checkpoint: bytes) -> None:
        self._db.execute(_HEAD, (class_id, checkpoint))

    def put_body(
        self, class_id: str, digest: str, data: bytes, *, public: bool = False, leaf: int | None = None
    ) -> None:
        self._db.execute("INSERT INTO body VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, data))
        self._db.execute(_CLASS_BODY, (class_id, digest, int(public), leaf))

    def leaf_of(self, class_id: str, digest: str) -> int | None:
        query = "SELECT leaf FROM class_body WHERE class_id = ? AND digest = ?"
        row = self._db.execute(query, (class_id, digest)).fetchone()
        return row[0] if row else None

    def body(self, digest: str) -> bytes | None:
        row = self._db.execute("SELECT bytes FROM body WHERE digest = ?", (digest,)).fetchone()
        return row[0] if row else None

    def bodies(self, class_id: str) -> Sequence[str]:
        query = "SELECT digest FROM class_body WHERE class_id = ? ORDER BY digest"
        return [row[0] for row in self._db.execute(query, (class_id,))]

    def is_public(self, class_id: str, digest: str) -> bool:
        query = "SELECT 1 FROM class_body WHERE class_id = ? AND digest = ? AND public = 1"
        return self._db.execute(query, (class_id, digest)).fetchone() is not None

    def add_device(self, device: Device) -> None:
        self._db.execute("INSERT INTO device VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(device))

    def device(self, vkey: str) -> Device | None:
        row = self._db.execute("SELECT * FROM device WHERE vkey = ?", (vkey,)).fetchone()
        return Device(*row) if row else None

    def devices(self, class_id: str, learner: str) -> Sequence[Device]:
        query = "SELECT * FROM device WHERE class_id = ? AND learner = ? ORDER BY leaf"
        return [Device(*row) for row in self._db.execute(query, (class_id, learner))]

    def revoke_device(self, vkey: str, leaf: int) -> None:
        self._db.execute("UPDATE device SET revoked = ? WHERE vkey = ? AND revoked IS NULL", (leaf, vkey))

    def drop_body(self, digest: str) -> bool:
        return self._db.execute("DELETE FROM body WHERE digest = ?", (digest,)).rowcount > 0
