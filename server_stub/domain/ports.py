"""What the server keeps of its records, as values, and the ports that keep them in one transaction.

What the class log says and what stands behind it (session, segment, body, device) are committed together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from server_stub.domain.witnessed import WitnessedStore

if TYPE_CHECKING:
    from server_stub.domain.photos import PhotoIndex

T = TypeVar("T")
State = Literal["open", "closed", "abandoned"]


@dataclass(frozen=True, slots=True)
class Device:
    """One certified device key of one learner in one class. `salt` (16 bytes) opens the `owner` hash of its leaf."""

    vkey: str
    class_id: str
    registration: str
    learner: str
    owner: str
    salt: bytes
    leaf: int
    revoked: int | None = None  # the leaf that revoked it


@dataclass(frozen=True, slots=True)
class Session:
    """What is fixed when a session is granted. Times in ms since the epoch; certificate and grant: notes verbatim."""

    sid: str
    class_id: str
    registration: str
    learner: str
    device: str  # vkey
    key: str  # the session's public key, 64 hex digits: used once
    cert: bytes
    cert_digest: str
    grant: bytes
    seed: bytes
    granted_at: int
    open_by: int
    late_by: int
    leaf: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session has come. `checkpoint` is the latest one with both signature lines, b"" before the first."""

    sid: str
    size: int
    root: bytes
    state: State = "open"
    issued: int = -1  # highest check ordered
    unread: int | None = None  # the first entry that is no valid event: nothing is credited from there on
    checkpoint: bytes = b""
    body: str = ""  # sha256 of the latest accepted segment
    answer: bytes = b""  # what was answered to it
    heard_at: int = 0
    logged_size: int = 0  # of its last checkpoint in the class log
    logged_at: int = 0
    logged_leaf: int = -1
    settled_size: int = -1  # of its last `settled` leaf
    settled_ms: int = 0
    unsettled: bool = False  # it ended since the figure was computed
    missed: int = 0  # checks, as of the last figure
    mismatched: int = 0
    made_up: int = 0

    def after(
        self, size: int, root: bytes, issued: int, unread: int | None, checkpoint: bytes, body: str, answer: bytes,
        heard_at: int,
    ) -> Progress:
        """The same after an accepted segment (`dataclasses.replace` costs three times as much, at every segment)."""
        return Progress(
            self.sid, size, root, self.state, issued, unread, checkpoint, body, answer, heard_at, self.logged_size,
            self.logged_at, self.logged_leaf, self.settled_size, self.settled_ms, self.unsettled, self.missed,
            self.mismatched, self.made_up,
        )  # fmt: skip


class LogStore(Protocol):
    """Class logs, bodies and devices within a transaction."""

    def size(self, class_id: str) -> int: ...
    def entries(self, class_id: str, start: int, stop: int) -> list[bytes]: ...
    def append(self, class_id: str, index: int, entry: bytes, leaf_hash: bytes) -> None: ...
    def head(self, class_id: str) -> bytes: ...
    def set_head(self, class_id: str, checkpoint: bytes) -> None: ...
    def put_body(
        self, class_id: str, digest: str, data: bytes, *, public: bool = False, leaf: int | None = None
    ) -> None:
        """Keep what entries name: files by SHA-256, notes by that of their text; learners read what is `public`."""

    def leaf_of(self, class_id: str, digest: str) -> int | None:
        """The leaf that was told to `put_body`; None for an unknown body."""

    def body(self, digest: str) -> bytes | None: ...
    def bodies(self, class_id: str) -> Sequence[str]: ...
    def is_public(self, class_id: str, digest: str) -> bool: ...
    def add_device(self, device: Device) -> None: ...
    def device(self, vkey: str) -> Device | None: ...
    def devices(self, class_id: str, learner: str) -> Sequence[Device]: ...
    def revoke_device(self, vkey: str, leaf: int) -> None: ...
    def drop_body(self, digest: str) -> bool:
        """Delete a body's bytes; its hash stays named. Whether it was there."""


class EventStore(Protocol):
    """Sessions and their segments within a transaction; a segment is kept as the bytes that came."""

    def add_session(self, session: Session, progress: Progress) -> None: ...
    def session(self, sid: str) -> Session | None: ...
    def key_used(self, key: str) -> bool: ...
    def progress(self, sid: str) -> Progress: ...
    def standing(self, sid: str) -> tuple[Progress, bool]:
        """The same, and whether commands wait for this session: one question for what every segment asks."""

    def set_progress(self, progress: Progress) -> None: ...
    def advance(self, progress: Progress) -> None:
        """The same of no more than `Progress.after` changes: at every segment, and half the work."""

    def sessions(
        self,
        *,
        class_id: str | None = None,
        registration: str | None = None,
        learner: str | None = None,
        device: str | None = None,
        state: State | None = None,
    ) -> Sequence[str]:
        """Session identifiers in the order in which they were granted."""  # fmt: skip

    def unsettled(self) -> Sequence[str]: ...
    def add_segment(self, sid: str, old: int, size: int, body: bytes, time: int) -> None:
        """Keep an accepted segment; `time` is its cosignature's, POSIX seconds."""

    def segments(self, sid: str) -> Iterator[tuple[int, bytes]]:
        """(time, body) of the accepted segments in their order."""

    def segments_from(self, sid: str, old: int) -> Iterator[bytes]:
        """The bodies of the accepted segments that begin at `old` or later, in their order."""

    def learners(self, class_id: str, since: int) -> int:
        """How many learners opened a session of this class since then (ms)."""

    def heard(self, since: int) -> Sequence[tuple[str, int]]:
        """(session, its size) of all that were heard of at `since` (ms) or later."""

    def totals(self) -> Mapping[str, tuple[int, int, int]]:
        """By class: sessions, open ones, credited ms as settled."""

    def add_command(self, sid: str, note: bytes) -> None: ...
    def take_commands(self, sid: str) -> Sequence[bytes]:
        """The commands that no answer has carried yet; they are marked as carried."""

    def commands(self, sid: str) -> Sequence[bytes]:
        """All commands and spot checks for this session so far, carried or not, in their order."""

    def add_fork(self, sid: str, body: bytes, at: int) -> None:
        """Keep evidence that the session's key signed what contradicts its log."""

    def forks(self, sid: str) -> Sequence[bytes]: ...
    def erase(self, sid: str, hashes: Mapping[int, bytes]) -> None:
        """Delete these entries' bytes wherever they stand, evidence of a fork too; keep their leaf hashes."""

    def erased(self, sid: str) -> Mapping[int, bytes]:
        """Index → leaf hash of the entries that were erased."""


class Transaction(Protocol):
    """All of it is committed, or none of it."""

    @property
    def log(self) -> LogStore: ...
    @property
    def events(self) -> EventStore: ...
    @property
    def witnessed(self) -> WitnessedStore: ...
    @property
    def photos(self) -> PhotoIndex: ...
    def on_undo(self, forget: Callable[[], object]) -> None:
        """Call `forget` if nothing of this is committed: what memory derived from it is wrong then."""


class Records(Protocol):
    """The database of the records."""

    def write(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` alone; return when what it wrote is on the disk. An error undoes all of it."""

    def write_all(self, jobs: Sequence[Callable[[Transaction], T]]) -> list[T | BaseException]:
        """The same for many, each by itself, with as few commits as can be: what each gave, or why it was undone."""

    def read(self, job: Callable[[Transaction], T]) -> T:
        """Run `job` over one committed state."""

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the database's files."""
