"""Practice: a list of questions is looked at, confirmed and tried without credit; hostile lists change nothing."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.course import Course, Question, Text, Unit
from server_stub.domain import practice
from server_stub.domain.errors import SetupError, SheetError
from server_stub.domain.practice import Bank, Key
from server_stub.domain.practice_desk import read
from server_stub.setup import ClassPlan, make_class_key
from server_stub.storage import keyfiles
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room, policy
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import hire
from tests.server_stub.test_import import audits
from tests.server_stub.test_me import Phone

LIST = (
    "课时\t题目\t选项A\t选项B\t选项C\t答案\t解析\n"
    "四步\t第一步做什么？\t拔出保险销\t压下把手\t\tA\t不拔保险销，把手压不下去。\n"
    "pass\t喷向哪里？\t火焰顶部\t火焰根部\t上风处\tb\t\n"
)
AT = f"/classes/{CLASS}/questions"
PLAIN = st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))
TEXTS = st.text(PLAIN, min_size=1, max_size=30)
KEYS = st.builds(Key, st.integers(0, 19), st.none() | st.builds(Text, TEXTS, TEXTS))
TWO = "[{ zh = 'a', en = 'a' }, { zh = 'b', en = 'b' }]"
COURSE = Course("c", 1, Text("课", "c"), (Unit("u", Text("一", "one"), 1000, "m.mp4", "0" * 64, {}, {}, (
    Question("q1", 0, "p", Text("问", "q"), (Text("甲", "a"), Text("乙", "b"))),)),))  # fmt: skip


def test_a_list_is_seen_confirmed_and_practised_at_once(room: Room) -> None:
    """Right or wrong and why come with the answer; nothing is earned or kept; the class's log names who brought it."""
    browsers = hire(room)
    before = len(audits(room))
    made = ok(browsers["officer"].post(AT, {"text": LIST})).headers["location"]
    page = ok(browsers["officer"].get(made)).text
    assert "不拔保险销" in page
    learner = room.learner().sign_in()
    path = f"/me/classes/{learner.registration}/practice"
    phone = Phone(room)
    assert "第一步做什么" not in phone.get(path).text
    ok(browsers["officer"].post(made))
    assert [item.did for item in audits(room)[before:]] == ["put practice questions"]
    asked = ok(phone.get(path)).text
    assert "第一步做什么" in asked
    assert "不拔保险销" not in asked  # neither answer nor reason before something is chosen
    size = room.server.records.read(lambda tx: tx.log.size(CLASS))
    told = ok(phone.post(path, **{"pass/p2": "0", "pass/p3": "0"})).text
    assert "不拔保险销，把手压不下去。" in told
    assert "正确答案：火焰根部" in told
    assert "不计学时" in told
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) == size
    kept = next((room.settings.directory / "answers").iterdir())
    assert kept.stat().st_mode & 0o777 == 0o600


def test_rows_that_cannot_be_read_are_named_and_nothing_is_half_taken(room: Room) -> None:
    """A lesson that is not there, one choice alone, an answer that is none of them."""
    browsers = hire(room)
    text = LIST + "第九课\t题\t甲\t乙\t\tA\t\n\t题\t甲\t\t\tA\t\n\t题\t甲\t乙\t\tC\t\n"
    made = ok(browsers["officer"].post(AT, {"text": text})).headers["location"]
    page = ok(browsers["officer"].get(made + "?lang=en")).text
    for said in ("no such lesson", "fewer than two choices", "not the letter of a choice"):
        assert said in page
    assert browsers["officer"].post(made).status_code == 400
    assert not (room.settings.directory / "answers").exists()
    ok(browsers["officer"].post(made, {"leave_out": "yes"}))
    assert "第一步做什么" in ok(browsers["officer"].get(AT)).text


@pytest.mark.slow
def test_a_providers_file_brings_answers_for_the_courses_own_questions(room: Room) -> None:
    """answers.toml: a key by name, a key with its reason, a question of its own; names that are not the course's."""
    good = (
        '[pass.x1]\nright = 1\nprompt = { zh = "喷哪里？", en = "Where?" }\nwhy = { zh = "根部", en = "the base" }\n'
        'choices = [{ zh = "顶", en = "top" }, { zh = "根", en = "base" }]\n'
    )
    browsers = hire(room)
    made = ok(browsers["officer"].post(AT, {"text": good})).headers["location"]
    ok(browsers["officer"].post(made))
    assert "喷哪里" in ok(browsers["officer"].get(AT)).text
    for bad in ("[nowhere]\nq = 1\n", "[pass]\nq9 = 1\n"):
        there = ok(browsers["officer"].post(AT, {"text": bad})).headers["location"]
        assert browsers["officer"].post(there).status_code == 400
    assert browsers["officer"].post(AT, {"text": "[pass]\nq1 = \n"}).status_code == 400


def test_a_course_of_another_schools_class_is_not_changed_from_here(room: Room) -> None:
    """The same course in a class where this officer imports nothing: its questions are not this officer's alone."""
    browsers = hire(room)
    make_class_key(room.settings, "elsewhere-1")
    room.server.close()
    room.restart()
    course = room.settings.directory.parent / "course0"
    room.server.class_maker.make(ClassPlan("elsewhere-1", "Elsewhere", course, policy()), room.clock)
    browsers.clear()
    assert browsers["officer"].post(AT, {"text": LIST}).status_code in (403, 404)
    ok(browsers["admin"].post(AT, {"text": LIST}))
    assert keyfiles.load(room.settings).logs


def test_a_draft_of_learners_is_none_of_questions(room: Room) -> None:
    """What was uploaded for one purpose opens for no other, and for nobody else."""
    browsers = hire(room)
    listed = {"class_id": CLASS, "text": "姓名,账号\n王芳,wang.fang\n"}
    learners = ok(browsers["officer"].post("/import", listed)).headers["location"].rpartition("/")[2]
    assert browsers["officer"].get(f"{AT}/{learners}").status_code == 404
    made = ok(browsers["officer"].post(AT, {"text": LIST})).headers["location"]
    assert browsers["principal"].get(made).status_code == 404
    assert browsers["officer"].get(f"/import/{made.rpartition('/')[2]}").status_code == 404


@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, KEYS, min_size=1, max_size=3), max_size=3))
def test_a_bank_reads_back(keys: dict[str, dict[str, Key]]) -> None:
    """What is written is what is read, whatever the texts hold."""
    assert practice.parse(practice.write(Bank(keys))) == Bank(keys)


@given(st.binary(max_size=300) | st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=5).map(
    lambda rows: ("题目\t选项A\t选项B\t答案\n" + "\n".join("\t".join(row) for row in rows)).encode()))  # fmt: skip
def test_whatever_is_brought_is_read_or_refused_in_our_words(data: bytes) -> None:
    """A fuzz of the list and of the file: what is read can be written and read again."""
    with contextlib.suppress(SheetError):
        found = read(data, COURSE)
        assert practice.parse(practice.write(found.bank)) == found.bank


@pytest.mark.parametrize("text", [
    "q = 1\n", "[u]\nq = true\n", "[u]\nq = { why = { zh = '1', en = '2' } }\n",
    "[u]\nq = { right = 0, prompt = { zh = 'x', en = 'x' } }\n",
    f"[u]\nq = {{ right = 3, prompt = {{ zh = 'x', en = 'x' }}, choices = {TWO} }}\n",
    "[u]\nq = { right = 0, why = { zh = 'a\u202eb', en = 'x' } }\n", "[u]\nq = { right = 0, more = 1 }\n",
])  # fmt: skip
def test_a_file_that_is_none_is_refused(text: str) -> None:
    """Each by the operator's own error, naming the question."""
    with pytest.raises(SetupError):
        practice.parse(text.encode())
