"""Witnessed checkpoints and anchors in the records' database, and the way to the witnesses over HTTP."""

from __future__ import annotations

import http.client
import time
from dataclasses import astuple
from typing import Final
from urllib.parse import urlsplit

from server_stub.domain.gather import Reply
from server_stub.domain.witnessed import Anchored
from server_stub.storage.connection import Connection

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
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        until = time.monotonic() + PATIENCE_S
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE_S)
        try:
            path = parts.path.rstrip("/") + "/add-checkpoint"
            connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
            response = connection.getresponse()
            data = b""
            while chunk := response.read1(MAX_ANSWER):
                data += chunk
                if len(data) > MAX_ANSWER or time.monotonic() > until:
                    raise OSError("answers too much, or too slowly")
            return Reply(response.status, data)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"no HTTP answer: {type(error).__name__}") from error
        finally:
            connection.close()
