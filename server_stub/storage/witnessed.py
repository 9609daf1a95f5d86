"""Witnessed checkpoints and anchors in the records' database, and the way to the witnesses over HTTP."""

from __future__ import annotations

from dataclasses import astuple
from typing import Final

from server_stub.domain.gather import Reply
from server_stub.domain.witnessed import Anchored
from server_stub.storage.connection import Connection
from server_stub.wire import Patience, exchange

MAX_ANSWER: Final = 16_384
PATIENCE_S: Final = 4.0
_WITNESSED: Final = (
    "INSERT INTO witnessed VALUES (?, ?, ?) "
    "ON CONFLICT (class_id) DO UPDATE SET size = excluded.size, checkpoint = excluded.checkpoint"
)


class SqlWitnessedStore:
    """`domain.witnessed.WitnessedStore` on one connection, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def checkpoint(self, class_id: str) -> bytes:
        row = self._db.execute("SELECT checkpoint FROM witnessed WHERE class_id = ?", (class_id,)).fetchone()
        return row[0] if row else b""

    def size(self, class_id: str) -> int:
        row = self._db.execute("SELECT size FROM witnessed WHERE class_id = ?", (class_id,)).fetchone()
        return row[0] if row else 0

    def set_checkpoint(self, class_id: str, size: int, signed: bytes) -> None:
        self._db.execute(_WITNESSED, (class_id, size, signed))

    def add_anchor(self, anchor: Anchored) -> None:
        self._db.execute("INSERT INTO anchor VALUES (?, ?, ?, ?)", astuple(anchor))

    def last_anchor(self, class_id: str) -> Anchored | None:
        query = "SELECT * FROM anchor WHERE class_id = ? ORDER BY idx DESC LIMIT 1"
        row = self._db.execute(query, (class_id,)).fetchone()
        return Anchored(*row) if row else None


class HttpWitnesses:
    """`domain.gather.Witnesses`: follows no redirect, reads and waits no longer than an answer may take."""

    def add_checkpoint(self, url: str, body: bytes) -> Reply:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        reply = exchange("POST", url.rstrip("/") + "/add-checkpoint", body, headers, Patience(PATIENCE_S, MAX_ANSWER))
        return Reply(reply.status, reply.body)
