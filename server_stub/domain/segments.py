"""Taking segments: the server witnesses the order of events, it does not judge them (records.md, "Segments").

One transaction: the bytes, the new size, the answer, and a class-log entry where one is due. The answer is kept before
it is sent, so that a repeat gets the same one: nothing is cosigned twice, no order is lost, no device is made to fork.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from typing import Any, Final

from ledger import canonical, checkpoint, names, note, segment
from ledger.errors import LedgerError
from ledger.keys import ED25519, Vkey
from ledger.note import Note, Signature
from ledger.segment import Answer, Segment
from server_stub.domain import photos
from server_stub.domain.errors import (
    ForkError,
    SegmentSignatureError,
    ServerError,
    SessionOverError,
    StaleSegmentError,
    UnreadableError,
)
from server_stub.domain.forks import prove
from server_stub.domain.keyring import Keyring
from server_stub.domain.live import Live, LiveSessions
from server_stub.domain.ports import Progress, Records, Session, Transaction
from server_stub.domain.reveal import Revealer, known
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock

MAX_SESSIONS: Final = 20_000  # whose grants are kept in memory: about 100 MB
_log = logging.getLogger("server_stub")


@dataclass(slots=True)
class Upload:
    """A segment on its way: what came, and what became of it. `ended`: with it the session was over."""

    sid: str
    body: bytes
    seen: str
    limit: int = segment.MAX_SEGMENT
    outcome: bytes | BaseException | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Taken:
    """A parsed segment with the one signature line that counts, its digest, and how it came."""

    session: Session
    segment: Segment
    line: Signature
    digest: str
    upload: Upload


class Segments:
    """Accepts or refuses segments."""

    def __init__(
        self,
        records: Records,
        live: LiveSessions,
        keyring: Keyring,
        revealer: Revealer,
        settler: Settler,
        clock: Clock,
    ) -> None:
        self._records, self._live, self._keyring = records, live, keyring
        self._revealer, self._settler, self._clock = revealer, settler, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # what was granted never changes

    def accept(self, sid: str, body: bytes, seen: str, limit: int = segment.MAX_SEGMENT) -> bytes:
        """Return the answer to a segment when all of it is on the disk, or raise what docs/http-api.md lists."""
        upload = Upload(sid, body, seen, limit)
        self.accept_all([upload])
        if upload.ended:
            self.settle(upload)
        if not isinstance(upload.outcome, bytes):
            raise upload.outcome or ServerError("the segment was not taken")
        return upload.outcome

    def accept_all(self, uploads: Sequence[Upload]) -> None:
        """Give every upload its outcome, all of them with as few commits as can be. One thread at a time is enough."""
        taken: list[_Taken] = []
        for upload in uploads:
            try:
                found = self._read(upload)
            except Exception as error:  # a refusal, or the database is gone
                upload.outcome = error
                continue
            if isinstance(found, bytes):
                upload.outcome = found
            else:
                taken.append(found)
        jobs: list[Callable[[Transaction], bytes | ServerError]] = [partial(self._accept, taken=one) for one in taken]
        for item, outcome in zip(taken, self._records.write_all(jobs), strict=True):
            item.upload.outcome = outcome
            item.upload.ended = item.upload.ended and isinstance(outcome, bytes)

    def settle(self, upload: Upload) -> None:
        """After the last segment of a session: its figure (or the next sweep does, if this process dies here)."""
        self._settler.settle(self._session(upload.sid).registration)

    def _session(self, sid: str) -> Session:
        """What was granted, from memory if it was asked for lately; `UnknownSessionError`."""
        session = self._sessions.get(sid)
        if session is None:
            session = self._sessions[sid] = self._records.read(lambda tx: known(tx, sid))
            while len(self._sessions) > MAX_SESSIONS:
                self._sessions.popitem(last=False)
        return session

    def _read(self, upload: Upload) -> _Taken | bytes:
        """All that can be said of a segment without writing. What cannot be read, or was not signed by the session's
        key, is refused, unless the session is over, or it is the latest accepted one again."""
        session, digest = self._session(upload.sid), sha256(upload.body).hexdigest()
        try:
            given = _parse(upload.body, upload.limit)
            return _Taken(session, given, _signature(session, given, self._keyring.server), digest, upload)
        except ServerError:
            progress = self._records.read(lambda tx: tx.events.progress(upload.sid))
            if progress.body == digest:
                return progress.answer
            if progress.state != "open":
                raise SessionOverError("the seed of this session is revealed") from None
            raise

    def _accept(self, tx: Transaction, taken: _Taken) -> bytes | ServerError:
        """A refusal that leaves something behind (evidence, a revealed seed) is returned, so that it is committed."""
        session = taken.session
        progress, told = tx.events.standing(session.sid)
        if progress.body == taken.digest:
            return progress.answer
        if progress.state == "open" and self._revealer.is_over(session, progress.size):
            self._revealer.reveal(tx, session.sid, "abandoned")
            return SessionOverError("the session was not opened, or not continued, in time")
        if progress.state != "open":
            return self._late(tx, taken)
        live = self._live.take(tx, session, progress.size)
        if taken.segment.old != progress.size:
            return self._stale(tx, live, progress, taken)
        live.take(taken.segment.entries)
        if live.log.tree.root() != taken.segment.checkpoint.root:
            tx.events.add_fork(session.sid, taken.upload.body, self._clock())
            return ForkError("the entries do not hash to the root that was signed")
        return self._cosign(tx, live, progress, taken, _commands(tx, session.sid) if told else ())

    def _late(self, tx: Transaction, taken: _Taken) -> ServerError:
        """A session that is over takes nothing; what its own key signed against its history is kept as evidence."""
        sid, body = taken.session.sid, taken.upload.body
        if prove(tx, sid, self._keyring.server, body) is not None:
            tx.events.add_fork(sid, body, self._clock())
        return SessionOverError("the seed of this session is revealed")

    def _stale(self, tx: Transaction, live: Live, progress: Progress, taken: _Taken) -> ServerError:
        """409 with our size. Two signed roots at one size are proof of a fork: kept, whoever sends them."""
        self._live.keep(tx, progress.sid, live)
        size, root = taken.segment.checkpoint.size, taken.segment.checkpoint.root
        if size <= progress.size and live.log.tree.root_at(size) != root:
            tx.events.add_fork(progress.sid, taken.upload.body, self._clock())
        return StaleSegmentError(f"the session stands at {progress.size} here", {"size": progress.size})

    def _cosign(
        self, tx: Transaction, live: Live, progress: Progress, taken: _Taken, commands: tuple[str, ...]
    ) -> bytes:
        session, sid, given = taken.session, taken.session.sid, taken.segment
        now = max(self._clock(), progress.heard_at)  # signed times never fall, whatever the clock does
        time = now // 1000
        signature = checkpoint.cosignature(given.checkpoint, self._keyring.cosigner, time)
        order = live.order(time) if given.entries else None
        answer = _answer(str(signature), asdict(order) if order else None, commands, taken.upload.seen)
        self._report(sid, live, progress)
        signed = bytes(Note(given.note.text, (taken.line, signature)))
        unread = live.log.fault.index if live.log.fault else None
        progress = progress.after(given.checkpoint.size, given.checkpoint.root, live.desk.issued, unread, signed,
                                  taken.digest, answer, now)  # fmt: skip
        if given.entries:
            tx.events.add_segment(sid, given.old, progress.size, taken.upload.body, time)
        tx.events.advance(progress)
        photos.name(tx, live.log, given.old, now)
        self._live.keep(tx, sid, live)
        if live.log.closed is not None:
            self._revealer.reveal(tx, sid, "closed")
            taken.upload.ended = True
        elif self._revealer.checkpoint_due(tx, session, progress.logged_at):
            self._revealer.log_checkpoint(tx, sid)
        return answer

    def _report(self, sid: str, live: Live, progress: Progress) -> None:
        fault = live.log.fault
        if fault is not None and progress.unread is None:
            _log.warning("session %s: nothing counts from event %d on: %s", sid, fault.index, fault.reason)


def _answer(cosignature: str, order: dict[str, Any] | None, commands: tuple[str, ...], seen: str) -> bytes:
    if order or commands:
        return bytes(Answer(cosignature, order, commands, seen))
    # nearly every answer, and of our own making: its form needs no check
    return canonical.encode({"commands": (), "cosignature": cosignature, "order": None, "seen": seen})


def _commands(tx: Transaction, sid: str) -> tuple[str, ...]:
    """The commands that wait for this session, as the notes that they are."""
    return tuple(dict.fromkeys(item.decode() for item in tx.events.take_commands(sid)))


def _parse(body: bytes, limit: int) -> Segment:
    try:
        return segment.parse(body, limit=limit)
    except LedgerError as error:
        raise UnreadableError(f"{error.code}: {error}") from error


def _signature(session: Session, given: Segment, server: str) -> Signature:
    """The session key's line on the checkpoint, or `SegmentSignatureError`."""
    origin = names.session_origin(server, session.sid)
    if given.checkpoint.origin != origin:
        raise SegmentSignatureError("the checkpoint is of another log")
    try:
        return note.verify(given.note, [Vkey(origin, ED25519, bytes.fromhex(session.key))], others=True)[0]
    except LedgerError as error:
        raise SegmentSignatureError(str(error)) from error
