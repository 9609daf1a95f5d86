"""Sealed photos on the server's disk, 0600 each; in the records' database who named them and what became of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from server_stub.domain.photos import Photo
from server_stub.settings import sync_folder, write_private
from server_stub.storage.connection import Connection, marks


class SqlPhotoIndex:
    """`domain.photos.PhotoIndex` on one connection, inside its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, photo: Photo) -> None:
        row = (photo.sid, photo.eid, photo.seq, photo.check, photo.attempt, photo.sha256, photo.keys, photo.kc,
               photo.state, photo.at)  # fmt: skip
        self._db.execute(f"INSERT INTO photo VALUES ({marks(len(row))}) ON CONFLICT DO NOTHING", row)  # noqa: S608

    def photo(self, sid: str, eid: str) -> Photo | None:
        query = "SELECT * FROM photo WHERE sid = ? AND eid = ? ORDER BY seq LIMIT 1"
        row = self._db.execute(query, (sid, eid)).fetchone()
        return Photo(*row) if row else None

    def photos(self, sid: str) -> Sequence[Photo]:
        return [Photo(*row) for row in self._db.execute("SELECT * FROM photo WHERE sid = ? ORDER BY seq", (sid,))]

    def pictured(self) -> Collection[str]:
        query = "SELECT DISTINCT session.learner FROM photo JOIN session ON session.sid = photo.sid"
        return {row[0] for row in self._db.execute(f"{query} WHERE photo.state = 'kept'")}

    def older(self, until: int) -> Sequence[str]:
        query = "SELECT DISTINCT sid FROM photo WHERE state <> 'erased' AND at <= ? ORDER BY sid"
        return [row[0] for row in self._db.execute(query, (until,))]

    def set_state(self, photo: Photo, state: str, at: int) -> None:
        query = "UPDATE photo SET state = ?, at = ? WHERE sid = ? AND seq = ?"
        self._db.execute(query, (state, at, photo.sid, photo.seq))


class PhotoFiles:
    """`domain.photos.PhotoFiles` in one folder: a file by its own hash, what is on its way under the photo's name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for part in (folder, folder / "parts"):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)

    def have(self, photo: Photo) -> int:
        part = self._part(photo)
        return part.stat().st_size if part.exists() else 0

    def append(self, photo: Photo, data: bytes) -> None:
        handle = os.open(self._part(photo), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)

    def take(self, photo: Photo) -> bytes:
        part = self._part(photo)
        data = part.read_bytes()
        part.unlink()
        return data

    def keep(self, digest: str, data: bytes) -> None:
        fresh = self._folder / f"parts/{digest}.new"
        write_private(fresh, data)
        fresh.replace(self._folder / digest)
        sync_folder(self._folder)

    def read(self, digest: str) -> bytes | None:
        """None where it is not there; zeros are a file that was erased when the power went."""
        try:
            found = (self._folder / digest).read_bytes()
        except FileNotFoundError:
            return None
        return found if any(found) else None

    def erase(self, digest: str) -> None:
        path = self._folder / digest
        if not path.exists():
            return
        with path.open("r+b") as file:  # in place: truncated, its old blocks would be free, and full
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(self._folder)

    def _part(self, photo: Photo) -> Path:
        return self._folder / "parts" / f"{photo.sid}-{photo.eid}"
