"""What a class log may say: the closed table of its entries (records.md, "Class log").

An entry is either a signed checkpoint verbatim (of a session, or an anchor: of this log itself) or one canonical line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ledger import canonical, checkpoint, names
from ledger.checkpoint import MAX_SIZE, Checkpoint
from ledger.errors import CanonicalError, LeafError, NoteFormatError
from ledger.fields import (
    CLASS_ORIGIN,
    HASH,
    ID128,
    MS,
    VERSION,
    Record,
    Table,
    integer,
    is_vkey,
    many,
    one_of,
    strip_version,
)
from ledger.keys import COSIGNATURE, ED25519, EVIDENCE, P256, Vkey, parse_vkey
from ledger.note import Note

KEY_TYPES: Final[Mapping[str, int]] = {
    "log": ED25519, "cosign": COSIGNATURE, "grant": ED25519, "supervisor": ED25519, "evidence": EVIDENCE,
    "device": P256,
}  # fmt: skip
BODY_KINDS: Final = (
    "verdict", "reversal", "accommodation", "identification", "consent", "correction", "audit", "exit", "exam",
    "people", "test",
)  # fmt: skip
DOCUMENTS: Final = ("policy", "rules", "models", "client", "course", "points")
_COMMON: Final[Table] = {"at": MS}


@dataclass(frozen=True, slots=True)
class Leaf(Record):
    """Base of the JSON entries; `at` is the operator's clock (ms), for people: order is what counts."""

    at: int

    type: ClassVar[str] = ""
    error = LeafError

    def __bytes__(self) -> bytes:
        """The entry as it is hashed."""
        return canonical.encode({"v": VERSION, "type": self.type, **self.to_json()})


@dataclass(frozen=True, slots=True)
class ClassLeaf(Leaf):
    """Entry 0, and only entry 0: which class this log is (its origin)."""

    class_: str
    type = "class"
    checks: ClassVar[Table] = {**_COMMON, "class": CLASS_ORIGIN}


@dataclass(frozen=True, slots=True)
class KeyLeaf(Leaf):
    """From this entry on a key counts, or no longer does.

    `owner` (device): SHA-256(16 random bytes ‖ learner); `vouched` (supervisor, evidence): the voucher note's hash.
    """

    op: str
    role: str
    vkey: str
    owner: str | None = None
    vouched: str | None = None
    type = "key"
    optional = frozenset({"owner", "vouched"})
    checks: ClassVar[Table] = {
        **_COMMON, "op": one_of("add", "revoke"), "role": one_of(*KEY_TYPES), "vkey": is_vkey, "owner": HASH,
        "vouched": HASH,
    }  # fmt: skip

    def __post_init__(self) -> None:
        self.check(self.to_json())
        if (self.owner is not None) != (self.role == "device"):
            raise LeafError("key: a device key has an owner, and no other key has")
        if (self.vouched is not None) != (self.role in ("supervisor", "evidence")):
            raise LeafError("key: a supervisor or evidence key is vouched for, and no other key is")
        if self.key.type != KEY_TYPES[self.role]:
            raise LeafError(f"key: a {self.role} key is of type {KEY_TYPES[self.role]:#04x}")

    @property
    def key(self) -> Vkey:
        """The key itself."""
        return parse_vkey(self.vkey)


@dataclass(frozen=True, slots=True)
class PolicyLeaf(Leaf):
    """From this entry on the document with this hash is in force; `serial` only rises."""

    what: str
    serial: int
    sha256: str
    type = "policy"
    checks: ClassVar[Table] = {
        **_COMMON, "what": one_of(*DOCUMENTS), "serial": MS, "sha256": HASH,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class GrantedLeaf(Leaf):
    """A session may begin; `grant` is the grant note's hash, `commit` that of its seed."""

    sid: str
    grant: str
    commit: str
    type = "granted"
    checks: ClassVar[Table] = {**_COMMON, "sid": ID128, "grant": HASH, "commit": HASH}


@dataclass(frozen=True, slots=True)
class RevealedLeaf(Leaf):
    """The session is over at `size`; its seed, and the highest check ordered (−1 for none)."""

    sid: str
    seed: str
    how: str
    size: int
    issued: int
    type = "revealed"
    checks: ClassVar[Table] = {
        **_COMMON, "sid": ID128, "seed": HASH, "how": one_of("closed", "abandoned"), "size": integer(0, MAX_SIZE),
        "issued": integer(-1),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettledLeaf(Leaf):
    """What the operator computed as credited time of the session; the last one counts."""

    sid: str
    size: int
    credited_ms: int
    type = "settled"
    checks: ClassVar[Table] = {**_COMMON, "sid": ID128, "size": integer(0, MAX_SIZE), "credited_ms": MS}


@dataclass(frozen=True, slots=True)
class ErasedLeaf(Leaf):
    """These events' bodies were deleted on request; their hashes stay. `sha256` is the deletion receipt's."""

    sid: str
    index: tuple[int, ...]
    sha256: str
    type = "erased"
    checks: ClassVar[Table] = {**_COMMON, "sid": ID128, "index": many(integer(0, MAX_SIZE), 4096), "sha256": HASH}

    def __post_init__(self) -> None:
        self.check(self.to_json())
        if not self.index or list(self.index) != sorted(self.index):
            raise LeafError("erased: the indexes rise, and there is at least one")


@dataclass(frozen=True, slots=True)
class BodyLeaf(Leaf):
    """A signed note of this kind exists (of `people.csv` the file's own hash); it may concern one session."""

    kind: str
    sha256: str
    sid: str | None = None
    type = "body"
    optional = frozenset({"sid"})
    checks: ClassVar[Table] = {**_COMMON, "kind": one_of(*BODY_KINDS), "sid": ID128, "sha256": HASH}


@dataclass(frozen=True, slots=True)
class Logged:
    """A signed checkpoint as an entry: of a session, or (an anchor) of the class log itself."""

    checkpoint: Checkpoint
    note: Note

    @property
    def sid(self) -> str | None:
        """The session it belongs to; None for an anchor."""
        session = names.split("session origin", self.checkpoint.origin)
        return session[1] if session else None

    def __bytes__(self) -> bytes:
        return bytes(self.note)


Entry = Leaf | Logged
TYPES: Final[Mapping[str, type[Leaf]]] = {
    leaf.type: leaf
    for leaf in (ClassLeaf, KeyLeaf, PolicyLeaf, GrantedLeaf, RevealedLeaf, SettledLeaf, ErasedLeaf, BodyLeaf)
}


def decode(data: bytes) -> Entry:
    """Return the entry that `data` is the one form of, or raise `LeafError`."""
    if data.startswith(b"{"):
        return _decode_leaf(data)
    try:
        return _checked(Logged(*checkpoint.parse(data)))
    except NoteFormatError as error:
        raise LeafError(f"an entry that is neither a line of the table nor a checkpoint: {error}") from error


def _decode_leaf(data: bytes) -> Leaf:
    try:
        obj: dict[str, Any] = canonical.decode(data)
    except CanonicalError as error:
        raise LeafError(str(error)) from error
    kind = obj.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise LeafError(f"unknown type of entry {str(kind)[:40]!r}")
    obj = strip_version(obj, LeafError)
    del obj["type"]
    return TYPES[kind].from_json(obj)


def _checked(entry: Logged) -> Logged:
    """A session's entry has two signatures, its own first and the server's cosignature second."""
    session = names.split("session origin", entry.checkpoint.origin)
    signers = [line.name for line in entry.note.signatures]
    if session is not None:
        if signers != [entry.checkpoint.origin, names.cosigner(session[0])]:
            raise LeafError("a session's checkpoint is signed by the session first, cosigned by the server second")
    elif not names.is_a("class origin", entry.checkpoint.origin) or signers[0] != entry.checkpoint.origin:
        raise LeafError("an anchor is this log's own checkpoint, the log's signature first")
    return entry
