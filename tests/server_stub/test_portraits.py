"""Reference photos in bulk: seen before they are kept, sealed, and unused until the learner agrees."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Mapping

import pytest
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st

from ledger import names, reference
from ledger.evidence import EvidenceError, Recipient
from ledger.keys import b64encode, generate_evidence
from server_stub.domain import photobag
from server_stub.domain.errors import PhotoBagError, SetupError, StalePreviewError
from server_stub.domain.photo_errors import NotAgreedError
from server_stub.storage.portraits import SqlPortraits
from tests.server_stub.bags import JPEG, PNG, bag
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room, kept
from tests.server_stub.learner import CLASS, SERVER
from tests.server_stub.scene import number
from tests.server_stub.staff import Browsers, account, hire
from tests.server_stub.test_enrolment import consent
from tests.server_stub.test_me import Phone

DAY = 86_400_000
FACE = JPEG + b"the face of somebody"
REVIEWER = Recipient(*generate_evidence("school.example/e"))


def school(room: Room) -> Browsers:
    """Four learners; two have the same name."""
    browsers = hire(room)
    room.server.class_maker.add_reviewer(CLASS, str(REVIEWER.vkey), room.clock)
    text = (
        f"姓名,身份证号,账号,手机号\n张伟,{number(1)},learner,\n王芳,{number(2)},fang,\n"
        f"李娜,{number(3)},lina1,13800138003\n李娜,{number(4)},lina2,\n"
    )
    ok(browsers["officer"].post(ok(browsers["officer"].post(
        "/import", {"class_id": CLASS, "text": text})).headers["location"]))  # fmt: skip
    return browsers


def upload(browsers: Browsers, files: Mapping[str, bytes]) -> Response:
    sent = {"file": ("photos.zip", bag(files))}
    return browsers["officer"].post("/import/photos", {"class_id": CLASS}, files=sent)


def bring(browsers: Browsers, files: Mapping[str, bytes], **form: str) -> Response:
    return browsers["officer"].post(ok(upload(browsers, files)).headers["location"], form)


def learner_of(room: Room, name: str) -> str:
    return account(room, name).learner


def states(room: Room, files: Mapping[str, bytes]) -> dict[str, str]:
    _, plan = room.server.services.portraits.look(account(room, "officer"), CLASS, bag(files))
    return {line.file: line.problem or f"{line.state} {line.person.account if line.person else ''}"
            for line in plan.lines}  # fmt: skip


def test_a_file_is_whose_number_account_telephone_or_name_it_bears(room: Room) -> None:
    """What is unknown, means several people, comes twice or is no photo is shown as that."""
    school(room)
    assert states(room, {
        f"{number(1)}.jpg": FACE, "一班/王芳.PNG": PNG, "13800138003.jpg": FACE, f"李娜_{number(4)}.jpg": FACE,
        "李娜.jpg": FACE, "何人.jpg": FACE, f"{number(9)}.jpg": FACE, "FANG.jpg": FACE, "lina1.gif": b"GIF89a",
        "lina2.jpg": b"", "learner.jpg": JPEG + bytes(photobag.MAX_PHOTO), "__MACOSX/._王芳.jpg": b"\0",
        "一班/Thumbs.db": b"\0",
    }) == {
        f"{number(1)}.jpg": "new learner", "一班/王芳.PNG": "new fang", "13800138003.jpg": "new lina1",
        f"李娜_{number(4)}.jpg": "new lina2", "李娜.jpg": "ambiguous", "何人.jpg": "unknown",
        f"{number(9)}.jpg": "unknown", "FANG.jpg": "twice", "lina1.gif": "format", "lina2.jpg": "format",
        "learner.jpg": "size",
    }  # fmt: skip


def test_a_preview_keeps_nothing_and_a_confirmation_all_or_nothing(room: Room) -> None:
    """Files that cannot be imported stop all of them unless they are left out by a decision of its own."""
    browsers, work = school(room), room.server.services.supervision
    files = {f"王芳{number(2)}.jpg": FACE, "李娜.jpg": FACE}
    page = browsers["officer"].get(ok(upload(browsers, files)).headers["location"])
    assert "lina1、lina2" in page.text
    assert number(2) not in page.text
    assert "TS-S-048" in bring(browsers, files).text
    assert work.privacy.faces()[0] == 0
    ok(bring(browsers, files, leave_out="yes"))
    assert work.privacy.faces()[0] == 1
    assert "导入登记照片" in browsers["supervisor"].get("/journal").text


def test_the_same_again_changes_nothing_and_another_photo_takes_its_place(room: Room) -> None:
    browsers, portraits = school(room), room.server.services.portraits
    ok(bring(browsers, {"王芳.jpg": FACE}))
    first = portraits.standing(learner_of(room, "fang"))
    assert states(room, {"fang.jpg": FACE}) == {"fang.jpg": "same fang"}
    assert states(room, {"fang.jpg": PNG}) == {"fang.jpg": "replace fang"}
    ok(bring(browsers, {"王芳.jpg": PNG}))
    second = portraits.standing(learner_of(room, "fang"))
    assert first is not None
    assert second is not None
    assert first[0].mark != second[0].mark
    assert room.server.services.supervision.privacy.faces()[0] == 1


def test_no_photo_lies_in_the_clear_anywhere(room: Room) -> None:
    """Neither while it waits for the confirmation nor afterwards; nor do the files' names; the database is 0600."""
    browsers = school(room)
    where = ok(upload(browsers, {"王芳.jpg": FACE})).headers["location"]
    for _ in range(2):
        held = kept(room)
        assert FACE not in held
        assert "王芳.jpg".encode() not in held
        browsers["officer"].post(where)
    assert all(not stat.S_IMODE(path.stat().st_mode) & 0o077 for path in room.settings.directory.glob("*.sqlite"))


def test_an_upload_never_becomes_a_temporary_file(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of several MiB is read from memory: the framework's own spool would write it to disk."""
    import tempfile

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file was made")

    browsers = school(room)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    files = {f"{name}.jpg": JPEG + bytes(900_000) for name in ("fang", "lina1", "lina2")}
    ok(upload(browsers, files))


@pytest.mark.slow
def test_a_photo_is_opened_by_nobody_until_its_learner_agrees(room: Room) -> None:
    """Consent opens it, for a stated reason in the journal; consent taken back closes it again."""
    browsers = school(room)
    ok(bring(browsers, {"learner.jpg": FACE}))
    learner = room.learner().ready()
    page, photo = f"/people/{learner.learner}/privacy", f"/people/{learner.learner}/compare"
    asked = {"reason": "核对身份证", "vkey": str(REVIEWER.vkey)}
    assert "同意前不使用" in browsers["supervisor"].get(page).text
    for who in ("supervisor", "principal", "admin"):
        assert "TS-S-091" in browsers[who].post(photo, asked).text
    with pytest.raises(NotAgreedError):
        room.server.services.portraits.hand_out(account(room, "admin"), learner.learner, "to look", str(REVIEWER.vkey))
    assert room.http.post("/v1/consents", content=consent(learner), headers=learner.headers).status_code == 200
    assert browsers["teacher"].post(photo, asked).status_code == 403
    assert browsers["supervisor"].post(photo, {**asked, "reason": ""}).status_code == 400
    opened = browsers["supervisor"].post(photo, asked)
    kept_ = SqlPortraits(room.server.registry._engine).get(learner.learner)
    assert kept_ is not None
    given_ = opened.json()
    assert given_["file"] == b64encode(reference.parse(kept_.sealed).file)  # sealed: not a byte of it is opened here
    assert given_["aad"] == reference.associated(names.class_origin(SERVER, CLASS), learner.learner).decode()
    assert reference.open_(kept_.sealed, REVIEWER, kept_.origin, learner.learner) == (FACE, "image/jpeg")
    other, _ = generate_evidence("other.example/e")
    assert browsers["supervisor"].post(photo, {**asked, "vkey": str(other)}).status_code == 409
    assert opened.headers["cache-control"] == "no-store"
    assert "查看登记照片" in browsers["supervisor"].get("/journal").text
    phone = Phone(room)
    phone.post("/me/consents/withdraw", registration=learner.registration, what="face")
    assert "TS-S-091" in browsers["supervisor"].post(photo, asked).text


def test_the_operators_secret_opens_no_photo(room: Room) -> None:
    """Neither while it waits nor afterwards: everything that the server holds, and its secret, give no picture."""
    browsers, portraits = school(room), room.server.services.portraits
    draft, _ = portraits.look(account(room, "officer"), CLASS, bag({"王芳.jpg": FACE}))
    ok(bring(browsers, {"lina1.jpg": PNG}))
    store, sealer = SqlPortraits(room.server.registry._engine), portraits._sealer
    kept_ = store.get(learner_of(room, "lina1"))
    assert kept_ is not None
    held = [(item.sealed, item.learner) for item in store.waiting(draft)] + [(kept_.sealed, kept_.learner)]
    for sealed, learner in held:
        for bound in (f"portrait/{learner}", f"waiting/{draft}/0", learner, ""):
            with pytest.raises(SetupError):
                sealer.open(sealed, bound)
        photo, kind = reference.open_(sealed, REVIEWER, kept_.origin, learner)
        assert (photo, kind) in ((FACE, "image/jpeg"), (PNG, "image/png"))
        with pytest.raises(EvidenceError):
            reference.open_(sealed, REVIEWER, kept_.origin, "0" * 32)


def test_a_class_without_a_reviewer_takes_no_photos(room: Room) -> None:
    """Said before anything is kept, with what to do."""
    browsers = hire(room)
    answer = upload(browsers, {"learner.jpg": FACE})
    assert "TS-S-095" in answer.text
    assert room.server.services.supervision.privacy.faces()[0] == 0


def test_it_goes_with_the_person_and_cannot_come_back_by_an_older_preview(room: Room) -> None:
    """Erasure takes the kept photo and the waiting one; access shows it to its learner first."""
    browsers, learner = school(room), learner_of(room, "fang")
    ok(bring(browsers, {"王芳.jpg": FACE}))
    said = json.loads(browsers["supervisor"].post(f"/people/{learner}/export", {"reason": "本人查询"}).content)
    assert said["reference_photo"]
    waits = ok(upload(browsers, {"王芳.jpg": PNG, "learner.jpg": FACE})).headers["location"]
    ok(browsers["supervisor"].post(f"/people/{learner}/erase", {"reason": "本人申请"}))
    work = room.server.services.supervision
    assert json.loads(work.privacy.deletions(learner)[0][1].receipt.split("\n")[1])["erased"]["photos"] == 1
    assert "TS-S-047" in browsers["officer"].post(waits).text
    assert work.privacy.faces()[0] == 0


def test_a_draft_whose_photo_went_while_it_was_confirmed_puts_nothing(room: Room) -> None:
    """The last moment is judged in the same transaction that keeps them."""
    browsers, portraits = school(room), room.server.services.portraits
    draft, _ = portraits.look(account(room, "officer"), CLASS, bag({"王芳.jpg": PNG, "learner.jpg": FACE}))
    store = SqlPortraits(room.server.registry._engine)
    ok(bring(browsers, {"lina1.jpg": FACE}))
    others = store.get(learner_of(room, "lina1"))
    assert others is not None
    with pytest.raises(StalePreviewError):
        store.put(draft, [others, others.__class__("0" * 32, "officer", 1, "", b"", "")])
    assert store.get("0" * 32) is None
    assert len(store.waiting(draft)) == 2


def test_it_goes_when_its_time_is_over_unless_held(room: Room) -> None:
    """The clock of photos counts it; a hold stops it; a preview that nobody confirms is gone after an hour."""
    browsers, work = school(room), room.server.services.supervision
    ok(bring(browsers, {"王芳.jpg": FACE, "learner.jpg": FACE}))
    draft, _ = room.server.services.portraits.look(account(room, "officer"), CLASS, bag({"lina1.jpg": FACE}))
    work.retention.hold(account(room, "supervisor"), learner_of(room, "fang"), "a court asks")
    days = {clock.name: clock.days for clock in work.retention.clocks()}["photos"]
    room.clock.now += days * DAY
    assert {clock.name: clock.due for clock in work.retention.clocks()}["photos"] == 1
    assert work.retention.tick() == 1
    store = SqlPortraits(room.server.registry._engine)
    assert list(store.learners()) == [learner_of(room, "fang")]
    assert (store.draft(draft), list(store.waiting(draft))) == (None, [])


# --- a hostile .zip -------------------------------------------------------------------------------------------------


def linked() -> bytes:
    info = zipfile.ZipInfo("王芳.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return bag({info: b"/etc/passwd"})  # type: ignore[dict-item]


BOMB = dict.fromkeys((f"{at}.jpg" for at in range(80)), JPEG + bytes(photobag.MAX_PHOTO - 100))  # one in memory
HOSTILE = {
    "bomb": lambda: bag(BOMB, zipfile.ZIP_DEFLATED), "dot_dot": lambda: bag({"../../etc/王芳.jpg": FACE}),
    "root": lambda: bag({"/etc/王芳.jpg": FACE}), "drive": lambda: bag({"C:\\王芳.jpg": FACE}),
    "link": linked, "many": lambda: bag({f"{at}.jpg": b"" for at in range(photobag.MAX_PHOTOS + 1)}),
    "lzma": lambda: bag({"王芳.jpg": FACE}, zipfile.ZIP_LZMA), "empty": lambda: bag({}), "none": lambda: b"",
    "folders_only": lambda: bag({"一班/": b""}), "too_large": lambda: bytes(photobag.MAX_ZIP + 1),
    "crowd": lambda: b"PK\x01\x02" * 3000, "torn": lambda: bag({"王芳.jpg": FACE})[:-30],
}  # fmt: skip


@pytest.mark.parametrize("attack", sorted(HOSTILE))
def test_a_hostile_zip_is_refused_whole(attack: str) -> None:
    with pytest.raises(PhotoBagError):
        photobag.read(HOSTILE[attack]())


def test_a_size_that_the_directory_belies_is_not_believed() -> None:
    """The directory says 10 bytes; no more is read than a photo may have, whatever it says."""
    data = bytearray(bag({"a.jpg": JPEG + bytes(4 << 20)}, zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    try:
        (picture,) = photobag.read(bytes(data))
    except PhotoBagError:
        return
    assert len(picture.data) <= photobag.MAX_PHOTO


def test_names_in_the_encoding_of_chinese_windows_are_read() -> None:
    """GBK without a flag, as Explorer writes it."""
    data = bag({"aaaa.jpg": FACE}).replace(b"aaaa.jpg", "王芳".encode("gb18030") + b".jpg")
    assert [picture.file for picture in photobag.read(data)] == ["王芳.jpg"]


@given(st.dictionaries(st.text("abc王芳/._", min_size=1, max_size=12), st.binary(max_size=50), max_size=5))
def test_what_is_put_in_comes_out_or_is_refused(files: dict[str, bytes]) -> None:
    try:
        found = photobag.read(bag(files))
    except PhotoBagError:
        return
    for picture in found:
        assert picture.data == (b"" if picture.problem else files[picture.file])


@given(st.binary(max_size=300), st.integers(0, 150), st.binary(min_size=1, max_size=4))
def test_any_bytes_are_photos_or_refused(noise: bytes, at: int, change: bytes) -> None:
    good = bag({"王芳.jpg": FACE, "b.png": PNG}, zipfile.ZIP_DEFLATED)
    for data in (noise, good[:at] + change + good[at + len(change) :]):
        try:
            found = photobag.read(data)
        except PhotoBagError:
            continue
        assert all(picture.problem or photobag.kind_of(picture.data) for picture in found)
