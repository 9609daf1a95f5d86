"""A second copy of what was signed and is not sent yet: one plain file a session, only ever appended to.

The database may be damaged (a bad sector, a copied file, a program that meddles); from these files it is made anew
(`client/sync/rebuild.py`). A file is a line of frames: u32be length, SHA-256 of the payload, payload. The first payload
is what the session stands on (certificate, grant, keys) as JSON, each further one an upload as it was signed. What is
read here is hostile until its signatures are checked.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from client.profile import append_private, disk, write_private
from client.sync.outbox import Kept
from ledger import names, segment
from ledger.errors import LedgerError
from ledger.segment import Segment

FOLDER: Final = "unsent"
MAX_FILE: Final = 256 << 20  # a session of hours is a few MiB
_HEAD: Final = 4 + 32


@dataclass(frozen=True, slots=True)
class Head:
    """What a session stands on, as the database keeps it too."""

    sid: str
    registration: str
    class_: str
    vkey: str
    cert: bytes
    grant: bytes
    keys: str

    @classmethod
    def of(cls, kept: Kept) -> Head:
        """That of a session in the database."""
        return cls(kept.sid, kept.registration, kept.class_, kept.vkey, kept.cert, kept.grant, kept.keys)

    def __bytes__(self) -> bytes:
        """As JSON."""
        plain = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in asdict(self).items()}
        return json.dumps(plain, sort_keys=True).encode()

    @classmethod
    def parse(cls, data: bytes) -> Head | None:
        """What `bytes` gave; None for anything else."""
        try:
            plain = json.loads(data)
            cert, grant = (base64.b64decode(plain[name], validate=True) for name in ("cert", "grant"))
            texts = {name: plain[name] for name in ("sid", "registration", "class_", "vkey", "keys")}
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if len(plain) != 7 or not all(isinstance(value, str) for value in texts.values()):
            return None
        return cls(cert=cert, grant=grant, **texts) if names.is_a("sid", texts["sid"]) else None


@dataclass(frozen=True, slots=True)
class Copied:
    """One session's file, as far as its frames are whole: its head, and the uploads in the order of their signing."""

    head: Head
    segments: tuple[Segment, ...]
    whole: bool  # whether nothing followed that could not be read


class Journal:
    """The files beside one database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, head: Head) -> None:
        """The first frame of a session."""
        append_private(self._path(head.sid), frame(bytes(head)))

    def add(self, sid: str, body: bytes) -> None:
        """One more signed upload, on the disk before returning."""
        append_private(self._path(sid), frame(body))

    def has(self, sid: str) -> bool:
        """Whether the session has a file here."""
        return self._path(sid).exists()

    def mend(self, sid: str) -> None:
        """Cut off what a crash left torn at the end, so that what is added next can be read."""
        path = self._path(sid)
        if not path.exists():
            return
        with disk(str(path)):
            data = path.read_bytes()
        whole = sum(_HEAD + len(payload) for payload in _payloads(data))
        if not whole:
            self.drop(sid)
        elif whole < len(data):
            write_private(path, data[:whole])

    def drop(self, sid: str) -> None:
        """The server has all of it."""
        with disk(str(self._folder)):
            self._path(sid).unlink(missing_ok=True)

    def read(self) -> list[Copied]:
        """Every session that is here, oldest file first; files and frames that are none of ours are passed over."""
        found = []
        with disk(str(self._folder)):
            paths = [path for path in self._folder.iterdir() if path.is_file()] if self._folder.is_dir() else []
            for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name)):
                copied = parse(path.read_bytes()) if path.stat().st_size <= MAX_FILE else None
                if copied is not None and copied.head.sid == path.name:
                    found.append(copied)
        return found

    def _path(self, sid: str) -> Path:
        return self._folder / sid


def journal_of(database: Path) -> Journal:
    """The copies that lie beside a database."""
    return Journal(database.with_name(FOLDER))


def frame(payload: bytes) -> bytes:
    """One frame."""
    return len(payload).to_bytes(4, "big") + sha256(payload).digest() + payload


def parse(data: bytes) -> Copied | None:
    """A session's file; None where not even its head is whole. It ends at the first frame that is not."""
    payloads = _payloads(data)
    head = Head.parse(next(payloads, b""))
    if head is None:
        return None
    segments, read = [], _HEAD + len(bytes(head))
    for payload in payloads:
        try:
            segments.append(segment.parse_kept(payload))
        except LedgerError:
            break
        read += _HEAD + len(payload)
    return Copied(head, tuple(segments), read == len(data))


def _payloads(data: bytes) -> Iterator[bytes]:
    place = 0
    while place + _HEAD <= len(data):
        length, digest = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + _HEAD]
        payload = data[place + _HEAD : place + _HEAD + length]
        if len(payload) != length or sha256(payload).digest() != digest:
            return  # torn by a crash, or not ours
        yield payload
        place += _HEAD + length
