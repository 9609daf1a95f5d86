"""One session's log in the making: takes events, cuts segments, signs checkpoints, goes on where a crash left it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from client.errors import LocalRecordsError, SealError
from client.ports import SealPort
from client.profile import claim
from client.sync.journal import Head, journal_of
from client.sync.outbox import Kept, Outbox, Signed
from ledger import checkpoint, events, names, segment
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError
from ledger.events import Body, Closed, Event
from ledger.evidence import Sealed
from ledger.keys import ED25519, NoteSigner, Signer, generate, load_signer
from ledger.tree import Tree, leaf_hash

MAX_WAITING: Final = 32 << 20  # bytes of sealed photos: about a thousand, weeks of study without a network


def key_name(sid: str) -> str:
    """Under which name a session's key is sealed."""
    return f"session-{sid}"


def new_key(seal: SealPort, server: str, sid: str) -> Signer:
    """Draw a session's key and seal it before it signs anything."""
    signer = generate(names.session_origin(server, sid), ED25519)
    seal.put(key_name(sid), signer.to_pem())
    return signer


def load_key(seal: SealPort, kept: Kept) -> Signer:
    """The session's sealed key, or `SealError`."""
    pem = seal.get(key_name(kept.sid))
    if pem is None:
        raise SealError(f"the key of session {kept.sid} is gone")
    try:
        signer = load_signer(kept.vkey.partition("+")[0], ED25519, pem)
    except LedgerError as error:
        raise SealError(f"the key of session {kept.sid}: {error}") from error
    if str(signer.vkey) != kept.vkey:
        raise SealError(f"the sealed key is not that of session {kept.sid}")
    return signer


class Logbook:
    """`SessionStore` on the outbox: what `cut` returns was durable, and copied, before its signature was released."""

    def __init__(self, outbox: Outbox, sid: str, signer: NoteSigner) -> None:
        """Opens at the durable size; `LocalRecordsError` if the events there are not those that were signed."""
        self.sid = sid
        self._outbox, self._signer = outbox, signer
        self._fresh: list[bytes] = []
        self._photos: list[Sealed] = []
        self._journal = journal_of(outbox.path)
        self._journal.mend(sid)
        self._durable = outbox.session(sid).size
        self._tree = verified_tree(outbox, sid)
        last = outbox.signed(sid)
        self._signed = last[-1].size if last else 0

    @property
    def size(self) -> int:
        """Events so far, durable or not."""
        return self._durable + len(self._fresh)

    def append(self, event_bytes: bytes) -> int:
        """Keep one event (its index is returned); durable by the next `cut`."""
        self._fresh.append(event_bytes)
        return self.size - 1

    def attach(self, photo: Sealed) -> None:
        """Keep the sealed photo that the event just appended names: durable with it, sent after it."""
        self._photos.append(photo)

    def room(self) -> bool:
        """Whether another photo may be taken: those that wait to be sent are bounded."""
        return self._outbox.photos_waiting() < MAX_WAITING

    def write(self, body: Body, mono: int, wall: int) -> Event:
        """Append `body` as the next event, with a fresh salt; return it as it will be read."""
        event = Event(self.size, wall, mono, self.sid, secrets.token_hex(16), body)
        self.append(events.encode(event))
        return event

    def cut(self) -> int:
        """End a segment: events durable, then the size, then the signature; the new size is returned."""
        if self._fresh:
            over = isinstance(events.decode(self._fresh[-1]).body, Closed)
            fresh, start = self._fresh, self._durable
            self._durable = self._outbox.persist(self.sid, start, fresh, "closed" if over else None, self._photos)
            self._fresh, self._photos = [], []
            for event in fresh:
                self._tree.append(leaf_hash(event))
        if self._durable > self._signed:
            point = Checkpoint(self._signer.vkey.name, self._durable, self._tree.root())
            self._sign(checkpoint.sign(point, self._signer))
            self._signed = self._durable
        return self._durable

    def _sign(self, note: bytes) -> None:
        """Copy the segment beside the database, then queue it: a damaged database is made anew from the copies."""
        old, size = self._signed, self._durable
        if not self._journal.has(self.sid):
            self._journal.begin(Head.of(self._outbox.session(self.sid)))
            old = 0
        self._journal.add(self.sid, segment.build(old, note, self._outbox.events(self.sid, old, size)))
        self._outbox.sign(self.sid, self._signed, size, note)


def verified_tree(outbox: Outbox, sid: str) -> Tree:
    """The tree over a session's durable events, or `LocalRecordsError` where a signed root says otherwise."""
    tree = Tree(leaf_hash(event) for event in outbox.events(sid))
    for signed in outbox.signed(sid):
        check_root(signed, tree)
    return tree


def check_root(signed: Signed, tree: Tree) -> None:
    """Return quietly, or raise `LocalRecordsError`: the events are those under the checkpoint that was signed."""
    try:
        point, _ = checkpoint.parse(signed.note)
        same = point.size == signed.size <= len(tree) and tree.root_at(point.size) == point.root
    except LedgerError as error:
        raise LocalRecordsError(f"session {signed.sid}: the checkpoint of {signed.size} is damaged") from error
    if not same:
        raise LocalRecordsError(f"session {signed.sid}: the first {signed.size} events are not those that were signed")


def body(outbox: Outbox, signed: Signed, old: int) -> bytes:
    """The upload that carries events [old, size) under the checkpoint `signed`."""
    return segment.build(old, signed.note, outbox.events(signed.sid, old, signed.size))


def recover(outbox: Outbox, seal: SealPort, wall: Callable[[], int]) -> list[str]:
    """After a crash: sign what was persisted, close it as recovered, queue it; return the sessions that were open.

    Where the key is gone nothing can be signed any more: the session is stuck at what the server has, and says so.
    """
    claim(outbox.path)  # a window that is open elsewhere is no crash
    found, journal = [], journal_of(outbox.path)
    for kept in outbox.sessions():
        if kept.state == "asked" or (kept.state == "open" and kept.size == 0):
            outbox.forget(kept.sid)
            seal.delete(key_name(kept.sid))
        elif kept.state == "sent" or _is_sent(outbox, kept):
            seal.delete(key_name(kept.sid))  # where a crash came before it
            journal.drop(kept.sid)
        elif kept.state in ("open", "closed"):
            found += _recover(outbox, seal, kept, wall())
    return found


def _is_sent(outbox: Outbox, kept: Kept) -> bool:
    """Whether a closed session was receipted to its end; it is noted so."""
    if kept.state != "closed" or not kept.size or kept.cosigned < kept.size:
        return False
    outbox.settle(kept.sid, "sent")
    return True


def _recover(outbox: Outbox, seal: SealPort, kept: Kept, wall: int) -> list[str]:
    signed = outbox.signed(kept.sid)
    if kept.state == "closed" and signed and signed[-1].size == kept.size:
        return []  # only its sending is left
    try:
        book = Logbook(outbox, kept.sid, load_key(seal, kept))
        last = events.decode(outbox.events(kept.sid, kept.size - 1)[0])
    except (SealError, LocalRecordsError, LedgerError) as error:
        code = error.code if isinstance(error, SealError | LocalRecordsError) else LocalRecordsError.code
        outbox.settle(kept.sid, "stuck", code)
        return []
    if kept.state == "open":
        book.write(Closed("recovered"), last.mono, wall)
    book.cut()
    return [kept.sid]
