"""The grant: the server's signed word on what one session may do, by which rules, and what it committed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ledger import canonical, note
from ledger.errors import CanonicalError, GrantError
from ledger.fields import (
    CLASS_ORIGIN,
    HASH,
    HASH_OR_NONE,
    ID128,
    MS,
    SHORT,
    VERSION,
    Record,
    Table,
    is_vkey,
    many,
    numbers,
    strip_version,
)
from ledger.keys import NoteSigner
from ledger.note import Note

HEADER = "trueseat/grant/v1\n"


@dataclass(frozen=True, slots=True)
class Grant(Record):
    """All fields of a grant; hashes and seeds in hex, times in ms since the epoch by the server's clock.

    `cert` is the certificate's note hash; `limits` {session_ms, offline_ms}; `carried` {missed, mismatched, made_up};
    `reference` the SHA-256 of the learner's template or "none"; `seen` the client's address as the server sees it.
    """

    sid: str
    cert: str
    class_: str
    learner: str
    registration: str
    nonce: str
    time: int
    open_by: int
    late_by: int
    commit: str
    offline_seed: str
    policy: str
    rules: str
    course: str
    models: str
    reference: str
    recipients: tuple[str, ...]
    limits: Mapping[str, int]
    carried: Mapping[str, int]
    accommodations: tuple[str, ...]
    seen: str

    error = GrantError
    checks: ClassVar[Table] = {
        "sid": ID128, "cert": HASH, "class": CLASS_ORIGIN, "learner": ID128, "registration": ID128, "nonce": ID128,
        "time": MS, "open_by": MS, "late_by": MS, "commit": HASH, "offline_seed": HASH, "policy": HASH, "rules": HASH,
        "course": HASH, "models": HASH, "reference": HASH_OR_NONE, "recipients": many(is_vkey, 32),
        "limits": numbers("session_ms", "offline_ms"), "carried": numbers("missed", "mismatched", "made_up"),
        "accommodations": many(HASH, 32), "seen": SHORT,
    }  # fmt: skip

    def __str__(self) -> str:
        """The note text: the header line and one canonical JSON line."""
        return HEADER + canonical.encode({"v": VERSION, **self.to_json()}).decode() + "\n"


def parse_text(text: str) -> Grant:
    """Read a grant's text, or raise `GrantError`."""
    if not text.startswith(HEADER) or not text.endswith("\n") or text.count("\n") != 2:
        raise GrantError("a grant is the line trueseat/grant/v1 and one line of JSON")
    try:
        obj = canonical.decode(text[len(HEADER) : -1].encode())
    except CanonicalError as error:
        raise GrantError(str(error)) from error
    return Grant.from_json(strip_version(obj, GrantError))


def parse(data: bytes) -> tuple[Grant, Note]:
    """Read a grant note; verify it with the grant key before believing it."""
    parsed = note.parse(data)
    return parse_text(parsed.text), parsed


def sign(grant: Grant, signer: NoteSigner) -> bytes:
    """The grant as a note by the server's grant key."""
    return note.sign(str(grant), signer)
