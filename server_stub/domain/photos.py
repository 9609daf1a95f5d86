"""Sealed photos as they come: named by a receipted event first, then taken in piece by piece, whole and right or not.

No token is asked for: an event of the session names the hashes, and nothing but those bytes is kept. The server cannot
look into what it keeps (`ledger.evidence`); who may is `domain.reviewing`.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from ledger import parcel
from ledger.errors import LedgerError
from ledger.events import Answered
from ledger.evidence import Named
from ledger.sessionlog import SessionLog
from server_stub.domain.errors import NotThereError, TooLargeError
from server_stub.domain.photo_errors import PhotoErasedError, StalePhotoError, WrongPhotoError
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.signin import Clock

State = Literal["named", "kept", "erased"]
LINES: Final = 64  # photos that are taken in at the same moment without waiting for one another


@dataclass(frozen=True, slots=True)
class Photo:
    """A sealed photo that event `seq` names, by attempt `attempt` of `check`; `at`: ms of its last change of state."""

    sid: str
    eid: str
    seq: int
    check: str
    attempt: int
    sha256: str
    keys: str
    kc: str
    state: State
    at: int

    @property
    def named(self) -> Named:
        """The four values of the event."""
        return Named(self.eid, self.sha256, self.keys, self.kc)


class PhotoIndex(Protocol):
    """What events name, within a transaction."""

    def add(self, photo: Photo) -> None: ...
    def photo(self, sid: str, eid: str) -> Photo | None:
        """The one of the first event that uses this name."""

    def photos(self, sid: str) -> Sequence[Photo]: ...
    def pictured(self) -> Collection[str]:
        """Of which learners a photo is kept."""

    def older(self, until: int) -> Sequence[str]:
        """Sessions with photos that are there still and whose state is as of `until` (ms) or older."""

    def set_state(self, photo: Photo, state: State, at: int) -> None: ...


class PhotoFiles(Protocol):
    """Where the bytes lie: another store may take the place of a folder."""

    def have(self, photo: Photo) -> int:
        """How many bytes of its parcel have come."""

    def append(self, photo: Photo, data: bytes) -> None: ...
    def take(self, photo: Photo) -> bytes:
        """The parcel as far as it came; it is not kept as such any longer."""

    def keep(self, digest: str, data: bytes) -> None: ...
    def read(self, digest: str) -> bytes | None: ...
    def erase(self, digest: str) -> None:
        """Overwrite and delete; quietly when it is gone already."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes [start, start + len(data)) of a parcel of `whole` bytes."""

    start: int
    whole: int
    data: bytes


def name(tx: Transaction, log: SessionLog, since: int, now: int) -> None:
    """Note the photos that the events from index `since` on name; only events that count name any."""
    for event in reversed(log.naming):
        if event.seq < since:
            return
        if isinstance(event.body, Answered) and event.body.evidence is not None:
            said, body = event.body.evidence, event.body
            photo = Photo(log.sid, said["eid"], event.seq, str(body.i), body.a, said["sha256"], said["keys"],
                          said["kc"], "named", now)  # fmt: skip
            tx.photos.add(photo)


class Photos:
    """Takes parcels in."""

    def __init__(self, records: Records, files: PhotoFiles, clock: Clock) -> None:
        self._records, self._files, self._clock = records, files, clock
        self._one = tuple(threading.Lock() for _ in range(LINES))  # two lines may carry the same photo

    def standing(self, sid: str, eid: str) -> dict[str, object]:
        """How much of a photo is here, and whether it is whole; `NotThereError`, `PhotoErasedError`."""
        photo = self._named(sid, eid)
        return {"have": self._files.have(photo), "kept": photo.state == "kept"}

    def take(self, sid: str, eid: str, piece: Piece) -> dict[str, object]:
        """Take the next piece; the last one makes it whole, on the disk before the answer.

        `StalePhotoError` names where to go on, `WrongPhotoError` after bytes that the event does not name (all of them
        are thrown away), `TooLargeError`, and the errors of `standing`.
        """
        photo = self._named(sid, eid)
        if photo.state == "kept":
            return {"have": piece.whole, "kept": True}
        if piece.whole > parcel.MAX_PARCEL:
            raise TooLargeError(f"a photo and its keys are at most {parcel.MAX_PARCEL} bytes")
        with self._one[int(eid[:4], 16) % LINES]:
            have = self._files.have(photo)
            if piece.start != have or have + len(piece.data) > piece.whole:
                raise StalePhotoError(f"{have} bytes of this photo are here", {"have": have, "kept": False})
            self._files.append(photo, piece.data)
            have += len(piece.data)
            if have == piece.whole:
                self._whole(photo)
        return {"have": have, "kept": have == piece.whole}

    def _named(self, sid: str, eid: str) -> Photo:
        photo = self._records.read(lambda tx: tx.photos.photo(sid, eid))
        if photo is None:
            raise NotThereError("no event of this session names such a photo")
        if photo.state == "erased":
            raise PhotoErasedError("this photo was erased")
        return photo

    def _whole(self, photo: Photo) -> None:
        try:
            sealed = parcel.unpack(self._files.take(photo), photo.named)
        except LedgerError as error:
            raise WrongPhotoError(f"{error.code}: {error}") from error
        self._files.keep(photo.sha256, sealed.file)
        self._files.keep(photo.keys, sealed.keys_file)

        def kept(tx: Transaction) -> bool:
            now = tx.photos.photo(photo.sid, photo.eid)
            if now is None or now.state == "erased":
                return False
            tx.photos.set_state(photo, "kept", self._clock())
            return True

        if not self._records.write(kept):  # erased while it came
            drop(self._files, photo)
            raise PhotoErasedError("this photo was erased")


def drop(files: PhotoFiles, photo: Photo) -> None:
    """Delete the sealed keys, without which nobody opens the photo, then the photo, and what came of it so far."""
    if files.have(photo):
        files.take(photo)
    files.erase(photo.keys)
    files.erase(photo.sha256)
