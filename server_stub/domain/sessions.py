"""Opening a session: a certificate is checked, a grant is signed, and its leaf stands before anybody sees it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from ledger import bodies, certificate, grant, note, schedule
from ledger.bodies import Command
from ledger.certificate import Certificate
from ledger.classlog import ClassLog
from ledger.evidence import MAX_RECIPIENTS
from ledger.grant import Grant
from ledger.leaves import GrantedLeaf
from ledger.note import Note
from ledger.tree import EMPTY_ROOT
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.enrolment import Enrolment, previous
from server_stub.domain.errors import (
    CertificateRefusedError,
    ClassEndedError,
    DeviceRefusedError,
    OtherSessionOpenError,
    PreviousUnknownError,
    ServerError,
    SessionKnownError,
    SetupError,
    SignInAgainError,
)
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import Account, Registration
from server_stub.domain.ports import Device, Progress, Records, Session, Transaction
from server_stub.domain.reveal import Revealer
from server_stub.domain.said import accommodations, provider_left
from server_stub.domain.settle import carried
from server_stub.domain.signin import Clock

OPEN_WITHIN_MS: Final = 10 * 60 * 1000  # a grant is for now: `opened` is cosigned within this
LATE_WITHIN_MS: Final = 7 * 24 * 3600 * 1000  # after a crash the records may come days later, and still count
PAUSE_TEXT: Final = (
    "学习已在另一台设备上继续，本机已暂停；已获学时保留。"
    "Your lesson goes on on another device; this one pauses, what was earned stays."
)


@dataclass(frozen=True, slots=True)
class _Request:
    """A certificate that its device really signed for this learner."""

    cert: Certificate
    signed: Note
    data: bytes
    registration: Registration
    device: Device
    seen: str
    refused: Collection[str]  # face, photos: consents that were taken back


def _nothing(_learner: str, _class_id: str) -> Collection[str]:
    return ()


class Sessions:
    """Grants sessions, one at a time for a learner."""

    def __init__(
        self,
        records: Records,
        enrolment: Enrolment,
        logs: ClassLogs,
        keyring: Keyring,
        revealer: Revealer,
        clock: Clock,
        before_grant: Callable[[str], None],
        refused: Callable[[str, str], Collection[str]] = _nothing,
    ) -> None:
        """`before_grant` is told the class ID of a grant that is about to be logged; `refused` tells which consents a
        learner took back in a class, face or photos."""
        self._records, self._enrolment, self._logs = records, enrolment, logs
        self._before_grant, self._refused = before_grant, refused
        self._keyring, self._revealer, self._clock = keyring, revealer, clock

    def open(self, account: Account, data: bytes, *, take_over: bool, seen: str, fresh: bool) -> bytes:
        """Return the grant note for the certificate note `data`; the same request again gets the same grant."""
        cert, signed = certificate.parse(data)
        registration = self._enrolment.registration(account, cert.registration)
        if cert.class_origin != self._keyring.origin(registration.class_id):
            raise CertificateRefusedError("the certificate names another class than the registration")

        self._before_grant(registration.class_id)
        refused = self._refused(registration.learner, registration.class_id)

        def job(tx: Transaction) -> bytes | ServerError:
            try:
                device = self._enrolment.device_of(tx, registration, signed)
            except DeviceRefusedError as error:
                raise CertificateRefusedError(str(error)) from error
            known = tx.events.session(cert.sid)
            if known is not None:
                if (known.cert_digest, known.learner) != (signed.digest, account.learner):
                    raise SessionKnownError(f"another certificate stands under {cert.sid}")
                return known.grant
            request = _Request(cert, signed, data, registration, device, seen, refused)
            if cert.prev == "lost" and not fresh:
                return SignInAgainError("a device that lost its records goes on after the person signed in again")
            refusal = self._check_previous(tx, request)
            if refusal is not None:
                return refusal
            self._make_room(tx, request, take_over=take_over)
            return self._grant(tx, request)

        answer = self._records.write(job)
        if isinstance(answer, ServerError):
            raise answer
        return answer

    def _check_previous(self, tx: Transaction, request: _Request) -> ServerError | None:
        """`prev` is what the server has of this device: a clone or an omission shows here.

        A certificate that says otherwise is signed by the device's key: it is kept beside the session that it
        contradicts, and so the refusal is returned, not raised.
        """
        expected = previous(tx, request.device.vkey)
        stated = str(request.cert.prev or "none")
        if stated not in (expected, "lost") or (stated == "lost" and expected == "none"):
            if expected != "none":
                tx.events.add_fork(expected.partition(" ")[0], request.data, self._clock())
            return PreviousUnknownError("the previous session is another one here", {"prev": expected})
        if tx.events.key_used(request.cert.session_key.key.hex()):
            raise CertificateRefusedError("a session key is used once")
        return None

    def _make_room(self, tx: Transaction, request: _Request, *, take_over: bool) -> None:
        """Close this device's open sessions as abandoned; pause another device's by a signed command, if asked to."""
        learner = request.registration.learner
        for sid in tx.events.sessions(learner=learner, state="open"):
            other = tx.events.session(sid)
            assert other is not None
            if other.device == request.device.vkey:
                self._revealer.reveal(tx, sid, "abandoned")
            elif not take_over:
                raise OtherSessionOpenError("this learner studies on another device", {"open": sid})
            else:
                self._command(tx, other, "pause", PAUSE_TEXT)

    def _command(self, tx: Transaction, session: Session, do: str, text: str) -> None:
        body = Command(self._clock(), self._keyring.origin(session.class_id), session.sid, do, text)
        signed = bodies.sign(body, self._keyring.grant)
        tx.log.put_body(session.class_id, note.digest(str(body)), signed)
        tx.events.add_command(session.sid, signed)

    def _check_running(self, tx: Transaction, log: ClassLog) -> None:
        """The provider has not left, and the keys that this process holds are those that count."""
        left = provider_left(tx, log)
        if left is not None:
            raise ClassEndedError(f"{left} has left")
        for role, signer in (("grant", self._keyring.grant), ("cosign", self._keyring.cosigner)):
            if signer.vkey not in log.counting(role, LATEST):
                raise SetupError(f"the {role} key of this process is revoked: start the server again")

    def _seed(self, _sid: str) -> bytes:
        """Of what the checks of one session are drawn."""
        return secrets.token_bytes(schedule.SEED_BYTES)

    def _grant(self, tx: Transaction, request: _Request) -> bytes:
        class_id, now = request.registration.class_id, self._clock()
        policy = self._enrolment.policy(tx, class_id)
        log = self._logs.log(tx, class_id)
        self._check_running(tx, log)
        seed = self._seed(request.cert.sid)
        given = Grant(
            sid=request.cert.sid,
            cert=request.signed.digest,
            class_=request.cert.class_origin,
            learner=request.registration.learner,
            registration=request.registration.registration,
            nonce=secrets.token_hex(16),
            time=now,
            open_by=now + OPEN_WITHIN_MS,
            late_by=now + policy.session_ms + LATE_WITHIN_MS,
            commit=schedule.commit(seed, request.cert.sid),
            offline_seed=self._seed(request.cert.sid).hex(),
            **{what: self._logs.in_force(tx, class_id, what) for what in ("policy", "rules", "course", "models")},
            reference="none" if "face" in request.refused else request.registration.reference,
            recipients=() if "photos" in request.refused else _recipients(log),
            limits={"session_ms": policy.session_ms, "offline_ms": policy.offline_ms},
            carried=carried(tx, request.registration.learner, policy, now),
            accommodations=accommodations(tx, log, request.registration.learner, policy, now),
            seen=request.seen,
        )
        data = grant.sign(given, self._keyring.grant)
        leaf = self._logs.append(tx, class_id, GrantedLeaf(now, given.sid, note.digest(str(given)), given.commit))
        session = Session(
            given.sid, class_id, given.registration, given.learner, request.device.vkey,
            request.cert.session_key.key.hex(), request.data, given.cert, data, seed, now, given.open_by, given.late_by,
            leaf,
        )  # fmt: skip
        tx.events.add_session(session, Progress(given.sid, 0, EMPTY_ROOT))
        return data


def _recipients(log: ClassLog) -> tuple[str, ...]:
    """To whom photos of this class are sealed: every reviewer whose key counts now."""
    return tuple(sorted(str(key) for key in log.counting("evidence", LATEST)))[:MAX_RECIPIENTS]
