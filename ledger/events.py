"""What a device may say: the closed vocabulary of session events, one frozen type a verb (records.md, "Event").

A stored event is one canonical JSON line. `decode` accepts exactly what `encode` writes and refuses everything else,
so the bytes that are hashed have one reading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Final, NamedTuple

from ledger import canonical, forms
from ledger.errors import EventError
from ledger.kinds import (
    ASK,
    BECAUSE,
    CHECK,
    CHECK_KIND,
    CONSENT,
    COUNT,
    COVERED,
    DETAIL,
    EVIDENCE,
    FAULT,
    FLAG,
    HASH,
    HASH_OR_NONE,
    HASHES,
    HOW,
    ID128,
    MS,
    NAME,
    NOTE,
    PERMILLE,
    RESPONSE,
    RESULT,
    ROW,
    SCORES,
    SEALED,
    SEVERITY,
    SHORT,
    JsonMap,
    Kind,
    closed,
)

MAX_EVENT_BYTES: Final = 60 * 1024  # below the 65,535 bytes that a tlog-tiles bundle can frame
VERSION: Final = 1

Kinds = Mapping[str, Kind]


# --- the verbs --------------------------------------------------------------------------------------------------------


class Body:
    """Base of the verbs. A field's JSON name is its attribute's without a trailing underscore (`from_` → `from`)."""

    verb: ClassVar[str]
    kinds: ClassVar[Kinds]
    __slots__ = ()

    def fields(self) -> dict[str, Any]:
        """The verb's own fields by their JSON names."""
        return {name.rstrip("_"): getattr(self, name) for name in _NAMES[self.verb]}


@dataclasses.dataclass(frozen=True, slots=True)
class Opened(Body):
    """Event 0: the grant and the certificate verbatim, and what runs here."""

    grant: str
    cert: str
    client: str
    agent: str
    models: str
    scripted: bool
    verb = "opened"
    kinds: ClassVar[Kinds] = {
        "grant": NOTE, "cert": NOTE, "client": SHORT, "agent": SHORT, "models": HASH_OR_NONE, "scripted": FLAG,
    }  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Played(Body):
    """A span: media ms [from, to) shown at `rate` between mono `start` and the event's own mono, all of it playing."""

    unit: str
    from_: int
    to: int
    rate: int
    start: int
    shown: int
    verb = "played"
    kinds: ClassVar[Kinds] = {"unit": NAME, "from": MS, "to": MS, "rate": PERMILLE, "start": MS, "shown": COUNT}


@dataclasses.dataclass(frozen=True, slots=True)
class Paused(Body):
    unit: str
    pos: int
    because: str
    verb = "paused"
    kinds: ClassVar[Kinds] = {"unit": NAME, "pos": MS, "because": BECAUSE}


@dataclasses.dataclass(frozen=True, slots=True)
class Resumed(Body):
    unit: str
    pos: int
    verb = "resumed"
    kinds: ClassVar[Kinds] = {"unit": NAME, "pos": MS}


@dataclasses.dataclass(frozen=True, slots=True)
class Focus(Body):
    """The foreground as `source` saw it; `covered` is per mille of our window, null where nobody can tell."""

    gained: bool
    covered: int | None
    source: str
    verb = "focus"
    kinds: ClassVar[Kinds] = {"gained": FLAG, "covered": COVERED, "source": SHORT}


@dataclasses.dataclass(frozen=True, slots=True)
class Presence(Body):
    """How many faces the camera sees; an event when that changes."""

    faces: int
    verb = "presence"
    kinds: ClassVar[Kinds] = {"faces": COUNT}


@dataclasses.dataclass(frozen=True, slots=True)
class Cosigned(Body):
    """The server's answer to a segment: its cosignature over our checkpoint of `size`, and the address it saw."""

    size: int
    line: str
    seen: str
    verb = "cosigned"
    kinds: ClassVar[Kinds] = {"size": COUNT, "line": SHORT, "seen": SHORT}


@dataclasses.dataclass(frozen=True, slots=True)
class Asked(Body):
    what: str
    verb = "asked"
    kinds: ClassVar[Kinds] = {"what": ASK}


@dataclasses.dataclass(frozen=True, slots=True)
class Ordered(Body):
    """A check was ordered: number `i` (or `close`, `spot-<n>`), attempt `a`."""

    i: int | str
    a: int
    nonce: str
    deadline_ms: int
    verb = "ordered"
    kinds: ClassVar[Kinds] = {"i": CHECK, "a": COUNT, "nonce": ID128, "deadline_ms": MS}


@dataclasses.dataclass(frozen=True, slots=True)
class Answered(Body):
    """One attempt's result, with what it was judged by: scores and thresholds in per mille, models by hash."""

    i: int | str
    a: int
    kind: str
    result: str
    reason: str
    scores: Mapping[str, int]
    models: Mapping[str, str]
    evidence: Mapping[str, str] | None
    verb = "answered"
    kinds: ClassVar[Kinds] = {
        "i": CHECK, "a": COUNT, "kind": CHECK_KIND, "result": RESULT, "reason": NAME, "scores": SCORES,
        "models": HASHES, "evidence": EVIDENCE,
    }  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Command(Body):
    """A signed command of the server was carried out; `digest` is the hash of its note."""

    digest: str
    verb = "command"
    kinds: ClassVar[Kinds] = {"digest": HASH}


@dataclasses.dataclass(frozen=True, slots=True)
class Finding(Body):
    """A rule of the agent matched: which, how grave, what was done, and the one row that shows it."""

    rule: str
    version: int
    severity: str
    response: str
    evidence: Mapping[str, str | int | bool | None]
    verb = "finding"
    kinds: ClassVar[Kinds] = {
        "rule": NAME, "version": COUNT, "severity": SEVERITY, "response": RESPONSE, "evidence": ROW,
    }  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Heartbeat(Body):
    """The agent lives: its own clock, its rules and its files; a hole between beats is a hole in the proof."""

    beat: int
    agent_mono: int
    uptime: int
    rules: str
    agent_hash: str
    manifest: str
    verb = "heartbeat"
    kinds: ClassVar[Kinds] = {
        "beat": COUNT, "agent_mono": MS, "uptime": MS, "rules": HASH, "agent_hash": HASH, "manifest": HASH_OR_NONE,
    }  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Question(Body):
    """An in-lesson question was answered; the answer itself is sealed."""

    unit: str
    item: str
    attempt: int
    sealed: str
    verb = "question"
    kinds: ClassVar[Kinds] = {"unit": NAME, "item": NAME, "attempt": COUNT, "sealed": SEALED}


@dataclasses.dataclass(frozen=True, slots=True)
class Consent(Body):
    notice: str
    version: int
    what: str
    given: bool
    verb = "consent"
    kinds: ClassVar[Kinds] = {"notice": HASH, "version": COUNT, "what": CONSENT, "given": FLAG}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault(Body):
    """Something of the machine failed; never anybody's misconduct."""

    what: str
    detail: str
    verb = "fault"
    kinds: ClassVar[Kinds] = {"what": FAULT, "detail": DETAIL}


@dataclasses.dataclass(frozen=True, slots=True)
class Note(Body):
    """The learner's own words, sealed for the reviewer."""

    sealed: str
    verb = "note"
    kinds: ClassVar[Kinds] = {"sealed": SEALED}


@dataclasses.dataclass(frozen=True, slots=True)
class Closed(Body):
    how: str
    verb = "closed"
    kinds: ClassVar[Kinds] = {"how": HOW}


VERBS: Final[Mapping[str, type[Body]]] = {
    body.verb: body
    for body in (
        Opened, Played, Paused, Resumed, Focus, Presence, Cosigned, Asked, Ordered, Answered, Command, Finding,
        Heartbeat, Question, Consent, Fault, Note, Closed,
    )
}  # fmt: skip
_NAMES: Final = {  # the attributes of each verb; made once, for a million events
    verb: tuple(field.name for field in dataclasses.fields(body))  # type: ignore[arg-type]
    for verb, body in VERBS.items()
}


# --- one event --------------------------------------------------------------------------------------------------------

_COMMON: Final[Mapping[str, Kind]] = {"seq": COUNT, "wall": MS, "mono": MS, "sid": ID128, "salt": ID128}  # as `Event`
_KINDS: Final = {verb: {**_COMMON, **body.kinds} for verb, body in VERBS.items()}


class Event(NamedTuple):
    """One signed line of a session: `seq` is its leaf index, `mono` ms since `opened`, `wall` ms for people only."""

    seq: int
    wall: int
    mono: int
    sid: str
    salt: str
    body: Body


_FORMS: Final = {
    verb: forms.form({"v": VERSION, "verb": verb}, _COMMON, body.kinds, Event, body) for verb, body in VERBS.items()
}


def encode(event: Event) -> bytes:
    """Return the canonical bytes of `event`; raise `EventError` if a field is not of its kind or it is too long."""
    obj: dict[str, Any] = {"v": VERSION, "verb": event.body.verb, **event.body.fields()}
    obj |= {"seq": event.seq, "wall": event.wall, "mono": event.mono, "sid": event.sid, "salt": event.salt}
    _check(obj, type(event.body))
    data = canonical.encode(obj)
    if len(data) > MAX_EVENT_BYTES:
        raise EventError(f"event {event.seq} has {len(data)} bytes, more than {MAX_EVENT_BYTES}")
    return data


def decode(data: bytes) -> Event:
    """Return the event that `data` is the canonical form of, or raise `EventError` (or `CanonicalError`)."""
    if len(data) > MAX_EVENT_BYTES:
        raise EventError(f"an event of {len(data)} bytes, more than {MAX_EVENT_BYTES}")
    return decode_short(data) or decode_long(data)  # an event is never empty, so never false


def decode_short(data: bytes) -> Event | None:
    """The event, where its line is of the short form (`ledger.forms`); None says nothing about it."""
    try:
        line = data.decode()
    except UnicodeDecodeError:
        return None
    at = line.rfind('"verb":"') + 8
    form = _FORMS.get(line[at : line.find('"', at)])
    return form.read(line) if form else None


def decode_long(data: bytes) -> Event:
    """The event, however it is written; raises as `decode` does."""
    obj = canonical.decode(data)
    body = VERBS.get(obj["verb"]) if isinstance(obj.get("verb"), str) else None
    if body is None:
        raise EventError(f"unknown verb {str(obj.get('verb'))[:40]!r}")
    _check(obj, body)
    return Event(
        seq=obj["seq"], wall=obj["wall"], mono=obj["mono"], sid=obj["sid"], salt=obj["salt"],
        body=body(**{name: obj[name.rstrip("_")] for name in _NAMES[body.verb]}),
    )  # fmt: skip


def _check(obj: JsonMap, body: type[Body]) -> None:
    """Refuse a wrong version, a missing or extra field, or a value that is not of its kind."""
    if obj.get("v") != VERSION or isinstance(obj.get("v"), bool):
        raise EventError(f"version {str(obj.get('v'))[:20]!r} is not {VERSION}")
    kinds = _KINDS[body.verb]
    wrong = set(obj) ^ (set(kinds) | {"v", "verb"})
    if wrong:
        raise EventError(f"{body.verb}: missing or unknown field {sorted(wrong)[0]!r}")
    for name, kind in kinds.items():
        if not kind.accepts(obj[name]):
            raise EventError(f"{body.verb}: field {name!r} is no {kind.name}")


def json_schema() -> dict[str, Any]:
    """The vocabulary as one JSON Schema (2020-12), for implementers in other languages."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "TrueSeat session event, version 1",
        "oneOf": [
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "v": {"const": VERSION},
                    "verb": {"const": verb},
                    **{name: closed(kind.schema) for name, kind in _KINDS[verb].items()},
                },
                "required": sorted(["v", "verb", *_KINDS[verb]]),
            }
            for verb in VERBS
        ],
    }
