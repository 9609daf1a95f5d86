"""Step 2, second part: the documents named by leaves, grants and events are these, signed by whom they must be."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from ledger import bodies, note, people, points, policy, vouchers
from ledger.archive import PEOPLE, Source
from ledger.bodies import FOLDER, Body, Reversal, Verdict
from ledger.classlog import ClassLog, KeyRecord
from ledger.errors import (
    BodyError,
    LedgerError,
    PolicyError,
    RootMismatchError,
    StrayFileError,
    UnknownSignerError,
)
from ledger.fields import HASH
from ledger.findings import Findings, Refused, Status
from ledger.identify import LASTS_MS
from ledger.keys import Vkey
from ledger.leaves import PolicyLeaf
from ledger.note import Note
from ledger.policy import Policy
from ledger.summary import ExamLine, TestLine

STEP, VOUCHERS = "2 bodies", "2 vouchers"
SIGNERS = {
    "verdict": ("supervisor",), "reversal": ("supervisor",), "accommodation": ("supervisor",),
    "identification": ("supervisor",), "consent": ("device",), "correction": ("grant", "supervisor"),
    "audit": ("grant", "supervisor"), "exam": ("grant", "supervisor"), "test": ("grant",),
    "exit": ("grant", "supervisor"), "command": ("grant",), "spot": ("supervisor",),
}  # fmt: skip

KEPT = ("policy", "course", "points")  # documents that later steps ask for again and again
# bodies that a later step may ask for; the others are held against their leaves and let go
KEPT_BODIES = (Verdict, Reversal, bodies.Accommodation, bodies.Command, bodies.Spot)


@dataclass(frozen=True, slots=True)
class Signed:
    """A body whose signatures hold, the entry that named it first, and the keys that signed it."""

    body: Body
    at: int
    by: tuple[Vkey, ...]


@dataclass(slots=True)
class Documents:
    """What an archive's bodies came to."""

    named: dict[bytes, None] = field(default_factory=dict)  # a set of many takes four times as much
    bad: set[str] = field(default_factory=set)
    plain: dict[str, bytes] = field(default_factory=dict)
    signed: dict[str, Signed] = field(default_factory=dict)
    vouched: set[Vkey] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    people: dict[str, str] = field(default_factory=dict)
    vouchers: dict[str, str] = field(default_factory=dict)
    exams: dict[str, ExamLine] = field(default_factory=dict)  # learner → the last result
    tests: dict[tuple[str, str], TestLine] = field(default_factory=dict)  # (learner, unit) → the best attempt
    handed: dict[str, tuple[bodies.Test, ...]] = field(default_factory=dict)  # session → results of its tests
    lost: set[tuple[str, str | None]] = field(default_factory=set)  # (kind, sid) of decisions whose note is not kept

    @property
    def read(self) -> int:
        """How many were read and found good."""
        return len(self.named) - len(self.missing) - len(self.bad)

    def merge(self, other: Documents) -> None:
        """Put in what was read elsewhere."""
        self.named |= other.named
        self.bad |= other.bad
        self.missing |= other.missing
        self.vouched |= other.vouched
        self.lost |= other.lost
        self.handed |= other.handed
        self.plain |= other.plain
        self.signed |= other.signed

    def rulings(self, learner: str) -> list[tuple[str, Verdict | Reversal]]:
        """Verdicts on this learner and what took them back, in leaf order, by supervisors who are vouched for."""
        ordered = sorted(self.signed.items(), key=lambda item: item[1].at)
        counted = [(digest, s.body) for digest, s in ordered if self.vouched.issuperset(s.by)]
        own = {digest for digest, body in counted if isinstance(body, Verdict) and body.learner == learner}
        return [
            (digest, body)
            for digest, body in counted
            if (isinstance(body, Verdict) and digest in own) or (isinstance(body, Reversal) and body.verdict in own)
        ]

    def undecided(self, learner: str, sids: Collection[str]) -> str:
        """Why nobody can tell here what was decided on this learner, who has these sessions; "" when all is known."""
        own = [s for s in self.signed.values() if isinstance(s.body, Verdict) and s.body.learner == learner]
        if not all(self.vouched.issuperset(s.by) for s in own):
            return "a verdict by somebody whom no --authority key vouches for"
        for kind, sid in sorted(self.lost, key=str):
            if (kind == "verdict" and (sid is None or sid in sids)) or (kind == "reversal" and own):
                return f"the note of a {kind} that may be this learner's is not kept"
        return ""


class Reader:
    """Reads each document once; one that is not kept is a finding, one that was changed is a refusal."""

    def __init__(self, source: Source, log: ClassLog, findings: Findings) -> None:
        self.source, self.log, self.findings = source, log, findings
        self.found = Documents()

    def plain(self, digest: str, what: str, *, quiet: bool = False) -> bytes | None:
        """A file named by the SHA-256 of its bytes; None where it is not kept (`quiet`: and need not be) or changed."""
        if digest in self.found.plain:
            return self.found.plain[digest]
        data = self._read(digest, what, quiet=quiet)
        if data is not None and sha256(data).hexdigest() != digest:
            self._refuse(RootMismatchError(f"{FOLDER}{digest} ({what}): its bytes were changed"), digest)
            return None
        if data is not None and what in KEPT:
            self.found.plain[digest] = data
        return data

    def body(self, digest: str, kinds: tuple[str, ...], at: int, sid: str | None = None) -> Body | None:
        """A body of one of `kinds` that entry `at` names, or a session granted there; None as in `plain`."""
        what = " or ".join(kinds)
        signed = self.found.signed.get(digest)
        if signed is None:
            data = self._read(digest, what)
            try:
                signed = None if data is None else self._signed(data, digest, at)
            except LedgerError as error:
                self._refuse(error, digest, sid)
        if signed is None:
            return None
        if signed.body.kind not in kinds or getattr(signed.body, "sid", sid) != sid:
            self._refuse(BodyError(f"{FOLDER}{digest} is not the {what} that it is named as"), digest, sid)
            return None
        if isinstance(signed.body, KEPT_BODIES) or getattr(signed.body, "method", "") in LASTS_MS:
            self.found.signed[digest] = signed
        return signed.body

    def voucher(self, record: KeyRecord, op: str, digest: str, authority: Iterable[Vkey]) -> None:
        """An authority's word on one supervisor or evidence key; without `authority` nobody can check it."""
        keys = tuple(authority)
        data = self._read(digest, f"voucher for {record.key.name}")
        try:
            if data is None:
                return
            self.found.vouchers[digest] = sha256(data).hexdigest()
            signed = vouchers.read(data, record, op)
            if keys:
                note.verify(signed, keys)
                self.findings.count(VOUCHERS)
                if op == "add":  # who has a key revoked does not say that it ever counted
                    self.found.vouched.add(record.key)
        except LedgerError as error:
            self.findings.refuse(VOUCHERS, error)

    def _read(self, digest: str, what: str, *, quiet: bool = False) -> bytes | None:
        name = bytes.fromhex(digest)
        told = name in self.found.named
        self.found.named[name] = None
        if digest in self.found.bad:
            return None
        if self.source.has(FOLDER + digest):
            return self.source.read(FOLDER + digest)
        self.found.missing.add(digest)
        if not quiet and not told:
            self.findings.add(STEP, Status.NOT_CHECKABLE, f"{what}: {FOLDER}{digest} is not kept")
        return None

    def _refuse(self, error: LedgerError, digest: str, sid: str | None = None) -> None:
        self.found.bad.add(digest)
        self.findings.refuse(STEP, error, sid)

    def _note(self, data: bytes, digest: str, what: str) -> Note:
        signed = note.parse(data)
        if signed.digest != digest:
            raise RootMismatchError(f"{FOLDER}{digest} ({what}): its text was changed")
        return signed

    def _signed(self, data: bytes, digest: str, at: int) -> Signed:
        signed = self._note(data, digest, "signed body")
        body = bodies.parse_text(signed.text)
        if body.class_ != self.log.origin:
            raise BodyError(f"{FOLDER}{digest} is of another class, {body.class_}")
        keys = tuple(self._signer(line, body, at) for line in signed.signatures)
        note.verify(signed, keys)
        return Signed(body, at, keys)

    def _signer(self, line: note.Signature, body: Body, at: int) -> Vkey:
        """The key of a role that may sign such a body; a learner's own device signs for that learner only."""
        *others, last = SIGNERS[body.kind]
        for role in others:
            try:
                return self.log.signer(role, line, at).key
            except UnknownSignerError:
                continue
        record = self.log.signer(last, line, at)
        owner = self.plain(record.leaf.owner, "device owner", quiet=True) if record.leaf.owner else None
        if owner is not None and owner[16:] != getattr(body, "learner", "").encode():
            raise UnknownSignerError(f"a {body.kind} by {line.name}, which is another learner's device")
        return record.key


def read_all(reader: Reader, authority: tuple[Vkey, ...]) -> Documents:
    """Read every document that the class log itself names."""
    log, findings = reader.log, reader.findings
    findings.reach(STEP, VOUCHERS)
    for what, history in log.policies.items():
        for _, document in history:
            data = reader.plain(document.sha256, what, quiet=what == "client")
            if what in ("policy", "points") and data is not None:
                _check_serial(reader, document, data)
    for record in log.keys:
        if record.leaf.owner is not None:  # the session step says it when this one is missing
            reader.plain(record.leaf.owner, "device owner", quiet=True)
        _read_vouchers(reader, record, authority)
    for at, leaf in log.bodies:
        if leaf.kind != "people":
            body = reader.body(leaf.sha256, (leaf.kind,), at, leaf.sid)
            if leaf.kind in ("verdict", "reversal") and leaf.sha256 in reader.found.missing:
                reader.found.lost.add((leaf.kind, leaf.sid))
            if isinstance(body, bodies.Consent):
                reader.plain(body.notice, "notice")
            if isinstance(body, bodies.Exam):
                reader.found.exams[body.learner] = ExamLine(body.learner, body.score_tenths, body.passed)
            if isinstance(body, bodies.Test):
                _count_test(reader.found, body)
    _check_decisions(reader)
    for session in log.sessions.values():
        for _, erased in session.erased:
            reader.plain(erased.sha256, "deletion receipt")
    reader.found.people = _read_people(reader)
    return reader.found


def _count_test(found: Documents, body: bodies.Test) -> None:
    """One more attempt; the best one is what a line shows."""
    found.handed[body.sid] = (*found.handed.get(body.sid, ()), body)
    before = found.tests.get((body.learner, body.unit))
    attempts = 1 + (before.attempts if before else 0)
    line = TestLine(body.learner, body.unit, attempts, body.right, body.asked, body.passed)
    if before is not None and (before.passed, before.right * body.asked) >= (line.passed, line.right * before.asked):
        line = replace(before, attempts=attempts)
    found.tests[body.learner, body.unit] = line


def _check_serial(reader: Reader, leaf: PolicyLeaf, data: bytes) -> None:
    """The rules state the serial under which they were logged: old rules do not come back under a new number."""
    try:
        serial = policy.parse(data).serial if leaf.what == "policy" else points.parse(data).version
        if serial != leaf.serial:
            raise PolicyError(f"{FOLDER}{leaf.sha256}: the {leaf.what} of serial {serial} is logged as {leaf.serial}")
    except LedgerError as error:
        reader.findings.refuse(STEP, error)


def _check_decisions(reader: Reader) -> None:
    """A verdict and its reversal are signed by as many different people as the policy in force there says."""
    for at, leaf in reader.log.bodies:
        signed = reader.found.signed.get(leaf.sha256)
        rules = reader.found.plain.get(reader.log.in_force("policy", at) or "")
        if leaf.kind not in ("verdict", "reversal") or signed is None or rules is None:
            continue
        try:
            check_people(signed.body, signed.by, policy.parse(rules))
        except LedgerError as error:
            reader.findings.refuse(STEP, error, leaf.sid)


def check_people(body: Body, by: Iterable[Vkey], rules: Policy) -> None:
    """Return quietly, or raise `UnknownSignerError`: enough different people (names) signed a decision."""
    people_ = {key.name for key in by}
    if len(people_) < rules.decision_people:
        raise UnknownSignerError(
            f"a {body.kind} signed by {len(people_)} of the {rules.decision_people} people that the policy asks for"
        )


def _read_vouchers(reader: Reader, record: KeyRecord, authority: tuple[Vkey, ...]) -> None:
    if record.leaf.vouched is None:
        return
    reader.voucher(record, "add", record.leaf.vouched, authority)
    if record.revocation is not None and record.revocation.vouched is not None:
        reader.voucher(record, "revoke", record.revocation.vouched, authority)
    if not authority:
        reason = f"no --authority key was given that could vouch for {record.key.name}"
        reader.findings.add(VOUCHERS, Status.NOT_CHECKABLE, reason)


def _read_people(reader: Reader) -> dict[str, str]:
    """`people.csv` is the one that the last `people` leaf names; a masked export has none."""
    stated = reader.log.people()
    if not reader.source.has(PEOPLE):
        return {}
    try:
        with reader.findings.step(STEP):
            if stated is None:
                raise StrayFileError(f"{PEOPLE} is here, but no entry names it")
            data = reader.source.read(PEOPLE)
            if sha256(data).hexdigest() != stated:
                raise RootMismatchError(f"{PEOPLE} is not the one that the class log names")
            return people.decode(data)
    except Refused:
        return {}


def summarise_missing(findings: Findings) -> None:
    """In one learner's own copy the documents of others are not here: one finding for all of them."""
    step = findings.steps[STEP]
    missing = [item for item in step.findings if item.status is Status.NOT_CHECKABLE]
    if missing:
        step.findings = [item for item in step.findings if item.status is not Status.NOT_CHECKABLE]
        said = f"{len(missing)} documents are not in this part of the archive"
        findings.add(STEP, Status.NOT_CHECKABLE, said)


def check_no_stray(reader: Reader) -> None:
    """Every file among the bodies is named by a leaf, a grant or an event."""
    reader.findings.count(STEP, reader.found.read)
    for name in reader.source.names("bodies/"):
        if _named(name) not in reader.found.named:
            reader.findings.refuse(STEP, StrayFileError(f"{name} is named by nothing in this archive"))


def _named(path: str) -> bytes:
    """The digest that a file's name is, b"" for any other."""
    digest = path.removeprefix(FOLDER)
    return bytes.fromhex(digest) if HASH(digest) else b""
