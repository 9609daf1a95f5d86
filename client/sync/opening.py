"""Opening a session: a certificate by the device, and a grant that is checked in every field before it is used.

Nothing of the grant is taken on trust: its signer comes from the class log, what it names must be in force there, and
what it says of the learner must be what this device knows (records.md, "Certificate and grant").
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from client.errors import (
    FINAL,
    BadAnswerError,
    ForkedLogError,
    GrantRefusedError,
    NetworkError,
    OtherSessionOpenError,
    ServerRefusedError,
    UnsentRecordsError,
)
from client.sync import serials, vouched
from client.sync.api import field
from client.sync.classlog import keys_of
from client.sync.enrol import Enrolment, Registration
from client.sync.keyring import write_keys
from client.sync.logbook import key_name, new_key
from client.sync.outbox import Kept, Outbox
from client.sync.rebuild import refill, wants_refill
from client.sync.receipts import Keys
from client.sync.renewal import REVOKED, is_marked, mark_copied, renew, sessions_of
from ledger import bodies, certificate, checkpoint, note
from ledger import grant as grants
from ledger import policy as policies
from ledger.bodies import Accommodation
from ledger.certificate import Certificate, Previous
from ledger.classlog import ClassLog
from ledger.course import Course
from ledger.errors import LedgerError
from ledger.grant import Grant
from ledger.keys import Signer
from ledger.policy import Policy

TRIES: Final = 3  # the same request again gets the same grant
LISTED: Final = ("policy", "rules", "course", "models")


@dataclass(frozen=True, slots=True)
class Granted:
    """A session that may begin. `policy` holds in it: accommodated, and faceless where the grant agreed on that."""

    sid: str
    grant: Grant
    grant_note: str
    cert_note: str
    policy: Policy
    course: Course
    signer: Signer
    rules: Path  # the agent's pack, as the grant names it
    installation: str  # the hash of the installed files that is in force in the class, "" without one


def open_session(
    enrolment: Enrolment, outbox: Outbox, registration: Registration, *, take_over: bool = False
) -> Granted:
    """Ask for a session and return it open, or raise.

    `UnsentRecordsError` while earlier records are on their way, `OtherSessionOpenError` while another device studies
    (`take_over` pauses that one), `GrantRefusedError`, `ForkedLogError`, `ForgedAnswerError`, or the network's errors.
    """
    _all_sent(outbox, registration)
    if wants_refill(outbox.path):
        refill(enrolment, outbox, [registration])  # or this device would seem to have lost what it signed
    device = enrolment.device(registration)
    if is_marked(enrolment, registration):
        device = renew(enrolment, outbox, registration)
    try:
        enrolment.send_consents(outbox, registration)
        prev = _previous(enrolment, outbox, registration, device)
    except (ForkedLogError, ServerRefusedError) as error:
        _note_copy(enrolment, registration, error)
        raise
    sid = secrets.token_hex(16)
    signer = new_key(enrolment.profile.seal, registration.server, sid)
    asked = Certificate(registration.class_, signer.vkey, registration.registration, prev)
    cert = certificate.sign(asked, device)
    outbox.ask(sid, registration.registration, registration.class_, str(signer.vkey), cert)
    try:
        data = _request(enrolment, cert, take_over=take_over)
        log = enrolment.follower(registration).update()
        grant = _checked(enrolment, registration, sid, cert, data, log)
        policy, course = _documents(enrolment, grant, log)
        rules = enrolment.document_file(grant.rules)
    except Exception as error:
        outbox.forget(sid)
        enrolment.profile.seal.delete(key_name(sid))
        _note_copy(enrolment, registration, error)
        raise
    keys = Keys(registration.class_, keys_of(log, "cosign"), keys_of(log, "grant"), keys_of(log, "supervisor"))
    outbox.grant(sid, data, write_keys(keys))
    installation = log.in_force("client", len(log)) or ""
    return Granted(sid, grant, data.decode(), cert.decode(), policy, course, signer, rules, installation)


def _all_sent(outbox: Outbox, registration: Registration) -> None:
    for kept in outbox.sessions():
        waits = kept.cosigned < kept.size and kept.problem not in FINAL
        if kept.class_ == registration.class_ and waits:
            raise UnsentRecordsError(f"{kept.size - kept.cosigned} records of session {kept.sid} are not receipted")


def _note_copy(enrolment: Enrolment, registration: Registration, error: Exception) -> None:
    """What shows that this device's key is held elsewhere, or counts no more: it is renewed at the next try."""
    refused = isinstance(error, ServerRefusedError) and error.server_code in REVOKED
    if refused or isinstance(error, ForkedLogError):
        mark_copied(enrolment, registration)


def _previous(
    enrolment: Enrolment, outbox: Outbox, registration: Registration, device: Signer
) -> Previous | str | None:
    """The last line of the certificate: what the server has of this device, if that is what we signed."""
    path = f"/v1/registrations/{registration.registration}/device"
    answer = enrolment.api.json("GET", path, X_Device=str(device.vkey))
    try:
        prev = certificate.parse_previous(field(answer, "prev", str))
    except LedgerError as error:
        raise BadAnswerError(f"the previous session: {error}") from error
    mine = [kept for kept in sessions_of(outbox, registration, device) if kept.cosigned]
    if prev is None and mine:
        raise ForkedLogError(f"the server has nothing of session {mine[-1].sid}, which it receipted")
    if isinstance(prev, Previous):
        return prev if _signed_by_us(outbox, mine, prev) else "lost"
    return prev


def _signed_by_us(outbox: Outbox, mine: list[Kept], prev: Previous) -> bool:
    """Whether `prev` is a checkpoint of ours; False when this device lost its records; `ForkedLogError` otherwise."""
    known = [kept for kept in outbox.sessions() if kept.sid == prev.sid]
    if not known:
        if mine:
            raise ForkedLogError(f"the server has session {prev.sid} of this device, which it never held")
        return False
    for signed in outbox.signed(prev.sid):
        point, _ = checkpoint.parse(signed.note)
        if (point.size, point.root) == (prev.size, prev.root):
            return True
    raise ForkedLogError(f"the server has other records of session {prev.sid} than this device")


def _request(enrolment: Enrolment, cert: bytes, *, take_over: bool) -> bytes:
    headers = {"X_Take_Over": "1"} if take_over else {}
    for attempt in range(1, TRIES + 1):
        try:
            return enrolment.api.text("/v1/sessions", cert, **headers)
        except NetworkError:
            if attempt == TRIES:
                raise
        except ServerRefusedError as error:
            if error.status == 409 and isinstance(error.extra.get("open"), str):
                raise OtherSessionOpenError(error.extra["open"]) from error
            raise
    raise NetworkError("no grant")


def _checked(
    enrolment: Enrolment, registration: Registration, sid: str, cert: bytes, data: bytes, log: ClassLog
) -> Grant:
    """The grant, verified by a grant key of the class log and equal to what was asked for."""
    try:
        grant, signed = grants.parse(data)
        note.verify(signed, keys_of(log, "grant"))
        digest = note.parse(cert).digest
    except LedgerError as error:
        raise GrantRefusedError(f"the grant: {error}") from error
    template = enrolment.profile.template(registration.registration)
    expected = {
        "sid": sid,
        "cert": digest,
        "class_": registration.class_,
        "learner": enrolment.profile.learner,
        "registration": registration.registration,
        **{what: log.in_force(what, len(log)) for what in LISTED},
    }
    wrong = sorted(name for name, value in expected.items() if getattr(grant, name) != value)
    if wrong:
        raise GrantRefusedError(f"the grant's {wrong[0].rstrip('_')} is not what it should be")
    if template is not None and grant.reference not in (sha256(template).hexdigest(), "none"):
        raise GrantRefusedError("the grant names another reference than this device enrolled")
    if not {str(key) for key in keys_of(log, "evidence")}.issuperset(grant.recipients):
        raise GrantRefusedError("the grant names a recipient of photos that the class log does not")
    vouched.require(enrolment, log, "evidence", grant.recipients)
    record = log.sessions.get(sid)
    if record is not None and (record.granted.grant, record.granted.commit) != (signed.digest, grant.commit):
        raise GrantRefusedError("the class log has another grant for this session")
    if not grant.time < grant.open_by <= grant.late_by or not grant.limits["session_ms"]:
        raise GrantRefusedError("the grant's times contradict each other")
    return grant


def _documents(enrolment: Enrolment, grant: Grant, log: ClassLog) -> tuple[Policy, Course]:
    """The policy that holds in this session, and its course."""
    try:
        policy = policies.parse(enrolment.document(grant.policy))
        serials.check(enrolment.profile, log, policy)
        for digest in grant.accommodations:
            policy = policy.accommodated(_accommodation(enrolment, grant, digest, log).changes)
    except LedgerError as error:
        raise GrantRefusedError(f"the programme's rules: {error}") from error
    if grant.reference == "none":
        policy = policy.faceless()
    return policy, enrolment.course(grant.course)


def _accommodation(enrolment: Enrolment, grant: Grant, digest: str, log: ClassLog) -> Accommodation:
    data = enrolment.api.raw("GET", f"/v1/bodies/{digest}").body
    body, signed = bodies.parse(data)
    supervisors = keys_of(log, "supervisor")
    note.verify(signed, supervisors)
    signing = [str(key) for key in supervisors if any(line.is_by(key) for line in signed.signatures)]
    vouched.require(enrolment, log, "supervisor", signing)
    if not isinstance(body, Accommodation) or signed.digest != digest or body.learner != grant.learner:
        raise GrantRefusedError("the grant names an accommodation that is not this learner's")
    if body.until <= grant.time:
        raise GrantRefusedError("the grant names an accommodation that has run out")
    return body
