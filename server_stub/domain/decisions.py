"""What the staff decide: notes signed with keys that never come near this server, which only appends their hashes.

Every note is checked against the class log as a verifier will check it; what contradicts it is refused before anything
is appended. The same note again is the same leaf.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ledger import bodies, note
from ledger.bodies import Accommodation, Body, Identification, Reversal, Spot, Verdict
from ledger.classlog import ClassLog
from ledger.errors import LedgerError, UnknownSignerError
from ledger.identify import LASTS_MS
from ledger.keys import Vkey
from ledger.leaves import KEY_TYPES, BodyLeaf, KeyLeaf
from ledger.note import Note
from ledger.steps.bodies import SIGNERS, check_people
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.errors import DecisionError
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import People
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import known
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock

_VOUCHER = "trueseat/key/v1\n"
_TAKEN = ("verdict", "reversal", "accommodation", "identification", "correction", "audit", "exam", "exit", "spot")
SPOT = -1  # in place of a leaf


class Decisions:
    """Takes signed notes, and signs what the operator answers for."""

    def __init__(
        self,
        people: People,
        records: Records,
        logs: ClassLogs,
        keyring: Keyring,
        enrolment: Enrolment,
        settler: Settler,
        clock: Clock,
    ) -> None:
        self._people, self._records, self._logs, self._keyring = people, records, logs, keyring
        self._enrolment, self._settler, self._clock = enrolment, settler, clock

    def take(self, class_id: str, data: bytes) -> int:
        """Append the leaf of a signed note and settle what it changes; return the leaf. `DecisionError` if it is no
        such note, or not signed by whom it must be. A spot check has no leaf (`SPOT`): it goes with the next answer,
        and the session's own event names it."""
        try:
            signed = note.parse(data)
            if signed.text.startswith(_VOUCHER):
                return self._records.write(partial(self._key, class_id=class_id, signed=signed))
            body = bodies.parse_text(signed.text)
            leaf = self._records.write(partial(self._body, class_id=class_id, body=body, signed=signed))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        self._follow(class_id, body, leaf)
        return leaf

    def say(self, class_id: str, body: Body) -> int:
        """Sign an audit, a correction or an exit with the grant key and append its leaf."""
        return self.take(class_id, bodies.sign(body, self._keyring.grant))

    def results(self, class_id: str, found: Mapping[str, int], pass_tenths: int) -> None:
        """Append exam results (learner → tenths of a mark) as signed bodies, all of them or none (R1.11)."""
        now, origin, grant = self._clock(), self._keyring.origin(class_id), self._keyring.grant

        def append(tx: Transaction) -> None:
            for learner, tenths in sorted(found.items()):
                body = bodies.Exam(now, origin, learner, tenths, pass_tenths)
                self._keep(tx, class_id, body, note.parse(bodies.sign(body, grant)))

        self._records.write(append)

    def marked(
        self, tx: Transaction, class_id: str, learner: str, which: tuple[str, str, int], found: tuple[int, int, int]
    ) -> bytes:
        """Append, within the caller's transaction, a test's result, and return the note. `which`: session, unit and
        attempt; `found`: how many are right, of how many, and the mark in per mille."""
        body = bodies.Test(self._clock(), self._keyring.origin(class_id), learner, *which, *found)
        signed = bodies.sign(body, self._keyring.grant)
        self._keep(tx, class_id, body, note.parse(signed))
        return signed

    def audit(self, tx: Transaction, class_id: str, did: str, target: str, reason: str, by: str = "operator") -> int:
        """Append, within the caller's transaction, that somebody of the staff did this; return
        the leaf. The same text at the same moment is the same leaf."""
        body = bodies.Audit(self._clock(), self._keyring.origin(class_id), by, did, target, reason)
        return self._keep(tx, class_id, body, note.parse(bodies.sign(body, self._keyring.grant)))

    # --- keys ---------------------------------------------------------------------------------------------------------

    def _key(self, tx: Transaction, class_id: str, signed: Note) -> int:
        """A supervisor or evidence key comes or goes, by the word of an authority that this server recognises."""
        lines = signed.text.split("\n")
        if len(lines) != 5 or lines[2] not in ("supervisor", "evidence") or lines[2] not in KEY_TYPES:
            raise DecisionError("a voucher is four lines: header, add or revoke, supervisor or evidence, key")
        if not self._keyring.authorities:
            raise DecisionError("this server recognises no authority yet: name one with `authority`")
        note.verify(signed, self._keyring.authorities)
        known = tx.log.leaf_of(class_id, signed.digest)
        if known is not None:
            return known
        entry = KeyLeaf(self._clock(), lines[1], lines[2], lines[3], vouched=signed.digest)
        leaf = self._logs.append(tx, class_id, entry)
        tx.log.put_body(class_id, signed.digest, bytes(signed), leaf=leaf)
        return leaf

    # --- notes --------------------------------------------------------------------------------------------------------

    def _body(self, tx: Transaction, class_id: str, body: Body, signed: Note) -> int:
        if body.kind not in _TAKEN or body.class_ != self._keyring.origin(class_id):
            raise DecisionError(f"a {body.kind} of {body.class_} is not appended here")
        log = self._logs.log(tx, class_id)
        by = signers(log, body, signed)
        match body:
            case Verdict():
                self._check_verdict(tx, class_id, body, by)
            case Reversal():
                if all(leaf.sha256 != body.verdict or leaf.kind != "verdict" for _, leaf in log.bodies):
                    raise DecisionError("no such verdict stands in this class")
                check_people(body, by, self._enrolment.policy(tx, class_id))
            case Accommodation():
                self._learner(class_id, body.learner)
                self._enrolment.policy(tx, class_id).accommodated(body.changes)
            case Identification():
                self._learner(class_id, body.learner)
            case Spot():
                return self._spot(tx, class_id, body, signed)
        return self._keep(tx, class_id, body, signed)

    def _spot(self, tx: Transaction, class_id: str, body: Spot, signed: Note) -> int:
        """Send a spot check to an open session. The same file again changes nothing; its number is used once."""
        session = tx.events.session(body.sid)
        if session is None or session.class_id != class_id or tx.events.progress(body.sid).state != "open":
            raise DecisionError("a spot check is for an open session of this class")
        for line in signed.signatures:  # a verifier asks whether the key counted when the session was granted
            self._logs.log(tx, class_id).signer("supervisor", line, session.leaf)
        before = [bodies.parse(item) for item in tx.events.commands(body.sid)]
        if any(given.digest == signed.digest for _, given in before):
            return SPOT
        if any(isinstance(other, Spot) and body.n == other.n for other, _ in before):
            raise DecisionError(f"this session has another spot check {body.n}")
        tx.log.put_body(class_id, signed.digest, bytes(signed))
        tx.events.add_command(body.sid, bytes(signed))
        return SPOT

    def _keep(self, tx: Transaction, class_id: str, body: Body, signed: Note) -> int:
        known_leaf = tx.log.leaf_of(class_id, signed.digest)
        if known_leaf is not None:
            return known_leaf
        entry = BodyLeaf(self._clock(), body.kind, signed.digest, getattr(body, "sid", None))
        leaf = self._logs.append(tx, class_id, entry)
        tx.log.put_body(class_id, signed.digest, bytes(signed), leaf=leaf)
        return leaf

    def _check_verdict(self, tx: Transaction, class_id: str, body: Verdict, by: tuple[Vkey, ...]) -> None:
        session = tx.events.session(body.sid)
        if session is None or (session.class_id, session.learner) != (class_id, body.learner):
            raise DecisionError("a verdict is on a session of this class and its own learner")
        if body.from_ >= body.to:
            raise DecisionError(f"a verdict on events {body.from_} to {body.to} zeroes nothing")
        check_people(body, by, self._enrolment.policy(tx, class_id))

    def _learner(self, class_id: str, learner: str) -> None:
        if not self._people.registrations(learner=learner, class_id=class_id):
            raise DecisionError("no such learner is registered in this class")

    def _follow(self, class_id: str, body: Body, leaf: int) -> None:
        """What comes of it outside the log: figures anew, a name that is confirmed."""
        match body:
            case Verdict():
                self._settle_session(body.sid)
            case Reversal():
                verdict = self._records.read(lambda tx: tx.log.body(body.verdict))
                undone = bodies.parse(verdict)[0] if verdict else None
                if isinstance(undone, Verdict):
                    self._settle_session(undone.sid)
            case Identification() if body.method not in LASTS_MS:  # those are for one check, not for the name
                for item in self._people.registrations(learner=body.learner, class_id=class_id):
                    self._people.set_real_name(item.registration, "identified", leaf)

    def _settle_session(self, sid: str) -> None:
        registration = self._records.read(lambda tx: known(tx, sid).registration)
        self._settler.settle(registration)


def signers(log: ClassLog, body: Body, signed: Note) -> tuple[Vkey, ...]:
    """The keys that signed, each of a role that may sign such a body now; `LedgerError` for any other line."""
    keys = []
    for line in signed.signatures:
        for role in SIGNERS[body.kind]:
            try:
                keys.append(log.signer(role, line, LATEST).key)
                break
            except UnknownSignerError:
                continue
        else:
            raise UnknownSignerError(f"{line.name} may not sign a {body.kind} in this class")
    note.verify(signed, keys)
    return tuple(keys)
