"""Sealed photos on the server: what is taken in, who opens it, what an erasure leaves, and what a sample draws."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from httpx import Response

from ledger import parcel, sample
from ledger.archive import Directory
from ledger.events import Answered, Consent, Ordered
from ledger.evidence import Sealed, Taken, seal
from ledger.findings import Status
from ledger.segment import Order
from server_stub.domain.errors import DecisionError
from server_stub.evidence import read_reviewer
from server_stub.signing import new_key
from tests.deaths import dies_at
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, HASH, Device, Learner
from tests.server_stub.school import ORIGIN, School
from tests.server_stub.test_archive import figures

JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + secrets.token_bytes(6_000)


class Photographer:
    """A device whose answers name sealed photos."""

    def __init__(self, device: Device) -> None:
        self.device, self.photos = device, []

    def seal(self, order: Order, **more: object) -> Sealed:
        device = self.device
        taken = Taken(order.i, order.a, order.nonce, device.mono, JPEG)
        return seal(taken, device.key.vkey.name, device.grant.recipients, **more)

    def answer(self, order: Order, photo: Sealed | None = None) -> Sealed:
        device = self.device
        device.add(Ordered(order.i, order.a, order.nonce, order.deadline_ms))
        device.clock.now += 3_000
        photo = photo or self.seal(order)
        named = photo.named.to_json()
        device.add(Answered(order.i, order.a, "match", "passed", "ok", {"match": 700}, {"sface": HASH}, named))
        self.photos.append(photo)
        return photo

    def url(self, photo: Sealed) -> str:
        return f"/v1/sessions/{self.device.sid}/evidence/{photo.named.eid}"

    def put(self, photo: Sealed, data: bytes | None = None, start: int = 0, stop: int | None = None) -> Response:
        data = parcel.pack(photo) if data is None else data
        piece = data[start:stop]
        span = f"bytes {start}-{start + len(piece) - 1}/{len(data)}"
        return self.device.http.put(self.url(photo), content=piece, headers={"Content-Range": span})


@dataclass
class Desk:
    """A class with a reviewer, and a learner who agreed to photos."""

    room: Room
    school: School
    key: Path
    learner: Learner

    def study(self, spans: int = 2, *, close: bool = True) -> Photographer:
        """Spans of 30 s and the checks that fall due; every answer names a photo."""
        device = self.learner.open()
        device.add(Consent("0" * 64, 1, "photos", True))
        camera = Photographer(device)
        device.answer = lambda order, *_: camera.answer(order)  # type: ignore[method-assign,assignment]
        device.send()
        for _ in range(spans):
            device.play(20_000)
            device.send()
        if close:
            device.close()
        return camera

    def open(self, camera: Photographer, photo: Sealed, *more: object, reason: str = "spot check") -> Path:
        out = self.school.out()
        words = ("open", self.room.settings.directory, CLASS, camera.device.sid, photo.named.eid)
        said = ("--key", self.key, "--by", "Li Wei", "--reason", reason, "--out", out)
        self.school.run("evidence", *words, *said, *more)
        return out

    def size(self) -> int:
        return self.room.server.records.read(lambda tx: tx.log.size(CLASS))

    def files(self) -> set[str]:
        return {path.name for path in (self.room.settings.directory / "evidence").rglob("*") if path.is_file()}


@pytest.fixture
def desk(make_room, tmp_path: Path) -> Desk:
    room = make_room()
    school = School(room, tmp_path / "school")
    key = tmp_path / "school" / "reviewer"
    vkey = new_key("evidence", "school.example", key)
    out = school.out()
    school.run("key", "add", "evidence", vkey, "--key", school.folder / "authority", "--out", out)
    school.take(out)
    return Desk(room, school, key, room.learner().ready())


def test_a_grant_names_the_reviewers_that_count_now(desk: Desk) -> None:
    """Vouched for by an authority, in the class log; revoked, the next grant does not name it, and it opens nothing."""
    camera = desk.study()
    assert [item.partition("+")[0] for item in camera.device.grant.recipients] == ["school.example/e"]
    for photo in camera.photos:
        assert camera.put(photo).json()["kept"] is True
    (vkey,) = camera.device.grant.recipients
    out = desk.school.out()
    desk.school.run("key", "revoke", "evidence", vkey, "--key", desk.school.folder / "authority", "--out", out)
    desk.school.take(out)
    assert desk.learner.open().grant.recipients == ()
    with pytest.raises(AssertionError):
        desk.open(camera, camera.photos[0])


def test_a_photo_is_taken_piece_by_piece_and_shown_with_its_audit(desk: Desk) -> None:
    """Named, taken in, opened once: the file is 0600, the class log has the audit, the archive verifies with both."""
    camera = desk.study()
    first, *others = camera.photos
    data = parcel.pack(first)
    assert camera.put(first, stop=5_000).json() == {"have": 5_000, "kept": False}
    assert camera.put(first, stop=5_000).status_code == 409
    assert camera.put(first, start=6_000).json()["have"] == 5_000
    assert desk.room.http.get(camera.url(first)).json() == {"have": 5_000, "kept": False}
    assert camera.put(first, start=5_000).json() == {"have": len(data), "kept": True}
    assert camera.put(first).json()["kept"] is True, "what is here is not taken twice"
    for photo in others:
        camera.put(photo)
    before = desk.size()
    out = desk.open(camera, first)
    assert out.read_bytes() == JPEG
    assert out.stat().st_mode & 0o777 == 0o600
    assert desk.size() == before + 1
    report = desk.school.verified("archive")
    assert figures(report)[camera.device.sid][0] == "closed"
    assert report.findings.steps["10"].status is Status.OK
    archive = Directory(desk.school.folder / "archive")
    texts = [archive.read(name) for name in archive.names("bodies/")]
    assert sum(b'"did":"opened a photo"' in text and b'"reason":"spot check"' in text for text in texts) == 1


@pytest.mark.parametrize(
    "attack", ["nobody names it", "other session", "too long", "other bytes", "no span", "lying span"]
)
def test_only_the_bytes_that_an_event_names_are_kept(desk: Desk, attack: str) -> None:
    """Without a token, and still no store for strangers: what no receipted event names is not kept."""
    camera = desk.study()
    photo = camera.photos[0]
    if attack == "nobody names it":
        answer = camera.put(camera.seal(Order(0, 0, "0f" * 16, 60_000)))
    elif attack == "other session":
        answer = desk.room.http.put(f"/v1/sessions/{'0' * 32}/evidence/{photo.named.eid}", content=b"x",
                                    headers={"Content-Range": "bytes 0-0/1"})  # fmt: skip
    elif attack == "too long":
        answer = desk.room.http.put(camera.url(photo), content=b"x", headers={"Content-Range": "bytes 0-0/99999999"})
    elif attack == "other bytes":
        answer = camera.put(photo, bytes(len(parcel.pack(photo))))
    else:
        span = {"no span": {}, "lying span": {"Content-Range": "bytes 0-7/8000"}}[attack]
        answer = desk.room.http.put(camera.url(photo), content=b"x", headers=span)
    status = {"nobody names it": 404, "other session": 404, "too long": 413, "other bytes": 422}.get(attack, 400)
    assert answer.status_code == status, answer.text
    assert desk.files() == set()
    assert camera.put(photo).json()["kept"] is True, "the right bytes are still welcome"


def test_a_piece_is_bounded_and_its_place_is_read_strictly(desk: Desk) -> None:
    """More than 64 KiB at once is not even read; a span that is none is refused, whatever it looks like."""
    camera = desk.study()
    url = camera.url(camera.photos[0])
    big = desk.room.http.put(url, content=bytes(70_000), headers={"Content-Range": "bytes 0-69999/70000"})
    assert big.status_code == 413
    for span in ("bytes 00-0/1", "bytes 0-0/0", "bytes -1-0/1", "bytes 0-0/*", "items 0-0/1", "bytes 0-0/1 ", "٠-٠/١"):
        answer = desk.room.http.put(url, content=b"x", headers={"Content-Range": span.encode()})
        assert answer.status_code == 400, span
    assert desk.files() == set()


def test_a_photo_that_is_not_what_its_event_says_is_shown_to_nobody(desk: Desk) -> None:
    """A device that seals the photo of one attempt and names it in another is found out when it is opened."""
    device = desk.learner.open()
    camera = Photographer(device)
    device.add(Consent("0" * 64, 1, "photos", True))
    stale = camera.seal(Order(7, 0, "0f" * 16, 60_000))
    device.answer = lambda order, *_: camera.answer(order, stale)  # type: ignore[method-assign,assignment]
    device.send()
    device.close()
    assert camera.put(stale).json()["kept"] is True
    before = desk.size()
    with pytest.raises(AssertionError):
        desk.open(camera, stale)
    assert desk.size() == before


def test_one_name_for_two_photos_does_not_wedge_the_class(desk: Desk) -> None:
    """A crooked device names two different photos alike: the archive is still made, and lists what it cannot show."""
    camera = desk.study(4)
    device = desk.learner.open()
    twice = Photographer(device)
    device.add(Consent("0" * 64, 1, "photos", True))
    eid = secrets.token_hex(16)
    device.answer = lambda order, *_: twice.answer(order, twice.seal(order, eid=eid))  # type: ignore[method-assign,assignment]
    device.send()
    for _ in range(6):
        device.play(20_000)
        device.send()
    device.close()
    assert len(twice.photos) >= 2
    for photo in camera.photos:
        camera.put(photo)
    assert twice.put(twice.photos[0]).json()["kept"] is True
    report = desk.school.verified("archive")
    assert not report.refused
    assert report.findings.steps["10"].status is Status.NOT_CHECKABLE


def test_an_erased_photo_is_gone_everywhere_but_in_the_log(desk: Desk) -> None:
    """Blob, sealed keys and parts are deleted, uploads of it refused, the receipt signed; settled first, once only."""
    camera = desk.study()
    gone, kept = camera.photos[:2]
    for photo in camera.photos:
        camera.put(photo)
    eraser, sid = desk.room.server.services.eraser, camera.device.sid
    receipt = desk.school.out()
    words = ("erase", desk.room.settings.directory, CLASS, sid, gone.named.eid, "--reason", "asked")
    desk.school.run("evidence", *words, "--receipt", receipt)
    assert receipt.read_bytes().startswith(b"trueseat/erasure/v1\n")
    assert not desk.files() & {gone.named.sha256, gone.named.keys}
    assert camera.put(gone).status_code == 410
    assert desk.files() >= {kept.named.sha256, kept.named.keys}
    with pytest.raises(DecisionError, match="before"):
        eraser.photos(CLASS, sid, [gone.named.eid], "again")
    with pytest.raises(DecisionError, match="no event"):
        eraser.photos(CLASS, sid, ["0" * 32], "x")
    with pytest.raises(DecisionError, match="no such session"):
        eraser.photos("other", sid, [kept.named.eid], "x")
    report = desk.school.verified("archive")
    assert report.exit_code == 0
    assert report.findings.steps["10"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].withheld == 0


def test_photos_are_kept_no_longer_than_the_school_says(desk: Desk) -> None:
    """Older than so many days: erased with receipts, session by session; a case that is held and a session that runs
    keep theirs; younger ones stay."""
    old, held = desk.study(), desk.study()
    for camera in (old, held):
        for photo in camera.photos:
            camera.put(photo)
    desk.room.clock.now += 31 * 24 * 3600 * 1000
    desk.learner.sign_in()
    young = desk.study(close=False)
    young.put(young.photos[0])
    eraser, now = desk.room.server.services.eraser, desk.room.clock.now
    done = eraser.old_photos(CLASS, now - 30 * 24 * 3600 * 1000, "retention", hold=[held.device.sid])
    assert list(done) == [old.device.sid]
    assert all(photo.named.eid.encode() in (done[old.device.sid] or b"") for photo in old.photos)
    assert {photo.named.sha256 for photo in (*held.photos, young.photos[0])} <= desk.files()
    assert not {photo.named.sha256 for photo in old.photos} & desk.files()
    assert eraser.old_photos(CLASS, desk.room.clock.now, "all", hold=[held.device.sid]) == {young.device.sid: None}
    words = ("prune", desk.room.settings.directory, CLASS, "--days", 9_999, "--reason", "x")
    assert desk.school.run("evidence", *words) == ""
    young.device.close()
    assert desk.school.verified("archive").exit_code == 0


def test_a_photo_whose_erasure_was_cut_short_spoils_no_archive(desk: Desk) -> None:
    """Zeros were in the place of its keys when the server died, before its log was told: the archive verifies, and
    erasing it again comes to its end."""
    camera = desk.study()
    gone, *_ = camera.photos
    for photo in camera.photos:
        camera.put(photo)
    desk.school.verified("before")
    eraser, sid = desk.room.server.services.eraser, camera.device.sid
    with dies_at(1) as life:
        eraser.photos(CLASS, sid, [gone.named.eid], "asked")
    assert not life.whole
    assert not any((desk.room.settings.evidence / gone.named.keys).read_bytes())
    assert desk.school.verified("between").exit_code == 0
    assert eraser.photos(CLASS, sid, [gone.named.eid], "asked")
    assert not desk.files() & {gone.named.sha256, gone.named.keys}
    assert desk.school.verified("archive").exit_code == 0


def test_no_photo_of_a_running_session_is_erased(desk: Desk) -> None:
    """First the figure, then the deletion, as with events."""
    camera = desk.study(close=False)
    camera.put(camera.photos[0])
    with pytest.raises(DecisionError, match="ended"):
        desk.room.server.services.eraser.photos(CLASS, camera.device.sid, [camera.photos[0].named.eid], "x")
    assert camera.photos[0].named.sha256 in desk.files()


def test_an_erased_event_takes_its_photo_with_it(desk: Desk) -> None:
    """A photo whose event is withheld would be a stray: it is deleted with the event, and the archive verifies."""
    camera = desk.study()
    for photo in camera.photos:
        camera.put(photo)
    eid = camera.photos[1].named.eid
    index = next(i for i, entry in enumerate(camera.device.entries) if eid.encode() in entry)
    desk.school.operator("erase", CLASS, "--sid", camera.device.sid, "--events", index, "--reason", "asked")
    assert camera.photos[1].named.sha256 not in desk.files()
    report = desk.school.verified("archive")
    assert (report.exit_code, report.sessions[0].withheld) == (0, 1)
    assert report.findings.steps["10"].status is Status.OK


def test_a_photo_in_an_archive_that_the_log_calls_erased_is_refused(desk: Desk) -> None:
    """An operator who says "deleted" and keeps it is caught by his own archive."""
    from ledger.archive import open_source
    from ledger.trust import parse as parse_trust
    from ledger.verify import verify

    camera = desk.study()
    for photo in camera.photos:
        camera.put(photo)
    gone = camera.photos[0]
    desk.room.server.services.eraser.photos(CLASS, camera.device.sid, [gone.named.eid], "asked")
    desk.school.verified("archive")
    folder = desk.school.folder / "archive" / "evidence"
    (folder / "keys" / f"{gone.named.eid}.json").write_bytes(gone.keys_file)
    trust = parse_trust(desk.room.server.services.enrolment.trust(CLASS).encode())
    report = verify(open_source(desk.school.folder / "archive"), trust)
    assert report.refused
    assert any("says it was erased" in item.message for item in report.findings.all())


def test_a_sample_is_the_same_for_everybody(desk: Desk) -> None:
    """Operator and stranger draw the same photos by the same public seed; another seed draws others; erased ones of
    readable events keep their place, so nobody steers the draw by deleting."""
    cameras = [desk.study(6), desk.study(6)]
    for camera in cameras:
        for photo in camera.photos:
            camera.put(photo)
    desk.school.verified("archive")
    source = Directory(desk.school.folder / "archive")
    words = ("sample", desk.room.settings.directory, CLASS, "--count", 3, "--seed")
    seed = "lottery 2026-11-22: 4 8 15 16 23 42"
    drawn = desk.school.run("evidence", *words, seed)
    assert drawn + "\n" == sample.lines(sample.of_archive(source, seed, 3))
    assert len(drawn.splitlines()) == 3
    others = {desk.school.run("evidence", *words, f"{seed} {n}") for n in range(8)}
    assert len(others) > 1
    sid, eid = drawn.splitlines()[0].split()
    desk.room.server.services.eraser.photos(CLASS, sid, [eid], "asked")
    assert desk.school.run("evidence", *words, seed) == drawn
    ranked = sample.draw(seed, ORIGIN, [(sid, eid), *(tuple(line.split()) for line in drawn.splitlines())], 9)
    assert sample.lines(ranked).strip() == drawn


def test_masked_copies_hold_no_photos_and_a_learners_own_copy_only_theirs(desk: Desk) -> None:
    """Faces say who somebody is, sealed or not; and a learner takes home nobody else's."""
    camera = desk.study()
    for photo in camera.photos:
        camera.put(photo)
    other = replace(desk, learner=desk.room.learner("other").ready())
    theirs = other.study()
    for photo in theirs.photos:
        theirs.put(photo)
    assert desk.school.verified("masked", masked=True).exit_code == 0
    assert list(Directory(desk.school.folder / "masked").names("evidence/")) == []
    assert desk.school.verified("own", learner=desk.learner.learner).exit_code == 0
    names = set(Directory(desk.school.folder / "own").names("evidence/keys/"))
    assert names == {f"evidence/keys/{photo.named.eid}.json" for photo in camera.photos}


def test_a_learner_reads_who_looked_at_which_photo_and_why(desk: Desk) -> None:
    """The audits of one's own photos stand in one's own copy; those of others do not."""
    camera = desk.study()
    other = replace(desk, learner=desk.room.learner("other").ready())
    theirs = other.study()
    for one, reason in ((camera, "appeal of the learner"), (theirs, "somebody else's")):
        one.put(one.photos[0])
        desk.open(one, one.photos[0], reason=reason)
    assert desk.school.verified("own", learner=desk.learner.learner).exit_code == 0
    archive = Directory(desk.school.folder / "own")
    texts = b"".join(archive.read(name) for name in archive.names("bodies/"))
    assert b"appeal of the learner" in texts
    assert b"somebody else" not in texts


def test_a_restarted_server_goes_on_with_a_half_photo(desk: Desk) -> None:
    """Pieces are on the disk: another process takes the rest."""
    camera = desk.study()
    photo = camera.photos[0]
    camera.put(photo, stop=4_000)
    desk.room.restart()
    camera.device.http = desk.room.http
    assert camera.put(photo, start=4_000).json()["kept"] is True


def test_a_reviewers_key_stays_with_the_reviewer(desk: Desk, tmp_path: Path) -> None:
    """A key that others can read, that lies in the server's folder, or that is none is not used; none is printed."""
    from server_stub.domain.errors import SetupError

    good = desk.key.read_bytes()
    assert read_reviewer(desk.key).vkey.name == "school.example/e"
    desk.key.chmod(0o644)
    inside = desk.room.settings.directory / "reviewer"
    inside.write_bytes(good)
    inside.chmod(0o600)
    broken = tmp_path / "broken"
    at = good.index(b"\n") + 31  # in the middle of the private half, where every bit counts
    broken.write_bytes(good[:at] + (b"1" if good[at:][:1] == b"0" else b"0") + good[at + 1 :])
    broken.chmod(0o600)
    for path in (desk.key, inside, broken, tmp_path / "absent"):
        with pytest.raises(SetupError):
            read_reviewer(path)
    assert good.split(b"\n")[1].decode() not in repr(read_reviewer_of(good, tmp_path))


def read_reviewer_of(data: bytes, folder: Path):
    path = folder / "again"
    path.write_bytes(data)
    path.chmod(0o600)
    return read_reviewer(path)


def test_an_opening_needs_a_reason_and_a_new_file(desk: Desk) -> None:
    """Refused in one sentence, and nothing is written: no reason, an old file, an erased photo."""
    camera = desk.study()
    camera.put(camera.photos[0])
    with pytest.raises(AssertionError):
        desk.open(camera, camera.photos[0], reason=" ")
    with pytest.raises(AssertionError):
        desk.open(camera, camera.photos[0], "--out", desk.key)
    assert not (desk.school.folder / f"file{desk.school.made}").exists()
    listed = desk.school.run("evidence", "list", desk.room.settings.directory, CLASS)
    assert f"{camera.photos[0].named.eid} check 0 attempt 0" in listed
    assert [line.split()[-1] for line in listed.splitlines()] == ["kept"] + ["named"] * (len(camera.photos) - 1)
