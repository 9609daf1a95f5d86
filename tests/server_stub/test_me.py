"""The learner's own pages: one's own records, all of them, and nobody else's; nothing there earns time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st

from ledger import grant
from ledger.events import Finding
from server_stub.domain import practice
from server_stub.domain.errors import SetupError
from server_stub.domain.mine import preview_units
from tests.server_stub.classlife import completion_of
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner
from tests.server_stub.staff import hire


class Phone:
    """A learner's browser: signed in by the forms."""

    def __init__(self, room: Room, account: str = "learner") -> None:
        self.room, self.account = room, account
        self.http = TestClient(room.http.app, raise_server_exceptions=False)
        room.clock.now += 31_000
        page = self.http.post("/me/sign-in", data={"account": account})
        challenge = re.search(r'name="challenge" value="([0-9a-f]{32})"', page.text)
        assert challenge is not None, page.text
        form = {"challenge": challenge[1], "account": account, "code": room.codes.sent[account]}
        answer = self.http.post("/me/sign-in/code", data=form, follow_redirects=False)
        assert answer.headers["location"] == "/me", answer.text
        self.csrf = room.server.services.sign_in.csrf(self.http.cookies["trueseat_me"])

    def get(self, path: str) -> Response:
        return self.http.get(path, follow_redirects=False)

    def post(self, path: str, **data: Any) -> Response:
        return self.http.post(path, data={"csrf": self.csrf, **data}, follow_redirects=False)


def studied(room: Room, account: str = "learner") -> tuple[Learner, str]:
    """A learner with one session that is over and settled; its name."""
    learner = room.learner(account).ready()
    device = learner.open()
    device.send()
    for _ in range(4):
        device.play(20_000)
        device.send()
    device.add(Finding("windows.covered", 1, "medium", "report", {"windows": 2}))
    device.close()
    room.server.services.sweep()
    return learner, device.sid


def pages(learner: Learner, sid: str) -> list[str]:
    """Every page that reads, by address."""
    own = learner.registration
    return [
        "/me", f"/me/classes/{own}", f"/me/sessions/{sid}", "/me/cases", "/me/privacy", "/me/notices", "/me/letters",
        f"/me/classes/{own}/preview", f"/me/classes/{own}/practice",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_answers_and_says_that_it_earns_no_hours(room: Room, lang: str) -> None:
    """R1.6, R2.3: one sentence on each page; the figures are those of the settled session."""
    learner, sid = studied(room)
    phone = Phone(room)
    sentence = {"zh": "不计学时", "en": "Nothing here earns hours"}[lang]
    for path in pages(learner, sid):
        answer = phone.get(f"{path}?lang={lang}")
        assert answer.status_code == 200, (path, answer.text)
        assert sentence in answer.text, path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    before = room.server.records.read(lambda tx: tx.events.progress(sid))
    assert before.settled_ms > 0
    assert f"{before.settled_ms // 60000}." in phone.get("/me").text


@pytest.mark.slow
def test_no_page_writes_a_record(room: Room) -> None:
    """R0.8: looking, previewing and practising leave the class log as it was: they cannot earn."""
    learner, sid = studied(room)
    phone = Phone(room)
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    for path in pages(learner, sid):
        phone.get(path)
    phone.post(f"/me/classes/{learner.registration}/practice", **{"pass/q1": "0"})
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == before


def test_another_learners_records_do_not_exist(room: Room) -> None:
    """IDOR: every address that names somebody else's thing answers as one that names nothing."""
    learner, sid = studied(room)
    case = room.server.services.supervision.cases.open(CLASS, learner.learner, "finding", "to look at").paper
    proof = completion_of(room, learner.learner)
    other = Phone(room, "other")
    own, no = learner.registration, "0" * 32
    for there, nowhere in (
        (f"/me/classes/{own}", f"/me/classes/{no}"), (f"/me/sessions/{sid}", f"/me/sessions/{no}"),
        (f"/me/classes/{own}/preview", f"/me/classes/{no}/preview"), ("/me/copy/none", f"/me/copy/{no}"),
        (f"/me/classes/{own}/practice", f"/me/classes/{no}/practice"),
        (f"/me/classes/{own}/media/pass", f"/me/classes/{no}/media/pass"),
        (f"/me/completions/{proof}", f"/me/completions/{no}"),
    ):  # fmt: skip
        one, none = other.get(there), other.get(nowhere)
        assert one.status_code == none.status_code == 404, there
        assert one.text.replace(there, "") == none.text.replace(nowhere, ""), there
    for path, form in (
        (f"/me/cases/{case}/statement", {"text": "not mine"}), (f"/me/cases/{case}/appeal", {"text": "not mine"}),
        ("/me/consents/withdraw", {"registration": own, "what": "face"}),
        ("/me/letters", {"letter": "ab" * 16, "registration": own, "what": "question", "text": "mine?"}),
        ("/me/devices/lost", {"device": other_device(room, learner)}),
        (f"/me/classes/{own}/practice", {"pass/q1": "0"}),
    ):  # fmt: skip
        assert other.post(path, **form).status_code == 404, path
    text = "".join(other.get(path).text for path in ("/me", "/me/cases", "/me/privacy", "/me/letters"))
    assert sid not in text
    assert "to look at" not in text
    assert Phone(room).get(f"/me/sessions/{sid}").status_code == 200


def other_device(room: Room, learner: Learner) -> str:
    """How the page of its owner names a device."""
    found = re.findall(r'name="device" value="([0-9a-f]{32})"', Phone(room, learner.account).get("/me/privacy").text)
    return str(found[0])


def test_the_cookies_of_staff_and_learners_open_nothing_of_each_other(room: Room) -> None:
    """R1.7: a learner's cookie is none of the staff, and the other way round, under either name."""
    hire(room)
    phone = Phone(room)
    token = phone.http.cookies["trueseat_me"]
    stranger = TestClient(room.http.app, raise_server_exceptions=False)
    stranger.cookies.set("trueseat_staff", token)
    assert stranger.get("/people", follow_redirects=False).headers["location"] == "/"
    from tests.server_stub.staff import sign_in

    staff = sign_in(room, "supervisor").http.cookies["trueseat_staff"]
    stranger = TestClient(room.http.app, raise_server_exceptions=False)
    stranger.cookies.set("trueseat_me", staff)
    assert stranger.get("/me", follow_redirects=False).headers["location"] == "/me/sign-in"


def test_a_sign_in_is_new_and_its_forms_need_their_proof(room: Room) -> None:
    """Session fixation and forgery: another token each time; a form without its proof, or of another, is refused."""
    one = Phone(room)
    planted = one.http.cookies["trueseat_me"]
    two = Phone(room)
    assert two.http.cookies["trueseat_me"] != planted
    for proof in ("", two.csrf, "0" * 64):
        answer = one.http.post("/me/letters", data={"csrf": proof, "text": "x"}, follow_redirects=False)
        assert answer.status_code == 403
    headers = {"Origin": "https://elsewhere.example"}
    assert one.http.post("/me/sign-in", data={"account": "learner"}, headers=headers).status_code == 403


def test_an_unknown_account_and_a_wrong_code_say_nothing_about_it(room: Room) -> None:
    http = TestClient(room.http.app, raise_server_exceptions=False)
    known, unknown = (http.post("/me/sign-in", data={"account": name}) for name in ("learner", "nobody"))
    assert known.status_code == unknown.status_code == 200
    hidden = re.compile(r"[0-9a-f]{32}|learner|nobody")
    assert hidden.sub("", known.text) == hidden.sub("", unknown.text)
    wrong = http.post("/me/sign-in/code", data={"challenge": "ab" * 16, "account": "learner", "code": "000000"})
    assert wrong.status_code == 403


@pytest.mark.slow
def test_a_consent_that_is_taken_back_holds_from_the_next_grant_on(room: Room) -> None:
    """R4 privacy: without `face` no reference and without `photos` no recipient, whatever the device asks for; the
    class log has the act, and saying it twice is saying it once."""
    learner, _ = studied(room)
    phone = Phone(room)
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    for what in ("face", "photos", "face"):
        given = {"registration": learner.registration, "what": what}
        assert phone.post("/me/consents/withdraw", **given).status_code == 303
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == before + 2
    assert phone.get("/me/privacy?lang=zh").text.count("已撤回") >= 2
    learner.refer()  # the device does not know of it yet
    session = learner.open()
    assert grant.parse(session.granted)[0].reference == "none"
    assert grant.parse(session.granted)[0].recipients == ()
    given = {"registration": learner.registration, "what": "everything"}
    assert phone.post("/me/consents/withdraw", **given).status_code == 400


def test_a_lost_device_is_given_up_by_a_person_who_signed_in_just_now(room: Room) -> None:
    """R2.1: minutes after the code; later it needs a new one. Its open session ends, its key signs nothing more."""
    learner = room.learner().ready()
    learner.open()
    phone = Phone(room)
    device = other_device(room, learner)
    room.clock.now += 3_600_000
    assert phone.post("/me/devices/lost", device=device).status_code == 401
    phone = Phone(room)
    assert phone.post("/me/devices/lost", device=device).status_code == 303
    assert "已停用" in phone.get("/me/privacy?lang=zh").text
    assert learner.certify().status_code != 200


def test_a_learner_states_and_appeals_and_writes(room: Room) -> None:
    """R0.9, R3.7: my words stand in my case; a question is answered in the same place."""
    learner, sid = studied(room)
    cases = room.server.services.supervision.cases
    case = cases.open(CLASS, learner.learner, "finding", "two windows", sid=sid).paper
    phone = Phone(room)
    assert "two windows" in phone.get("/me").text
    assert phone.post(f"/me/cases/{case}/statement", text="a notice popped up").status_code == 303
    assert "a notice popped up" in phone.get("/me/cases").text
    assert phone.post(f"/me/cases/{case}/appeal", text="too early").status_code == 409
    form = {"letter": "cd" * 16, "registration": learner.registration, "what": "question", "text": "何时考试？"}
    assert phone.post("/me/letters", **form).status_code == 303
    assert phone.post("/me/letters", **form).status_code == 303
    assert phone.get("/me/letters").text.count("何时考试？") == 1
    browsers = hire(room)
    path = "/letters/" + "cd" * 16 + "/answer"
    assert browsers["far"].post(path, {"text": "下周二下午"}).status_code == 404
    assert browsers["supervisor"].post(path, {"text": "下周一上午"}).status_code == 303
    assert "下周一上午" in phone.get("/me/letters").text


def test_the_preview_plays_the_first_ten_minutes_of_lessons_and_no_more(room: Room) -> None:
    """R4.2: ten minutes at least, in whole lessons, with `Range`; a lesson beyond them is not there."""
    learner, _ = studied(room)
    phone = Phone(room)
    _, units = room.server.services.mine.units(room.server.people.account("learner"), learner.registration)  # type: ignore[arg-type]
    assert [unit.id for unit in preview_units(units)] == ["pass"]
    path = f"/me/classes/{learner.registration}/media/pass"
    part = phone.http.get(path, headers={"Range": "bytes=0-99"})
    assert (part.status_code, len(part.content)) == (206, 100)
    assert phone.get(f"/me/classes/{learner.registration}/media/other").status_code == 404


def test_practice_says_what_is_right_where_an_answer_is_kept() -> None:
    from ledger.course import Question, Text, Unit

    text = Text("问", "q")
    question = Question("q1", 0, "p", text, (text, text, text))
    unit = Unit("u", text, 1000, "m.mp4", "ab" * 32, {}, {}, (question,))
    answers = practice.parse(b"[u]\nq1 = 2\n")
    assert answers == practice.parse(practice.write(answers))
    tried = [practice.try_out((unit,), answers, {"u/q1": choice})[0] for choice in (2, 0, -1, 9)]
    assert [(item.chosen, item.right) for item in tried] == [(2, True), (0, False), (-1, None), (-1, None)]
    assert practice.try_out((unit,), practice.Bank(), {"u/q1": 1})[0].right is None


@given(st.binary(max_size=200))
def test_hostile_answer_files_are_refused_with_our_own_error(data: bytes) -> None:
    try:
        found = practice.parse(data)
    except SetupError:
        return
    assert practice.parse(practice.write(found)) == found


def test_a_copy_of_ones_own_is_the_learners_alone(room: Room) -> None:
    """R2.3: the archive for `verify --partial`, by the page's cookie."""
    studied(room)
    answer = Phone(room).get(f"/me/copy/{CLASS}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
