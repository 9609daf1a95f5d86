"""What a class log has said so far: keys, rules, sessions, in entry order. "Before" means order, never a clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

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
from ledger.tree import Tree, leaf_hash

NEVER: Final = 2**63  # later than any entry


@dataclass(slots=True)
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


@dataclass(slots=True)
class SessionRecord:
    """What the class log says of one session. `logged` are (entry index, size, root) of its checkpoints."""

    sid: str
    granted_at: int
    granted: GrantedLeaf
    logged: list[tuple[int, int, bytes]] = field(default_factory=list)
    last_digest: bytes = b""  # SHA-256 of its last checkpoint entry, byte for byte
    revealed: RevealedLeaf | None = None
    settled: SettledLeaf | None = None
    settled_at: list[int] = field(default_factory=list)
    erased: list[tuple[int, ErasedLeaf]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many events its last logged checkpoint covers."""
        return self.logged[-1][1] if self.logged else 0


class ClassLog:
    """Takes the entries one by one and refuses, naming the index, whatever the table or the order forbids."""

    def __init__(self, origin: str) -> None:
        split = names.split("class origin", origin)
        if split is None:
            raise LeafError(f"{origin[:80]!r} is no class log's origin")
        self.origin = origin
        self.server = split[0]
        self.tree = Tree()
        self.keys: list[KeyRecord] = []
        self.policies: dict[str, list[tuple[int, PolicyLeaf]]] = {}
        self.sessions: dict[str, SessionRecord] = {}
        self.bodies: list[tuple[int, BodyLeaf]] = []
        self.accommodated: dict[str, int] = {}  # hash of an accommodation → its first entry
        self.anchors: list[tuple[int, int]] = []  # (entry index, size) of each
        self._by_material: dict[bytes, KeyRecord] = {}
        self._by_line: dict[tuple[str, bytes], KeyRecord] = {}
        self._by_role: dict[str, list[KeyRecord]] = {}

    def __len__(self) -> int:
        return len(self.tree)

    def add(self, data: bytes) -> leaves.Entry:
        """Take the next entry and return it, or raise `LeafError` naming its index; a refused entry changes nothing."""
        index = len(self.tree)
        try:
            entry = leaves.decode(data)
            if isinstance(entry, Logged):
                self._take_logged(index, entry, data)
            else:
                self._take(index, entry)
        except LeafError as error:
            refusal = LeafError(f"class log entry {index}: {error}")
            refusal.index = index
            raise refusal from error
        self.tree.append(leaf_hash(data))
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
                self.sessions[leaf.sid] = SessionRecord(leaf.sid, index, leaf)
            case RevealedLeaf() | SettledLeaf() | ErasedLeaf():
                self._take_of_session(index, leaf)
            case BodyLeaf():
                if leaf.sid is not None:
                    self._session(leaf.sid)
                self.bodies.append((index, leaf))
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
        known = self._by_material.get(key.key)
        if leaf.op == "add":
            if known is not None or (key.name, key.key_id) in self._by_line:
                raise LeafError(f"the key of {key.name} stood here before")
            record = KeyRecord(leaf, key, index)
            self.keys.append(record)
            self._by_material[key.key] = self._by_line[key.name, key.key_id] = record
            self._by_role.setdefault(leaf.role, []).append(record)
        elif known is None or known.key != key or known.leaf.role != leaf.role or known.revoked != NEVER:
            raise LeafError(f"{key.name} is no {leaf.role} key that could be revoked")
        else:
            known.revoked, known.revocation = index, leaf

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
                record.revealed = leaf
            case SettledLeaf():
                record.settled = leaf
                record.settled_at.append(index)
            case ErasedLeaf():
                record.erased.append((index, leaf))

    def _take_logged(self, index: int, entry: Logged, data: bytes) -> None:
        size, root = entry.checkpoint.size, entry.checkpoint.root
        if index == 0:
            raise LeafError("entry 0 names the class")
        if entry.sid is None:
            if entry.checkpoint.origin != self.origin:
                raise LeafError(f"an anchor of another log, {entry.checkpoint.origin}")
            if size > index or self.tree.root_at(size) != root:
                raise LeafError(f"the anchor's size {size} and root are not of this log")
            if self.anchors and size < self.anchors[-1][1]:
                raise LeafError(f"an anchor at {size} after one at {self.anchors[-1][1]}")
            self.anchors.append((index, size))
            return
        record = self._session(entry.sid)
        if entry.checkpoint.origin != names.session_origin(self.server, entry.sid):
            raise LeafError(f"a session of another server, {entry.checkpoint.origin}")
        if record.revealed is not None:
            raise LeafError(f"session {entry.sid} goes on after its seed was revealed")
        if size < record.size:
            raise LeafError(f"session {entry.sid} shrinks from {record.size} to {size}")
        record.logged.append((index, size, root))
        record.last_digest = sha256(data).digest()

    def signer(self, role: str, line: Signature, index: int) -> KeyRecord:
        """The key of `role` that `line` claims and that counted at entry `index`, or `UnknownSignerError`."""
        record = self._by_line.get((line.name, line.key_id))
        if record is None or record.leaf.role != role:
            raise UnknownSignerError(f"no {role} key {line.name} ({line.key_id.hex()}) stands in the class log")
        if not record.counts_at(index):
            raise UnknownSignerError(f"the {role} key {line.name} did not count at entry {index}")
        return record

    def counting(self, role: str, index: int) -> list[Vkey]:
        """The keys of `role` that counted at entry `index`."""
        return [record.key for record in self._by_role.get(role, []) if record.counts_at(index)]

    def in_force(self, what: str, index: int) -> str | None:
        """SHA-256 of the latest `what` document before entry `index`; None where there is none."""
        latest = None
        for at, leaf in self.policies.get(what, []):
            if at < index:
                latest = leaf.sha256
        return latest

    def people(self) -> str | None:
        """SHA-256 of the last `people` body; None where there is none."""
        for _, leaf in reversed(self.bodies):
            if leaf.kind == "people":
                return leaf.sha256
        return None

    def missing(self) -> Iterator[SessionRecord]:
        """Sessions that must have a directory: all but those revealed with size 0."""
        for record in self.sessions.values():
            if record.revealed is None or record.revealed.size > 0:
                yield record

    def checkpoint(self) -> Checkpoint:
        """The checkpoint over everything taken so far, unsigned."""
        return Checkpoint(self.origin, len(self.tree), self.tree.root())
