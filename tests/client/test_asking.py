"""Questions in the lesson (R1.4): asked once, answered on the screen, signed and sealed, and seen by the warnings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client import session
from client.events import Pressed, Replied
from client.state import Item
from client.study import Study
from client.view import Words
from ledger import answers, events
from ledger.events import Event, Paused, Question, Resumed
from server_stub.domain.warnings.inspector import WARNING, Warned
from tests.client.bench import Bench
from tests.client.test_session import order
from tests.client.world import CLASS, MachineSide, World
from tests.scripted import at_once

MINUTE = 60_000
CHOICES = tuple(Words(f"第{n}项", f"Choice {n}") for n in range(4))


def asking(*at: int) -> Bench:
    """A lesson with a question at each of these ms."""
    bench = Bench()
    items = tuple(Item(f"q{n}", ms, Words("题", "Question"), CHOICES) for n, ms in enumerate(at))
    unit = session.replace(bench.state.rules.units[0], items=items)
    bench.state = session.replace(bench.state, rules=session.replace(bench.state.rules, units=(unit,)))
    return bench


# --- the session alone ------------------------------------------------------------------------------------------------


def test_the_picture_waits_for_the_answer_and_then_goes_on() -> None:
    """The span ends at the question, the answer is an event, and playing goes on by itself, without a press."""
    bench = asking(5_000).study()
    bench.play(6_000)
    assert not bench.playing
    assert bench.state.asking is not None
    assert 5_000 <= bench.place < 5_400
    bench.play(4_000)
    assert not bench.playing, "however long it takes"
    bench.send(Replied(2))
    assert bench.playing
    verbs = [event.body.verb for event in bench.log]
    assert verbs[-2:] == ["question", "resumed"]
    bench.play(3_000)
    assert bench.state.asking is None, "it is asked once"


def test_going_back_asks_nothing_again() -> None:
    """A replay is free, of questions too."""
    bench = asking(5_000).study()
    bench.play(6_000)
    bench.send(Replied(0))
    bench.play(3_000)
    bench.send(session.SeekAsked(0))
    bench.place = 0
    bench.play(7_000)
    assert bench.state.asking is None
    assert bench.playing


def test_a_check_that_comes_meanwhile_goes_first() -> None:
    """The order is answered in its time; the question stands on the screen again when the check is over."""
    bench = asking(5_000).study()
    bench.play(6_000)
    bench.answer(order=order())
    bench.send(Replied(1))
    assert not any(isinstance(event.body, Question) for event in bench.log), "a check's screen takes no such answer"
    bench.pass_check()
    assert not bench.playing
    assert bench.state.asking is not None
    bench.send(Replied(1))
    assert bench.playing


@pytest.mark.parametrize("choice", [-1, 4, 99])
def test_what_is_no_choice_is_no_answer(choice: int) -> None:
    """Nothing is logged, and the question stands."""
    bench = asking(5_000).study()
    bench.play(6_000)
    before = len(bench.log)
    bench.send(Replied(choice))
    assert len(bench.log) == before
    assert bench.state.asking is not None


def test_a_rest_before_the_answer_keeps_the_question() -> None:
    """The learner may rest, and may end; neither is an answer."""
    bench = asking(5_000).study()
    bench.play(6_000)
    bench.send(Pressed("rest"))
    assert bench.state.hold == "rest"
    bench.send(Pressed("play"))
    assert bench.state.asking is not None
    assert not bench.playing


def test_a_live_lesson_is_not_stopped_by_a_question() -> None:
    """What passes unseen there is gone."""
    bench = asking(5_000)
    unit = session.replace(bench.state.rules.units[0], starts_ms=bench.state.wall)
    rules = session.replace(bench.state.rules, units=(unit,))
    bench.state = session.replace(bench.state, rules=rules)
    bench.study().play(6_000)
    assert bench.state.asking is None


# --- client, server and warnings together -----------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(
        tmp_path, units=(("pass", MINUTE),), reviewers=1, questions=range(4_000, 56_000, 4_000),
        learners=("learner", "other", "third"),
    )  # fmt: skip
    yield made
    made.close()


def study_together(world: World, lessons: list[tuple[MachineSide, Study]], after: Callable[[int], int]) -> None:
    """All study at once. Once all stand before the same question (their checks fall at other moments), the n-th answers
    `after(n)` ms later, with its own choice."""
    waited: dict[int, int] = {}
    for _ in range(12_000):
        world.clock.advance(100)
        for _, study in lessons:
            study.tick()
        views = [study.view() for _, study in lessons]
        if all(view.phase == "done" for view in views):
            return
        asked = [view.question.prompt if view.question is not None else None for view in views]
        if not waited and None not in asked and len(set(asked)) == 1:
            waited = dict.fromkeys(range(len(lessons)), 0)
        for n in list(waited):
            waited[n] += 100
            if waited[n] > after(n) and asked[n] is not None:
                lessons[n][1].reply(n, "")
                del waited[n]
    raise AssertionError([study.view().phase for _, study in lessons])


def asked(machine: MachineSide, sid: str) -> list[Event]:
    return [event for event in machine.events(sid) if isinstance(event.body, Question)]


@pytest.mark.slow
def test_an_answer_is_sealed_counts_nothing_and_the_whole_minute_counts(world: World) -> None:
    """Thirteen questions, thirteen events; only the reviewer reads which choice; the verifier agrees on the hours."""
    machine = world.machine()
    study = machine.study()
    study_together(world, [(machine, study)], lambda _: 2_500)
    machine.send_all()
    result = study.result()
    assert result is not None
    assert result.credited_ms == MINUTE
    found = asked(machine, study.sid)
    assert [event.body.item for event in found] == [f"q{n}" for n in range(13)]  # type: ignore[attr-defined]
    origin, recipient = f"{world.settings.server}/s/{study.sid}", world.reviewer[0]
    for event in found:
        assert isinstance(event.body, Question)
        assert answers.open_([str(recipient.vkey)], recipient, origin, event.body) == 0
    around = [event.body for event in machine.events(study.sid) if isinstance(event.body, Paused | Resumed | Question)]
    assert all(isinstance(around[at - 1], Paused) for at, body in enumerate(around) if isinstance(body, Question))
    report = world.verified()
    assert not report.refused
    assert all(events.decode(data) for data in machine.outbox.events(study.sid))


@pytest.mark.slow
def test_a_lesson_gone_on_with_later_asks_only_what_was_not_answered(world: World) -> None:
    """After a crash the answered ones are known from the signed log; the open one is asked again."""
    machine = world.machine()
    study = machine.study()
    for _ in range(1_200):
        world.clock.advance(100)
        study.tick()
        view = study.view()
        if view.question is not None and view.question.prompt is not None:
            if view.question.prompt.en == "Question 3":
                break
            study.reply(1, "")
    else:
        raise AssertionError("the fourth question never came")
    before = len(asked(machine, study.sid))
    assert before == 3
    again = machine.restart()
    later = Study(again.ports, again.lesson(), at_once)
    later.press("play")
    study_together(world, [(again, later)], lambda _: 500)
    said = [event.body.item for event in asked(again, later.sid)]  # type: ignore[attr-defined]
    assert said == [f"q{n}" for n in range(3, 13)]


@pytest.mark.slow
def test_three_who_answer_at_the_same_moments_are_a_warning_for_people_to_look_at(world: World) -> None:
    """Twelve items within seconds of each other by three learners at three places: the rule reads their signed
    `question` events, names the three, and judges nobody."""
    machines = [world.machine(f"pc{n}", account) for n, account in enumerate(("learner", "other", "third"))]
    lessons = [(machine, machine.study()) for machine in machines]
    study_together(world, lessons, lambda n: 1_500 + 700 * n)
    for machine in machines:
        machine.send_all()
    inspector = world.server.services.warnings.inspector
    inspector.now()
    papers = world.server.services.supervision.bench.papers.find(WARNING, places=[f"class/{CLASS}"], limit=50)
    found = [paper.read(Warned) for paper in papers]
    group = next(one for one in found if one.words["en"]["title"].startswith("A group answered the same items"))
    assert set(group.learners) == {machine.who.learner for machine in machines}
    assert group.values["close_items"] >= 10
