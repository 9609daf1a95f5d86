"""From the notice to the result without a screen: every page, its buttons, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from client.config import Config
from client.errors import NetworkError, OtherServerError
from client.events import Enrolled
from client.journey import Journey, Kit
from client.player.shown import Choices
from client.view import ResultView, View
from tests.client.world import SERVER, World
from tests.scripted import (
    FakeClock,
    ScriptedAgent,
    ScriptedPlayer,
    ScriptedProctor,
    ScriptedWindow,
    SteppedUploader,
    at_once,
)

ALL = Choices(notice=True, commitment=True, face=True, photos=True)


class EnrollingProctor(ScriptedProctor):
    """A camera in front of which everybody enrols at once."""

    result = "passed"

    def enrol(self, gestures: Sequence[str], deadline_ms: int) -> None:
        self.say(Enrolled(self.result, "ok" if self.result == "passed" else "dark", "0" * 64))

    def take_template(self) -> bytes:
        return b"template"


class Client:
    """One start of the client on one machine of the world."""

    def __init__(self, world: World, folder: Path, **settings: str) -> None:
        from client.sync.uploader import Uploader

        clock: FakeClock = world.clock
        self.world, self.clock = world, clock
        self.proctor = EnrollingProctor(clock)

        def uploader(enrolment, registrations):  # type: ignore[no-untyped-def]
            from client.sync.outbox import Outbox

            trusted = enrolment.trust(registrations[0])
            worker = Uploader(
                Outbox(enrolment.profile.outbox), world.net, enrolment.profile.seal,
                trust_of=lambda _o: trusted, chance=lambda: 0.5,
            )  # fmt: skip
            return SteppedUploader(worker, clock)

        kit = Kit(
            clock=clock, transport=world.net, player=ScriptedPlayer(clock), foreground=ScriptedWindow(),
            proctor=self.proctor, agent=ScriptedAgent(clock), uploader=uploader, about="client", agent_about="agent",
        )  # fmt: skip
        self.journey = Journey(Config(folder, **settings), kit, at_once)

    def until(self, page: str, phase: str = "", ms: int = 200_000) -> Journey:
        for _ in range(0, ms, 100):
            journey = self.journey
            settled = journey.page == page and not journey.busy
            if settled and (not phase or (isinstance(journey.shown, View) and journey.shown.phase == phase)):
                return journey
            self.clock.advance(100)
            journey.tick()
        raise AssertionError(f"still on {self.journey.page}: {self.journey.shown}")

    def sign_in(self, account: str = "learner", choices: Choices = ALL) -> Journey:
        journey = self.journey
        journey.choose(choices)
        self.clock.advance(31_000)
        journey.ask_code(account)
        journey.tick()
        journey.enter_code(self.world.codes.sent[account])
        return self.until("real_name")

    def registration(self) -> str:
        return self.journey.shown.courses[0].registration  # type: ignore[union-attr]


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = World(tmp_path, units=(("pass", 60_000),))
    yield world
    world.close()


def enrolled(world: World, folder: Path) -> Client:
    client = Client(world, folder)
    journey = client.sign_in()
    journey.confirm_name()
    client.until("real_name")
    journey.leave_name()
    assert journey.page == "enrol"
    journey.start_enrol()
    for _ in range(30):
        client.clock.advance(100)
        journey.tick()
    assert journey.shown.step == "passed"  # type: ignore[union-attr]
    journey.to_today()
    client.until("today")
    journey.tick()
    return client


@pytest.mark.slow
def test_a_learner_goes_from_the_notice_to_the_counted_minute(world: World, tmp_path: Path) -> None:
    """Notice, sign-in, real name, enrolment, overview, lesson, result: the whole minute is counted."""
    client = enrolled(world, tmp_path / "pc")
    journey = client.journey
    journey.open_course(client.registration())
    client.until("lesson")
    journey.study.press("play")  # type: ignore[union-attr]
    client.until("result")
    assert isinstance(journey.shown, ResultView)
    assert journey.shown.credited_ms >= 59_000
    assert journey.shown.how == "ended"
    journey.to_today()
    client.until("today")
    journey.tick()
    assert journey.shown.courses[0].credited_ms >= 59_000  # type: ignore[union-attr]
    journey.close()


def test_a_wrong_code_is_one_sentence_and_loses_nothing(world: World, tmp_path: Path) -> None:
    """The page stays, says what to do, and the right code still signs in."""
    client = Client(world, tmp_path / "pc")
    journey = client.journey
    journey.choose(ALL)
    client.clock.advance(31_000)
    journey.ask_code("learner")
    journey.tick()
    right = world.codes.sent["learner"]
    journey.enter_code("000000" if right != "000000" else "111111")
    journey.tick()
    assert journey.page == "sign_in"
    trouble = journey.shown.trouble  # type: ignore[union-attr]
    assert trouble is not None
    assert trouble.code.startswith("TS-S-")
    assert "验证码" in trouble.sentence.zh, "the server's own words, not a general remedy"
    journey.enter_code(right)
    client.until("real_name")


@pytest.mark.slow
def test_the_next_start_finds_the_learner_signed_in(world: World, tmp_path: Path) -> None:
    """Nobody reads the notice twice: the second start opens on the overview."""
    enrolled(world, tmp_path / "pc").journey.close()
    again = Client(world, tmp_path / "pc")
    again.until("today")
    again.journey.tick()
    assert again.journey.shown.courses  # type: ignore[union-attr]


def test_a_server_that_is_down_at_sign_in_is_named_with_a_remedy(world: World, tmp_path: Path) -> None:
    """No network: the page says so and stays usable."""
    client = Client(world, tmp_path / "pc")
    world.net.down = True
    client.journey.choose(ALL)
    client.journey.ask_code("learner")
    client.journey.tick()
    assert client.journey.shown.trouble.code == NetworkError.code  # type: ignore[union-attr]
    assert client.journey.shown.account == "learner"  # type: ignore[union-attr]


def test_who_refuses_face_processing_gets_to_the_overview_without_a_camera(world: World, tmp_path: Path) -> None:
    """Consent (a) refused: no enrolment, no camera, the course is there."""
    client = Client(world, tmp_path / "pc")
    journey = client.sign_in(choices=Choices(notice=True, commitment=True, face=False, photos=False))
    journey.leave_name()
    client.until("today")
    journey.tick()
    assert journey.shown.courses  # type: ignore[union-attr]


def test_another_server_than_the_settings_name_is_refused(world, tmp_path):
    """An administrator who names the server keeps learners from signing in to a look-alike; the named one is let in."""
    with pytest.raises(AssertionError, match="still on sign_in"):
        (stranger := Client(world, tmp_path / "there", server_name="another.example")).sign_in()
    journey = stranger.journey
    trouble = journey.shown.trouble
    assert journey.page == "sign_in"
    assert trouble is not None
    assert trouble.code == OtherServerError.code
    named = Client(world, tmp_path / "here", server_name=SERVER)
    assert named.sign_in().page == "real_name"
