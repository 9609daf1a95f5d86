"""What the server keeps of its witnesses: the last checkpoint that a quorum signed, and when anchors were made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor at entry `index` of a class log over its first `size` entries, appended at `at` (ms, our clock)."""

    class_id: str
    index: int
    size: int
    at: int


class WitnessedStore(Protocol):
    """Witnessed checkpoints and anchors within a transaction."""

    def checkpoint(self, class_id: str) -> bytes:
        """The largest checkpoint that a quorum cosigned, with all cosignatures; b"" before the first."""

    def size(self, class_id: str) -> int:
        """Its size; 0 before the first."""

    def set_checkpoint(self, class_id: str, size: int, signed: bytes) -> None: ...
    def add_anchor(self, anchor: Anchored) -> None: ...
    def last_anchor(self, class_id: str) -> Anchored | None: ...
