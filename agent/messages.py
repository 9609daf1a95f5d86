"""What client and agent say to each other over the pipe: a closed set of messages, each field checked.

Agent → client: `beat`, `found`, `cleared`, `note`. Client → agent: `ping`, `recheck`, `camera`,
`foreground`, `rules`, `bye`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from agent.errors import FrameError
from ledger.events import Finding, Heartbeat
from ledger.kinds import DETAIL, FLAG, HASH, MS, SHORT, Kind

Kinds = Mapping[str, Kind]
_WORDS: Final = ("title_zh", "title_en", "why_zh", "why_en", "remedy_zh", "remedy_en")


@dataclasses.dataclass(frozen=True, slots=True)
class Beat:
    """The agent lives. Field by field the ledger's `heartbeat`; `uptime` is the kernel's own, in ms."""

    beat: int
    agent_mono: int
    uptime: int
    rules: str
    agent_hash: str
    manifest: str
    kind: ClassVar[str] = "beat"
    kinds: ClassVar[Kinds] = Heartbeat.kinds


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A finding: the ledger's `finding`, and the words for the screen."""

    rule: str
    version: int
    severity: str
    response: str
    evidence: Mapping[str, str | int | bool | None]
    title_zh: str
    title_en: str
    why_zh: str
    why_en: str
    remedy_zh: str
    remedy_en: str
    kind: ClassVar[str] = "found"
    kinds: ClassVar[Kinds] = {**Finding.kinds, **dict.fromkeys(_WORDS, DETAIL)}


@dataclasses.dataclass(frozen=True, slots=True)
class Cleared:
    """The cause of an earlier finding of `rule` is gone."""

    rule: str
    kind: ClassVar[str] = "cleared"
    kinds: ClassVar[Kinds] = {"rule": Finding.kinds["rule"]}


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """Something about the agent itself: a source is unknown, or it slowed down to stay within its budget."""

    detail: str
    kind: ClassVar[str] = "note"
    kinds: ClassVar[Kinds] = {"detail": DETAIL}


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """The client lives."""

    kind: ClassVar[str] = "ping"
    kinds: ClassVar[Kinds] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Recheck:
    """The learner says: I closed it, check again."""

    kind: ClassVar[str] = "recheck"
    kinds: ClassVar[Kinds] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Camera:
    """The camera that the client uses now."""

    name: str
    kind: ClassVar[str] = "camera"
    kinds: ClassVar[Kinds] = {"name": SHORT}


@dataclasses.dataclass(frozen=True, slots=True)
class Foreground:
    """Our window has the foreground, or has lost it: input elsewhere is nobody's business."""

    ours: bool
    kind: ClassVar[str] = "foreground"
    kinds: ClassVar[Kinds] = {"ours": FLAG}


@dataclasses.dataclass(frozen=True, slots=True)
class UseRules:
    """The session's rules pack: the hash that the grant names, the file that holds it, and the grant's time."""

    sha256: str
    path: str
    at: int
    kind: ClassVar[str] = "rules"
    kinds: ClassVar[Kinds] = {"sha256": HASH, "path": DETAIL, "at": MS}


@dataclasses.dataclass(frozen=True, slots=True)
class Bye:
    """The session is over; the agent ends."""

    kind: ClassVar[str] = "bye"
    kinds: ClassVar[Kinds] = {}


Message = Beat | Found | Cleared | Note | Ping | Recheck | Camera | Foreground | UseRules | Bye
FROM_AGENT: Final[Mapping[str, type[Message]]] = {m.kind: m for m in (Beat, Found, Cleared, Note)}
FROM_CLIENT: Final[Mapping[str, type[Message]]] = {
    m.kind: m for m in (Ping, Recheck, Camera, Foreground, UseRules, Bye)
}


def fields_of(message: Message) -> dict[str, Any]:
    """The message's own fields by name."""
    return {entry.name: getattr(message, entry.name) for entry in dataclasses.fields(message)}


def parse_message(kind: object, body: object, known: Mapping[str, type[Message]]) -> Message:
    """Return the message, or raise `FrameError`: unknown kind, missing, extra or wrong field."""
    message = known.get(kind) if isinstance(kind, str) else None
    if message is None or not isinstance(body, Mapping):
        raise FrameError(f"message of unknown kind {str(kind)[:40]!r}")
    if set(body) != set(message.kinds):
        raise FrameError(f"message {kind}: a field is missing or unknown")
    wrong = next((name for name, value in message.kinds.items() if not value.accepts(body[name])), None)
    if wrong is not None:
        raise FrameError(f"message {kind}: field {wrong!r} is no {message.kinds[wrong].name}")
    return message(**body)
