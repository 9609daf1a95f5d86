"""The trust file: whose word the verifier takes (C2SP tlog-policy): log keys, witness keys, and how many of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ledger import checkpoint, note
from ledger.checkpoint import Checkpoint
from ledger.errors import KeyFormatError, QuorumError, TrustError
from ledger.keys import COSIGNATURE, ED25519, Vkey, parse_vkey
from ledger.note import Note

NONE: Final = "none"
MAX_LINES = 4096  # the format asks for at least 32 logs, 32 witnesses and 32 groups
_FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_COUNT = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Seen:
    """A checkpoint whose log signature and quorum hold, and when each known witness saw it (POSIX seconds).

    `log` is the key that signed it for the log; whether it counted at that size is the class log's own to say.
    """

    checkpoint: Checkpoint
    note: Note
    log: Vkey
    times: Mapping[Vkey, int]


@dataclass(frozen=True, slots=True)
class Trust:
    """A parsed trust file. `groups` maps a name to (threshold, members); a witness is a name in `witnesses`."""

    logs: tuple[Vkey, ...]
    witnesses: Mapping[str, Vkey]
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = NONE
    urls: Mapping[str, str] = field(default_factory=dict)  # witness name → where it answers; of no weight here

    def keys(self, origin: str) -> tuple[Vkey, ...]:
        """The keys of the log `origin`, more than one after its key was changed; `TrustError` where there is none."""
        keys = tuple(key for key in self.logs if key.name == origin)
        if not keys:
            raise TrustError(f"the trust file names no log {origin}")
        return keys

    def signer(self, origin: str, signed: Note) -> Vkey:
        """The key of the log whose line stands in the note; `QuorumError` without one. It is not verified here."""
        for key in self.keys(origin):
            if any(line.is_by(key) for line in signed.signatures):
                return key
        raise QuorumError(f"the checkpoint of {origin} is not signed by its log")

    def verify(self, data: bytes, *, others: bool = False) -> Seen:
        """Check a signed checkpoint: the log's signature first, known witnesses' cosignatures, and the quorum.

        `SignatureError`, `UnknownSignerError`, `QuorumError`, `TrustError`; `others` tolerates unknown lines (network).
        """
        parsed, signed = checkpoint.parse(data)
        return self.verify_parsed(parsed, signed, others=others)

    def verify_parsed(self, parsed: Checkpoint, signed: Note, *, others: bool = False) -> Seen:
        """As `verify`, for a checkpoint that is parsed already."""
        seen = self.verify_log(parsed, signed, others=others)
        if not self.satisfied(set(seen.times)):
            raise QuorumError(f"{len(seen.times)} known witnesses saw {parsed.origin} at {parsed.size}: no quorum")
        return seen

    def verify_log(self, parsed: Checkpoint, signed: Note, *, others: bool = False) -> Seen:
        """As `verify`, without the quorum: one signature of the log is enough to prove a contradiction."""
        good = note.verify(signed, (*self.keys(parsed.origin), *self.witnesses.values()), others=others)
        log = self.signer(parsed.origin, signed)
        by = {key: line.time for line in good for key in self.witnesses.values() if line.is_by(key)}
        return Seen(parsed, signed, log, by)

    def satisfied(self, by: set[Vkey]) -> bool:
        """Whether cosignatures by these witness keys make the quorum."""
        return self.quorum == NONE or self._has(self.quorum, by)

    def _has(self, name: str, by: set[Vkey]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name] in by
        threshold, members = self.groups[name]
        return sum(self._has(member, by) for member in members) >= threshold

    def __str__(self) -> str:
        """The file's text, without addresses: a verifier asks nobody."""
        lines = [f"log {key}" for key in self.logs]
        lines += [f"witness {name} {key}" for name, key in self.witnesses.items()]
        lines += [f"group {name} {k} {' '.join(members)}" for name, (k, members) in self.groups.items()]
        return "".join(f"{line}\n" for line in [*lines, f"quorum {self.quorum}"])


def parse(data: bytes) -> Trust:
    """Read a trust file, or raise `TrustError`; `quorum none` is allowed and means what it says."""
    if data.count(b"\n") > MAX_LINES or _FORBIDDEN.search(data) or (data and not data.endswith(b"\n")):
        raise TrustError("a trust file is lines of text, each ended by a newline")
    reader = _Reader()
    for number, line in enumerate(data.split(b"\n"), 1):
        words = line.decode(errors="surrogateescape").replace("\t", " ").strip(" ").split(" ")
        words = [word for word in words if word]
        if words and not words[0].startswith("#"):
            try:
                reader.take(words)
            except (TrustError, KeyFormatError) as error:
                raise TrustError(f"line {number}: {error}") from error
    return reader.done()


class _Reader:
    """Takes the lines one by one; a group or quorum names only what stands above it."""

    def __init__(self) -> None:
        self.logs: list[Vkey] = []
        self.witnesses: dict[str, Vkey] = {}
        self.groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.members: set[str] = set()
        self.urls: dict[str, str] = {}
        self.quorum: str | None = None

    def take(self, words: list[str]) -> None:
        """Take one line, already cut into words; `TrustError` or `KeyFormatError` when it says nothing clear."""
        match words:
            case ["log", key, *url] if len(url) <= 1:
                self.logs.append(self._new_key(key, ED25519))
            case ["witness", name, key, *url] if len(url) <= 1:
                self.witnesses[self._new_name(name)] = self._new_key(key, COSIGNATURE)
                self.urls |= {name: url[0]} if url else {}
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members)
            case ["quorum", name] if self.quorum is None:
                self.quorum = name if name == NONE else self._known(name)
            case _:
                raise TrustError(f"not a line of a trust file: {words[0][:40]!r}")

    def _new_key(self, text: str, kind: int) -> Vkey:
        key = parse_vkey(text)
        if key.type != kind:
            raise TrustError(f"{key.name} is of type {key.type:#04x}, here stands {kind:#04x}")
        if any(key.key == other.key for other in (*self.logs, *self.witnesses.values())):
            raise TrustError(f"the key of {key.name} stands here twice")
        return key

    def _new_name(self, name: str) -> str:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise TrustError(f"the name {name[:40]!r} is taken")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise TrustError(f"{name[:40]!r} is not defined above")
        return name

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            self._known(member)
            if member in self.members:
                raise TrustError(f"{member[:40]!r} is a member twice")
            self.members.add(member)
        count = {"any": 1, "all": len(members)}.get(threshold) or (int(threshold) if _COUNT.fullmatch(threshold) else 0)
        if not 1 <= count <= len(members):
            raise TrustError(f"a threshold of {threshold[:20]!r} out of {len(members)}")
        self.groups[self._new_name(name)] = (count, tuple(members))

    def done(self) -> Trust:
        """What all lines together say."""
        if self.quorum is None:
            raise TrustError("no quorum line")
        return Trust(tuple(self.logs), self.witnesses, self.groups, self.quorum, self.urls)
