"""What people and the server sign beside the logs: one header line `trueseat/<kind>/v1` and one canonical JSON line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ledger import canonical, note
from ledger.errors import BodyError, CanonicalError
from ledger.fields import (
    CLASS_ORIGIN,
    HASH,
    ID128,
    MS,
    NAME,
    REASON,
    SHORT,
    VERSION,
    Record,
    Table,
    flag,
    integer,
    one_of,
    settings,
    strip_version,
)
from ledger.keys import NoteSigner
from ledger.note import Note

FOLDER: Final = "bodies/sha256/"  # of an archive
MAX_QUESTIONS: Final = 200  # of one test
_COMMON: Table = {"at": MS, "class": CLASS_ORIGIN}


@dataclass(frozen=True, slots=True)
class Body(Record):
    """Base: `at` in ms since the epoch by the signer's clock, `class_` the class log's origin."""

    at: int
    class_: str

    kind: ClassVar[str] = ""
    error = BodyError

    def __str__(self) -> str:
        """The note text."""
        line = canonical.encode({"v": VERSION, **self.to_json()}).decode()
        return f"trueseat/{self.kind}/v1\n{line}\n"


@dataclass(frozen=True, slots=True)
class Verdict(Body):
    """Spans in seq [from_, to) of the session credit nothing."""

    learner: str
    sid: str
    from_: int
    to: int
    reason: str
    kind = "verdict"
    checks: ClassVar[Table] = {**_COMMON, "learner": ID128, "sid": ID128, "from": MS, "to": MS, "reason": REASON}


@dataclass(frozen=True, slots=True)
class Reversal(Body):
    """A verdict, named by its note's hash, no longer counts."""

    verdict: str
    kind = "reversal"
    checks: ClassVar[Table] = {**_COMMON, "verdict": HASH}


@dataclass(frozen=True, slots=True)
class Accommodation(Body):
    """What the client does differently for this learner, until when (ms); never why."""

    learner: str
    changes: Mapping[str, Any]
    until: int
    kind = "accommodation"
    checks: ClassVar[Table] = {**_COMMON, "learner": ID128, "changes": settings, "until": MS}


@dataclass(frozen=True, slots=True)
class Identification(Body):
    """A named person compared identity card, person and photo; `method` says how."""

    learner: str
    method: str
    kind = "identification"
    checks: ClassVar[Table] = {**_COMMON, "learner": ID128, "method": NAME}


@dataclass(frozen=True, slots=True)
class Consent(Body):
    """The learner's word on one thing, signed on the device; `notice` is the hash of the text that was shown."""

    learner: str
    notice: str
    what: str
    given: bool
    kind = "consent"
    checks: ClassVar[Table] = {
        **_COMMON, "learner": ID128, "notice": HASH, "what": one_of("notice", "commitment", "face", "photos"),
        "given": flag,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Correction(Body):
    """An entry of the class log, by its index, was wrong; the log itself is never edited."""

    leaf: int
    reason: str
    kind = "correction"
    checks: ClassVar[Table] = {**_COMMON, "leaf": MS, "reason": REASON}


@dataclass(frozen=True, slots=True)
class Audit(Body):
    """Who of the staff did what to whom, and why; people by pseudonym."""

    by: str
    did: str
    target: str
    reason: str
    kind = "audit"
    checks: ClassVar[Table] = {**_COMMON, "by": SHORT, "did": SHORT, "target": SHORT, "reason": REASON}


@dataclass(frozen=True, slots=True)
class Exam(Body):
    """A learner's result of the final exam, tenths of a mark out of 100; the last one counts (R1.11)."""

    learner: str
    score_tenths: int
    pass_tenths: int
    kind = "exam"
    checks: ClassVar[Table] = {
        **_COMMON, "learner": ID128, "score_tenths": integer(0, 1000), "pass_tenths": integer(0, 1000),
    }  # fmt: skip

    @property
    def passed(self) -> bool:
        """Whether the score reaches the mark that was asked for."""
        return self.score_tenths >= self.pass_tenths


@dataclass(frozen=True, slots=True)
class Test(Body):
    """A learner's `attempt` at the test of a unit, in this session, as the server marked it: `right` of `asked`. The
    answers stand sealed in the session's `question` events of the same attempt (R1.4)."""

    learner: str
    sid: str
    unit: str
    attempt: int
    right: int
    asked: int
    pass_permille: int
    kind = "test"
    checks: ClassVar[Table] = {
        **_COMMON, "learner": ID128, "sid": ID128, "unit": NAME, "attempt": integer(1, 10**6),
        "right": integer(0, MAX_QUESTIONS), "asked": integer(1, MAX_QUESTIONS), "pass_permille": integer(0, 1000),
    }  # fmt: skip

    def __post_init__(self) -> None:
        self.check(self.to_json())
        if self.right > self.asked:
            raise BodyError(f"test: {self.right} of {self.asked} answers are right")

    @property
    def passed(self) -> bool:
        """Whether enough was right."""
        return self.right * 1000 >= self.pass_permille * self.asked


@dataclass(frozen=True, slots=True)
class Exit(Body):
    """A provider left; what it signed before stays verifiable."""

    provider: str
    kind = "exit"
    checks: ClassVar[Table] = {**_COMMON, "provider": SHORT}


@dataclass(frozen=True, slots=True)
class Command(Body):
    """The server asks the running session to pause, to show a message, or to be checked."""

    sid: str
    do: str
    text: str
    kind = "command"
    checks: ClassVar[Table] = {**_COMMON, "sid": ID128, "do": one_of("pause", "message", "check"), "text": REASON}


@dataclass(frozen=True, slots=True)
class Spot(Body):
    """A supervisor's own spot check `spot-<n>` with a nonce that the operator could not know."""

    sid: str
    n: int
    nonce: str
    kind_: str
    deadline_ms: int
    kind = "spot"
    checks: ClassVar[Table] = {
        **_COMMON, "sid": ID128, "n": integer(0, 10**9 - 1), "nonce": ID128,
        "kind": one_of("match", "liveness", "attention", "identify"), "deadline_ms": MS,
    }  # fmt: skip


KINDS: Mapping[str, type[Body]] = {
    body.kind: body
    for body in (
        Verdict, Reversal, Accommodation, Identification, Consent, Correction, Audit, Exam, Exit, Command,
        Spot, Test,
    )
}  # fmt: skip


def parse_text(text: str) -> Body:
    """Read the text of a body, or raise `BodyError`."""
    header, _, rest = text.partition("\n")
    parts = header.split("/")
    if len(parts) != 3 or parts[0] != "trueseat" or parts[2] != "v1" or parts[1] not in KINDS:
        raise BodyError(f"unknown kind of note {header[:60]!r}")
    if not rest.endswith("\n") or rest.count("\n") != 1:
        raise BodyError(f"{header}: one line of JSON follows, no more")
    try:
        obj = canonical.decode(rest[:-1].encode())
    except CanonicalError as error:
        raise BodyError(f"{header}: {error}") from error
    return KINDS[parts[1]].from_json(strip_version(obj, BodyError))


def parse(data: bytes) -> tuple[Body, Note]:
    """Read a body note; who may sign which kind is the verifier's to check."""
    parsed = note.parse(data)
    return parse_text(parsed.text), parsed


def sign(body: Body, *signers: NoteSigner) -> bytes:
    """The body as a note by its signers (two different people where the policy says two)."""
    return note.sign(str(body), *signers)


def voucher_text(op: str, role: str, key: str) -> str:
    """What an authority signs to vouch for a supervisor or evidence key (`vouched` of a `key` leaf)."""
    return f"trueseat/key/v1\n{op}\n{role}\n{key}\n"
