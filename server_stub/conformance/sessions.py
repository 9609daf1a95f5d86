"""Clauses about sessions: certificate and grant, segments and their answers, what is revealed at the end.

A docstring is its clause's text.
"""

from __future__ import annotations

from typing import Final

from ledger import checkpoint, grant, note, schedule, segment
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.keys import ED25519, Vkey, generate
from ledger.leaves import GrantedLeaf
from ledger.trust import Trust
from server_stub import following
from server_stub.asking import Reply
from server_stub.conformance.exam import (
    BrokenError,
    Clause,
    Exam,
    NotTriedError,
    clause,
    exactly,
    field,
    hold,
    refusal,
    wanted,
)
from server_stub.conformance.pupil import NOTHING, Session
from server_stub.domain.work_errors import FeedError

API, WIRE = "docs/http-api.md", "docs/wire-format.md"
ASKED: Final = f"{API}: POST /v1/sessions"
SEGMENTS: Final = f"{ASKED}/<sid>/segments"
SEEDS: Final = 32  # bytes
CLAUSES: Final[list[Clause]] = []  # in the order in which they are tried


def class_log(exam: Exam) -> ClassLog:
    """The class log as it stands now, verified from its first entry on."""
    pupil, log = exam.pupil, ClassLog(exam.pupil.origin)
    try:
        following.update(exam.http, pupil.class_id, exam.need("trust", Trust), log)
    except (OSError, FeedError) as error:
        raise BrokenError(str(error)) from error
    return log


def _key(exam: Exam, role: str) -> Vkey:
    log = class_log(exam)
    keys = log.counting(role, len(log))
    hold(bool(keys), f"no {role} key counts in the class log")
    return keys[-1]


@clause(CLAUSES, "C1", f"{API}: GET /log")
def log_first(exam: Exam) -> None:
    """The class log verifies by the trust file from entry 0 on, and holds this device"""
    log = class_log(exam)
    exam.keep("log", log)
    device = str(exam.pupil.device.vkey)
    exam.need("device", dict)
    hold(any(str(record.key) == device for record in log.keys), "the device's key is no entry of it")


def _previous(exam: Exam) -> str:
    pupil = exam.pupil
    path = f"/v1/registrations/{pupil.registration}/device"
    found = exam.json("GET", path, X_Device=str(pupil.device.vkey))
    exactly(found, "prev", "open")
    return field(found, "prev", str)


@clause(CLAUSES, "C2", f"{API}: GET …/device")
def previous(exam: Exam) -> None:
    """What the server has of this device's sessions: none"""
    exam.need("device", dict)
    hold(_previous(exam) == "none", "a new device has a session already")


@clause(CLAUSES, "C3", ASKED)
def granted(exam: Exam) -> None:
    """The grant: by the grant key of the class log, of this certificate, with the reference"""
    exam.need("device", dict)
    session = exam.pupil.session("none")
    reply = wanted(exam.ask("POST", "/v1/sessions", session.cert, Content_Type="text/plain", X_Take_Over="1"), 200)
    given, signed = grant.parse(reply.body)
    note.verify(signed, [_key(exam, "grant")])
    pupil = exam.pupil
    said = (given.sid, given.class_, given.learner, given.registration, given.cert)
    cert = note.parse(session.cert)
    hold(said == (session.sid, pupil.origin, pupil.learner, pupil.registration, cert.digest), "it is of something else")
    hold(given.reference == NOTHING, "it does not name the reference that was told")
    session.begin(reply.body)
    exam.keep("session", session)
    hold(given.time < given.open_by < given.late_by, "its times do not follow one another")


@clause(CLAUSES, "C4", f"{WIRE}: certificate and grant")
def granted_leaf(exam: Exam) -> None:
    """The granted leaf is appended before the grant is answered"""
    session = exam.need("session", Session)
    record = class_log(exam).sessions.get(session.sid)
    hold(record is not None, "no granted leaf names the session")
    assert record is not None
    leaf: GrantedLeaf = record.granted
    right = (note.parse(session.granted).digest, session.grant.commit)
    hold((leaf.grant, leaf.commit) == right, "the leaf names another grant")


@clause(CLAUSES, "C5", ASKED)
def granted_again(exam: Exam) -> None:
    """The same request again: the same grant"""
    session = exam.need("session", Session)
    again = wanted(exam.ask("POST", "/v1/sessions", session.cert, Content_Type="text/plain"), 200)
    hold(again.body == session.granted, "the same request gives another grant")


@clause(CLAUSES, "C6", ASKED)
def other_text(exam: Exam) -> None:
    """409 for another text for a known sid"""
    session = exam.need("session", Session)
    key = generate(session.key.vkey.name, ED25519)  # another key under the name of a known session
    cert = exam.pupil.certificate(key, "none")
    refusal(exam.ask("POST", "/v1/sessions", cert, Content_Type="text/plain"), 409)


@clause(CLAUSES, "C7", ASKED)
def unknown_previous(exam: Exam) -> None:
    """409 for an unknown prev, with prev as the server has it"""
    exam.need("session", Session)
    stranger = f"{'ab' * 16} 7 {'A' * 43}="
    session = exam.pupil.session(stranger)
    found = refusal(exam.ask("POST", "/v1/sessions", session.cert, Content_Type="text/plain"), 409)
    field(found, "prev", str)


@clause(CLAUSES, "C8", ASKED)
def forged_certificate(exam: Exam) -> None:
    """403 for a certificate that the device did not sign"""
    exam.need("session", Session)
    session = exam.pupil.session("none")
    device = exam.pupil.device.vkey
    cert = exam.pupil.certificate(session.key, "none", generate(device.name, device.type))
    refusal(exam.ask("POST", "/v1/sessions", cert, Content_Type="text/plain"), 403)


# --- segments ---------------------------------------------------------------------------------------------------------


def _send(exam: Exam, body: bytes, sid: str = "") -> Reply:
    path = f"/v1/sessions/{sid or exam.need('session', Session).sid}/segments"
    return exam.ask("POST", path, body, bearer=False, Content_Type="application/octet-stream")


def _sent(exam: Exam, session: Session) -> bytes:
    """Send what there is, verified: the canonical answer and its cosignature; the body that was sent."""
    body, over = session.body(), session.checkpoint
    reply = wanted(_send(exam, body), 200)
    answer = segment.parse_answer(reply.body)
    hold(bytes(answer) == reply.body, "the answer is no canonical JSON")
    checkpoint.verify_cosignature(over, answer.cosignature, _key(exam, "cosign"))
    exam.keep("last", (body, reply.body))
    session.answered(answer)
    return body


@clause(CLAUSES, "D1", SEGMENTS)
def cosigned(exam: Exam) -> None:
    """Canonical JSON; the cosignature verifies by the class log's cosign key"""
    _sent(exam, exam.need("session", Session))


@clause(CLAUSES, "D2", SEGMENTS)
def stored(exam: Exam) -> None:
    """The latest accepted body again: its stored answer, byte for byte"""
    exam.need("session", Session)
    body, first = exam.need("last", tuple)
    again = wanted(_send(exam, body), 200)
    hold(again.body == first, "the same body gives another answer")


@clause(CLAUSES, "D3", SEGMENTS)
def further(exam: Exam) -> None:
    """The next segment goes on where the last one ended"""
    _sent(exam, exam.need("session", Session))


@clause(CLAUSES, "D4", SEGMENTS)
def wrong_size(exam: Exam) -> None:
    """409 with the size that the server has"""
    session = exam.need("session", Session)
    exam.need("last", tuple)
    found = refusal(_send(exam, session.body(old=session.sent - 1)), 409)
    hold(field(found, "size", int) == session.sent, f"names {found['size']}, it has {session.sent}")


@clause(CLAUSES, "D5", SEGMENTS)
def other_root(exam: Exam) -> None:
    """422 for another root"""
    session = exam.need("session", Session)
    over = Checkpoint(session.key.vkey.name, len(session.tree), bytes(32))
    refusal(_send(exam, session.body(over=over)), 422)


@clause(CLAUSES, "D6", SEGMENTS)
def other_key(exam: Exam) -> None:
    """403 for a checkpoint that the session's key did not sign"""
    session = exam.need("session", Session)
    refusal(_send(exam, session.body(by=generate(session.key.vkey.name, ED25519))), 403)


@clause(CLAUSES, "D7", SEGMENTS)
def unknown_session(exam: Exam) -> None:
    """404 for an unknown sid"""
    refusal(_send(exam, exam.need("session", Session).body(), "ab" * 16), 404)


@clause(CLAUSES, "D8", SEGMENTS)
def too_long(exam: Exam) -> None:
    """413 over 1 MiB"""
    exam.need("session", Session)
    refusal(_send(exam, bytes((1 << 20) + 1)), 413)


@clause(CLAUSES, "D9", SEGMENTS)
def unreadable(exam: Exam) -> None:
    """400 for what cannot be read"""
    exam.need("session", Session)
    refusal(_send(exam, b"\0\0\0\5hello"), 400)


@clause(CLAUSES, "D10", SEGMENTS)
def unmoved(exam: Exam) -> None:
    """Nothing that was refused moves the session"""
    session = exam.need("session", Session)
    exam.need("last", tuple)
    line = _previous(exam).split(" ")
    hold(line[:2] == [session.sid, str(session.sent)], f"it says {' '.join(line[:2])[:80]}")


@clause(CLAUSES, "D11", f"{API}: GET …/reveal")
def not_yet(exam: Exam) -> None:
    """404 until revealed"""
    session = exam.need("session", Session)
    refusal(exam.ask("GET", f"/v1/sessions/{session.sid}/reveal", bearer=False), 404)


@clause(CLAUSES, "D12", SEGMENTS)
def closed(exam: Exam) -> None:
    """The last segment, with `closed`, is cosigned"""
    session = exam.need("session", Session)
    session.close()
    over, reply = session.checkpoint, wanted(_send(exam, session.body()), 200)
    checkpoint.verify_cosignature(over, segment.parse_answer(reply.body).cosignature, _key(exam, "cosign"))
    session.sent = len(session.entries)
    exam.keep("closed", True)


@clause(CLAUSES, "D13", f"{API}: GET …/reveal")
def revealed(exam: Exam) -> None:
    """The seed that the grant's commit promised, how, size and issued"""
    session = exam.need("session", Session)
    exam.need("closed", bool)
    found = exam.json("GET", f"/v1/sessions/{session.sid}/reveal", bearer=False)
    exactly(found, "seed", "how", "size", "issued")
    seed = bytes.fromhex(field(found, "seed", str))
    hold(len(seed) == SEEDS, "the seed is no 32 bytes")
    schedule.verify_commit(seed, session.sid, session.grant.commit)
    hold((found["how"], found["size"]) == ("closed", session.sent), f"says {found['how']} at {found['size']}")
    exam.keep("seed", seed)


@clause(CLAUSES, "D14", f"{WIRE}: checks")
def ordered(exam: Exam) -> None:
    """Every order's nonce follows from the seed"""
    session, seed = exam.need("session", Session), exam.need("seed", bytes)
    if not session.orders:
        raise NotTriedError("no check was ordered in so short a session")
    for order in session.orders:
        right = schedule.nonce(seed, session.sid, order.i, order.a).hex()
        hold(order.nonce == right, f"check {order.i} came with a nonce that the seed does not give")


@clause(CLAUSES, "D15", SEGMENTS)
def over(exam: Exam) -> None:
    """410 once the seed is revealed"""
    session = exam.need("session", Session)
    exam.need("seed", bytes)
    session.add_raw(session.entries[-1])
    refusal(_send(exam, session.body()), 410)
