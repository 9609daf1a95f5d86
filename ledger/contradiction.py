"""Proof that somebody signed two histories: two signed statements that cannot both be true, in one small file.

Two checkpoints of one log at one size with two roots; or at two sizes, where the earlier one is no beginning of the
later: shown by subtree hashes that lead to the later root, and to another one at the earlier size. Whoever holds the
signer's public key checks the file alone. An honest log never signs both, whatever crashes or is restored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from ledger import canonical, checkpoint, note
from ledger.checkpoint import Checkpoint
from ledger.errors import CanonicalError, FormatError, KeyFormatError
from ledger.fields import VERSION, Record, Table, is_vkey, strip_version, text
from ledger.keys import b64decode, b64encode, parse_vkey
from ledger.program import typed
from ledger.tree import HASH_BYTES, MAX_PROOF, node_hash

MAX_TEXT: Final = 65_535  # of a note
MAX_FILE: Final = 1 << 20


class Subtrees(Protocol):
    """A tree that knows its complete subtrees."""

    def node(self, level: int, index: int) -> bytes: ...


class ContradictionError(FormatError):
    """A file is no proof of a contradiction, or what it holds can both be true."""

    code = "TS-L-067"
    remedy = f"Get both statements again from those who hold them, and compare them with `{typed('ledger')} compare`."
    zh = f"该文件不能证明存在矛盾。请向双方重新获取原件，并用 {typed('ledger')} compare 比对。"


@dataclass(frozen=True, slots=True)
class Proof(Record):
    """Two checkpoint notes verbatim, the earlier first, the key that signed both, the hashes of `pieces(m, n)` (base64;
    none for one size)."""

    key: str
    first: str
    second: str
    path: tuple[str, ...] = ()
    error = ContradictionError
    checks: ClassVar[Table] = {
        "key": is_vkey, "first": text(MAX_TEXT), "second": text(MAX_TEXT),
        "path": lambda value: isinstance(value, list | tuple) and len(value) <= 2 * MAX_PROOF
        and all(text(44)(item) for item in value),
    }  # fmt: skip

    def __bytes__(self) -> bytes:
        """The file: one canonical line and a newline."""
        obj = {"v": VERSION, "type": "contradiction", **self.to_json()}
        return canonical.encode(obj, limit=MAX_FILE) + b"\n"

    def verify(self) -> str:
        """Return one sentence that names both sides, or raise `ContradictionError`, `SignatureError`, …

        Proves that the holder of `key` contradicted himself; whose key that is, the reader knows (a trust file, or a
        `key` leaf).
        """
        key = parse_vkey(self.key)
        first, second = note.parse(self.first.encode()), note.parse(self.second.encode())
        for signed in (first, second):
            note.verify(signed, [key], others=True)
        return _compare(self.path, checkpoint.parse_text(first.text), checkpoint.parse_text(second.text))


def _compare(steps: Sequence[str], a: Checkpoint, b: Checkpoint) -> str:
    if a.origin != b.origin or a.size > b.size:
        raise ContradictionError("the two checkpoints are of two logs, or the later stands first")
    both = f"{a.origin} was signed at size {a.size} with root {a.root.hex()}"
    if a.size == b.size:
        if a.root == b.root or steps:
            raise ContradictionError("the two checkpoints agree")
        return f"{both}, and at the same size with root {b.root.hex()}"
    try:
        hashes = [b64decode(item) for item in steps]
    except KeyFormatError as error:
        raise ContradictionError(str(error)) from error
    found = roots(a.size, b.size, hashes)
    if found[1] != b.root or found[0] == a.root:
        raise ContradictionError("the hashes do not show that the earlier checkpoint is no beginning of the later")
    return f"{both}, and at size {b.size} with root {b.root.hex()}, whose first {a.size} entries have another root"


# --- subtrees ---------------------------------------------------------------------------------------------------------


def pieces(m: int, n: int) -> list[tuple[int, int]]:
    """The leaf ranges [low, high) that make up a tree of `n` leaves and lie wholly before or after leaf `m`."""
    if not 0 < m < n:
        raise ContradictionError(f"sizes {m} and {n} are no earlier and later")
    found: list[tuple[int, int]] = []
    _cut(0, n, m, found)
    return found


def _cut(low: int, high: int, at: int, found: list[tuple[int, int]]) -> None:
    if high <= at or low >= at:
        found.append((low, high))
        return
    middle = low + _half(high - low)
    _cut(low, middle, at, found)
    _cut(middle, high, at, found)


def _half(n: int) -> int:
    """The largest power of two smaller than `n` (RFC 6962, 2.1)."""
    return 1 << ((n - 1).bit_length() - 1)


def roots(m: int, n: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots at sizes `m` and `n` that the hashes of `pieces(m, n)` lead to; `ContradictionError` if they do not."""
    ranges = pieces(m, n)
    if len(hashes) != len(ranges) or any(len(item) != HASH_BYTES for item in hashes):
        raise ContradictionError(f"sizes {m} and {n} take {len(ranges)} hashes of {HASH_BYTES} bytes")
    known = dict(zip(ranges, hashes, strict=True))

    def root(low: int, high: int) -> bytes:
        if (low, high) in known:
            return known[low, high]
        middle = low + _half(high - low)
        return node_hash(root(low, middle), root(middle, high))

    return root(0, m), root(0, n)


def path(tree: Subtrees, m: int, n: int) -> tuple[str, ...]:
    """The hashes of `pieces(m, n)` of a tree that has at least `n` leaves, as a proof holds them."""

    def root(low: int, high: int) -> bytes:
        level = (high - low).bit_length() - 1
        if high - low == 1 << level:
            return tree.node(level, low >> level)
        middle = low + _half(high - low)
        return node_hash(root(low, middle), root(middle, high))

    return tuple(b64encode(root(low, high)) for low, high in pieces(m, n))


def parse(data: bytes) -> Proof:
    """Read a proof file, or raise `ContradictionError`; nothing in it is verified yet."""
    if not data.endswith(b"\n"):
        raise ContradictionError("a proof is one line")
    try:
        obj = strip_version(canonical.decode(data[:-1], limit=MAX_FILE), ContradictionError)
    except CanonicalError as error:
        raise ContradictionError(str(error)) from error
    if obj.pop("type", None) != "contradiction":
        raise ContradictionError("this is no proof of a contradiction")
    return Proof.from_json(obj)
