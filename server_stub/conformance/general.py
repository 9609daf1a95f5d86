"""Clauses about the interface as a whole and about a learner's own, from `/v1/health` to devices and letters.

A docstring is its clause's text.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Final

from ledger import course as courses
from ledger import names
from ledger import trust as trusts
from ledger.course import Course
from ledger.keys import P256, Signer, generate
from server_stub.conformance.exam import Clause, Exam, NotTriedError, clause, exactly, field, hold, refusal, wanted
from server_stub.conformance.pupil import Pupil

API: Final = "docs/http-api.md"
BEFORE: Final[list[Clause]] = []  # in the order in which they are tried
AFTER: Final[list[Clause]] = []
SEAT: Final = ("registration", "class", "title", "course", "policy", "rules", "models", "reference", "server", "trust")
NOBODY: Final = "0" * 64


@clause(BEFORE, "A1", f"{API}: GET /v1/health")
def health(exam: Exam) -> None:
    """Answers server, time and version, and nothing else"""
    found = exam.json("GET", "/v1/health", bearer=False)
    exactly(found, "server", "time", "version")
    name = field(found, "server", str)
    hold(names.is_a("server", name), f"{name[:80]!r} is no server name")
    hold(field(found, "time", int) > 0, "time is no moment")
    field(found, "version", str)
    exam.keep("server", name)


@clause(BEFORE, "A2", f"{API}: /openapi.json")
def described(exam: Exam) -> None:
    """The interface describes itself"""
    found = exam.json("GET", "/openapi.json", bearer=False)
    paths = field(found, "paths", dict)
    for path in ("/v1/health", "/v1/me", "/v1/devices", "/v1/sessions", "/v1/sessions/{sid}/segments"):
        hold(path in paths, f"{path} is not described")


@clause(BEFORE, "A3", f"{API}: errors")
def refused(exam: Exam) -> None:
    """Every error answers code, message, remedy and zh with its status"""
    refusal(exam.ask("GET", "/v1/me", bearer=False), 401)
    refusal(exam.ask("GET", f"/v1/bodies/{NOBODY}"), 404)


@clause(BEFORE, "A4", f"{API}: bodies")
def unknown_field(exam: Exam) -> None:
    """Unknown fields are refused"""
    body: dict[str, object] = {"account": f"conformance {secrets.token_hex(4)}", "more": 1}
    refusal(exam.ask("POST", "/v1/sign-in/start", body, bearer=False), 400, 422)
    refusal(exam.ask("POST", "/v1/letters", {"letter": secrets.token_hex(16), "more": 1}), 400, 422)


@clause(BEFORE, "A5", f"{API}: POST /v1/sign-in/start")
def constant(exam: Exam) -> None:
    """Constant answer for unknown accounts"""
    body: dict[str, object] = {"account": f"conformance {secrets.token_hex(8)}"}
    found = exam.json("POST", "/v1/sign-in/start", body, bearer=False)
    exactly(found, "challenge", "expires")
    exam.keep("challenge", field(found, "challenge", str))


@clause(BEFORE, "A6", f"{API}: POST /v1/sign-in/finish")
def wrong_code(exam: Exam) -> None:
    """403 for a wrong code"""
    body: dict[str, object] = {"challenge": exam.need("challenge", str), "code": "000000"}
    refusal(exam.ask("POST", "/v1/sign-in/finish", body, bearer=False), 403)


@clause(BEFORE, "A7", f"{API}: Bearer")
def wrong_token(exam: Exam) -> None:
    """401 for a token that nobody was given"""
    refusal(exam.ask("GET", "/v1/me", bearer=False, Authorization=f"Bearer {secrets.token_hex(32)}"), 401)


@clause(BEFORE, "B1", f"{API}: GET /v1/me")
def me(exam: Exam) -> None:
    """Learner, name, real_name and registrations with all their fields"""
    found = exam.json("GET", "/v1/me")
    learner, seats = field(found, "learner", str), field(found, "registrations", list)
    field(found, "name", str)
    hold(names.is_a("sid", learner), "learner is no pseudonym of 32 hex digits")
    hold(found.get("real_name") in ("open", "development", "identified"), "real_name is none of the three words")
    if not seats or not isinstance(seats[0], dict):
        raise NotTriedError("this learner has no registration: the test needs one")
    seat = seats[0]
    for name in SEAT:
        field(seat, name, str)
    field(seat, "credited_ms", int)
    exam.keep("seat", seat)
    exam.keep("pupil", Pupil(seat["server"], seat["class"], learner, seat["registration"]))
    hold(names.is_a("sid", seat["registration"]), "registration is no 32 hex digits")
    hold(names.is_a("class", seat["class"]), "class is no class ID")
    hold(seat["server"] == exam.need("server", str), "server is not the one of /v1/health")


@clause(BEFORE, "B2", f"{API}: GET /v1/me, trust")
def trusted(exam: Exam) -> None:
    """A trust file that names the class log's key"""
    found = trusts.parse(exam.need("seat", dict)["trust"].encode())
    hold(bool(found.keys(exam.pupil.origin)), "the trust file names no key of the class log")
    exam.keep("trust", found)


@clause(BEFORE, "B3", f"{API}: GET /v1/bodies")
def documents(exam: Exam) -> None:
    """The bytes with that hash, of all four documents"""
    seat = exam.need("seat", dict)
    for what in ("policy", "rules", "course", "models"):
        data = wanted(exam.ask("GET", f"/v1/bodies/{seat[what]}"), 200).body
        hold(sha256(data).hexdigest() == seat[what], f"the bytes of {what} have another hash")
        if what == "course":
            exam.keep("course", courses.parse(data))


@clause(BEFORE, "B4", f"{API}: GET /v1/courses")
def pieces(exam: Exam) -> None:
    """A course's file supports Range; 404 for what no manifest names"""
    course, digest = exam.need("course", Course), exam.need("seat", dict)["course"]
    name = next(iter(course.files()), None)
    if name is None:
        raise NotTriedError("the course has no file")
    reply = exam.ask("GET", f"/v1/courses/{digest}/{name}", Range="bytes=0-9")
    hold(reply.status == 206 and len(reply.body) == 10, f"answers {reply.status} with {len(reply.body)} bytes")
    refusal(exam.ask("GET", f"/v1/courses/{digest}/no-such-file.mp4"), 404)


@clause(BEFORE, "B5", f"{API}: POST /v1/devices")
def device(exam: Exam) -> None:
    """Leaf, owner = SHA-256(owner_salt, learner); the same vkey again answers the same"""
    pupil = exam.pupil
    body: dict[str, object] = {"registration": pupil.registration, "vkey": str(pupil.device.vkey),
                               "proof": pupil.proof()}  # fmt: skip
    if exam.need("seat", dict).get("reference") == "none":
        exam.ask("POST", "/v1/identify", {"registration": pupil.registration})  # where a development officer signs
    found = exam.json("POST", "/v1/devices", body)
    salt = field(found, "owner_salt", str)
    hold(names.is_a("sid", salt), "owner_salt is no 16 bytes in hex")
    owner = sha256(bytes.fromhex(salt) + pupil.learner.encode()).hexdigest()
    hold(field(found, "owner", str) == owner, "owner is not SHA-256(owner_salt and learner)")
    hold(field(found, "leaf", int) > 0, "leaf is no entry of the class log")
    exam.keep("device", found)
    again = exam.json("POST", "/v1/devices", body)
    hold(again == found, "the same key again gives another answer")


@clause(BEFORE, "B6", f"{API}: POST /v1/devices")
def forged_device(exam: Exam) -> None:
    """A key that did not sign its proof is refused"""
    pupil = exam.pupil
    other: Signer = generate(names.device(pupil.server, secrets.token_hex(16)), P256)
    body: dict[str, object] = {"registration": pupil.registration, "vkey": str(other.vkey), "proof": pupil.proof()}
    refusal(exam.ask("POST", "/v1/devices", body), 400, 403, 422)


@clause(BEFORE, "B7", f"{API}: POST /v1/references")
def reference(exam: Exam) -> None:
    """The grant's reference from now on"""
    exam.need("device", dict)
    found = exam.json("POST", "/v1/references", exam.pupil.reference())
    hold(names.is_a("sid", field(found, "reference", str)[:32]), "reference is no hash")


@clause(BEFORE, "B8", f"{API}: POST /v1/letters")
def letters(exam: Exam) -> None:
    """The same letter is kept once; 404 for a registration of somebody else"""
    name = secrets.token_hex(16)
    body: dict[str, object] = {"letter": name, "registration": exam.pupil.registration, "what": "statement",
                               "text": "A test of the interface: nothing is asked."}  # fmt: skip
    first, again = exam.json("POST", "/v1/letters", body), exam.json("POST", "/v1/letters", body)
    hold(first == again, "the same letter again gives another answer")
    hold((field(first, "letter", str), field(first, "text", str)) == (name, body["text"]), "it is another letter")
    kept = [one for one in field(exam.json("GET", "/v1/letters"), "letters", list) if one.get("letter") == name]
    hold(len(kept) == 1, f"it is kept {len(kept)} times")
    stranger = body | {"letter": secrets.token_hex(16), "registration": secrets.token_hex(16)}
    refusal(exam.ask("POST", "/v1/letters", stranger), 404)


@clause(AFTER, "E1", f"{API}: POST /v1/sign-out")
def signed_out(exam: Exam) -> None:
    """Ends the token"""
    wanted(exam.ask("POST", "/v1/sign-out"), 200)
    refusal(exam.ask("GET", "/v1/me"), 401)
