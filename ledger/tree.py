"""The tree of one log (RFC 6962): what was appended can be proven, what was removed or changed is noticed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from ledger.errors import InconsistentLogError, ProofError

HASH_BYTES = 32
PAIR = 2 * HASH_BYTES
MAX_PROOF = 64  # a tree of 2**64 leaves; longer is an attack
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256 of 0x00 and the entry (RFC 6962, 2.1)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of 0x01, the left hash and the right hash (RFC 6962, 2.1)."""
    return sha256(b"\x01" + left + right).digest()


def level_above(hashes: bytes) -> bytes:
    """The hashes of the level above these, all written one after the other; an even number of them."""
    return b"".join([sha256(b"\x01" + hashes[i : i + PAIR]).digest() for i in range(0, len(hashes), PAIR)])


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root over all leaf hashes, in O(log n) memory."""
    stack: list[tuple[int, bytes]] = []  # (level, hash) of complete subtrees, levels falling
    for leaf in leaf_hashes:
        level, current = 0, leaf
        while stack and stack[-1][0] == level:
            current = node_hash(stack.pop()[1], current)
            level += 1
        stack.append((level, current))
    if not stack:
        return EMPTY_ROOT
    current = stack.pop()[1]
    while stack:
        current = node_hash(stack.pop()[1], current)
    return current


class Proofs:
    """What any tree that knows its subtrees can state and prove; `len` and `node` are its own."""

    def __len__(self) -> int:
        raise NotImplementedError

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree `index` of 2**level leaves; IndexError when it is not complete yet."""
        raise NotImplementedError

    def root(self) -> bytes:
        """The root over everything appended so far."""
        return self.root_at(len(self))

    def root_at(self, size: int) -> bytes:
        """The root over the first `size` leaves, in O(log n); ValueError beyond the end."""
        if not 0 <= size <= len(self):
            raise ValueError(f"no root at {size}, the tree has {len(self)} leaves")
        return self._range(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """The audit path of leaf `index` in the first `size` leaves (RFC 6962, 2.1.1)."""
        if not 0 <= index < size <= len(self):
            raise ValueError(f"no proof of leaf {index} in {size} of {len(self)}")
        path, low, high = [], 0, size
        while high - low > 1:
            middle = low + _split(high - low)
            if index < middle:
                path.append(self._range(middle, high))
                high = middle
            else:
                path.append(self._range(low, middle))
                low = middle
        return path[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """The proof that the first `old` leaves begin the first `new` (RFC 6962, 2.1.2); empty for 0 and for equal."""
        if not 0 <= old <= new <= len(self):
            raise ValueError(f"no proof from {old} to {new} of {len(self)}")
        if old in (0, new):
            return []
        path, low, high, m, whole = [], 0, new, old, True
        while m != high - low:
            half = _split(high - low)
            if m <= half:
                path.append(self._range(low + half, high))
                high = low + half
            else:
                path.append(self._range(low, low + half))
                low, m, whole = low + half, m - half, False
        if not whole:
            path.append(self._range(low, high))
        return path[::-1]

    def _range(self, low: int, high: int) -> bytes:
        """Root of leaves [low, high), where low is a multiple of the range's largest power of two."""
        parts: list[bytes] = []
        while low < high:
            level = (high - low).bit_length() - 1
            parts.append(self.node(level, low >> level))
            low += 1 << level
        current = parts.pop()
        while parts:
            current = node_hash(parts.pop(), current)
        return current


class Tree(Proofs):
    """A growing tree that keeps the hash of every complete subtree (64 bytes a leaf)."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self._size = 0
        for leaf in leaf_hashes:
            self.append(leaf)

    def __len__(self) -> int:
        return self._size

    def append(self, leaf: bytes) -> int:
        """Append a leaf *hash* and return its index; amortised O(1), at most O(log n)."""
        index = position = self._size
        self._size += 1
        levels = self._levels
        hashes, level = levels[0], 0
        hashes += leaf
        while position & 1:
            current = sha256(b"\x01" + hashes[-PAIR:]).digest()  # the left sibling stands just before
            level, position = level + 1, position >> 1
            if level == len(levels):
                levels.append(bytearray())
            hashes = levels[level]
            hashes += current
        return index

    def extend(self, leaves: bytes) -> None:
        """Append many leaf hashes, written one after the other; level by level, so at twice the speed of `append`."""
        self._levels[0] += leaves
        self._size = len(self._levels[0]) // HASH_BYTES
        for level, hashes in enumerate(self._levels):
            if len(hashes) < PAIR:
                return
            if level + 1 == len(self._levels):
                self._levels.append(bytearray())  # the loop goes on with it
            above = self._levels[level + 1]
            begin, end = 2 * len(above), len(hashes) // PAIR * PAIR
            above += level_above(bytes(hashes[begin:end]))

    def level(self, level: int) -> bytes:
        """The hashes of all complete subtrees of 2**level leaves, one after the other."""
        return bytes(self._levels[level]) if level < len(self._levels) else b""

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree `index` of 2**level leaves; IndexError when it is not complete yet."""
        hashes = self._levels[level] if level < len(self._levels) else b""
        start = index * HASH_BYTES
        if index < 0 or start >= len(hashes):
            raise IndexError(f"no subtree {index} at level {level}")
        return bytes(hashes[start : start + HASH_BYTES])


def _split(n: int) -> int:
    """The largest power of two smaller than n (n > 1)."""
    return 1 << ((n - 1).bit_length() - 1)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return quietly, or raise `ProofError`: leaf hash `leaf` stands at `index` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"index {index} lies outside a log of {size}")
    _check_proof(proof)
    inner, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError(f"the proof of index {index} is too long")
        if inner & 1 or inner == last:
            current = node_hash(sibling, current)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        inner, last = inner >> 1, last >> 1
    if last or current != root:
        raise ProofError(f"the proof of index {index} does not lead to the root of size {size}")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Return quietly, or raise `InconsistentLogError` naming both sizes (RFC 9162, 2.1.4.2).

    `ProofError` when the proof has no possible form: a proof from 0 or between equal sizes is empty.
    """
    if not 0 <= old <= new:
        raise InconsistentLogError(f"size {new} is smaller than {old}")
    _check_proof(proof)
    if old in (0, new):
        if proof:
            raise ProofError(f"a proof from {old} to {new} must be empty")
        if old_root != (new_root if old == new else EMPTY_ROOT):
            raise InconsistentLogError(f"sizes {old} and {new} disagree")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ProofError(f"the proof from {old} to {new} is empty")
    inner, last = old - 1, new - 1
    while inner & 1:
        inner, last = inner >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError(f"the proof from {old} to {new} is too long")
        if inner & 1 or inner == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        inner, last = inner >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise InconsistentLogError(f"sizes {old} and {new} disagree")


def _check_proof(proof: Sequence[bytes]) -> None:
    if len(proof) > MAX_PROOF or any(len(item) != HASH_BYTES for item in proof):
        raise ProofError("a proof is at most 64 hashes of 32 bytes")
