"""R0.13, R3.9, R4.4, R4.6: what learners say is counted, never tells on one of them, and is never lost over a word."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain import wordlist
from server_stub.domain.errors import SetupError
from server_stub.domain.papers import Paper
from server_stub.domain.service import LEAST
from server_stub.domain.surveys import FOLLOW_AFTER_MS, Followup, Rating
from server_stub.domain.wordlist import SHIPPED, parse
from tests.server_stub.classlife import completion_of, ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Learner
from tests.server_stub.staff import account, hire
from tests.server_stub.test_me import Phone
from tests.server_stub.test_subsidies import number

GOOD = {"content": "5", "teaching": "4", "system": "3"}
WORDS = parse(SHIPPED.read_bytes())


def complete(room: Room, monkeypatch: pytest.MonkeyPatch) -> Learner:
    """A learner whose course counts as complete: the whole hour is told elsewhere."""
    learner = room.learner().sign_in()
    monkeypatch.setattr("server_stub.domain.figures.Progress.complete", lambda *_: True)
    return learner


def answers(room: Room, kind: str, count: int, value: Rating | Followup) -> None:
    """So many others have answered the same."""
    bench = room.server.services.supervision.bench
    for at in range(count):
        bench.keep(kind, f"class/{CLASS}", f"{at:032x}", "plain", value)


def one(room: Room, kind: str, learner: Learner) -> Paper:
    found = room.server.services.supervision.bench.papers.find(kind, about=[learner.learner])
    assert len(found) == 1
    return found[0]


def test_a_course_is_rated_by_who_completed_it_once_and_changeable(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """R0.13: not before; a second form changes the first; nobody else's registration."""
    learner = room.learner().sign_in()
    phone, path = Phone(room), f"/me/classes/{learner.registration}/rating"
    assert "学完全部课程后可以评价" in phone.get(path).text
    assert phone.post(path, **GOOD).status_code == 422
    room.clock.now += 31_000
    complete(room, monkeypatch)
    ok(phone.post(path, **GOOD))
    ok(phone.post(path, **{**GOOD, "system": "1"}))
    assert one(room, "rating", learner).read(Rating) == Rating(5, 4, 1)
    assert phone.post(path, content="6", teaching="4", system="4").status_code == 400
    assert Phone(room, "other").post(path, **GOOD).status_code == 404


def test_a_ranking_shows_no_figure_of_a_few(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """One below the least number: how many have answered, and no mean; with one more, means by aspect."""
    browsers = hire(room)
    complete(room, monkeypatch)
    answers(room, "rating", LEAST - 1, Rating(5, 4, 3, "讲得清楚"))
    surveys = room.server.services.supervision.surveys
    few = surveys.ranking(account(room, "teacher"))
    assert [(item.title, item.answers, item.tenths) for item in few] == [("消防", LEAST - 1, ())]
    answers(room, "rating", 1, Rating(5, 4, 3))
    assert surveys.ranking(account(room, "teacher"))[0].tenths == (50, 40, 30)
    page = ok(browsers["teacher"].get("/ratings")).text
    assert "4.0" in page
    assert "讲得清楚" not in page  # texts are for who may decide
    assert "讲得清楚" in ok(browsers["supervisor"].get("/ratings")).text
    assert surveys.ranking(account(room, "far")) == []


def test_what_became_of_people_is_asked_three_months_later(room: Room) -> None:
    """R3.9: not before the proof and its three months; shares of those who answered, none of a few."""
    learner = room.learner().sign_in()
    hire(room)
    path = f"/me/classes/{learner.registration}/followup"
    given_ = {"work": "found", "in_trade": "yes", "satisfied": "5"}
    completion_of(room, learner.learner)
    assert Phone(room).post(path, **given_).status_code == 422
    room.clock.now += FOLLOW_AFTER_MS
    phone = Phone(room)
    assert "您现在的工作情况" in phone.get(f"/me/classes/{learner.registration}/rating").text
    ok(phone.post(path, **given_))
    ok(phone.post(path, **{**given_, "work": "searching"}))  # who has no work has none in the trade
    assert one(room, "followup", learner).read(Followup) == Followup("searching", in_trade=False, satisfied=5)
    surveys = room.server.services.supervision.surveys
    assert surveys.after(account(room, "supervisor")).employed == -1
    answers(room, "followup", LEAST - 1, Followup("kept", in_trade=True, satisfied=4))
    after = surveys.after(account(room, "supervisor"))
    assert (after.asked, after.answers, after.employed, after.in_trade, after.satisfied_tenths) == (1, 5, 800, 800, 42)


def test_a_word_to_look_at_is_told_to_its_writer_and_marked_for_the_staff(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4.4: told once, the text is still there; sent all the same it is kept whole, with a mark; never deleted."""
    browsers = hire(room)
    learner = complete(room, monkeypatch)
    phone, path = Phone(room), f"/me/classes/{learner.registration}/rating"
    text = "老师是个白 痴，加微信 13800138000"
    told = ok(phone.post(path, **GOOD, text=text)).text
    for word in ("不礼貌用语", "广告或代学信息", "身份证号或手机号", text):
        assert word in told
    assert room.server.services.supervision.bench.papers.find("rating") == []
    ok(phone.post(path, **GOOD, text=text, anyway="yes"))
    kept = one(room, "rating", learner)
    assert (kept.state, kept.read(Rating).text) == ("marked", text)
    assert "不礼貌用语" in ok(browsers["supervisor"].get("/ratings")).text
    form = {"letter": "cd" * 16, "registration": learner.registration, "what": "question", "text": text}
    assert "请看一看是否需要修改" in ok(phone.post("/me/letters", **form)).text
    ok(phone.post("/me/letters", **form, anyway="yes"))
    page = ok(browsers["supervisor"].get("/cases")).text
    assert text in page
    assert "不礼貌用语" in page


def test_a_tip_is_taken_whatever_its_words_and_marked(room: Room) -> None:
    """R4.4: nobody who tells something is asked to find other words; who reads it sees a mark."""
    browsers = hire(room)
    ok(room.http.post("/tips", data={"text": "那个白痴老师让我们代刷"}))
    page = ok(browsers["supervisor"].get("/cases")).text
    assert "那个白痴老师让我们代刷" in page
    assert "不礼貌用语" in page


def test_an_appeal_is_never_held_up_by_a_word(room: Room) -> None:
    """A statement or an appeal goes at once, whatever its words: nobody is kept from being heard."""
    learner = room.learner().sign_in()
    form = {"letter": "ef" * 16, "registration": learner.registration, "what": "statement", "text": "这个白痴系统"}
    assert Phone(room).post("/me/letters", **form).status_code == 303


@pytest.mark.slow
def test_who_wrote_in_a_case_is_told_of_a_word_after_it_has_arrived(room: Room) -> None:
    """R4.4: a statement and an appeal are kept first; the page then says what is marked, and only sorts that exist."""
    learner = room.learner().sign_in()
    phone, cases = Phone(room), room.server.services.supervision.cases
    opened = cases.open(CLASS, learner.learner, "finding", "to look at")
    text = "这个白痴系统，打死你"
    answer = phone.post(f"/me/cases/{opened.paper}/statement", text=text)
    assert cases.of_learner(learner.learner)[0][1].statement == text
    said = ok(phone.get(answer.headers["location"])).text
    assert "不礼貌用语、威胁用语；查看的人会看到提示" in said
    form = {"letter": "ef" * 16, "registration": learner.registration, "what": "statement", "text": text}
    answer = phone.post("/me/letters", **form)
    assert "不礼貌用语、威胁用语；查看的人会看到提示" in ok(phone.get(answer.headers["location"])).text
    assert "提示" not in ok(phone.get("/me/letters?done=sent&marked=none.<b>")).text
    quiet = phone.post(f"/me/cases/{opened.paper}/statement", text="那天停电了")
    assert quiet.headers["location"] == "/me/cases?done=statement"


def test_a_program_that_sends_a_letter_is_told_what_to_tell_its_writer(room: Room) -> None:
    """The interface's answer names the sorts of words; an appeal with all of them is kept as it is."""
    learner = room.learner().sign_in()
    body = {"letter": "cd" * 16, "registration": learner.registration, "what": "appeal", "text": "白痴，13800138000"}
    answer = room.http.post("/v1/letters", json=body, headers=learner.headers).json()
    assert (answer["text"], answer["marked"]) == (body["text"], ["insult", "private"])
    plain = body | {"letter": "ce" * 16, "text": "我不同意"}
    assert room.http.post("/v1/letters", json=plain, headers=learner.headers).json()["marked"] == []


def test_letters_are_counted_as_answered_and_as_helped(room: Room) -> None:
    """R4.6: response and solution rates; a learner says of the own letter only, once it is answered."""
    browsers = hire(room)
    learner = room.learner().sign_in()
    phone = Phone(room)
    for at in range(LEAST):
        form = {"letter": f"{at:032x}", "registration": learner.registration, "what": "question", "text": f"第{at}问"}
        ok(phone.post("/me/letters", **form))
        room.clock.now += 60_000
    assert phone.post(f"/me/letters/{0:032x}/helped", said="yes").status_code == 409
    for at in range(LEAST):
        room.clock.now += 1_000
        ok(browsers["supervisor"].post(f"/letters/{at:032x}/answer", {"text": "下周六上午九点"}))
        assert Phone(room, "other").post(f"/me/letters/{at:032x}/helped", said="yes").status_code == 404
        assert phone.post(f"/me/letters/{at:032x}/helped", said="splendid").status_code == 400
        ok(phone.post(f"/me/letters/{at:032x}/helped", said=("no", "partly", "yes", "yes", "yes")[at]))
    service = room.server.services.supervision.surveys.service(account(room, "supervisor"))
    assert (service.answered_permille, service.helped_permille) == (1000, 600)
    assert service.satisfied_permille == 800
    for path in ("/ratings", "/statistics"):
        page = ok(browsers["supervisor"].get(path)).text
        assert "60 %" in page
        assert "80 %" in page


def test_who_got_an_answer_to_a_tip_says_whether_it_helped(room: Room) -> None:
    """R4.6: by the code alone, once there is an answer; four who said so are no rate, five are one; no class's page of
    somebody who decides nowhere counts tips."""
    browsers = hire(room)
    tips, admin = room.server.services.supervision.tips, account(room, "admin")
    codes = [tips.take("", f"第{at}件事", "") for at in range(LEAST)]
    form = {"code": codes[0], "said": "yes"}
    assert room.http.post("/tips/helped", data=form).status_code == 409, "no answer yet"
    for paper in room.server.services.supervision.bench.papers.find("tip"):
        tips.answer(admin, paper.paper, "已查实并处理")
    assert room.http.post("/tips/helped", data=form | {"code": "NOSUCHCODE"}).status_code == 404
    assert room.http.post("/tips/helped", data=form | {"said": "splendid"}).status_code == 400
    for at, code in enumerate(codes):
        room.clock.now += 60_000
        assert "这个答复解决问题了吗" in ok(room.http.get("/tips", params={"code": code})).text
        page = ok(browsers["supervisor"].get("/statistics")).text
        assert "人数不足 5" in page
        ok(room.http.post("/tips/helped", data={"code": code, "said": "partly" if at else "no"}))
    page = ok(browsers["supervisor"].get("/statistics")).text
    assert "人数不足" not in page
    assert page.count("80 %") == 2, "satisfied, and in part"
    assert "意见与举报" not in ok(browsers["teacher"].get("/statistics")).text


def test_what_somebody_said_goes_with_the_person(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Erasing a learner takes ratings and follow-up along; the learner's own copy had them."""
    browsers = hire(room)
    learner = complete(room, monkeypatch)
    ok(Phone(room).post(f"/me/classes/{learner.registration}/rating", **GOOD, text="讲得清楚"))
    copy = browsers["supervisor"].post(f"/people/{learner.learner}/export", {"reason": "asked for by the learner"})
    assert "讲得清楚" in ok(copy).text
    ok(browsers["supervisor"].post(f"/people/{learner.learner}/erase", {"reason": "asked for by the learner"}))
    assert room.server.services.supervision.bench.papers.find("rating") == []


@pytest.mark.parametrize(("text", "marks"), [
    ("讲得清楚，谢谢老师", ()), ("白痴", ("insult",)), ("白-痴", ("insult",)), ("白 痴", ("insult",)),
    ("You IDIOT!", ("insult",)), ("an idiotic idea", ()), ("加我微信领 coupon", ("advertising",)),
    ("我要打死你", ("threat",)), (f"我的身份证是{number(1)}", ("private",)), ("电话 138 0013 8000", ("private",)),
    ("第 13800138 页", ()), ("订单号 12345678901234567890123", ()), ("１３８００１３８０００", ("private",)),
])  # fmt: skip
def test_words_are_found_as_people_write_them(text: str, marks: tuple[str, ...]) -> None:
    """With spaces and signs between, in capitals, full width; not inside another word, not any long number."""
    assert WORDS.marks(text) == marks


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text breaks the list, and no sort is named twice."""
    found = WORDS.marks(text)
    assert len(set(found)) == len(found)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f'version = 1\n[sorts]\n{text}'.encode()))
def test_a_hostile_list_is_refused_in_our_words(data: bytes) -> None:
    """Whatever lies in a data directory: a list, or `SetupError`."""
    with contextlib.suppress(SetupError):
        wordlist.parse(data).marks("x")


def test_a_data_directory_may_bring_its_own_list(room: Room) -> None:
    """In the place of the one that is shipped, from the next start on."""
    (room.settings.directory / "wordlist.toml").write_text('version = 2\n[sorts]\ninsult = ["笨"]\n', "utf-8")
    room.restart()
    assert room.server.services.supervision.surveys.words.marks("笨") == ("insult",)
