"""Clauses about sessions: certificate and grant, segments and their answers, what is revealed at the end. What each
function tries is said by its clause in the table at the end."""

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
from server_stub.conformance.exam import BrokenError, Clause, Exam, NotTriedError, exactly, field, hold, refusal, wanted
from server_stub.conformance.pupil import NOTHING, Session
from server_stub.domain.work_errors import FeedError

API, WIRE = "docs/http-api.md", "docs/wire-format.md"
SEEDS: Final = 32  # bytes


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


def log_first(exam: Exam) -> None:
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


def previous(exam: Exam) -> None:
    exam.need("device", dict)
    hold(_previous(exam) == "none", "a new device has a session already")


def granted(exam: Exam) -> None:
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


def granted_leaf(exam: Exam) -> None:
    session = exam.need("session", Session)
    record = class_log(exam).sessions.get(session.sid)
    hold(record is not None, "no granted leaf names the session")
    assert record is not None
    leaf: GrantedLeaf = record.granted
    right = (note.parse(session.granted).digest, session.grant.commit)
    hold((leaf.grant, leaf.commit) == right, "the leaf names another grant")


def granted_again(exam: Exam) -> None:
    session = exam.need("session", Session)
    again = wanted(exam.ask("POST", "/v1/sessions", session.cert, Content_Type="text/plain"), 200)
    hold(again.body == session.granted, "the same request gives another grant")


def other_text(exam: Exam) -> None:
    session = exam.need("session", Session)
    key = generate(session.key.vkey.name, ED25519)  # another key under the name of a known session
    cert = exam.pupil.certificate(key, "none")
    refusal(exam.ask("POST", "/v1/sessions", cert, Content_Type="text/plain"), 409)


def unknown_previous(exam: Exam) -> None:
    exam.need("session", Session)
    stranger = f"{'ab' * 16} 7 {'A' * 43}="
    session = exam.pupil.session(stranger)
    found = refusal(exam.ask("POST", "/v1/sessions", session.cert, Content_Type="text/plain"), 409)
    field(found, "prev", str)


def forged_certificate(exam: Exam) -> None:
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


def cosigned(exam: Exam) -> None:
    _sent(exam, exam.need("session", Session))


def stored(exam: Exam) -> None:
    exam.need("session", Session)
    body, first = exam.need("last", tuple)
    again = wanted(_send(exam, body), 200)
    hold(again.body == first, "the same body gives another answer")


def further(exam: Exam) -> None:
    _sent(exam, exam.need("session", Session))


def wrong_size(exam: Exam) -> None:
    session = exam.need("session", Session)
    exam.need("last", tuple)
    found = refusal(_send(exam, session.body(old=session.sent - 1)), 409)
    hold(field(found, "size", int) == session.sent, f"names {found['size']}, it has {session.sent}")


def other_root(exam: Exam) -> None:
    session = exam.need("session", Session)
    over = Checkpoint(session.key.vkey.name, len(session.tree), bytes(32))
    refusal(_send(exam, session.body(over=over)), 422)


def other_key(exam: Exam) -> None:
    session = exam.need("session", Session)
    refusal(_send(exam, session.body(by=generate(session.key.vkey.name, ED25519))), 403)


def unknown_session(exam: Exam) -> None:
    refusal(_send(exam, exam.need("session", Session).body(), "ab" * 16), 404)


def too_long(exam: Exam) -> None:
    exam.need("session", Session)
    refusal(_send(exam, bytes((1 << 20) + 1)), 413)


def unreadable(exam: Exam) -> None:
    exam.need("session", Session)
    refusal(_send(exam, b"\0\0\0\5hello"), 400)


def unmoved(exam: Exam) -> None:
    """After all that was refused the session goes on where it stood."""
    session = exam.need("session", Session)
    exam.need("last", tuple)
    line = _previous(exam).split(" ")
    hold(line[:2] == [session.sid, str(session.sent)], f"it says {' '.join(line[:2])[:80]}")


def not_yet(exam: Exam) -> None:
    session = exam.need("session", Session)
    refusal(exam.ask("GET", f"/v1/sessions/{session.sid}/reveal", bearer=False), 404)


def closed(exam: Exam) -> None:
    session = exam.need("session", Session)
    session.close()
    over, reply = session.checkpoint, wanted(_send(exam, session.body()), 200)
    checkpoint.verify_cosignature(over, segment.parse_answer(reply.body).cosignature, _key(exam, "cosign"))
    session.sent = len(session.entries)
    exam.keep("closed", True)


def revealed(exam: Exam) -> None:
    session = exam.need("session", Session)
    exam.need("closed", bool)
    found = exam.json("GET", f"/v1/sessions/{session.sid}/reveal", bearer=False)
    exactly(found, "seed", "how", "size", "issued")
    seed = bytes.fromhex(field(found, "seed", str))
    hold(len(seed) == SEEDS, "the seed is no 32 bytes")
    schedule.verify_commit(seed, session.sid, session.grant.commit)
    hold((found["how"], found["size"]) == ("closed", session.sent), f"says {found['how']} at {found['size']}")
    exam.keep("seed", seed)


def ordered(exam: Exam) -> None:
    session, seed = exam.need("session", Session), exam.need("seed", bytes)
    if not session.orders:
        raise NotTriedError("no check was ordered in so short a session")
    for order in session.orders:
        right = schedule.nonce(seed, session.sid, order.i, order.a).hex()
        hold(order.nonce == right, f"check {order.i} came with a nonce that the seed does not give")


def over(exam: Exam) -> None:
    session = exam.need("session", Session)
    exam.need("seed", bytes)
    session.add_raw(session.entries[-1])
    refusal(_send(exam, session.body()), 410)


def _text(what: str) -> str:
    return f"{API}: POST /v1/sessions{what}"


SEGMENTS: Final = _text("/<sid>/segments")
CLAUSES: Final = tuple(Clause(*said) for said in (
    ("C1", f"{API}: GET /log", "the class log verifies by the trust file from entry 0 on, and holds this device",
     log_first),
    ("C2", f"{API}: GET …/device", "what the server has of this device's sessions: none", previous),
    ("C3", _text(""), "the grant: by the grant key of the class log, of this certificate, with the reference", granted),
    ("C4", f"{WIRE}: certificate and grant", "the granted leaf is appended before the grant is answered", granted_leaf),
    ("C5", _text(""), "the same request again: the same grant", granted_again),
    ("C6", _text(""), "409 for another text for a known sid", other_text),
    ("C7", _text(""), "409 for an unknown prev, with prev as the server has it", unknown_previous),
    ("C8", _text(""), "403 for a certificate that the device did not sign", forged_certificate),
    ("D1", SEGMENTS, "canonical JSON; the cosignature verifies by the class log's cosign key", cosigned),
    ("D2", SEGMENTS, "the latest accepted body again: its stored answer, byte for byte", stored),
    ("D3", SEGMENTS, "the next segment goes on where the last one ended", further),
    ("D4", SEGMENTS, "409 with the size that the server has", wrong_size),
    ("D5", SEGMENTS, "422 for another root", other_root),
    ("D6", SEGMENTS, "403 for a checkpoint that the session's key did not sign", other_key),
    ("D7", SEGMENTS, "404 for an unknown sid", unknown_session),
    ("D8", SEGMENTS, "413 over 1 MiB", too_long),
    ("D9", SEGMENTS, "400 for what cannot be read", unreadable),
    ("D10", SEGMENTS, "nothing that was refused moves the session", unmoved),
    ("D11", f"{API}: GET …/reveal", "404 until revealed", not_yet),
    ("D12", SEGMENTS, "the last segment, with `closed`, is cosigned", closed),
    ("D13", f"{API}: GET …/reveal", "the seed that the grant's commit promised, how, size and issued", revealed),
    ("D14", f"{WIRE}: checks", "every order's nonce follows from the seed", ordered),
    ("D15", SEGMENTS, "410 once the seed is revealed", over),
))  # fmt: skip
