"""The test at the end of a unit (R1.4): asked when the learner wants it, signed, sealed, marked by the server, repeated
at will; in the archive and on the learner's page; and no minute depends on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from client import session
from client.effects import Mark
from client.events import Marked, Pressed, Replied, Sheet
from client.ports import Reply
from client.state import Item
from client.study import Study
from client.view import Words
from ledger import answers, bodies, words
from ledger.events import Question
from ledger.findings import Status
from ledger.keys import ED25519, generate
from server_stub.domain.practice import Bank, Key
from tests.client import world as worlds
from tests.client.bench import Bench
from tests.client.test_session import order
from tests.client.world import CLASS, SERVER, MachineSide, World
from tests.server_stub.conftest import Room
from tests.server_stub.test_me import Phone

MINUTE = 60_000
CHOICES = tuple(Words(f"第{n}项", f"Choice {n}") for n in range(4))
ITEMS = tuple(Item(f"t{n}", MINUTE, Words("题", "Question"), CHOICES) for n in range(3))
WORD = Marked("pass", 1, "marked", 2, 3, 2)


def at_the_end(*units: tuple[str, int]) -> Bench:
    """The last picture of a unit with a test of three questions."""
    bench = Bench(units=units or (("pass", 10_000),))
    tested = tuple(session.replace(unit, test=ITEMS) for unit in bench.state.rules.units)
    bench.state = session.replace(bench.state, rules=session.replace(bench.state.rules, units=tested))
    bench.study().play(12_000)
    assert bench.state.finished
    return bench


def sheets(bench: Bench) -> list[Sheet]:
    return [effect.sheet for effect in bench.done if isinstance(effect, Mark)]


def questions(bench: Bench) -> list[Question]:
    return [event.body for event in bench.log if isinstance(event.body, Question)]


# --- the session alone ------------------------------------------------------------------------------------------------


def test_nobody_is_asked_who_did_not_want_it() -> None:
    """The unit ends as ever; the test is a button beside the one that goes on."""
    bench = at_the_end()
    bench.tick(5_000)
    assert bench.state.asking is None
    assert session.tested.may(bench.state)


def test_each_answer_is_an_event_and_the_whole_sheet_is_handed_in() -> None:
    """One question after another; each is logged with its attempt; then, and not before, the server is asked."""
    bench = at_the_end()
    bench.press("test")
    for number, choice in enumerate((2, 0, 3)):
        assert bench.state.asking == ITEMS[number]
        assert not sheets(bench)
        bench.send(Replied(choice))
    assert [(body.item, body.attempt) for body in questions(bench)] == [("t0", 1), ("t1", 1), ("t2", 1)]
    assert sheets(bench) == [Sheet("pass", 1, (("t0", 2), ("t1", 0), ("t2", 3)))]
    assert bench.state.asking is None
    assert not session.tested.may(bench.state), "it is on its way"
    bench.send(WORD)
    assert not session.tested.may(bench.state), "it is passed"


def test_it_may_be_taken_again_until_it_is_passed() -> None:
    """Another attempt, another number; an older word is no news."""
    bench = at_the_end()
    for attempt in (1, 2):
        bench.press("test")
        bench.send(Replied(0), Replied(0), Replied(0))
        assert sheets(bench)[-1].attempt == attempt
        bench.send(session.replace(WORD, attempt=attempt, right=1))
    bench.send(WORD)
    assert session.tested.may(bench.state), "the word on the first attempt comes too late"
    assert {body.attempt for body in questions(bench)} == {1, 2}


def test_what_could_not_be_handed_in_is_handed_in_again_as_it_is() -> None:
    """No network: the signed answers are not asked for again."""
    bench = at_the_end()
    bench.press("test")
    bench.send(Replied(1), Replied(1), Replied(1), Marked("pass", 1, "unreachable"))
    before = len(bench.log)
    bench.press("test")
    assert len(questions(bench)) == 3
    assert bench.state.asking is None
    assert sheets(bench)[0] == sheets(bench)[1]
    assert len(bench.log) == before
    bench.send(WORD)
    assert bench.state.marks["pass"].word == WORD


@pytest.mark.parametrize("choice", [-1, 4, 99])
def test_what_is_no_choice_is_no_answer(choice: int) -> None:
    """Nothing is logged, and the question stands."""
    bench = at_the_end()
    bench.press("test")
    bench.send(Replied(choice))
    assert not questions(bench)
    assert bench.state.asking == ITEMS[0]


def test_a_check_that_comes_meanwhile_goes_first() -> None:
    """Its order is answered in time; then the same question stands again."""
    bench = at_the_end()
    bench.press("test")
    bench.send(Replied(1))
    bench.answer(order=order())
    bench.send(Replied(1))
    assert len(questions(bench)) == 1
    bench.pass_check()
    assert bench.state.asking == ITEMS[1]


def test_the_next_unit_is_not_gone_to_by_a_key_while_a_question_stands() -> None:
    """The button that goes on is not there; whoever presses it all the same stays."""
    bench = at_the_end(("pass", 10_000), ("types", 10_000))
    bench.press("test")
    bench.send(Pressed("play"))
    assert (bench.state.index, bench.state.asking) == (0, ITEMS[0])


# --- client, server, archive ------------------------------------------------------------------------------------------

TEST = """[unit.test]
pass_permille = 600
"""
ASKED = """[[unit.test.question]]
id = "t{n}"
point = "steps"
prompt = {{ zh = "第{n}题", en = "Test {n}" }}
choices = [ {{ zh = "甲", en = "One" }}, {{ zh = "乙", en = "Two" }}, {{ zh = "丙", en = "Three" }} ]
"""
RIGHT = {"t0": 1, "t1": 2, "t2": 0}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A class whose one unit of a minute ends with a test of three questions; two of them pass."""
    course = worlds._course

    def tested(folder: Path, units: object) -> Path:
        made = course(folder, units)  # type: ignore[arg-type]
        with (made / "course.toml").open("a", encoding="utf-8") as file:
            file.write(TEST + "".join(ASKED.format(n=n) for n in range(3)))
        return made

    monkeypatch.setattr(worlds, "_course", tested)
    made = World(tmp_path, units=(("pass", MINUTE),), reviewers=1)
    yield made
    made.close()


def know(world: World) -> None:
    """The school brings the answers."""
    digest = sha256((world.folder / "course" / "course.toml").read_bytes()).hexdigest()
    world.server.services.answers.put(digest, Bank({"pass": {name: Key(choice) for name, choice in RIGHT.items()}}))


def to_the_end(machine: MachineSide) -> Study:
    """A lesson at the end of its last unit; the closing look was taken, so that everything counts."""
    study = machine.study()
    for _ in range(20 * 600):
        machine.run(study, 100)
        view = study.view()
        if view.phase == "unit_end" and view.credited_all_ms == MINUTE:
            return study
    raise AssertionError(study.view())


def take(machine: MachineSide, study: Study, choices: dict[str, int]) -> None:
    """Take the test with these choices."""
    study.press("test")
    for number, choice in enumerate(choices.values(), 1):
        view = study.view()
        assert view.question is not None
        assert view.sentence.values["number"] == number
        study.reply(choice, "")
    told(machine, study)


def told(machine: MachineSide, study: Study) -> None:
    """Let time pass until the server's word is there, and nothing else is on the screen."""
    for _ in range(600):
        machine.run(study, 100)
        marks = study.state.marks["pass"]
        if marks.word is not None and study.view().phase == "unit_end":
            return
    raise AssertionError(study.view())


def own_page(world: World, machine: MachineSide) -> str:
    """The learner's page of the class, in a browser of their own."""
    world.clock.advance(31_000)
    room = SimpleNamespace(http=world.net.http, clock=SimpleNamespace(now=0), codes=world.codes, server=world.server)
    return Phone(cast(Room, room)).get(f"/me/classes/{machine.registration.registration}").text


@pytest.mark.slow
def test_from_the_first_attempt_to_the_archive_and_the_learners_page(world: World) -> None:
    """Not passed, then passed: both signed by the server and in the class log; the archive shows the best; the whole
    minute counts as without any test; only the reviewer reads what was chosen."""
    know(world)
    machine = world.machine()
    study = to_the_end(machine)
    take(machine, study, {"t0": 0, "t1": 0, "t2": 0})
    view = study.view()
    assert (view.sentence.key, view.sentence.values) == ("say.test_again", {"right": 1, "asked": 3, "needed": 2})
    assert view.credited_all_ms == MINUTE
    assert view.second is not None
    assert view.second.label == "button.test_again"
    take(machine, study, RIGHT)
    view = study.view()
    assert (view.sentence.key, view.sentence.values["right"], view.second) == ("say.test_passed", 3, None)
    machine.finish(study)
    machine.send_all()
    report = world.verified()
    assert report.exit_code == 0
    assert not [one for one in report.findings.all() if "answers of the test" in one.message]
    assert report.credited_ms == MINUTE
    (line,) = report.tests.values()
    assert (line.unit, line.attempts, line.right, line.asked, line.passed) == ("pass", 2, 3, 3, True)
    assert "test of unit pass: 3 of 3 right, passed, best of 2" in words.text(report)
    found = [event.body for event in machine.events(study.sid) if isinstance(event.body, Question)]
    assert [body.attempt for body in found] == [1, 1, 1, 2, 2, 2]
    origin, recipient = f"{SERVER}/s/{study.sid}", world.reviewer[0]
    opened = [answers.open_([str(recipient.vkey)], recipient, origin, body) for body in found]
    assert opened == [0, 0, 0, *RIGHT.values()]
    shown = world.server.services.mine.tests(machine.profile.learner, CLASS)
    assert [(one.attempt, one.passed) for one in shown] == [(2, True), (1, False)]
    page = own_page(world, machine)
    assert page.index("3 / 3") < page.index("1 / 3")
    assert "测验不影响已计入的学时" in page


@pytest.mark.slow
def test_a_later_session_counts_its_attempts_on(world: World) -> None:
    """The number of an attempt is nobody's twice: the device reads it from its own signed log."""
    know(world)
    machine = world.machine()
    study = to_the_end(machine)
    take(machine, study, {"t0": 0, "t1": 0, "t2": 0})
    machine.finish(study)
    machine.send_all()
    again = machine.restart()
    place = again.lesson().credit()[1]
    assert place.attempts == {"pass": 1}  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_server_without_the_answers_takes_nothing_away(world: World) -> None:
    """The answers are signed, the learner is told whom to ask, the minute counts."""
    machine = world.machine()
    study = to_the_end(machine)
    take(machine, study, RIGHT)
    assert study.view().sentence.key == "say.test_refused"
    machine.finish(study)
    machine.send_all()
    report = world.verified()
    assert (report.exit_code, report.credited_ms, report.tests) == (0, MINUTE, {})


@pytest.mark.slow
def test_off_line_it_is_marked_later(world: World) -> None:
    """The network goes as the sheet is handed in; one press when it is back, and nothing is answered twice."""
    know(world)
    machine = world.machine()
    study = to_the_end(machine)
    machine.net.hits = lambda _method, path: path.endswith("/tests")
    machine.net.faults.append("drop answer")
    take(machine, study, RIGHT)
    view = study.view()
    assert view.sentence.key == "say.test_unreachable"
    assert view.second is not None
    assert view.second.label == "button.test_mark"
    study.press("test")
    told(machine, study)
    assert study.view().sentence.key == "say.test_passed"
    (body,) = world.server.services.mine.tests(machine.profile.learner, CLASS)
    assert body.attempt == 1, "the same attempt again is the same result"


@pytest.mark.slow
def test_attack_a_result_without_answers(world: World) -> None:
    """A script hands in the right sheet and nobody answered anything: the verifier says that no answer is signed."""
    know(world)
    machine = world.machine()
    study = to_the_end(machine)
    sheet = {"unit": "pass", "attempt": 1, "choices": RIGHT}
    header = {"Content-Type": "application/json"}
    machine.enrolment.api.raw("POST", f"/v1/sessions/{study.sid}/tests", json.dumps(sheet).encode(), header)
    machine.finish(study)
    machine.send_all()
    report = world.verified()
    said = [(one.status, one.sid, one.message) for one in report.findings.all() if "answers of the test" in one.message]
    assert said == [(Status.NOT_CHECKABLE, study.sid, "0 of 3 answers of the test of pass are signed in the session")]
    assert report.credited_ms == MINUTE


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["stranger", "others", "kind", "noise"])
def test_a_result_that_no_verifier_would_find_is_not_shown(world: World, attack: str) -> None:
    """By another key, of another learner, another note, no note: refused, not believed."""
    know(world)
    machine = world.machine()
    study = to_the_end(machine)
    registration = machine.registration
    good = bodies.Test(1, registration.class_, machine.profile.learner, study.sid, "pass", 1, 3, 3, 600)
    grant = world.server.keyring.grant
    forged = {
        "stranger": bodies.sign(good, generate(f"{SERVER}/g", ED25519)),
        "others": bodies.sign(session.replace(good, learner="f" * 32), grant),
        "kind": bodies.sign(bodies.Exam(1, registration.class_, machine.profile.learner, 1000, 600), grant),
        "noise": b"passed!",
    }[attack]
    machine.net.hits = lambda _method, path: path.endswith("/tests")
    machine.net.change = lambda _reply: Reply(200, forged)
    take(machine, study, {"t0": 0, "t1": 0, "t2": 0})
    assert study.view().sentence.key == "say.test_refused"


def test_the_page_of_the_test_is_a_question_like_any_other(world: World) -> None:
    """What the screens and the text client show of it."""
    from client.player.lines import lines

    machine = world.machine()
    study = to_the_end(machine)
    assert "Take the test" in [choice.words for choice in lines(study.view(), "en").choices]
    study.press("test")
    page = lines(study.view(), "zh")
    assert "课后测验，第 1 / 3 题。请从容作答，不影响已计入的学时。" in page.told
    assert [choice.words for choice in page.choices][:3] == ["甲", "乙", "丙"]
