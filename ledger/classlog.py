"""What a class log has said so far: keys, rules, sessions, in entry order. "Before" means order, never a clock."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, TypeVar

from ledger import leaves, names
from ledger.checkpoint import Checkpoint
from ledger.errors import LeafError, UnknownSignerError
from ledger.keys import Vkey
from ledger.leaves import (
    BodyLeaf,
    ClassLeaf,
    ErasedLeaf,
    GrantedLeaf,
    KeyLeaf,
    Leaf,
    Logged,
    PolicyLeaf,
    RevealedLeaf,
    SettledLeaf,
)
from ledger.note import Signature
from ledger.packed import Packed, Plain, fields_of, made, pack, unpack
from ledger.tree import Tree, leaf_hash

NEVER: Final = 2**63 - 1  # later than any entry
_OfSession = TypeVar("_OfSession", GrantedLeaf, RevealedLeaf, SettledLeaf, ErasedLeaf)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One key and the entries between which it counts."""

    leaf: KeyLeaf
    key: Vkey
    added: int
    revoked: int = NEVER
    revocation: KeyLeaf | None = None

    def counts_at(self, index: int) -> bool:
        """Whether it was added before entry `index` and not revoked before it."""
        return self.added < index <= self.revoked

    def packed(self) -> Plain:
        """For `Packed`; the key stands there once, and what revoked it says the same of it."""
        leaf, gone = self.leaf, self.revocation
        return (
            (self.key.name, self.key.type, self.key.key), (leaf.at, leaf.op, leaf.role, leaf.owner, leaf.vouched),
            self.added, self.revoked, gone and (gone.at, gone.op, gone.role, gone.owner, gone.vouched),
        )  # fmt: skip

    @classmethod
    def unpacked(cls, key: Plain, leaf: Plain, added: int, revoked: int, gone: Plain | None) -> KeyRecord:
        """What `packed` gave."""
        vkey = Vkey(*key)
        first, *last = (made(KeyLeaf, (*of[:3], str(vkey), *of[3:])) for of in (leaf, gone) if of)
        return cls(first, vkey, added, revoked, last[0] if last else None)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """What the class log says of one session. `logged` are (entry index, size) of its checkpoints.

    `settled_at` are the entries that settled it, `settled` the last of them.
    """

    sid: str
    granted_at: int
    granted: GrantedLeaf
    logged: tuple[tuple[int, int], ...] = ()
    revealed: RevealedLeaf | None = None
    settled: SettledLeaf | None = None
    settled_at: tuple[int, ...] = ()
    erased: tuple[tuple[int, ErasedLeaf], ...] = ()

    @property
    def size(self) -> int:
        """How many events its last logged checkpoint covers."""
        return self.logged[-1][1] if self.logged else 0

    def packed(self) -> bytes:
        """All but the sid, as bytes."""
        leaves_ = [leaf and _without_sid(leaf) for leaf in (self.granted, self.revealed, self.settled)]
        erased = tuple((at, _without_sid(leaf)) for at, leaf in self.erased)
        return pack((self.granted_at, *leaves_, self.logged, self.settled_at, erased))

    @classmethod
    def unpacked(cls, sid: str, data: bytes) -> SessionRecord:
        """What `packed` gave."""
        at, granted, revealed, settled, logged, settled_at, erased = unpack(data)
        return cls(
            sid, at, _with_sid(GrantedLeaf, sid, granted), logged,
            _with_sid(RevealedLeaf, sid, revealed) if revealed else None,
            _with_sid(SettledLeaf, sid, settled) if settled else None,
            settled_at, tuple((index, _with_sid(ErasedLeaf, sid, leaf)) for index, leaf in erased),
        )  # fmt: skip


def _without_sid(leaf: Leaf) -> Plain:
    at, _, *rest = fields_of(leaf)
    return at, *rest


def _with_sid(kind: type[_OfSession], sid: str, values: Plain) -> _OfSession:
    return made(kind, (values[0], sid, *values[1:]))


class Sessions(Mapping[str, SessionRecord]):
    """The sessions by sid, in the order of their `granted` leaves; a record is what was known when it was asked for."""

    def __init__(self) -> None:
        self._packed: dict[bytes, bytes] = {}

    def put(self, record: SessionRecord) -> None:
        """Remember what is known now."""
        self._packed[bytes.fromhex(record.sid)] = record.packed()

    def __getitem__(self, sid: str) -> SessionRecord:
        return SessionRecord.unpacked(sid, self._packed[_id(sid)])

    def __contains__(self, sid: object) -> bool:
        return isinstance(sid, str) and _id(sid) in self._packed

    def __iter__(self) -> Iterator[str]:
        return (sid.hex() for sid in self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def _id(sid: str) -> bytes:
    return bytes.fromhex(sid) if names.is_a("sid", sid) else b""


def _packed_body(item: tuple[int, BodyLeaf]) -> Plain:
    return item[0], *fields_of(item[1])


def _unpacked_body(index: int, *values: object) -> tuple[int, BodyLeaf]:
    return index, made(BodyLeaf, values)


def _cannot_go(record: KeyRecord, key: Vkey, role: str) -> bool:
    return record.key != key or record.leaf.role != role or record.revoked != NEVER


def _line(name: str, key_id: bytes) -> bytes:
    """What finds a key by the line that claims to be signed with it; the record itself says whose it is."""
    return sha256(key_id + name.encode()).digest()[:16]


class ClassLog:
    """Takes the entries one by one and refuses, naming the index, whatever the table or the order forbids."""

    def __init__(self, origin: str) -> None:
        split = names.split("class origin", origin)
        if split is None:
            raise LeafError(f"{origin[:80]!r} is no class log's origin")
        self.origin = origin
        self.server = split[0]
        self.tree = Tree()
        self.keys = Packed(KeyRecord.packed, KeyRecord.unpacked)
        self.policies: dict[str, list[tuple[int, PolicyLeaf]]] = {}
        self.sessions = Sessions()
        self.bodies: Packed[tuple[int, BodyLeaf]] = Packed(_packed_body, _unpacked_body)
        self.accommodated: dict[str, int] = {}  # hash of an accommodation → its first entry
        self._people: str | None = None  # the last list of people
        self.anchors = array("Q")  # the entries that are anchors
        self.anchored = 0  # the size of the last one
        self._size = 0
        self._by_material: dict[bytes, int] = {}  # digests of a key, and of name and ID → its place in `keys`
        self._by_line: dict[bytes, int] = {}
        self._by_role: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return self._size

    def add(self, data: bytes) -> leaves.Entry:
        """Take the next entry and return it, or raise `LeafError` naming its index; a refused entry changes nothing."""
        entry = self.read(data)
        self.tree.append(leaf_hash(data))
        return entry

    def read(self, data: bytes) -> leaves.Entry:
        """As `add`, where `tree` holds the leaf hashes of the entries before it already, and may hold more."""
        index = self._size
        try:
            entry = leaves.decode(data)
            if isinstance(entry, Logged):
                self._take_logged(index, entry)
            else:
                self._take(index, entry)
        except LeafError as error:
            refusal = LeafError(f"class log entry {index}: {error}")
            refusal.index = index
            raise refusal from error
        self._size += 1
        return entry

    def _take(self, index: int, leaf: Leaf) -> None:
        if (index == 0) != isinstance(leaf, ClassLeaf):
            raise LeafError("entry 0, and no other, names the class")
        match leaf:
            case ClassLeaf():
                if leaf.class_ != self.origin:
                    raise LeafError(f"it is the log of {leaf.class_}")
            case KeyLeaf():
                self._take_key(index, leaf)
            case PolicyLeaf():
                history = self.policies.setdefault(leaf.what, [])
                if history and leaf.serial <= history[-1][1].serial:
                    raise LeafError(f"serial {leaf.serial} of {leaf.what} does not rise")
                history.append((index, leaf))
            case GrantedLeaf():
                if leaf.sid in self.sessions:
                    raise LeafError(f"session {leaf.sid} is granted twice")
                self.sessions.put(SessionRecord(leaf.sid, index, leaf))
            case RevealedLeaf() | SettledLeaf() | ErasedLeaf():
                self._take_of_session(index, leaf)
            case BodyLeaf():
                if leaf.sid is not None and leaf.sid not in self.sessions:
                    raise LeafError(f"session {leaf.sid} was never granted")
                self.bodies.append((index, leaf))
                if leaf.kind == "people":
                    self._people = leaf.sha256
                if leaf.kind == "accommodation":
                    self.accommodated.setdefault(leaf.sha256, index)

    def _take_key(self, index: int, leaf: KeyLeaf) -> None:
        key = leaf.key
        expected = {"log": self.origin, "grant": names.grant(self.server), "cosign": names.cosigner(self.server)}
        if leaf.role == "device":
            device = names.split("device", key.name)
            if device is None or device[0] != self.server:
                raise LeafError(f"a device of another server: {key.name}")
        elif expected.get(leaf.role, key.name) != key.name:
            raise LeafError(f"a {leaf.role} key is named {expected[leaf.role]}, not {key.name}")
        material, line = sha256(key.key).digest()[:16], _line(key.name, key.key_id)
        known = self._by_material.get(material)
        if leaf.op == "add":
            if known is not None or line in self._by_line:
                raise LeafError(f"the key of {key.name} stood here before")
            self._by_material[material] = self._by_line[line] = len(self.keys)
            self._by_role.setdefault(leaf.role, []).append(len(self.keys))
            self.keys.append(KeyRecord(leaf, key, index))
            return
        record = None if known is None else self.keys[known]
        if known is None or record is None or _cannot_go(record, key, leaf.role):
            raise LeafError(f"{key.name} is no {leaf.role} key that could be revoked")
        self.keys[known] = replace(record, revoked=index, revocation=leaf)

    def _session(self, sid: str) -> SessionRecord:
        record = self.sessions.get(sid)
        if record is None:
            raise LeafError(f"session {sid} was never granted")
        return record

    def _take_of_session(self, index: int, leaf: RevealedLeaf | SettledLeaf | ErasedLeaf) -> None:
        record = self._session(leaf.sid)
        match leaf:
            case RevealedLeaf():
                if record.revealed is not None:
                    raise LeafError(f"session {leaf.sid} is revealed twice")
                if leaf.size < record.size:  # at size 0 its directory would not even be missed
                    raise LeafError(
                        f"session {leaf.sid} is revealed at {leaf.size} events, but {record.size} stand here"
                    )
                record = replace(record, revealed=leaf)
            case SettledLeaf():
                record = replace(record, settled=leaf, settled_at=(*record.settled_at, index))
            case ErasedLeaf():
                record = replace(record, erased=(*record.erased, (index, leaf)))
        self.sessions.put(record)

    def _take_logged(self, index: int, entry: Logged) -> None:
        size, root = entry.checkpoint.size, entry.checkpoint.root
        if index == 0:
            raise LeafError("entry 0 names the class")
        if entry.sid is None:
            if entry.checkpoint.origin != self.origin:
                raise LeafError(f"an anchor of another log, {entry.checkpoint.origin}")
            if size > index or self.tree.root_at(size) != root:
                raise LeafError(f"the anchor's size {size} and root are not of this log")
            if size < self.anchored:
                raise LeafError(f"an anchor at {size} after one at {self.anchored}")
            self.anchored = size
            self.anchors.append(index)
            return
        record = self._session(entry.sid)
        if entry.checkpoint.origin != names.session_origin(self.server, entry.sid):
            raise LeafError(f"a session of another server, {entry.checkpoint.origin}")
        if record.revealed is not None:
            raise LeafError(f"session {entry.sid} goes on after its seed was revealed")
        if size < record.size:
            raise LeafError(f"session {entry.sid} shrinks from {record.size} to {size}")
        self.sessions.put(replace(record, logged=(*record.logged, (index, size))))

    def signer(self, role: str, line: Signature, index: int) -> KeyRecord:
        """The key of `role` that `line` claims and that counted at entry `index`, or `UnknownSignerError`."""
        place = self._by_line.get(_line(line.name, line.key_id))
        record = None if place is None else self.keys[place]
        if record is None or record.leaf.role != role:
            raise UnknownSignerError(f"no {role} key {line.name} ({line.key_id.hex()}) stands in the class log")
        if not record.counts_at(index):
            raise UnknownSignerError(f"the {role} key {line.name} did not count at entry {index}")
        return record

    def counting(self, role: str, index: int) -> list[Vkey]:
        """The keys of `role` that counted at entry `index`."""
        return [record.key for record in self.records(role) if record.counts_at(index)]

    def records(self, role: str) -> Iterator[KeyRecord]:
        """Every key of `role` that ever stood here, in entry order."""
        return (self.keys[place] for place in self._by_role.get(role, []))

    def check_log_key(self, key: Vkey, size: int) -> None:
        """Return quietly, or raise `UnknownSignerError`: `key` may sign this log's checkpoint over `size` entries.

        The log's first key counts from its beginning, a later one once its `key` leaf is covered, each until the
        `revoke` is. A log that never names a key of its own is held to the trust file alone.
        """
        own = list(self.records("log"))
        for at, record in enumerate(own):
            if record.key == key and (not at or record.added < size) and size <= record.revoked:
                return
        if own:
            raise UnknownSignerError(f"the log key {key.key_id.hex()} of {key.name} did not count at {size} entries")

    def in_force(self, what: str, index: int) -> str | None:
        """SHA-256 of the latest `what` document before entry `index`; None where there is none."""
        latest = None
        for at, leaf in self.policies.get(what, []):
            if at < index:
                latest = leaf.sha256
        return latest

    def people(self) -> str | None:
        """SHA-256 of the last `people` body; None where there is none."""
        return self._people

    def missing(self) -> Iterator[SessionRecord]:
        """Sessions that must have a directory: all but those revealed with size 0."""
        for record in self.sessions.values():
            if record.revealed is None or record.revealed.size > 0:
                yield record

    def checkpoint(self) -> Checkpoint:
        """The checkpoint over everything taken so far, unsigned."""
        return Checkpoint(self.origin, len(self.tree), self.tree.root())
