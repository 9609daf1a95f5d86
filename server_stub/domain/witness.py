"""A witness: signs, with the time, that a log only grew since it last looked; whoever shows it two histories is caught.

It knows only the logs that its keeper named, learns sizes and roots and nothing else, and what it signed is on its disk
before anybody sees the signature (C2SP tlog-witness, tlog-cosignature).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ledger import checkpoint, note, submission, tree
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError, SubmissionError
from ledger.keys import Signer, Vkey
from ledger.submission import Submission
from ledger.tree import EMPTY_ROOT
from server_stub.domain.errors import ServerError, UnreadableError
from server_stub.domain.witness_errors import (
    InconsistentCheckpointError,
    LogSignatureError,
    StaleCheckpointError,
    UnknownLogError,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """One log and what was last signed of it; `signed` is the note with the log's line and ours, b"" before."""

    key: Vkey
    size: int = 0
    root: bytes = EMPTY_ROOT
    time: int = 0
    signed: bytes = b""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two checkpoints by one log's key that cannot both be true: what we had signed, and what came."""

    origin: str
    at: int
    ours: bytes
    theirs: bytes


class WatchStore(Protocol):
    """What a witness remembers, inside one transaction."""

    def watched(self, origin: str) -> Watched | None: ...
    def watch(self, key: Vkey, instead: Vkey | None = None) -> None: ...
    def remember(self, watched: Watched) -> None: ...
    def add_contradiction(self, found: Contradiction) -> None: ...
    def contradictions(self) -> Sequence[Contradiction]: ...


class Watchbook(Protocol):
    """Runs a job alone; what it wrote is on the disk when `write` returns, or nothing of it is."""

    def write(self, job: Callable[[WatchStore], T]) -> T: ...


class Witness:
    """Signs for one key. `clock` gives POSIX seconds; the time of a log's cosignatures never falls."""

    def __init__(self, signer: Signer, book: Watchbook, clock: Callable[[], int]) -> None:
        self._signer, self._book, self._clock = signer, book, clock

    @property
    def vkey(self) -> Vkey:
        """The public half of the key."""
        return self._signer.vkey

    def add_checkpoint(self, body: bytes) -> str:
        """Return the cosignature line (no newline), persisted before it is returned; or raise what C2SP lists.

        400 unreadable · 404 unknown log · 403 not by its key · 409 with our size · 422 no continuation.
        """
        try:
            asked = submission.parse(body)
        except SubmissionError as error:
            raise UnreadableError(str(error)) from error
        answer = self._book.write(lambda store: self._judge(store, asked))
        if isinstance(answer, ServerError):
            raise answer
        return answer

    def _judge(self, store: WatchStore, asked: Submission) -> str | ServerError:
        """A refusal that leaves evidence behind is returned, so that the evidence is committed."""
        watched, given = store.watched(asked.checkpoint.origin), asked.checkpoint
        if watched is None:
            raise UnknownLogError(f"this witness does not watch {given.origin[:80]}")
        try:
            (line,) = note.verify(asked.note, [watched.key], others=True)
        except LedgerError as error:
            raise LogSignatureError(str(error)) from error
        theirs = bytes(note.Note(asked.note.text, (line,)))
        stale = StaleCheckpointError(f"{given.origin} was signed at {watched.size}", {"size": watched.size})
        if asked.old != watched.size:
            if given.size == watched.size and given.root != watched.root:
                self._keep(store, watched, theirs)
            return stale
        if given.size == watched.size and given.root != watched.root:
            self._keep(store, watched, theirs)
            return stale
        try:
            tree.verify_consistency(watched.size, watched.root, given.size, given.root, asked.proof)
        except LedgerError as error:
            self._keep(store, watched, theirs)
            return InconsistentCheckpointError(f"{given.origin}: {error}")
        return self._sign(store, watched, given, theirs)

    def _sign(self, store: WatchStore, watched: Watched, given: Checkpoint, theirs: bytes) -> str:
        time = max(self._clock(), watched.time)
        line = checkpoint.cosign(given, self._signer, time)
        store.remember(Watched(watched.key, given.size, given.root, time, note.add(theirs, line)))
        return line

    def _keep(self, store: WatchStore, watched: Watched, theirs: bytes) -> None:
        """A proof that does not lead there is no evidence by itself: but both checkpoints are signed by the log."""
        if watched.signed:
            store.add_contradiction(Contradiction(watched.key.name, self._clock(), watched.signed, theirs))

    def last(self, origin: str) -> bytes:
        """The checkpoint last signed, with the log's line and ours (for `verify --witnessed`), or `UnknownLogError`."""
        watched = self._book.write(lambda store: store.watched(origin))
        if watched is None or not watched.signed:
            raise UnknownLogError(f"this witness has signed nothing of {origin[:80]}")
        return watched.signed
