"""A class from its application to a proof that anybody verifies: R1.3, 1.10, 1.12, 1.13, 2.4, 2.5, 2.8, 3.3, 3.5."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pypdfium2
import pytest

from ledger import names
from ledger.__main__ import main as ledger
from ledger.completion import parse
from ledger.keys import ED25519, generate
from server_stub.storage.people import Base
from tests.server_stub.classlife import (
    FORM,
    PLAN,
    applied,
    approved,
    at,
    font,
    identities,
    later,
    ok,
    opened,
    study_all,
)
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, SERVER
from tests.server_stub.scene import number
from tests.server_stub.staff import hire


def test_a_plan_that_breaks_a_rule_is_not_handed_in(room: Room) -> None:
    """R1.3, R2.8, R3.6: shares, topics and the order of the parts are named one by one on the page."""
    browsers = hire(room)
    bad = PLAN.replace("线下", "线上").replace("妇女儿童权益", "")
    ok(browsers["officer"].post(at("application"), FORM | {"lessons": bad, "assessment": ""}))
    page = browsers["officer"].get(at("file")).text
    for said in ("实操课须在线下进行", "线下学时不足一半", "缺少必修内容", "未填写考核方式", "尚未签署承诺"):
        assert said in page
    assert browsers["officer"].post(at("application/submit")).status_code == 422


def test_who_applied_does_not_approve(room: Room) -> None:
    """R3.3: the same account is never both sides, whatever its duties; a teacher is neither."""
    browsers = hire(room)
    identities(browsers)
    admin = browsers["admin"]
    ok(admin.post(at("application"), FORM))
    for party in ("institution", "provider"):
        ok(admin.post(at("commitment"), {"party": party, "agreed": "yes"}))
    ok(admin.post(at("application/submit")))
    answer = admin.post(at("application/decide"), {"verdict": "approve", "reason": "自己批准"})
    assert (answer.status_code, "TS-S-085" in answer.text) == (409, True)
    yes = {"verdict": "approve", "reason": "好的好的"}
    assert browsers["teacher"].post(at("application/decide"), yes).status_code == 403
    ok(browsers["supervisor"].post(at("application/decide"), {"verdict": "return", "reason": "教师资格不明"}))
    assert "教师资格不明" in admin.get(at("file")).text


def test_what_was_decided_stands_in_the_class_log(room: Room) -> None:
    """Every deed is an audit leaf before it is done, and a line of the journal."""
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    browsers = approved(room)
    journal = browsers["supervisor"].get("/journal").text
    for said in ("提交开班申请", "核准开班申请", "签署承诺书"):
        assert said in journal
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) >= before + 4


def test_until_a_class_is_open_no_hour_counts(room: Room) -> None:
    """R2.5: no session is granted while the link was not shown to work end to end; then it is."""
    browsers = approved(room)
    learner = room.learner().ready()
    key = generate(names.session_origin(SERVER, "ab" * 16), ED25519)
    refused = learner.request(learner.certificate("ab" * 16, key))
    assert (refused.status_code, refused.json()["code"]) == (409, "TS-S-081")
    room.learner("other").ready()
    officer = browsers["officer"]
    assert "TS-S-084" in officer.post(at("open")).text  # nobody looked at the roster yet
    ok(officer.post(at("eligibility")))
    assert "TS-S-086" in officer.post(at("open")).text  # nor at the link
    ok(officer.post(at("link-test")))
    ok(officer.post(at("open")))
    assert learner.open().sid


@pytest.mark.slow
def test_a_failing_leg_is_named_with_whom_to_call(room: Room) -> None:
    """R2.5: no device of the class has answered: the client's leg, and the institution is to be called."""
    browsers = approved(room)
    ok(browsers["officer"].post(at("eligibility")))
    ok(browsers["officer"].post(at("link-test")))
    page = browsers["officer"].get(at("file")).text
    assert "no device of this class has signed in yet" in page
    assert "请联系 培训机构" in " ".join(page.split())
    assert browsers["officer"].post(at("open")).status_code in (409, 422)


def test_a_class_does_not_open_with_a_roster_that_nobody_checked(room: Room) -> None:
    """R1.12: somebody joined after the check: check again, with the reason beside the name."""
    browsers = approved(room)
    room.learner().ready()
    room.learner("other").ready()
    officer = browsers["officer"]
    ok(officer.post(at("eligibility")))
    ok(officer.post(at("link-test")))
    made = ok(officer.post("/import", {"class_id": CLASS, "text": "姓名,账号\n新人,late.comer\n"}))
    ok(officer.post(made.headers["location"]))
    assert "TS-S-084" in officer.post(at("open")).text
    room.clock.now += 1_000
    ok(officer.post(at("eligibility")))
    assert "新人: 未登记身份证号" in officer.get(at("file")).text


def test_lessons_change_three_days_ahead_or_not_at_all(room: Room) -> None:
    """R1.10: the lesson of the day after tomorrow stays, that of next week moves; both days count."""
    browsers = approved(room)
    later(room, browsers, 11)  # 2026-11-29
    officer = browsers["officer"]
    moved = PLAN.replace("2026-12-05", "2026-12-08")
    ok(officer.post(at("plan"), {"lessons": moved, "reason": "场地检修"}))
    late = moved.replace("2026-12-01\t09:00-11:00", "2026-12-03\t14:00-16:00")
    answer = officer.post(at("plan"), {"lessons": late, "reason": "老师出差"})
    assert (answer.status_code, "TS-S-083" in answer.text) == (422, True)
    page = officer.get(at("file")).text
    assert "2026-12-08" in page
    assert "2026-12-03" not in page


@pytest.mark.slow
def test_practice_follows_theory_and_a_proof_follows_both(room: Room, tmp_path: Path) -> None:
    """R2.4, R1.13, R3.5: theory, practice, exam; then a proof whose QR text verifies offline, until it is revoked."""
    font()
    browsers, learner = opened(room)
    later(room, browsers, 18)  # the day after practice
    officer, teacher = browsers["officer"], browsers["teacher"]
    practice = {"learner": learner.learner, "lesson": "2026-12-05 灭火器实操"}
    assert "TS-S-084" in teacher.post(at("practice"), practice).text
    learner.sign_in()
    study_all(room, learner)
    assert "TS-S-084" in officer.post(at("completions"), {"learner": learner.learner}).text
    ok(teacher.post(at("practice"), practice))
    ok(officer.post(at("exam"), {"text": "账号\t分数\nlearner\t86.5\nother\t40\n"}))
    ok(officer.post(at("completions"), {"learner": learner.learner}))
    again = officer.post(at("completions"), {"learner": learner.learner})
    assert again.status_code == 303
    papers = room.server.services.supervision.bench.papers.find("completion")
    assert len(papers) == 1
    note, vkey = papers[0].data["note"], papers[0].data["vkey"]
    value = parse(note.encode())[0]
    assert (value.name, value.score_tenths, value.practice_tenths) == ("张伟", 865, 60)
    value.check_person(number(1))
    page = pypdfium2.PdfDocument(officer.get(f"/completions/{papers[0].paper}").content)[0]
    text = page.get_textpage().get_text_bounded()
    assert value.serial in text
    assert "张伟" in text
    assert number(1) not in text
    file = tmp_path / "qr.txt"
    file.write_text(note, encoding="utf-8")
    room.server.services.exporter.write(CLASS, tmp_path / "class", masked=True, zipped=False)
    command = ["verify-certificate", str(file), "--key", vkey]
    assert ledger(command) == 0
    assert ledger([*command, "--archive", str(tmp_path / "class")]) == 0
    ok(browsers["supervisor"].post(f"/completions/{papers[0].paper}/revoke", {"reason": "考试成绩录入有误"}))
    room.server.services.exporter.write(CLASS, tmp_path / "later", masked=True, zipped=False)
    assert ledger([*command, "--archive", str(tmp_path / "later")]) == 1
    room.clock.now += 1_000
    ok(officer.post(at("exam"), {"text": "learner\t91\n"}))
    ok(officer.post(at("completions"), {"learner": learner.learner}))  # a right one takes its place
    new, old = room.server.services.supervision.bench.papers.find("completion")
    assert (new.state, old.state) == ("issued", "revoked")
    assert parse(new.data["note"].encode())[0].score_tenths == 910
    for name in ("张伟", number(1)):  # the archive that goes to others names nobody
        assert all(name.encode() not in path.read_bytes() for path in (tmp_path / "later").rglob("*") if path.is_file())


@pytest.mark.slow
def test_no_second_subsidy_for_the_same_or_a_lower_level(room: Room) -> None:
    """R3.8: also when another office's list says so; by the keyed hash of the number, which nobody reads back."""
    browsers = applied(room)
    listed = f"身份证号\t工种\t等级\t年份\n{number(1)}\t消防设施操作员\t4\t2025\n{number(2)}\t养老护理员\t5\t2024\n"
    made = ok(browsers["supervisor"].post("/subsidies", {"text": listed}))
    ok(browsers["supervisor"].post(made.headers["location"]))
    ok(browsers["supervisor"].post(at("application/decide"), {"verdict": "approve", "reason": "材料齐全"}))
    for name in ("learner", "other"):
        room.learner(name).ready()
    ok(browsers["officer"].post(at("eligibility")))
    page = browsers["officer"].get(at("file")).text
    assert "张伟: 已享受更高等级补贴" in page
    assert "王芳:" not in page
    with room.server.registry._engine.connect() as connection:
        table = Base.metadata.tables["paper"]
        assert number(1) not in str([tuple(row) for row in connection.execute(table.select())])


def test_a_closed_class_begins_no_session_and_takes_what_was_recorded(room: Room) -> None:
    """Not before its plan is over, by the institution; late segments count; the retention runs from that day."""
    browsers, learner = opened(room)
    why = {"reason": "全部课程结束"}
    assert "TS-S-087" in browsers["officer"].post(at("close"), why).text
    later(room, browsers, 18)  # 2026-12-06, the day after the last lesson
    assert browsers["supervisor"].post(at("close"), why).status_code == 403
    assert "办理结业" in browsers["officer"].get(at("file")).text
    retention = room.server.services.supervision.retention
    days = retention._rules.retention_days["archives"] * 86_400_000
    assert retention.until(learner.learner) == room.clock.now + days
    room.clock.now += 3_600_000
    assert retention.until(learner.learner) == room.clock.now + days  # open: it does not run yet
    device = learner.sign_in().open()
    device.play(20_000)
    ok(browsers["officer"].post(at("close"), why))
    closed = room.clock.now
    device.send()
    assert room.server.records.read(lambda tx: tx.events.progress(device.sid)).size >= 3
    key = generate(names.session_origin(SERVER, "ab" * 16), ED25519)
    refused = learner.request(learner.certificate("ab" * 16, key))
    assert (refused.status_code, refused.json()["code"]) == (409, "TS-S-092")
    page = browsers["officer"].get(at("file")).text
    assert "已结业" in page
    assert "办理结业" not in page
    assert "全部课程结束" in browsers["supervisor"].get("/journal").text
    room.clock.now += 86_400_000
    assert retention.until(learner.learner) == closed + days
    assert {until for _, _, until in retention.courses()} == {closed + days}


def test_a_class_without_an_application_is_as_before(make_room: Callable[..., Room]) -> None:
    """Classes that the operator made are open from the start; nothing of this stands in their way."""
    room = make_room()
    assert room.learner().ready().open().sid


def test_two_who_change_one_application_do_not_overwrite_each_other(room: Room) -> None:
    """The second is told that the first was faster."""
    from dataclasses import replace

    from server_stub.domain.application import Application
    from server_stub.domain.work_errors import PaperChangedError

    applied(room)
    work = room.server.services.supervision
    paper = work.applications.of(CLASS)
    assert paper is not None
    value = paper.read(Application)
    work.bench.change(paper, replace(value, assessment="first"))
    with pytest.raises(PaperChangedError):
        work.bench.change(paper, replace(value, assessment="second"))


def test_a_pdf_needs_a_font_and_says_so(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a Chinese font there is one sentence of what to install, and no page of empty boxes."""
    from server_stub import printing
    from server_stub.domain.work_errors import FontMissingError

    monkeypatch.setenv("TRUESEAT_FONT", "/nowhere/font.ttc")
    with pytest.raises(FontMissingError, match="/nowhere"):
        printing.notice(printing.Notice("通知书", "1", "某某", ("内容",), "署名", "2026-11-22"))
    monkeypatch.delenv("TRUESEAT_FONT")
    font()
    data = printing.notice(printing.Notice("通知书", "1", "某某", ("内容" * 400,), "署名", "2026-11-22"))
    assert "内容" in pypdfium2.PdfDocument(io.BytesIO(data))[0].get_textpage().get_text_bounded()


def test_a_learners_client_is_told_when_the_class_ends(room: Room) -> None:
    """The end of the last day of the approved plan, where the programme is; an application that nobody approved says
    nothing yet."""
    browsers = applied(room)
    learner = room.learner().sign_in()

    def ends() -> int | None:
        listed = room.http.get("/v1/me", headers=learner.headers).json()["registrations"][0]
        return listed.get("ends")

    assert ends() is None
    ok(browsers["supervisor"].post(at("application/decide"), {"verdict": "approve", "reason": "材料齐全"}))
    told = ends()
    assert told is not None
    midnight = datetime.fromisoformat("2026-12-06T00:00:00+08:00")
    assert told == int(midnight.timestamp()) * 1000 - 1
