"""A challenge counts what follows its prompt, in order, in time, by one person; nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.proctor import liveness
from client.proctor.limits import Limits
from client.proctor.liveness import Challenge, Measure
from client.proctor.seen import Pose
from tests.client.proctor.scenes import pose

FRAME_MS = 70
LEFT, RIGHT, UP = pose(yaw=30), pose(yaw=-30), pose(pitch=20)
SHUT, WIDE, GRIN = pose(blink=0.8), pose(jaw=0.6), pose(smile=0.8)
CALM = pose()


class Actor:
    """Feeds a challenge frame by frame."""

    def __init__(self, gestures: Sequence[str], limits: Limits) -> None:
        self.limits = limits
        self.now = 0
        self.state: Challenge = liveness.begin(gestures, 0)

    def show(self, one: Pose | None, frames: int = 1, same: int | None = 900, good: bool = True) -> Actor:
        """The same pose for some frames."""
        for _ in range(frames):
            self.now += FRAME_MS
            self.state = liveness.step(self.state, Measure(self.now, one, good, same), self.limits)
        return self

    def calm(self) -> Actor:
        """Look at the screen until a gesture (or the end) is reached."""
        return self.show(CALM, 7)


Act = Callable[..., Actor]


@pytest.fixture
def actor(shipped: Limits) -> Act:
    """An actor under the shipped thresholds."""
    return lambda *gestures: Actor(gestures, shipped)


def test_gestures_in_order_and_calm_between_them_pass(actor: Act) -> None:
    """Two gestures, then the face that began it."""
    one = actor("turn_left", "look_up").calm().show(CALM, 3).show(LEFT, 3).calm().show(CALM, 3).show(UP, 3).calm()
    assert one.state.phase == "passed"
    assert one.state.index == 2


@pytest.mark.parametrize(
    ("gesture", "frames"),
    [
        ("turn_left", [LEFT] * 2),
        ("turn_right", [RIGHT] * 2),
        ("look_up", [UP] * 2),
        ("smile", [GRIN] * 2),
        ("open_mouth", [WIDE] * 4 + [CALM]),
        ("blink_twice", [SHUT, SHUT, CALM, CALM, CALM, SHUT, CALM]),
    ],
)
def test_every_gesture_is_read(actor: Act, gesture: str, frames: Iterable[Pose]) -> None:
    """Each gesture of the policy's list is done by what a person would do, and by nothing less."""
    one = actor(gesture).calm().show(CALM, 3)
    for frame in frames:
        assert one.state.index == 0
        one.show(frame)
    assert one.state.index == 1


@pytest.mark.parametrize("gesture", sorted(liveness.GESTURES))
def test_a_still_picture_passes_no_gesture(actor: Act, gesture: str) -> None:
    """A photograph is calm for ever; when the time of the gesture is over it has failed."""
    one = actor(gesture).show(CALM, 200)
    assert (one.state.phase, one.state.reason) == ("failed", "gesture")


@pytest.mark.parametrize(
    "frozen", [LEFT, RIGHT, UP, SHUT, WIDE, GRIN], ids=["left", "right", "up", "shut", "wide", "grin"]
)
def test_a_gesture_that_was_there_before_its_prompt_does_not_count(actor: Act, frozen: Pose) -> None:
    """Without a calm face first nothing is asked, so nothing can be answered."""
    for gesture in liveness.GESTURES:
        assert actor(gesture).show(frozen, 80).state.index == 0


def test_an_answer_faster_than_a_person_is_none(actor: Act) -> None:
    """A cut from calm to turned within a tenth of a second was made at an editing desk."""
    one = actor("turn_left").show(CALM, 5)
    while one.state.phase != "gesture":
        one.show(CALM)
    one.show(LEFT, 2)
    assert (one.state.index, one.state.slips) == (0, 1)


def test_left_for_right_is_forgiven_once(actor: Act) -> None:
    """People mix up the sides; whoever plays a film with every gesture mixes them up more often."""
    one = actor("turn_left").calm().show(CALM, 3).show(RIGHT, 3)
    assert one.state.phase == "calm"
    one.calm().show(CALM, 3).show(LEFT, 3).calm()
    assert one.state.phase == "passed"
    two = actor("turn_left").calm().show(RIGHT, 3).calm().show(CALM, 3).show(RIGHT, 3)
    assert (two.state.phase, two.state.reason) == ("failed", "gesture")


def test_a_profile_that_is_lost_for_a_moment_goes_on(actor: Act) -> None:
    """The models lose a quarter of all full profiles."""
    one = actor("turn_left").calm().show(CALM, 3).show(None, 10, same=None).show(LEFT, 3).calm()
    assert one.state.phase == "passed"


def test_a_face_that_was_gone_for_long_begins_the_gesture_anew(actor: Act) -> None:
    """Whoever comes back must be calm and be compared before the gesture counts."""
    one = actor("turn_left").calm().show(CALM, 3).show(None, 30, same=None)
    assert one.state.phase == "calm"
    assert one.show(LEFT, 5).state.index == 0


def test_somebody_else_takes_over_and_is_noticed(actor: Act) -> None:
    """Three looks in a row that are not this person end it."""
    one = actor("turn_left", "turn_right").calm().show(CALM, 3).show(LEFT, 3).show(CALM, 3, same=40)
    assert (one.state.phase, one.state.reason) == ("failed", "other_person")


def test_somebody_alike_does_the_gestures_but_does_not_pass(actor: Act, shipped: Limits) -> None:
    """The face that ends it must match as a check must."""
    alike = shipped.match - 60
    one = actor("turn_left").show(CALM, 10, same=alike).show(LEFT, 3, same=alike).show(CALM, 30, same=alike)
    assert (one.state.phase, one.state.reason) == ("failed", "other_person")


def test_closed_eyes_are_no_blink(actor: Act) -> None:
    """Sleeping for a second and waking twice is not blinking twice."""
    one = actor("blink_twice").calm().show(CALM, 3)
    one.show(SHUT, 15).show(CALM, 2).show(SHUT, 15).show(CALM, 2)
    assert one.state.index == 0


def test_a_dark_or_blurred_face_is_not_calm_but_may_turn(actor: Act) -> None:
    """Motion blurs; only the calm face must be good enough to compare."""
    one = actor("turn_left").show(CALM, 10, good=False)
    assert one.state.phase == "calm"
    one.calm().show(CALM, 3).show(LEFT, 3, good=False)
    assert one.state.index == 1


def test_a_gesture_that_no_model_reads_is_refused() -> None:
    """Not a challenge that nobody can pass."""
    with pytest.raises(ValueError, match="wink"):
        liveness.begin(["turn_left", "wink"], 0)


poses = (
    st.builds(Pose, st.floats(-90, 90), st.floats(-60, 60), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
    | st.none()
)


@given(st.lists(st.sampled_from(sorted(liveness.GESTURES)), max_size=3, unique=True), st.data())
def test_no_sequence_of_frames_breaks_it(gestures: list[str], data: st.DataObject) -> None:
    """Any frames in any order: the index never falls or skips, and an end is an end."""
    from client import manifest
    from client.proctor.limits import limits

    one = Actor(gestures, limits(manifest.load()))
    for shown in data.draw(st.lists(poses, max_size=40)):
        before = one.state
        one.show(shown, same=data.draw(st.none() | st.integers(-200, 1000)))
        assert before.index <= one.state.index <= before.index + 1
        assert not before.over or one.state == before
