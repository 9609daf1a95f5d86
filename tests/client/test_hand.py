"""A raised hand: against the real server in one process, offline, over, twice; the lesson never waits for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from client.errors import BadAnswerError, NetworkError, ServerRefusedError
from client.hand import LASTS_MS, Hand
from client.ports import Reply
from client.sync.api import Api
from client.sync.hand import put
from tests.client.world import MachineSide, World


def key(sentence: Any) -> str:
    return sentence.key if sentence is not None else ""


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """No check comes between two looks at the screen."""
    return make_world(calm_ms=20_000)


@pytest.fixture
def studying(world: World, pc: MachineSide) -> Any:
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    return study


def test_a_raised_hand_is_up_on_the_server_and_in_no_record(world: World, pc: MachineSide, studying: Any) -> None:
    """One press: the school sees it, the screen says so, the lesson plays on, nothing of it is signed."""
    assert studying.view().hand.what == "hand"
    before, verbs = studying.view().unit.position_ms, len(pc.verbs(studying.sid))
    studying.press("hand")
    pc.run(studying, 400)
    seen = studying.view()
    assert (seen.phase, key(seen.asked), seen.hand.what) == ("playing", "hand.up", "hand_down")
    assert set(world.server.services.hands.up()) == {studying.sid}
    assert seen.unit.position_ms > before
    assert len(pc.verbs(studying.sid)) == verbs
    studying.press("hand_down")
    pc.run(studying, 400)
    assert (studying.view().asked, studying.view().hand.what) == (None, "hand")
    assert not world.server.services.hands.up()


def test_without_a_network_it_is_said_and_the_lesson_goes_on(world: World, pc: MachineSide, studying: Any) -> None:
    """Offline: one sentence, the hand stays down, minutes go on; online again the same button works."""
    pc.net.down = True
    studying.press("hand")
    pc.run(studying, 400)
    seen = studying.view()
    assert (seen.phase, key(seen.asked), seen.hand.what) == ("playing", "hand.offline", "hand")
    assert studying.problem is None
    pc.net.down = False
    studying.press("hand")
    pc.run(studying, 400)
    assert set(world.server.services.hands.up()) == {studying.sid}


def test_before_and_after_a_session_there_is_no_hand_to_raise(pc: MachineSide) -> None:
    """The button is there while a session runs and at no other time; over is over for the server, too."""
    study = pc.study()
    assert study.view().hand is None
    pc.run(study, 20_000)
    pc.finish(study)
    assert (study.view().hand, study.view().asked) == (None, None)
    pc.send_all()
    with pytest.raises(ServerRefusedError) as refused:
        put(pc.enrolment.api, study.sid, up=True)
    assert refused.value.status == 410


@pytest.mark.slow
def test_nobody_raises_somebody_elses_hand(world: World, studying: Any) -> None:
    """Another learner's session is unknown to one's own token."""
    other = world.machine("other", "other")
    with pytest.raises(ServerRefusedError) as refused:
        put(other.enrolment.api, studying.sid, up=True)
    assert refused.value.status == 404
    assert not world.server.services.hands.up()


class Slowly:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Any, Future[Any]]] = []

    def __call__(self, job: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.jobs.append((job, future))
        return future

    def end(self) -> None:
        job, future = self.jobs.pop()
        try:
            future.set_result(job())
        except NetworkError as error:
            future.set_exception(error)


def test_while_the_answer_is_on_its_way_a_press_is_none_and_after_a_quarter_of_an_hour_it_is_down() -> None:
    """Pressed three times it is asked once; what the server has forgotten is not shown as up."""
    asked: list[tuple[str, bool]] = []
    work = Slowly()
    hand = Hand(lambda sid, up: asked.append((sid, up)), work)
    for _ in range(3):
        hand.press("s", "hand")
        hand.tick(1_000)
    assert (key(hand.said), len(work.jobs)) == ("hand.waiting", 1)
    work.end()
    hand.tick(2_000)
    assert (asked, key(hand.said), hand.button.what) == ([("s", True)], "hand.up", "hand_down")
    hand.tick(2_000 + LASTS_MS - 1)
    assert hand.button.what == "hand_down"
    hand.tick(2_000 + LASTS_MS)
    assert (hand.said, hand.button.what) == (None, "hand")


@pytest.mark.parametrize("body", [b"{}", b'{"up": 1}', b'{"up": false}', b"[]", b"x"])
def test_an_answer_that_says_something_else_is_believed_by_nobody(body: bytes) -> None:
    """The hand is up only where the server says that it is."""

    class Says:
        def send(self, *_: Any) -> Reply:
            return Reply(200, body)

    with pytest.raises(BadAnswerError):
        put(Api(Says()), "ab" * 16, up=True)  # type: ignore[arg-type]
