"""Review cases: heard, proposed by one, decided by another, signed, appealed: R0.9, R0.11, R0.12, R0.14, R0.15."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import pytest

from ledger import note
from server_stub.domain.duties import Duty
from server_stub.domain.people import Account
from tests.server_stub.classlife import font
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner
from tests.server_stub.school import School
from tests.server_stub.staff import Browsers, hire, kept_password
from tests.server_stub.test_archive import figures, study


@dataclass
class Court:
    """A case about a session of `learner`, and three people of the staff who may decide."""

    room: Room
    school: School
    browsers: Browsers
    learner: Learner
    device: Device
    case: str

    def post(self, who: str, step: str, form: dict[str, str]) -> str:
        """The code of the refusal, "" when it was done."""
        answer = self.browsers[who].post(f"/cases/{self.case}/{step}", form)
        if answer.status_code == 303:
            return ""
        return answer.text.partition("<code>")[2].partition("</code>")[0]

    def propose(self) -> None:
        last = str(len(self.device.entries) - 1)
        form = {"sanction": "zeroing", "reason": "照片显示为他人", "first": "0", "last": last}
        assert self.post("supervisor", "propose", form) == ""

    def verdict(self, *keys: Path, to: int | None = None) -> Path:
        return self.school.sign(
            "verdict", *keys, learner=self.learner.learner, sid=self.device.sid, from_=0,
            to=len(self.device.entries) if to is None else to, reason="替课",
        )  # fmt: skip

    @property
    def credited(self) -> int:
        return self.room.server.records.read(lambda tx: tx.events.progress(self.device.sid)).settled_ms


@pytest.fixture
def court(make_room: Callable[..., Room], tmp_path: Path) -> Court:
    room = make_room()
    school = School(room, tmp_path / "school")
    browsers = hire(room)
    for name in ("second", "third"):
        room.server.people.add_account(Account(name, name.title(), password=kept_password()))
        room.server.registry.add_duty(Duty(name, "supervisor", "district/north"))
    learner = room.learner().ready()
    device = study(learner)
    form = {"class_id": CLASS, "learner": learner.learner, "sid": device.sid, "title": "多次核验未通过"}
    made = browsers["supervisor"].post("/cases", form)
    assert made.status_code == 303, made.text
    return Court(room, school, browsers, learner, device, made.headers["location"].rpartition("/")[2])


@pytest.mark.slow
def test_who_proposes_does_not_decide(court: Court) -> None:
    """R0.11: four eyes are two accounts, whatever rights one has; the teacher and the officer have none of it."""
    assert court.post("supervisor", "propose", {"sanction": "talk", "reason": "请机构说明"}) == ""
    assert court.post("supervisor", "confirm", {"reason": "自己同意", "do": "agree"}) == "TS-S-085"
    assert court.post("teacher", "confirm", {"reason": "老师同意", "do": "agree"}) == "TS-S-011"
    assert court.post("second", "confirm", {"reason": "不够充分", "do": "refuse"}) == ""
    assert court.post("supervisor", "propose", {"sanction": "rectify", "reason": "请机构整改"}) == ""
    assert court.post("second", "confirm", {"reason": "情况属实", "do": "agree"}) == ""
    page = court.browsers["second"].get(f"/cases/{court.case}").text
    for said in ("登记", "提出处理建议", "不同意建议", "作出决定"):
        assert said in page


@pytest.mark.slow
def test_hours_are_zeroed_by_signatures_after_the_learner_was_heard(court: Court) -> None:
    """R0.12: not before three days or a statement; by a note that people signed on exactly what was proposed."""
    work, key = court.room.server.services.supervision, court.school.supervisor()
    court.propose()
    good = {"reason": "情况属实", "do": "agree", "text": court.verdict(key).read_text()}
    assert court.post("second", "confirm", good) == "TS-S-087"
    work.cases.state(court.learner.learner, court.case, "那天我换了眼镜。")
    other = {**good, "text": court.verdict(key, to=3).read_text()}
    assert court.post("second", "confirm", other) == "TS-S-044"
    assert court.post("second", "confirm", {**good, "text": "trueseat/verdict/v1\nx"}) == "TS-S-044"
    assert court.credited == 60_000
    assert court.post("second", "confirm", good) == ""
    assert court.credited == 0
    assert figures(court.school.verified("zeroed")) == {court.device.sid: ("closed", 0)}
    assert "那天我换了眼镜" in court.browsers["second"].get(f"/cases/{court.case}").text


def test_an_appeal_is_answered_by_a_third_and_hours_come_back(court: Court) -> None:
    """By a signed reversal of this very verdict; who took part before does not answer."""
    work, key = court.room.server.services.supervision, court.school.supervisor()
    court.propose()
    work.cases.state(court.learner.learner, court.case, "是我本人。")
    signed = court.verdict(key)
    assert court.post("second", "confirm", {"reason": "情况属实", "text": signed.read_text()}) == ""
    work.cases.appeal(court.learner.learner, court.case, "请再看第三次核验。")
    back = court.school.sign("reversal", key, verdict=note.parse(signed.read_bytes()).digest).read_text()
    right = {"reason": "确为本人", "do": "uphold", "text": back}
    for who in ("supervisor", "second"):
        assert court.post(who, "answer", right) == "TS-S-085"
    assert court.post("third", "answer", {**right, "text": signed.read_text()}) == "TS-S-044"
    assert court.post("third", "answer", right) == ""
    assert court.credited == 60_000
    assert work.cases.offences() == {}
    assert figures(court.school.verified("given-back")) == {court.device.sid: ("closed", 60_000)}


@pytest.mark.slow
def test_a_letter_becomes_part_of_the_learners_case(court: Court) -> None:
    """R0.11: a statement lets people decide without waiting, an appeal opens the decision; sent twice, heard once."""

    def write(name: str, what: str, text: str) -> None:
        body = {"letter": name * 16, "registration": court.learner.registration, "what": what, "text": text}
        for _ in range(2):
            answer = court.room.http.post("/v1/letters", json=body, headers=court.learner.headers)
            assert answer.status_code == 200, answer.text

    work = court.room.server.services.supervision.cases
    court.propose()
    write("a1", "question", "什么时候可以看到结果？")
    write("a2", "appeal", "还没有决定，我先说明：那天我换了眼镜。")  # nothing is decided: it is heard as a statement
    paper, case = work.of_learner(court.learner.learner)[0]
    assert (paper.state, case.statement, case.appeal) == ("proposed", "还没有决定，我先说明：那天我换了眼镜。", "")
    good = {"reason": "情况属实", "do": "agree", "text": court.verdict(court.school.supervisor()).read_text()}
    assert court.post("second", "confirm", good) == ""
    write("a3", "appeal", "请再看第三次核验。")
    paper, case = work.of_learner(court.learner.learner)[0]
    assert (paper.state, case.appeal) == ("appealed", "请再看第三次核验。")
    assert [step.what for step in case.steps].count("appealed") == 1
    page = court.browsers["third"].get("/cases").text
    assert page.count(f'href="/cases/{court.case}">已并入') == 2
    assert "请再看第三次核验。" in court.browsers["third"].get(f"/cases/{court.case}").text


def test_a_letter_is_heard_in_nobody_elses_case(court: Court) -> None:
    """Another learner's statement is a letter and nothing else; so is one when the case is closed."""
    other = court.room.learner("other").ready()
    assert court.post("supervisor", "close", {"reason": "无需处理"}) == ""
    for learner in (other, court.learner):
        body = {"letter": learner.registration, "registration": learner.registration, "what": "statement", "text": "否"}
        assert court.room.http.post("/v1/letters", json=body, headers=learner.headers).status_code == 200
        (letter,) = court.room.server.services.letters.written(court.room.server.people.account_of(learner.learner))
        assert letter.data["case"] == ""
    assert court.room.server.services.supervision.cases.of_learner(court.learner.learner)[0][1].statement == ""


def test_a_learner_reads_and_answers_the_own_case_only(court: Court) -> None:
    """Another's case does not exist for a learner."""
    from server_stub.domain.errors import NotThereError

    work = court.room.server.services.supervision.cases
    other = court.room.learner("other").sign_in()
    assert [paper.paper for paper, _ in work.of_learner(court.learner.learner)] == [court.case]
    assert work.of_learner(other.learner) == []
    for nobody in (other.learner, ""):
        with pytest.raises(NotThereError):
            work.state(nobody, court.case, "不是我的")


@pytest.mark.slow
def test_a_notice_is_written_in_chinese_and_says_how_to_object(court: Court) -> None:
    """R0.11: a PDF with number, reason, what was decided, by when one may appeal; none before a decision."""
    font()
    assert court.browsers["second"].get(f"/cases/{court.case}/notice").status_code == 409
    court.post("supervisor", "propose", {"sanction": "rectify", "reason": "教师资格与备案不符"})
    assert court.post("second", "confirm", {"reason": "情况属实"}) == ""
    answer = court.browsers["second"].get(f"/cases/{court.case}/notice")
    assert answer.headers["content-type"] == "application/pdf"
    text = pypdfium2.PdfDocument(answer.content)[0].get_textpage().get_text_bounded().replace("\r\n", "")
    for said in ("限期整改通知书", "教师资格与备案不符", "六十日内提出申诉", court.case[:8].upper()):
        assert said in text


@pytest.mark.slow
def test_what_comes_back_after_a_pledge_is_counted(court: Court) -> None:
    """R0.12: an employer pledges; the next decision about one of its people makes a stop of subsidies due."""
    from tests.server_stub.scene import number

    text = f"姓名\t账号\t身份证号\t单位\n张伟\tlearner\t{number(1)}\t机械厂\n"
    made = court.browsers["officer"].post("/import", {"class_id": CLASS, "text": text})
    assert court.browsers["officer"].post(made.headers["location"]).status_code == 200
    work = court.room.server.services.supervision
    account = court.room.server.people.account("supervisor")
    assert account is not None

    def decide(case: str) -> None:
        court.case = case
        assert court.post("supervisor", "propose", {"sanction": "talk", "reason": "请单位说明"}) == ""
        assert court.post("second", "confirm", {"reason": "情况属实"}) == ""

    decide(court.case)
    pledge = {"place": "employer/works", "text": "已组织全员学习，并安排专人督促。"}
    assert court.browsers["employer"].post("/employers/pledge", pledge).status_code == 303
    assert [(line.cases, line.since, line.stop) for line in work.employers.lines(account)] == [(1, 0, False)]
    court.room.clock.now += 60_000
    decide(work.cases.open(CLASS, court.learner.learner, "finding", "again").paper)
    assert [(line.cases, line.since, line.stop) for line in work.employers.lines(account)] == [(2, 1, True)]
    assert work.cases.offences() == {court.learner.learner: 2}


def test_the_same_thing_opens_one_case(court: Court) -> None:
    """A rule that fires again finds the case that is there."""
    work = court.room.server.services.supervision.cases
    one = work.open(CLASS, court.learner.learner, "warning", "同一地址", key="same-ip/2026-11-18")
    assert work.open(CLASS, court.learner.learner, "warning", "同一地址", key="same-ip/2026-11-18") == one
    assert work.open(CLASS, court.learner.learner, "warning", "同一地址", key="same-ip/2026-11-19") != one


def test_anybody_sends_a_tip_and_reads_the_answer_by_its_code(room: Room) -> None:
    """R0.15: no account; the contact is sealed, the code is kept nowhere, another code finds nothing."""
    import re

    from tests.server_stub.conftest import kept

    browsers = hire(room)
    room.http.cookies.clear()
    form = {"about": "消防班", "text": "有人替课", "contact": "13900000000"}
    page = room.http.post("/tips", data=form).text
    found = re.search(r"<strong[^>]*>([A-Z2-9]{12})</strong>", page)
    assert found is not None
    assert found[1].encode() not in kept(room)
    assert b"13900000000" not in kept(room)
    inbox = browsers["supervisor"].get("/cases").text
    assert "有人替课" in inbox
    assert "13900000000" in inbox
    tip = room.server.services.supervision.bench.papers.find("tip")[0].paper
    assert browsers["supervisor"].post(f"/tips/{tip}/answer", {"text": "已安排核实"}).status_code == 303
    room.http.cookies.clear()
    assert "已安排核实" in room.http.get(f"/tips?code={found[1].lower()}").text
    assert "已安排核实" not in room.http.get("/tips?code=AAAAAAAAAAAA").text
    foreign = room.http.post("/tips", data=form, headers={"Origin": "https://elsewhere.example"})
    assert foreign.status_code == 403


def test_tips_from_one_address_are_counted(room: Room) -> None:
    """A flood from one address ends; others still write."""
    codes = [room.http.post("/tips", data={"text": "一二三四"}).status_code for _ in range(12)]
    assert (codes[0], codes[-1]) == (200, 429)


def test_a_learners_letter_is_answered_by_the_school(court: Court) -> None:
    """What was written with the client or on the own page is read here; its answer stands on the learner's page."""
    from server_stub.domain.letters import Letter

    letter = Letter("question", court.learner.registration, "第三次核验为什么没有通过？")
    account = court.room.server.people.account("learner")
    assert account is not None
    paper = court.room.server.services.letters.write(account, "ab" * 16, letter)
    assert "第三次核验" in court.browsers["supervisor"].get("/cases").text
    answer = {"text": "光线过暗，请再试一次。"}
    assert court.browsers["officer"].post(f"/letters/{paper.paper}/answer", answer).status_code == 403
    assert court.browsers["supervisor"].post(f"/letters/{paper.paper}/answer", answer).status_code == 303
    (kept,) = court.room.server.services.letters.written(account)
    assert kept.read(Letter).answer == answer["text"]
