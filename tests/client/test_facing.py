"""The page with the mirror: practice costs nothing, a new enrolment is the same face, the way back to the camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from client.events import CameraState, Enrolled, Signal
from client.facing import ENROL_GESTURES, MISS_MS, Facing
from client.proctor import template
from client.proctor.template import Template
from tests.client.proctor.scenes import ANNA, BERTA
from tests.client.test_journey import Client, enrolled
from tests.client.world import World
from tests.scripted import FakeClock, ScriptedProctor

KNOWN = ("turn_left", "turn_right", "look_up", "open_mouth", "blink_twice", "smile")
ANNAS = template.encode(Template("ab" * 32, "opencv 5.0.0", 8, ANNA))
BERTAS = template.encode(Template("ab" * 32, "opencv 5.0.0", 8, BERTA))


class Mirror(ScriptedProctor):
    """A camera that opens at once; each enrolment ends as `results` say."""

    def __init__(self, results: Sequence[str]) -> None:
        super().__init__(FakeClock())
        self.results = deque(results)
        self.asked: list[tuple[tuple[str, ...], int]] = []
        self.made, self.taken, self.closed = ANNAS, 0, False

    def enrol(self, gestures: Sequence[str], deadline_ms: int) -> None:
        self.asked.append((tuple(gestures), deadline_ms))
        result = self.results.popleft()
        self.say(Enrolled(result, "ok" if result == "passed" else "dark", "none"))

    def take_template(self) -> bytes:
        self.taken += 1
        return self.made

    def close(self) -> None:
        self.closed = True


class Page:
    """What the page shows, and what was kept."""

    def __init__(self, *results: str) -> None:
        self.mirror = Mirror(results)
        self.fields: dict[str, Any] = {}
        self.steps: list[str] = []
        self.kept: list[bytes] = []
        self.facing = Facing(self.mirror, self.show, self.kept.append)

    def show(self, **changes: Any) -> None:
        self.fields |= changes
        if "step" in changes:
            self.steps.append(changes["step"])

    def hear(self, *signals: Signal) -> None:
        for signal in signals:
            self.mirror.say(signal)
        for _ in range(4):
            self.facing.hear()


def test_practice_asks_for_every_gesture_once_and_then_for_a_miss() -> None:
    """And throws away what it made: nothing is kept, nothing is logged, the camera is let go."""
    page = Page("passed", "inconclusive")
    page.facing.practise(KNOWN, 60_000)
    page.hear()
    (whole, long), (missed, short) = page.mirror.asked
    assert sorted(whole) == sorted(KNOWN)
    assert (len(missed), long, short) == (1, 120_000, MISS_MS)
    assert page.steps == ["starting", "running", "running", "practised"]
    assert page.kept == []
    assert page.mirror.taken == 1, "the template left the proctor and was dropped"
    assert page.mirror.closed


def test_the_gesture_to_be_missed_is_marked() -> None:
    """ "This time do nothing": the page knows which one."""
    page = Page("passed", "inconclusive")
    told: list[bool] = []
    page.facing._show = lambda **changes: told.append(changes["missing"]) if "missing" in changes else None
    page.facing.practise(KNOWN, 60_000)
    page.hear()
    assert told == [False, False, True, False]


def test_practice_that_is_not_clear_says_why_and_can_be_done_again() -> None:
    """As often as wanted."""
    page = Page("inconclusive", "passed", "passed")
    page.facing.practise(KNOWN, 60_000)
    page.hear()
    assert (page.steps[-1], page.fields["advice"]) == ("unclear", "dark")
    page.facing.practise(KNOWN, 60_000)
    page.hear()
    assert page.steps[-1] == "practised"


def test_an_enrolment_asks_for_some_gestures_and_keeps_what_it_made() -> None:
    """Two, drawn on this device."""
    page = Page("passed")
    page.facing.enrol(KNOWN, 60_000)
    page.hear()
    assert len(page.mirror.asked[0][0]) == ENROL_GESTURES
    assert page.kept == [ANNAS]


def test_a_camera_that_goes_is_said() -> None:
    """And its coming back is not a second start."""
    page = Page("passed")
    page.facing.enrol(KNOWN, 60_000)
    page.hear(CameraState(False, "cam", "none", False, "busy"))
    assert "camera" in page.steps


def test_only_the_same_face_replaces_a_template() -> None:
    """Unless the old one is of no use: damaged, or of another model or engine."""
    other = template.encode(Template("ab" * 32, "opencv 4.12.0", 8, ANNA))
    assert template.may_replace(ANNAS, ANNAS, 400)
    assert not template.may_replace(ANNAS, BERTAS, 400)
    assert template.may_replace(other, BERTAS, 400)
    assert template.may_replace(b"damaged", BERTAS, 400)


@pytest.fixture
def world(tmp_path: Path):  # type: ignore[no-untyped-def]
    world = World(tmp_path, units=(("pass", 60_000),))
    yield world
    world.close()


def again(client: Client, made: bytes) -> str:
    """Enrol anew from the overview; return the page's last step."""
    journey = client.journey
    client.proctor.take_template = lambda: made  # type: ignore[method-assign]
    journey.to_face()
    assert journey.shown.known  # type: ignore[union-attr]
    journey.start_enrol()
    for _ in range(30):
        client.clock.advance(100)
        journey.tick()
    return journey.shown.step  # type: ignore[union-attr]


def test_a_learner_enrols_anew_but_nobody_else_in_their_place(world: World, tmp_path: Path) -> None:
    """The same face takes the place of the old template; another one is sent to the school, and nothing changes."""
    client = enrolled(world, tmp_path / "pc")
    journey = client.journey
    assert again(client, ANNAS) == "passed"
    journey.to_today()
    client.until("today")
    assert again(client, BERTAS) == "unclear"
    assert journey.shown.advice == "other_face"  # type: ignore[union-attr]
    registration = journey._signed.me.registrations[0].registration  # type: ignore[union-attr]
    assert journey._signed.enrolment.profile.template(registration) == ANNAS  # type: ignore[union-attr]


@pytest.mark.slow
def test_what_followed_the_template_is_kept_and_goes_with_it(world: World, tmp_path: Path) -> None:
    """Sealed beside it, given back at the next lesson, forgotten with a new enrolment."""
    client = enrolled(world, tmp_path / "pc")
    journey = client.journey
    given: list[bytes] = []
    client.proctor.set_reference = lambda _t, follower=b"": given.append(follower)  # type: ignore[method-assign]
    client.proctor.take_follower = lambda: b"moved"  # type: ignore[method-assign]
    registration = client.registration()
    for _ in range(2):
        journey.open_course(registration)
        client.until("lesson")
        journey.to_today()
        client.until("today")
    assert given == [b"", b"moved"]
    client.proctor.take_follower = lambda: b""  # type: ignore[method-assign]
    assert again(client, ANNAS) == "passed"
    assert journey._signed.enrolment.profile.follower(registration) == b""  # type: ignore[union-attr]
