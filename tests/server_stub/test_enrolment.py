"""Before the first session: device, person, reference and consents, each an entry of the class log without a name."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

from ledger import bodies, names, note
from ledger.classlog import ClassLog
from ledger.keys import P256, Signer, generate
from ledger.leaves import BodyLeaf, KeyLeaf
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, HASH, SERVER, Learner


def class_log(room: Room) -> ClassLog:
    return room.server.records.read(lambda tx: room.server.services.logs.log(tx, CLASS))


def entry(room: Room, index: int) -> bytes:
    return room.server.records.read(lambda tx: tx.log.entries(CLASS, index, index + 1))[0]


def consent(by: Learner, device: Signer | None = None, **changes: Any) -> bytes:
    fields = {"class_": by.origin, "learner": by.learner, "given": True} | changes
    return bodies.sign(bodies.Consent(at=1, notice=HASH, what="face", **fields), device or by.device)


def test_a_device_key_is_logged_with_an_owner_that_only_its_salt_opens(room: Room) -> None:
    """`owner` = SHA-256(salt ‖ learner): the log tells nobody whose device it is."""
    learner = room.learner().sign_in()
    answer = learner.certify().json()
    opened = bytes.fromhex(answer["owner_salt"]) + learner.learner.encode()
    assert sha256(opened).hexdigest() == answer["owner"]
    leaf = class_log(room).keys[-1].leaf
    assert leaf == KeyLeaf(leaf.at, "add", "device", str(learner.device.vkey), owner=answer["owner"])
    assert room.server.records.read(lambda tx: tx.log.body(answer["owner"])) == opened
    assert learner.certify().json() == answer


def test_a_device_beyond_the_limit_is_refused(room: Room) -> None:
    """`max_devices` of the policy (2); the ones that are registered still work."""
    learner = room.learner().sign_in()
    keys = [generate(names.device(SERVER, secrets.token_hex(16)), P256) for _ in range(3)]
    assert [learner.certify(key).status_code for key in keys] == [200, 200, 409]
    assert learner.certify(keys[0]).status_code == 200


def test_a_device_must_sign_for_its_own_learner(room: Room) -> None:
    """A proof by another key, for another learner, or of a key of somebody else is refused."""
    mine, other = room.learner().sign_in(), room.learner("other").sign_in()
    body = {"registration": mine.registration, "vkey": str(mine.device.vkey)}
    text = f"trueseat/device/v1\n{SERVER}\n{mine.origin}\n{mine.learner}\n{mine.device.vkey}\n"
    forged = note.sign(text, other.device).decode()
    assert room.http.post("/v1/devices", json=body | {"proof": forged}, headers=mine.headers).status_code == 403
    stolen = note.sign(text.replace(mine.learner, other.learner), mine.device).decode()
    assert room.http.post("/v1/devices", json=body | {"proof": stolen}, headers=mine.headers).status_code == 400
    assert mine.certify().status_code == 200
    assert other.certify(mine.device).status_code == 403


def test_the_development_officer_identifies_once(room: Room) -> None:
    """A `body` leaf by a supervisor key that is vouched for; the same again is the same leaf."""
    learner = room.learner().sign_in()
    body = {"registration": learner.registration}
    first = room.http.post("/v1/identify", json=body, headers=learner.headers).json()
    assert room.http.post("/v1/identify", json=body, headers=learner.headers).json() == first
    assert learner.me()["real_name"] == "development"
    leaf = class_log(room).bodies[-1]
    assert (leaf[0], leaf[1].kind) == (first["leaf"], "identification")
    parsed, signed = bodies.parse(room.server.records.read(lambda tx: tx.log.body(leaf[1].sha256)))
    assert (parsed.learner, parsed.method) == (learner.learner, "development")
    note.verify(signed, [room.server.keyring.officer.vkey])


def test_the_reference_stands_in_the_next_grant(room: Room) -> None:
    """Signed by the device; "none" is the non-face route, where every check is an `identify`."""
    learner = room.learner().ready()
    assert learner.open().grant.reference == HASH
    assert learner.refer("none").json() == {"reference": "none"}
    device = learner.open()
    assert device.grant.reference == "none"
    assert device.send().ordered.deadline_ms == 120_000


def test_a_reference_by_a_stranger_is_refused(room: Room) -> None:
    """403 for another key, 400 for another form."""
    learner = room.learner().ready()
    learner.device = room.learner("other").device
    assert learner.refer().status_code == 403
    data = note.sign(f"trueseat/reference/v1\n{learner.registration}\nABC\n", learner.device)
    assert room.http.post("/v1/references", content=data, headers=learner.headers).status_code == 400


def test_a_consent_is_kept_as_a_body_and_logged_once(room: Room) -> None:
    """Signed on the device; sent again it is the same leaf; a withdrawal is another."""
    learner = room.learner().ready()
    data = consent(learner)
    first = room.http.post("/v1/consents", content=data, headers=learner.headers)
    assert first.status_code == 200, first.text
    assert room.http.post("/v1/consents", content=data, headers=learner.headers).json() == first.json()
    digest = note.parse(data).digest
    leaf = class_log(room).bodies[-1]
    assert leaf == (first.json()["leaf"], BodyLeaf(leaf[1].at, "consent", digest))
    withdrawn = room.http.post("/v1/consents", content=consent(learner, given=False), headers=learner.headers)
    assert withdrawn.json()["leaf"] == leaf[0] + 1


def test_a_consent_of_somebody_else_is_refused(room: Room) -> None:
    """Another learner's, another class's, another device's."""
    learner, other = room.learner().ready(), room.learner("other").ready()
    for data, status in (
        (consent(learner, learner=other.learner), 400),
        (consent(learner, class_=f"{SERVER}/c/class-2"), 404),
        (consent(learner, class_="elsewhere.example/c/class-1"), 404),
        (consent(learner, other.device), 403),
    ):
        assert room.http.post("/v1/consents", content=data, headers=learner.headers).status_code == status


def test_documents_are_read_by_hash_and_private_ones_by_nobody(room: Room) -> None:
    """Policy, rules, models and course are for the class's learners; owners and identifications are not."""
    learner = room.learner().ready()
    listed = learner.me()["registrations"][0]
    for what in ("policy", "rules", "models", "course"):
        data = room.http.get(f"/v1/bodies/{listed[what]}", headers=learner.headers).content
        assert sha256(data).hexdigest() == listed[what]
    private = [record.leaf.owner for record in class_log(room).keys if record.leaf.owner]
    private += [leaf.sha256 for _, leaf in class_log(room).bodies]
    assert len(private) == 2
    for digest in [*private, "f" * 64, "../../secret"]:
        assert room.http.get(f"/v1/bodies/{digest}", headers=learner.headers).status_code == 404


def test_course_files_are_those_that_the_manifest_names(room: Room) -> None:
    """Whole or by Range; nothing beside the package can be reached."""
    learner = room.learner().sign_in()
    course = learner.me()["registrations"][0]["course"]
    whole = room.http.get(f"/v1/courses/{course}/lesson.mp4", headers=learner.headers)
    part = room.http.get(f"/v1/courses/{course}/lesson.mp4", headers=learner.headers | {"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    manifest = room.http.get(f"/v1/courses/{course}/course.toml", headers=learner.headers).content
    assert sha256(manifest).hexdigest() == course
    for name in ("other.mp4", "..%2f..%2fsecret", "%2e%2e"):
        assert room.http.get(f"/v1/courses/{course}/{name}", headers=learner.headers).status_code == 404
    assert room.http.get(f"/v1/courses/{course}/lesson.mp4").status_code == 401


def test_models_are_served_by_hash_to_everybody(room: Room) -> None:
    """404 for what is not held, and no path leads out of the folder."""
    data = b"model bytes"
    (room.settings.models / sha256(data).hexdigest()).write_bytes(data)
    assert room.http.get(f"/models/{sha256(data).hexdigest()}").content == data
    for digest in ("0" * 64, "..%2fsecret", "secret"):
        assert room.http.get(f"/models/{digest}").status_code == 404


def test_the_device_endpoint_tells_what_the_server_has(room: Room) -> None:
    """`prev` and the open session of one device; a device of somebody else is refused."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    path = f"/v1/registrations/{learner.registration}/device"
    answer = room.http.get(path, headers=learner.headers | {"X-Device": str(learner.device.vkey)}).json()
    assert answer["open"] == device.sid
    assert answer["prev"].startswith(f"{device.sid} 1 ")
    assert room.http.get(path, headers=learner.headers | {"X-Device": "nobody"}).status_code == 403
    assert room.http.get(path, headers=learner.headers).status_code == 400
